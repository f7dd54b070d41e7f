// SPDX-License-Identifier: GPL-2.0-only
#include "lib/host_index.h"

#include <algorithm>
#include <stdexcept>

namespace iptrk {
namespace {

constexpr std::uint64_t kSeed = 0x8f1bbcdc5a827999u;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kSlotsPerHost = 4;
constexpr int kIpv4Length = 96;  // of ::ffff:0:0/96, where IPv4 is

}  // namespace

HostIndex::HostIndex(const std::vector<Network>& networks)
    : networks_(MapPrefixes(networks)),
      root_(65536, kForeign),
      blocks_(kOurs + 1),
      pages_(kOurs + 1),
      slots_(kFirstSlots) {
  if (networks.size() > HostRef::kMostNetworks)
    throw std::length_error(
        "more networks than an address can be told to be "
        "of");
  std::vector<Prefix> prefixes;
  for (const Network& network : networks) {
    ipv6_lengths_.push_back(network.ipv6_prefix);
    prefixes.insert(prefixes.end(), network.prefixes.begin(),
                    network.prefixes.end());
  }
  // Around others first: what is ours as a whole stays so.
  std::ranges::sort(prefixes, {}, &Prefix::length);
  for (const Prefix& prefix : prefixes) MarkIpv4(prefix);
}

void HostIndex::MarkIpv4(const Prefix& prefix) {
  Prefix ipv4 = prefix;
  if (prefix.length < kIpv4Length) {
    if (!prefix.Contains(Address::FromIpv4(0))) return;
    ipv4 = {Address::FromIpv4(0), kIpv4Length};
  }
  if (!ipv4.IsIpv4()) return;
  const std::uint32_t first = ipv4.first.Ipv4(), last = ipv4.Last().Ipv4();
  for (std::uint32_t i = first >> 16; i <= last >> 16; ++i) {
    if (root_[i] != kForeign) continue;
    // One that is ours as a whole gets its table when it is needed.
    if (ipv4.length <= kIpv4Length + 16) {
      root_[i] = kOurs;
    } else {
      root_[i] = static_cast<std::uint32_t>(blocks_.size());
      blocks_.emplace_back();
    }
  }
  if (ipv4.length <= kIpv4Length + 16 || root_[first >> 16] == kOurs) return;
  Block& block = blocks_[root_[first >> 16]];
  for (std::uint32_t i = first >> 8; i <= last >> 8; ++i)
    if (block[i & 0xff] == kForeign) block[i & 0xff] = kOurs;
}

HostRef HostIndex::FindIpv6(Address address) const {
  // In an IPv6 packet such an address is nobody's.
  if (address.IsIpv4()) return {};
  const int network = networks_.Find(address);
  if (network < 0) return {};
  const Address host = HostOf(address, network);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = HashAddress(host, kSeed) & mask;
       !slots_[i].entry.IsForeign(); i = (i + 1) & mask)
    if (slots_[i].address == host) return slots_[i].entry;
  return HostRef::Unknown();
}

Address HostIndex::HostOf(Address address, int network) const {
  if (address.IsIpv4()) return address;
  return Prefix::Of(address, ipv6_lengths_[static_cast<std::size_t>(network)])
      .first;
}

void HostIndex::Set(Address address, HostRef entry) {
  if (address.IsIpv4())
    SetIpv4(address.Ipv4(), entry);
  else
    SetIpv6(address, entry);
}

void HostIndex::SetIpv4(std::uint32_t address, HostRef entry) {
  std::uint32_t& block = root_[address >> 16];
  if (block == kOurs) {
    block = static_cast<std::uint32_t>(blocks_.size());
    blocks_.emplace_back().fill(kOurs);
  }
  std::uint32_t& page = blocks_[block][address >> 8 & 0xff];
  if (page == kOurs) {
    page = static_cast<std::uint32_t>(pages_.size());
    pages_.emplace_back().fill(HostRef::Unknown());
  }
  pages_[page][address & 0xff] = entry;
}

void HostIndex::SetIpv6(Address address, HostRef entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = HashAddress(address, kSeed) & mask;
  while (!slots_[i].entry.IsForeign() && slots_[i].address != address)
    i = (i + 1) & mask;
  if (slots_[i].entry.IsForeign()) ++slots_used_;
  slots_[i] = {address, entry};
  if (slots_used_ * kSlotsPerHost > slots_.size()) Grow();
}

void HostIndex::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  slots_used_ = 0;
  for (const Slot& slot : old)
    if (!slot.entry.IsForeign()) SetIpv6(slot.address, slot.entry);
}

void HostIndex::Clear() {
  for (Page& page : pages_) page.fill(HostRef::Unknown());
  std::fill(slots_.begin(), slots_.end(), Slot{});
  slots_used_ = 0;
}

}  // namespace iptrk
