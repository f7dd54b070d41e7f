// SPDX-License-Identifier: GPL-2.0-only
// Who and which ports, in memory of a fixed size, however many there are.
#ifndef IPTRK_LIB_DETECT_EVIDENCE_H_
#define IPTRK_LIB_DETECT_EVIDENCE_H_

#include <cstdint>

#include "kernel/uapi/iptrk.h"
#include "lib/address.h"
#include "lib/config.h"
#include "lib/incident.h"
#include "lib/peer_sketch.h"
#include "lib/space_saving.h"

namespace iptrk {

class Evidence {
 public:
  static constexpr std::size_t kPeers = 64;
  static constexpr std::size_t kPorts = 32;

  // `peer` is the other side; `port` of it what the incident is about.
  void Add(Address peer, std::uint16_t port, const iptrk_record& record,
           PeerPrivacy privacy);
  // A packet whose other side the kernel had no room for.
  void AddPortOnly(std::uint16_t port, const iptrk_record& record);

  void FillIn(Incident& incident, PeerPrivacy privacy) const;

  // Of the first of all the share of packets that is certain, 0 to 1, and its
  // whole address: for deciding, never to be shown or kept.
  double TopShare() const;
  Address TopPeer() const;

 private:
  PeerSketch distinct_;
  SpaceSaving<Address, 8> exact_;
  SpaceSaving<Address, kPeers> peers_;
  SpaceSaving<std::uint32_t, kPorts> ports_;  // protocol << 16 | port
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_EVIDENCE_H_
