// SPDX-License-Identifier: GPL-2.0-only
// Packets with addresses that can't be: by kind, how many a minute.
// Thread-compatible.
#ifndef IPTRK_LIB_DETECT_MARTIAN_H_
#define IPTRK_LIB_DETECT_MARTIAN_H_

#include <array>
#include <cstdint>
#include <vector>

#include "lib/classify.h"
#include "lib/detect_evidence.h"
#include "lib/detect_limits.h"
#include "lib/incident.h"

namespace iptrk {

class MartianWatch {
 public:
  // Not of frames without IP, such as ARP.
  void Take(const iptrk_record& record, Martian kind,
            const DetectLimits& limits, PeerPrivacy privacy);

  // `explained(Address)`: whether a flood to or from this address of ours is
  // told already: most floods have such sources.
  template <typename Explained>
  void EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                 PeerPrivacy privacy, Explained explained,
                 std::vector<Incident>& changes) {
    for (std::size_t i = 0; i < kKinds; ++i) {
      Kind& kind = kinds_[i];
      if (!Advance(kind, end_ns, limits)) continue;
      if (!kind.open && kind.targets.TopShare() > kMostly &&
          explained(kind.targets.TopPeer()))
        continue;
      kind.open = !kind.open;
      if (kind.open) kind.opened_ns = end_ns;
      changes.push_back(Describe(i, limits, privacy));
      if (!kind.open) kind = {};
    }
  }
  void AddOpen(const DetectLimits& limits, PeerPrivacy privacy,
               std::vector<Incident>& open) const {
    for (std::size_t i = 0; i < kKinds; ++i)
      if (kinds_[i].open) open.push_back(Describe(i, limits, privacy));
  }

 private:
  static constexpr std::size_t kKinds = 3;    // bogon, spoofed, foreign
  static constexpr std::size_t kWindow = 60;  // seconds
  static constexpr double kMostly = 0.5;

  struct Kind {
    std::array<std::uint32_t, kWindow> seconds{};  // packets
    std::size_t at = 0;
    Volume second, total;
    std::uint64_t start_ns = 0;  // when it rose; 0: it is low
    std::uint64_t last_ns = 0, opened_ns = 0;
    double value = 0, peak = 0;
    int calm = 0;
    bool open = false;
    Evidence sources, targets;
  };
  // Whether it is to open or to clear.
  static bool Advance(Kind& kind, std::uint64_t end_ns,
                      const DetectLimits& limits);
  Incident Describe(std::size_t kind, const DetectLimits& limits,
                    PeerPrivacy privacy) const;

  std::array<Kind, kKinds> kinds_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_MARTIAN_H_
