// SPDX-License-Identifier: GPL-2.0-only
// Longest-prefix match for both families.
//
// The prefixes are flattened once into ranges that don't overlap, each with
// the value of the longest prefix there, so that a look-up is one binary
// search. Immutable after construction; share it between threads as const.
#ifndef IPTRK_LIB_PREFIX_MAP_H_
#define IPTRK_LIB_PREFIX_MAP_H_

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "lib/address.h"

namespace iptrk {

template <typename Value>
class PrefixMap {
 public:
  struct Entry {
    Prefix prefix;
    Value value;
  };

  // `none` is the value of addresses in no prefix. Of equal prefixes the
  // last one given holds.
  PrefixMap(std::vector<Entry> entries, Value none) : none_(none) {
    // Outer prefixes first; each inner one then splits what it lies in.
    std::stable_sort(
        entries.begin(), entries.end(),
        [](const Entry& a, const Entry& b) { return a.prefix < b.prefix; });
    std::vector<Entry> open;  // the prefixes we are inside of
    for (const Entry& entry : entries) {
      while (!open.empty() && !open.back().prefix.Contains(entry.prefix.first))
        Close(open);
      Start(entry.prefix.first, entry.value);
      open.push_back(entry);
    }
    while (!open.empty()) Close(open);
  }

  Value Find(Address address) const {
    const auto after =
        std::upper_bound(starts_.begin(), starts_.end(), address);
    if (after == starts_.begin()) return none_;
    return values_[static_cast<std::size_t>(after - starts_.begin()) - 1];
  }

  bool empty() const { return starts_.empty(); }

 private:
  void Start(Address at, Value value) {
    if (!starts_.empty() && starts_.back() == at) {
      values_.back() = value;
      return;
    }
    starts_.push_back(at);
    values_.push_back(value);
  }

  // Behind the innermost open prefix the next outer one goes on.
  void Close(std::vector<Entry>& open) {
    Address next = open.back().prefix.Last();
    open.pop_back();
    if (++next.low == 0 && ++next.high == 0) return;  // the last address
    Start(next, open.empty() ? none_ : open.back().value);
  }

  std::vector<Address> starts_;  // where each range begins, ascending
  std::vector<Value> values_;    // and its value
  Value none_;
};

// Which of the groups an address belongs to, by the longest of their prefixes;
// -1 for none. A group has `prefixes`.
template <typename Group>
PrefixMap<int> MapPrefixes(const std::vector<Group>& groups) {
  std::vector<PrefixMap<int>::Entry> entries;
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const Prefix& prefix : groups[i].prefixes)
      entries.push_back({prefix, static_cast<int>(i)});
  return {std::move(entries), -1};
}

}  // namespace iptrk

#endif  // IPTRK_LIB_PREFIX_MAP_H_
