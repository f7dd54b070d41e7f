// SPDX-License-Identifier: GPL-2.0-only
// Floods that are thin on each host and thick on all: by /24, or /48 of IPv6.
//
// Only what a host is not known to take part in counts: packets to it of the
// kinds that rules look at, and all of them while it sends next to nothing.
// Thread-compatible.
#ifndef IPTRK_LIB_DETECT_CARPET_H_
#define IPTRK_LIB_DETECT_CARPET_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/classify.h"
#include "lib/detect_alarm.h"
#include "lib/detect_baseline.h"
#include "lib/detect_evidence.h"
#include "lib/detect_limits.h"
#include "lib/host.h"
#include "lib/host_index.h"
#include "lib/incident.h"

namespace iptrk {

class CarpetWatch {
 public:
  // A host's second: what it had each way, `odd` of it to look at.
  void TakeHost(const Host& host, const HostUsual& usual,
                const std::array<Volume, kWays>& second, std::uint64_t odd,
                const DetectLimits& limits);
  // A packet to a host of a prefix that rises.
  void TakePacket(const Host& host, const iptrk_record& record,
                  PeerPrivacy privacy);
  // Whether a flood of its whole prefix is told, or about to be.
  bool Explains(Address address) const;
  // Whether the packets to it are wanted as evidence.
  bool Wants(Address address) const;

  // Networks are others now.
  void Reconfigure(const HostIndex& index);
  void EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                 const std::vector<std::string>& networks, PeerPrivacy privacy,
                 std::vector<Incident>& changes);
  void AddOpen(const DetectLimits& limits,
               const std::vector<std::string>& networks, PeerPrivacy privacy,
               std::vector<Incident>& open) const;
  bool empty() const { return gathering_ == 0; }

 private:
  struct Group {
    std::int16_t network = kNoNetwork;
    std::size_t hosts = 0, above = 0;  // in this second
    Volume second;                     // what counts
    double usual = 0;                  // packets a second
    std::uint32_t learnt = 0;
    double share = 0;  // of its hosts that are above their own
    std::size_t touched = 0;
    Alarm alarm;
    std::unique_ptr<Evidence> why;
    PeerSketch targets;
  };
  static Prefix PrefixOf(Address address);
  Incident Describe(const Prefix& prefix, const Group& group,
                    const DetectLimits& limits,
                    const std::vector<std::string>& networks,
                    PeerPrivacy privacy) const;

  std::map<Prefix, Group> groups_;
  Group* last_ = nullptr;  // of the host before: hosts come in clusters
  Prefix last_prefix_;
  std::size_t gathering_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_CARPET_H_
