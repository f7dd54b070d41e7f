// SPDX-License-Identifier: GPL-2.0-only
// Who talks with which of our hosts, in memory that never grows.
//
// kMostPeers pairs of a host and a peer, 64 bytes each, in sets of 16 that are
// searched by a 16-bit tag. A pair that finds its set full takes the place of
// the smaller of two others: a flood of random sources can't push out who
// sends much. What was pushed out is in the host's volume still, and so shown
// as the rest. Thread-compatible.
#ifndef IPTRK_TOOLS_CONSOLE_PEER_TABLE_H_
#define IPTRK_TOOLS_CONSOLE_PEER_TABLE_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/address.h"
#include "lib/host.h"
#include "tools/console/huge_vector.h"

namespace iptrk::console {

struct alignas(64) Peer {
  Address address;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // as the host sees it
  std::uint64_t packets_in = 0;
  std::uint32_t packets_out = 0;  // stays at its most
  std::uint32_t host = 0;         // number in the HostTable
  std::uint16_t own_port = 0, peer_port = 0;
  std::int16_t service = 0;
  std::uint8_t protocol = 0;
  std::uint8_t tcp_flags = 0;
};
static_assert(sizeof(Peer) == 64);

// A host exchanged a record with the other address in it.
struct Exchange {
  const iptrk_record* record;
  std::uint32_t host;  // number in the HostTable
  Way way;
};

class PeerTable {
 public:
  static constexpr std::size_t kMostPeers = std::size_t{1} << 20;

  PeerTable();

  // `service(record)` is asked for pairs that are new.
  template <typename Service>
  void Add(std::span<const Exchange> exchanges, Service service) {
    std::array<Place, kBatch> places;
    while (!exchanges.empty()) {
      const std::size_t count = std::min(exchanges.size(), kBatch);
      for (std::size_t i = 0; i < count; ++i) places[i] = PlaceOf(exchanges[i]);
      for (std::size_t i = 0; i < count; ++i) Prefetch(places[i]);
      for (std::size_t i = 0; i < count; ++i)
        if (Peer* added = AddOne(exchanges[i], places[i]))
          added->service =
              static_cast<std::int16_t>(service(*exchanges[i].record));
      exchanges = exchanges.subspan(count);
    }
  }

  // `each(slot, peer)` for the peers of `host`. A slot is a peer's as long as
  // its address stays the same.
  template <typename Each>
  void ForEach(std::uint32_t host, Each each) const {
    for (std::size_t slot = 0; slot < kMostPeers; ++slot)
      if (hosts_[slot] == host) each(slot, peers_[slot]);
  }

  std::uint64_t evicted() const { return evicted_; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kWays = 16;  // pairs in a set
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};
  // Exchanges looked up at once: what they wait for are 64 MiB beyond the
  // cache, so all are asked for before the first is used.
  static constexpr std::size_t kBatch = 32;
  using Tags = std::array<std::uint16_t, kWays>;  // 0: free

  // Where a pair is, if it is known.
  struct Place {
    Address address;
    std::size_t set;
    std::uint16_t tag;
  };

  Place PlaceOf(const Exchange& exchange) const;
  void Prefetch(const Place& place) const;
  std::size_t SlotOf(std::uint32_t host, const Place& place, bool& is_new);
  // The peer if it is new.
  Peer* AddOne(const Exchange& exchange, const Place& place);

  std::vector<Tags> tags_;
  std::vector<std::uint32_t> hosts_;  // of each slot, kNobody: free
  HugeVector<Peer> peers_;
  std::uint64_t seed_;
  std::uint32_t random_ = 1;
  std::uint64_t evicted_ = 0;
  std::size_t size_ = 0;
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_PEER_TABLE_H_
