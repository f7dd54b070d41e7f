// SPDX-License-Identifier: GPL-2.0-only
// From an address to the number of its host: the look-up that every packet
// makes twice.
//
// IPv4 is looked up directly, by a table of /16s, then of /24s, then of
// addresses, of which only those are there that hold hosts of ours; an address
// of others is known to be one after the first step or two. IPv6 is searched
// in the prefixes that are ours, then in a hash table at most a quarter full:
// that halves the time against half full.
// Thread-compatible.
#ifndef IPTRK_LIB_HOST_INDEX_H_
#define IPTRK_LIB_HOST_INDEX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lib/address.h"
#include "lib/config.h"
#include "lib/prefix_map.h"

namespace iptrk {

// What the index knows of an address.
class HostRef {
 public:
  static constexpr int kNumberBits = 20;
  static constexpr std::uint32_t kMostHosts = (1u << kNumberBits) - 1;
  static constexpr std::uint32_t kMostNetworks = (1u << (32 - kNumberBits)) - 1;

  constexpr HostRef() = default;
  // `number` kMostHosts: ours, but there was no place for it.
  constexpr HostRef(std::uint32_t number, std::uint32_t network)
      : bits_(number | (network + 1) << kNumberBits) {}
  static constexpr HostRef Unknown() {
    HostRef entry;
    entry.bits_ = 1;
    return entry;
  }

  constexpr bool IsForeign() const { return bits_ == 0; }
  constexpr bool IsUnknown() const { return bits_ == 1; }
  constexpr bool HasHost() const { return bits_ > 1 && Number() != kMostHosts; }
  constexpr std::uint32_t Number() const { return bits_ & kMostHosts; }
  // kNoNetwork (-1) when foreign.
  constexpr int Network() const {
    return static_cast<int>(bits_ >> kNumberBits) - 1;
  }

 private:
  std::uint32_t bits_ = 0;  // 0: not ours, 1: not known, see FindNetwork()
};

class HostIndex {
 public:
  // Throws std::length_error beyond kMostNetworks.
  explicit HostIndex(const std::vector<Network>& networks);

  // The tables of IPv4, for a loop to keep in registers; valid until Set().
  class Ipv4 {
   public:
    explicit Ipv4(const HostIndex& index)
        : root_(index.root_.data()),
          blocks_(index.blocks_.data()),
          pages_(index.pages_.data()) {}

    HostRef Find(std::uint32_t address) const {
      const std::uint32_t block = root_[address >> 16];
      if (block == kForeign) return {};
      if (block == kOurs) [[unlikely]]
        return HostRef::Unknown();
      const std::uint32_t page = blocks_[block][address >> 8 & 0xff];
      if (page == kForeign) return {};
      if (page == kOurs) [[unlikely]]
        return HostRef::Unknown();
      return pages_[page][address & 0xff];
    }

   private:
    const std::uint32_t* root_;
    const std::array<std::uint32_t, 256>* blocks_;
    const std::array<HostRef, 256>* pages_;
  };

  HostRef FindIpv6(Address address) const;

  // For an address that is unknown: index into the networks, or -1.
  int FindNetwork(Address address) const { return networks_.Find(address); }
  // The address whose host `address` belongs to: IPv6 may be rolled up.
  Address HostOf(Address address, int network) const;

  // `address` as HostOf() gave it.
  void Set(Address address, HostRef entry);
  // Forgets all hosts; those kept are Set() again.
  void Clear();

 private:
  using Page = std::array<HostRef, 256>;
  using Block = std::array<std::uint32_t, 256>;
  static constexpr std::uint32_t kForeign = 0;
  static constexpr std::uint32_t kOurs =
      1;  // some of it at least; no table yet

  struct Slot {
    Address address;
    HostRef entry;  // foreign: the slot is free
  };

  void MarkIpv4(const Prefix& prefix);
  void SetIpv4(std::uint32_t address, HostRef entry);
  void SetIpv6(Address address, HostRef entry);
  void Grow();

  PrefixMap<int> networks_;
  std::vector<int> ipv6_lengths_;  // of each network
  std::vector<std::uint32_t> root_;
  std::vector<Block> blocks_;
  std::vector<Page> pages_;
  std::vector<Slot> slots_;
  std::size_t slots_used_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_HOST_INDEX_H_
