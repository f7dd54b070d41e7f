// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/peer_table.h"

#include <algorithm>
#include <limits>
#include <random>

namespace iptrk::console {

// Seeded, so that nobody outside can choose addresses of one set.
PeerTable::PeerTable()
    : tags_(kMostPeers / kWays),
      hosts_(kMostPeers, kNobody),
      peers_(kMostPeers),
      seed_(std::random_device{}()) {}

PeerTable::Place PeerTable::PlaceOf(const Exchange& exchange) const {
  const iptrk_record& record = *exchange.record;
  const Address address = Address::FromBytes(
      exchange.way == Way::kReceived ? record.src : record.dst);
  std::uint64_t hash = HashAddress(
      address, seed_ + exchange.host * std::uint64_t{0x9e3779b97f4a7c15});
  hash = (hash ^ (hash >> 32)) * 0xff51afd7ed558ccdu;
  const std::size_t set = (hash >> 20) % (kMostPeers / kWays);
  __builtin_prefetch(&tags_[set]);
  return {address, set, static_cast<std::uint16_t>((hash >> 48) | 1)};
}

void PeerTable::Prefetch(const Place& place) const {
  const Tags& tags = tags_[place.set];
  for (std::size_t i = 0; i < kWays; ++i)
    if (tags[i] == place.tag)
      __builtin_prefetch(&peers_[place.set * kWays + i], 1);
}

std::size_t PeerTable::SlotOf(std::uint32_t host, const Place& place,
                              bool& is_new) {
  const auto& [address, set, tag] = place;
  Tags& tags = tags_[set];
  const std::size_t first = set * kWays;
  std::size_t free = kWays;
  is_new = false;
  for (std::size_t i = 0; i < kWays; ++i) {
    if (tags[i] == tag) {
      const Peer& peer = peers_[first + i];
      if (peer.address == address && peer.host == host) return first + i;
    } else if (tags[i] == 0) {
      free = i;
      break;  // sets fill from the front
    }
  }
  is_new = true;
  if (free == kWays) {
    random_ = random_ * 1664525 + 1013904223;
    // Two different ones, so that who has most in a set never goes.
    const std::size_t a = random_ >> 28;
    const std::size_t b = (a + 1 + (random_ >> 24 & 15) % (kWays - 1)) % kWays;
    const auto bytes = [&](std::size_t i) {
      return peers_[first + i].bytes_in + peers_[first + i].bytes_out;
    };
    free = bytes(a) < bytes(b) ? a : b;
    ++evicted_;
  } else {
    ++size_;
  }
  tags[free] = tag;
  hosts_[first + free] = host;
  return first + free;
}

Peer* PeerTable::AddOne(const Exchange& exchange, const Place& place) {
  const iptrk_record& record = *exchange.record;
  const bool received = exchange.way == Way::kReceived;
  bool is_new;
  Peer& peer = peers_[SlotOf(exchange.host, place, is_new)];
  if (is_new) {
    peer = {};
    peer.address = place.address;
    peer.host = exchange.host;
    peer.own_port = received ? record.dport : record.sport;
    peer.peer_port = received ? record.sport : record.dport;
    peer.protocol = record.protocol;
  }
  peer.tcp_flags |= record.tcp_flags;
  if (received) {
    peer.bytes_in += record.bytes;
    peer.packets_in += record.packets;
  } else {
    constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
    peer.bytes_out += record.bytes;
    peer.packets_out += std::min(record.packets, kMost - peer.packets_out);
  }
  return is_new ? &peer : nullptr;
}

}  // namespace iptrk::console
