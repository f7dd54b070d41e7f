// SPDX-License-Identifier: GPL-2.0-only
// What is gathered about one host while its traffic is suspicious.
//
// Each of its packets goes into one class. Packets that the host takes part in
// (its TCP connections, UDP in both directions) and answers that it provoked
// explain themselves: a backup or a speed test is no flood, and neither are
// the RSTs of a host that is flooded. Memory is of a fixed size, about 40 KiB.
#ifndef IPTRK_LIB_DETECT_SUSPECT_H_
#define IPTRK_LIB_DETECT_SUSPECT_H_

#include <array>
#include <cstdint>

#include "kernel/uapi/iptrk.h"
#include "lib/classify.h"
#include "lib/detect_alarm.h"
#include "lib/detect_evidence.h"
#include "lib/detect_limits.h"
#include "lib/host.h"
#include "lib/recent_keys.h"

namespace iptrk {

class Suspect {
 public:
  explicit Suspect(const Host& host);

  // One of its packets; `now` counts seconds. `asked`: what was sent to
  // reflectors. Returns whether it explains itself.
  bool Take(Way way, const iptrk_record& record, std::uint32_t now,
            const RecentKeys& asked, const DetectLimits& limits,
            PeerPrivacy privacy);
  // It answered somebody at a reflector's port, for the first time.
  void TakeFirstAnswer() { ++first_answers_; }

  // Ends a second, in which the host had `total` each way; `baseline` is what
  // it usually has, packets/s and bytes/s, 0 for unknown.
  struct Baseline {
    double packets = 0;
    double udp = 0;  // of the packets
    double bytes = 0;
  };
  void EndSecond(const std::array<Volume, kWays>& total,
                 const std::array<Baseline, kWays>& baseline,
                 const DetectLimits& limits, const Host& host,
                 std::uint64_t end_ns);

  Alarm& Of(Way way, IncidentKind kind) {
    return alarms_[static_cast<std::size_t>(way)]
                  [static_cast<std::size_t>(kind)];
  }
  const Alarm& Of(Way way, IncidentKind kind) const {
    return alarms_[static_cast<std::size_t>(way)]
                  [static_cast<std::size_t>(kind)];
  }
  const Evidence& Why(Way way) const {
    return evidence_[static_cast<std::size_t>(way)];
  }
  // Whether a kind before it in order has it open or about to open.
  bool IsExplained(Way way, IncidentKind kind) const;
  bool IsOpen(Way way) const;
  bool IsOpenOrDue(Way way) const;
  // Whether it fills the line, or is ten times some limit.
  bool IsMuch(Way way) const;
  bool IsOver() const;  // any alarm is, or is open
  bool IsRising() const;

  // Seconds since anything rose.
  int rest = 0;
  Address address;
  std::uint32_t number = 0;  // in the HostTable
  std::int16_t network = kNoNetwork;
  std::int16_t customer = -1;

 private:
  enum class Class : std::uint8_t {
    kReflected,
    kSyn,
    kIcmp,
    kFragment,
    kUdp,
    kPlain,
    kAnswer,  // TCP's RST and SYN with ACK
    kIcmpAnswer,
    kExplained,
  };
  static constexpr std::size_t kClasses = 9;
  struct Second {
    std::array<Volume, kClasses> of;  // by Class
    std::uint64_t accepted = 0;       // SYN with ACK
    std::uint64_t completed = 0;      // SYNs that became connections
    std::array<Volume, kRateKinds> allowed;
    Volume total() const;
    Volume Of(Class what) const { return of[static_cast<std::size_t>(what)]; }
  };
  struct Talk {  // with one remote
    std::uint32_t tag = 0;
    std::array<std::uint16_t, kWays> last{};  // seconds, truncated; 0 never
  };

  Class ClassOf(Way way, const iptrk_record& record, Address own, Address peer,
                std::uint32_t now, const RecentKeys& asked);
  bool TalksWith(Way way, Address peer, std::uint32_t now);
  void Await(std::uint64_t hash);  // the end of a handshake
  bool Complete(std::uint64_t hash);
  Volume Measured(Way way, IncidentKind kind, const DetectLimits& limits) const;
  void Take(Way way, const Volume& total, const Baseline& baseline,
            const DetectLimits& limits, const Host& host, std::uint64_t end_ns);

  static constexpr std::size_t kTalks = 2048;
  static constexpr std::size_t kAwaited = 4096;  // in fours
  std::array<std::array<Alarm, kRateKinds>, kWays> alarms_;
  std::array<Evidence, kWays> evidence_;
  std::array<int, kWays> evidence_seconds_{};  // so old, while nothing is open
  std::array<Second, kWays> second_;
  // Packets/s of all kinds when it was suspected; 0 when that was taken.
  std::array<double, kWays> average_before_{};
  // Of the second before, of which nothing was gathered yet.
  std::array<Volume, kWays> held_;
  std::array<std::uint8_t, kWays> syn_heavy_{};
  std::uint64_t first_answers_ = 0;  // in this second
  std::array<Talk, kTalks> talks_{};
  std::array<std::uint32_t, kAwaited> awaited_{};
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_SUSPECT_H_
