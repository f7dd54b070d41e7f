// SPDX-License-Identifier: GPL-2.0-only
// Where what is known by its place among names is when they have changed.
// Thread-compatible.
#ifndef IPTRK_LIB_RENUMBERING_H_
#define IPTRK_LIB_RENUMBERING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace iptrk {

class Renumbering {
 public:
  Renumbering(const std::vector<std::string>& before,
              const std::vector<std::string>& now) {
    for (const std::string& name : before) {
      const auto found = std::ranges::find(now, name);
      now_.push_back(found == now.end()
                         ? std::int16_t{-1}
                         : static_cast<std::int16_t>(found - now.begin()));
    }
  }

  // -1 when it is gone, or was -1 before.
  std::int16_t operator()(std::int16_t number) const {
    const auto i = static_cast<std::size_t>(number);
    return number >= 0 && i < now_.size() ? now_[i] : std::int16_t{-1};
  }

 private:
  std::vector<std::int16_t> now_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_RENUMBERING_H_
