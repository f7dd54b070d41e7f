// SPDX-License-Identifier: GPL-2.0-only
// Whether something was there within the last minutes: two Bloom filters, of
// which the older is forgotten when both turn.
//
// A mebibyte each; with 300,000 keys in both, one answer in 100 is a wrong
// yes, and none a wrong no within the shorter time.
#ifndef IPTRK_LIB_RECENT_KEYS_H_
#define IPTRK_LIB_RECENT_KEYS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "lib/address.h"

namespace iptrk {

class RecentKeys {
 public:
  RecentKeys() : now_(kWords), before_(kWords) {}

  bool Has(std::uint64_t hash) const {
    return Has(now_, hash) || Has(before_, hash);
  }
  // False: it was there in this turn already.
  bool Add(std::uint64_t hash) {
    if (Has(now_, hash)) return false;
    for (const std::size_t bit : Bits(hash))
      now_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    return true;
  }
  void Turn() {
    std::swap(now_, before_);
    now_.assign(kWords, 0);
  }

  static std::uint64_t Hash(Address a, Address b, std::uint64_t what) {
    return HashAddress(a, HashAddress(b, what)) * 0x9e3779b97f4a7c15u;
  }

 private:
  static constexpr std::size_t kWords = std::size_t{1} << 17;
  using Words = std::vector<std::uint64_t>;

  // Two bits of one cache line.
  static std::array<std::size_t, 2> Bits(std::uint64_t hash) {
    const std::size_t line = (hash >> 40) % (kWords / 8) * 512;
    return {line + (hash & 511), line + (hash >> 9 & 511)};
  }
  static bool Has(const Words& words, std::uint64_t hash) {
    for (const std::size_t bit : Bits(hash))
      if (!(words[bit / 64] >> (bit % 64) & 1)) return false;
    return true;
  }

  Words now_, before_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_RECENT_KEYS_H_
