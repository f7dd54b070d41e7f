// SPDX-License-Identifier: GPL-2.0-only
// Times are nanoseconds since the epoch, as the kernel's records carry them.
#ifndef IPTRK_LIB_SECONDS_H_
#define IPTRK_LIB_SECONDS_H_

#include <cstdint>

namespace iptrk {

inline constexpr std::uint64_t kSecond = 1'000'000'000;  // ns

}  // namespace iptrk

#endif  // IPTRK_LIB_SECONDS_H_
