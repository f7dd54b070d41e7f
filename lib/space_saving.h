// SPDX-License-Identifier: GPL-2.0-only
// The most frequent keys of a stream in fixed memory.
//
// Space-Saving (Metwally et al., ICDT 2005): every key that makes up more
// than 1 / N of the stream is kept; a count is too high by at most `error`,
// so that count - error is certain even in a flood of random keys.
#ifndef IPTRK_LIB_SPACE_SAVING_H_
#define IPTRK_LIB_SPACE_SAVING_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace iptrk {

template <typename Key, std::size_t N>
class SpaceSaving {
 public:
  struct Entry {
    Key key{};
    std::uint64_t count = 0;
    std::uint64_t error = 0;
    std::uint64_t bytes = 0;  // since it is kept, so certain, too

    std::uint64_t Certain() const { return count - error; }
  };

  void Add(const Key& key, std::uint64_t weight, std::uint64_t bytes = 0) {
    total_ += weight;
    total_bytes_ += bytes;
    std::size_t least = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (entries_[i].key == key) {
        entries_[i].count += weight;
        entries_[i].bytes += bytes;
        return;
      }
      if (entries_[i].count < entries_[least].count) least = i;
    }
    if (size_ < N) {
      entries_[size_++] = {key, weight, 0, bytes};
      return;
    }
    entries_[least] = {key, entries_[least].count + weight,
                       entries_[least].count, bytes};
  }

  std::uint64_t total() const { return total_; }
  std::uint64_t total_bytes() const { return total_bytes_; }

  // The keys of which most is certain, greatest first; ties by key.
  std::vector<Entry> Top(std::size_t most) const {
    std::vector<Entry> top(entries_.begin(),
                           entries_.begin() + static_cast<long>(size_));
    std::sort(top.begin(), top.end(), [](const Entry& a, const Entry& b) {
      if (a.Certain() != b.Certain()) return a.Certain() > b.Certain();
      return a.key < b.key;
    });
    if (top.size() > most) top.resize(most);
    return top;
  }

 private:
  std::array<Entry, N> entries_{};
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_SPACE_SAVING_H_
