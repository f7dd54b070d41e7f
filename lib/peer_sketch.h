// SPDX-License-Identifier: GPL-2.0-only
// About how many different addresses were added: HyperLogLog in 32 bytes.
//
// 64 registers of four bits, so that it fits half a cache line beside what
// else a packet changes. Standard error 1.04 / sqrt(64) = 13 %; exact within
// one or two below 20 (linear counting); beyond about half a million the
// registers are full and the answer stays there. Flajolet et al.,
// "HyperLogLog", AofA 2007.
#ifndef IPTRK_LIB_PEER_SKETCH_H_
#define IPTRK_LIB_PEER_SKETCH_H_

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "lib/address.h"

namespace iptrk {

class PeerSketch {
 public:
  void Add(Address address) {
    // The upper half of a product is what is well mixed of it.
    std::uint64_t hash = HashAddress(address, 0x5bd1e995u);
    hash = (hash ^ (hash >> 32)) * 0xff51afd7ed558ccdu;
    const std::uint64_t index = hash >> 58;
    const auto rank =
        static_cast<std::uint64_t>(std::countl_zero(hash << 6 | kLeast) + 1);
    std::uint64_t& word = words_[index / kPerWord];
    const auto shift = static_cast<int>(index % kPerWord * kBits);
    if (rank > (word >> shift & kMost)) [[unlikely]]
      word = (word & ~(kMost << shift)) | rank << shift;
  }

  double Count() const {
    double sum = 0;
    int empty = 0;
    for (std::uint64_t word : words_) {
      for (int i = 0; i < kPerWord; ++i, word >>= kBits) {
        const auto rank = static_cast<int>(word & kMost);
        sum += std::ldexp(1.0, -rank);
        empty += rank == 0;
      }
    }
    constexpr double kAlpha = 0.709;  // for 64 registers
    const double raw = kAlpha * kRegisters * kRegisters / sum;
    if (raw <= 2.5 * kRegisters && empty > 0)
      return kRegisters * std::log(static_cast<double>(kRegisters) / empty);
    return raw;
  }

  void Clear() { words_.fill(0); }

 private:
  static constexpr int kRegisters = 64;
  static constexpr int kBits = 4;
  static constexpr int kPerWord = 64 / kBits;
  static constexpr std::uint64_t kMost = (1 << kBits) - 1;
  // A bit that is always there, so that no rank is above kMost.
  static constexpr std::uint64_t kLeast = std::uint64_t{1} << (64 - kMost);
  std::array<std::uint64_t, kRegisters / kPerWord> words_{};
};

}  // namespace iptrk

#endif  // IPTRK_LIB_PEER_SKETCH_H_
