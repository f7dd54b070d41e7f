// SPDX-License-Identifier: GPL-2.0-only
// How long rules look on when nothing comes, for those who skip the rest.
#ifndef IPTRK_LIB_PAUSE_H_
#define IPTRK_LIB_PAUSE_H_

#include <algorithm>
#include <cstdint>

#include "lib/seconds.h"

namespace iptrk {

// After that long without a record nothing is left to decide, and the rest
// of a pause (files of different days, a damaged time) is skipped.
inline constexpr std::uint64_t kLongestPause = 600 * kSecond;

// Calls `end_second(end_ns)` for the seconds from `begin_ns` to `end_ns`, or
// the first of them when nothing is left to decide in the others.
template <typename EndSecond>
void EndSeconds(std::uint64_t begin_ns, std::uint64_t end_ns,
                EndSecond&& end_second) {
  const std::uint64_t last = std::min(end_ns, begin_ns + kLongestPause);
  for (std::uint64_t at = begin_ns + kSecond; at <= last; at += kSecond)
    end_second(at);
}

}  // namespace iptrk

#endif  // IPTRK_LIB_PAUSE_H_
