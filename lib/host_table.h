// SPDX-License-Identifier: GPL-2.0-only
// Our hosts by address: open addressing over a dense array.
//
// The array is what slots and rules walk, and hosts don't move in it until
// Forget(). The index is kept at most a quarter full, which halved the look-up
// time against half full.
// Thread-compatible.
#ifndef IPTRK_LIB_HOST_TABLE_H_
#define IPTRK_LIB_HOST_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "lib/address.h"

namespace iptrk {

// `Host` is default-constructible and has a member `Address address`.
template <typename Host>
class HostTable {
 public:
  // More own hosts than this are not kept apart: a scan of an IPv6 /64 must
  // not take the machine's memory. Find() then answers nullptr.
  static constexpr std::size_t kMostHosts = std::size_t{1} << 20;

  HostTable() { Rebuild(kFirstSlots); }

  // The host of that address, made when new (`is_new`); nullptr when full.
  // Valid until Forget().
  Host* FindOrAdd(Address address, bool& is_new) {
    is_new = false;
    std::size_t slot = HashAddress(address, kSeed) & mask_;
    for (; index_[slot] != kEmpty; slot = (slot + 1) & mask_)
      if (hosts_[index_[slot]].address == address) return &hosts_[index_[slot]];
    if (hosts_.size() == kMostHosts) return nullptr;
    is_new = true;
    index_[slot] = static_cast<std::uint32_t>(hosts_.size());
    hosts_.emplace_back().address = address;
    if (hosts_.size() * kSlotsPerHost > index_.size())
      Rebuild(index_.size() * 2);
    return &hosts_.back();
  }

  std::deque<Host>& hosts() { return hosts_; }
  const std::deque<Host>& hosts() const { return hosts_; }

  // Lets go of the hosts for which `gone(host)` is true.
  template <typename Predicate>
  void Forget(Predicate gone) {
    if (std::erase_if(hosts_, gone) > 0) Rebuild(index_.size());
  }

 private:
  static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};
  static constexpr std::size_t kFirstSlots = 1024;
  static constexpr std::size_t kSlotsPerHost = 4;
  static constexpr std::uint64_t kSeed = 0x8f1bbcdc5a827999u;

  void Rebuild(std::size_t slots) {
    index_.assign(slots, kEmpty);
    mask_ = slots - 1;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      std::size_t slot = HashAddress(hosts_[i].address, kSeed) & mask_;
      while (index_[slot] != kEmpty) slot = (slot + 1) & mask_;
      index_[slot] = static_cast<std::uint32_t>(i);
    }
  }

  std::deque<Host> hosts_;
  std::vector<std::uint32_t> index_;
  std::size_t mask_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_HOST_TABLE_H_
