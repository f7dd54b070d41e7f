// SPDX-License-Identifier: GPL-2.0-only
// One of our addresses and what it received and sent.
#ifndef IPTRK_LIB_HOST_H_
#define IPTRK_LIB_HOST_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "lib/address.h"
#include "lib/peer_sketch.h"
#include "lib/protocol.h"
#include "lib/volume.h"

namespace iptrk {

// Which way packets go, as a host sees it.
enum class Way : std::uint8_t { kReceived, kSent };
inline constexpr std::size_t kWays = 2;

// How one way of a host goes, second by second. Belongs to Detector.
struct HostRate {
  Volume before;          // the host's volume when the second began
  float packets = 0;      // packets/s, moving average
  std::uint32_t odd = 0;  // packets of this second that a rule looks at
};

// What a packet is to a host. In this order, all that TCP and UDP change is in
// one cache line, and the rest in the next.
enum class HostKind : std::uint8_t {
  kInTcp,
  kInUdp,
  kOutTcp,
  kOutUdp,
  kInOther,
  kOutOther,
  kInternalIn,
  kInternalOut,
};
inline constexpr std::size_t kHostKinds = 8;
// The order of the data sources of iptrk_host.
inline constexpr std::array<HostKind, kHostKinds> kHostKindsInOrder = {
    HostKind::kInTcp,      HostKind::kInUdp,      HostKind::kInOther,
    HostKind::kOutTcp,     HostKind::kOutUdp,     HostKind::kOutOther,
    HostKind::kInternalIn, HostKind::kInternalOut};

constexpr HostKind HostKindOf(Way way, bool internal, Split split) {
  constexpr HostKind kKinds[kWays][kSplits] = {
      {HostKind::kInTcp, HostKind::kInUdp, HostKind::kInOther},
      {HostKind::kOutTcp, HostKind::kOutUdp, HostKind::kOutOther}};
  if (internal)
    return way == Way::kReceived ? HostKind::kInternalIn
                                 : HostKind::kInternalOut;
  return kKinds[static_cast<std::size_t>(way)][static_cast<std::size_t>(split)];
}

// A host counts every packet that has its address, whatever kind of martian
// the other side may be: a flood from spoofed sources hits it all the same.
// The first three cache lines are all that a packet changes, two of them at
// most.
struct alignas(64) Host {
  std::array<Volume, kHostKinds> volume;  // by HostKind, since ClearHosts()
  PeerSketch peers;  // others it exchanged packets with, since then

  Address address;  // or the first of the prefix it is rolled up to
  std::uint64_t last_seen_ns = 0;
  std::array<HostRate, kWays> rate;  // by Way
  // UDP and internal packets when the second began, the lower 32 bits; by Way.
  std::array<std::uint32_t, kWays> udp_before{};
  std::uint32_t number = 0;    // in its HostTable
  std::int16_t network = -1;   // index into Config::networks
  std::int16_t customer = -1;  // index into Config::customers, -1 none
  std::int16_t suspect = -1;   // number of what is gathered about it
  bool known = false;          // false: the place is free
  bool announced = false;      // whoever writes values knows of it

  Volume& Of(HostKind kind) { return volume[static_cast<std::size_t>(kind)]; }
  const Volume& Of(HostKind kind) const {
    return volume[static_cast<std::size_t>(kind)];
  }
  Volume In() const {
    return Of(HostKind::kInTcp) + Of(HostKind::kInUdp) + Of(HostKind::kInOther);
  }
  Volume Out() const {
    return Of(HostKind::kOutTcp) + Of(HostKind::kOutUdp) +
           Of(HostKind::kOutOther);
  }
  Volume InternalIn() const { return Of(HostKind::kInternalIn); }
  Volume InternalOut() const { return Of(HostKind::kInternalOut); }
  Volume Total(Way way) const {
    return way == Way::kReceived ? In() + InternalIn() : Out() + InternalOut();
  }
  // Since ClearHosts().
  bool HasTraffic() const {
    return std::ranges::any_of(
        volume, [](const Volume& kind) { return kind.packets > 0; });
  }
};
static_assert(offsetof(Host, peers) == 128);
static_assert(sizeof(Host) == 256);

}  // namespace iptrk

#endif  // IPTRK_LIB_HOST_H_
