// SPDX-License-Identifier: GPL-2.0-only
// Who tries many hosts or ports that do not answer.
//
// A try is a SYN, a TCP packet without SYN, RST and ACK, a UDP packet to a
// port, or an echo request, until its target answers. Who has tried more
// different targets within 15 minutes than the rule allows is a scanner: of
// ports when they are of few hosts, of hosts else.
//
// Memory is bounded: of at most kMostSources the targets are kept, and who
// tried least makes room, so that a flood from random sources hides no
// scanner. Who is told of stays until it is calm. About 20 MiB when every place
// is taken by a scanner. Thread-compatible.
#ifndef IPTRK_LIB_DETECT_SCAN_H_
#define IPTRK_LIB_DETECT_SCAN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/classify.h"
#include "lib/detect_alarm.h"
#include "lib/detect_baseline.h"
#include "lib/detect_evidence.h"
#include "lib/detect_limits.h"
#include "lib/recent_keys.h"
#include "lib/renumbering.h"

namespace iptrk {

// What is known of the two sides of a packet.
struct ScanSides {
  int src_network = kNoNetwork;
  int dst_network = kNoNetwork;
  const Host* dst = nullptr;  // null: not ours
};

class ScanTable {
 public:
  static constexpr std::size_t kMostSources = 4096;
  static constexpr std::uint64_t kWindow = 900;  // seconds

  ScanTable();

  // Any packet that is no plain traffic. `usual` says who never sent one.
  void Take(const iptrk_record& record, const ScanSides& sides,
            std::uint64_t now_ns, PeerPrivacy privacy, Baselines& usual);

  // Ends a second: the incidents that changed.
  void EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                 const std::vector<std::string>& networks, PeerPrivacy privacy,
                 std::vector<Incident>& changes);
  void AddOpen(const DetectLimits& limits,
               const std::vector<std::string>& networks, PeerPrivacy privacy,
               std::vector<Incident>& open) const;
  void Reconfigure(const Renumbering& network);
  // Whether `source` is being told of.
  bool IsScanner(Address source) const;

 private:
  static constexpr std::size_t kWay = 8;  // places of one source
  // Remotes told of at once: of a thousand that scan, the first tell it.
  static constexpr std::size_t kMostOpen = 256;
  static constexpr std::size_t kMostTargets = 1024;
  static constexpr std::size_t kUnusedTouched = 3;
  struct Source {
    Address address;
    bool taken = false, ours = false;
    bool open = false, worse = false;
    std::int16_t network = kNoNetwork;  // of the source, or its targets
    IncidentKind kind = IncidentKind::kPortScan;
    std::uint64_t start_ns = 0;  // first try
    std::uint64_t opened_ns = 0;
    std::uint64_t last_ns = 0;               // last new target
    std::uint64_t turned_ns = 0;             // when now became before
    std::vector<std::uint32_t> now, before;  // sorted tags of targets
    std::uint64_t beyond = 0;                // targets that found no place
    double peak = 0;
    Volume volume;
    int calm = 0;
    PeerSketch hosts;
    std::vector<Address> unused;    // of ours that it touched, kUnusedTouched
    std::unique_ptr<Evidence> why;  // from the fourth target on
    std::size_t Count() const {
      return now.size() + before.size() + static_cast<std::size_t>(beyond);
    }
  };

  // Of a source, so that looking for one and for the least of eight takes one
  // cache line.
  struct Place {
    std::uint32_t tag = 0;   // of its address
    std::uint32_t rank = 0;  // 0: free; the least makes room
  };
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  std::size_t Find(Address address) const;
  // kNowhere when all its places are of scanners that are told of.
  std::size_t Make(Address address);
  void Rank(std::size_t place);
  void Clear(std::size_t place);
  void Try(const iptrk_record& record, std::uint64_t target,
           const ScanSides& sides, std::uint64_t now_ns, PeerPrivacy privacy,
           Baselines& usual);
  void Answer(Address asker, std::uint64_t target, bool ours);
  double LimitOf(const Source& source, const DetectLimits& limits) const;
  Incident Describe(const Source& source, const DetectLimits& limits,
                    const std::vector<std::string>& networks,
                    PeerPrivacy privacy) const;

  std::vector<Source> sources_;
  std::vector<Place> places_;  // of sources_
  RecentKeys answering_;       // targets that answered somebody
  std::size_t open_ = 0;       // remotes told of
  std::size_t untold_ = 0;     // more of them, beyond kMostOpen
  std::uint64_t turned_ns_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_SCAN_H_
