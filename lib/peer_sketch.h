// SPDX-License-Identifier: GPL-2.0-only
// About how many different addresses were added: HyperLogLog in 64 bytes.
//
// Standard error 1.04 / sqrt(64) = 13 %; exact within one or two below 20
// (linear counting). Flajolet et al., "HyperLogLog", AofA 2007.
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
    // Both ends of the hash are used, so both must be well mixed: the
    // finalizer of MurmurHash3.
    std::uint64_t hash = HashAddress(address, 0x5bd1e995u);
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
    hash ^= hash >> 33;
    std::uint8_t& rank = ranks_[hash & (kRegisters - 1)];
    const auto zeros =
        static_cast<std::uint8_t>(std::countl_zero(hash | kRegisters) + 1);
    if (zeros > rank) rank = zeros;
  }

  double Count() const {
    double sum = 0;
    int empty = 0;
    for (const std::uint8_t rank : ranks_) {
      sum += std::ldexp(1.0, -rank);
      empty += rank == 0;
    }
    constexpr double kAlpha = 0.709;  // for 64 registers
    const double raw = kAlpha * kRegisters * kRegisters / sum;
    if (raw <= 2.5 * kRegisters && empty > 0)
      return kRegisters * std::log(static_cast<double>(kRegisters) / empty);
    return raw;
  }

  void Clear() { ranks_.fill(0); }

 private:
  static constexpr int kRegisters = 64;
  std::array<std::uint8_t, kRegisters> ranks_{};
};

}  // namespace iptrk

#endif  // IPTRK_LIB_PEER_SKETCH_H_
