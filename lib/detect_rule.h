// SPDX-License-Identifier: GPL-2.0-only
// The kinds of incidents, and the limits of each: plain values.
#ifndef IPTRK_LIB_DETECT_RULE_H_
#define IPTRK_LIB_DETECT_RULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/address.h"

namespace iptrk {

// Those of one host's rates first, the more telling before the more general:
// what one explains, a later one does not tell again.
enum class IncidentKind : std::uint8_t {
  kAmplification,
  kSynFlood,
  kIcmpFlood,
  kFragmentFlood,
  kUdpFlood,
  kVolume,
  kPackets,
  kHammering,
  kCarpet,
  kPortScan,
  kHostScan,
  kMartian,
  kSilent,
  kMirrorLost,
  kBooks,
};
inline constexpr std::size_t kIncidentKinds = 15;
inline constexpr std::size_t kRateKinds = 8;  // the first ones, of one host

inline constexpr std::array<std::string_view, kIncidentKinds>
    kIncidentKindNames = {"amplification",  "syn-flood",   "icmp-flood",
                          "fragment-flood", "udp-flood",   "volume",
                          "packets",        "hammering",   "carpet",
                          "port-scan",      "host-scan",   "martian",
                          "silent",         "mirror-lost", "books"};

constexpr std::string_view ToString(IncidentKind kind) {
  return kIncidentKindNames[static_cast<std::size_t>(kind)];
}
constexpr std::optional<IncidentKind> ParseIncidentKind(std::string_view name) {
  for (std::size_t i = 0; i < kIncidentKinds; ++i)
    if (kIncidentKindNames[i] == name) return static_cast<IncidentKind>(i);
  return std::nullopt;
}

// What holds for one kind. Which members a kind has, config_keys.h says.
struct DetectRule {
  bool enabled = true;
  // packets/s; volume: bit/s; scans: host:port in 15 minutes; martian: packets
  // a minute; silent, mirror-lost: seconds; books: percent of an
  // interface's packets that were not seen.
  double limit = 0;
  double times = 0;         // the limit is at least that often the baseline
  double share = 0;         // hammering: of one remote; carpet: of the hosts
  bool answered = false;    // counts what its host takes part in, too
  double limit_unused = 0;  // scans: once three unused addresses are touched
  double limit_own = 0;     // scans: by a host of ours
  double limit_own_unused = 0;
  double learn = 0;                // seconds before it is judged
  std::vector<Prefix> allow = {};  // neither their hosts nor remotes count
  std::vector<std::pair<Prefix, double>> hosts = {};  // limits of their own
};

// [networks.NAME.detect.KIND] and [customers.NAME.detect.KIND].
struct RuleOverride {
  IncidentKind kind = IncidentKind::kPackets;
  std::optional<bool> enabled;
  std::optional<double> limit;
};

struct DetectConfig {
  DetectConfig();  // the defaults

  DetectRule& operator[](IncidentKind kind) {
    return rules[static_cast<std::size_t>(kind)];
  }
  const DetectRule& operator[](IncidentKind kind) const {
    return rules[static_cast<std::size_t>(kind)];
  }
  std::array<DetectRule, kIncidentKinds> rules;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_RULE_H_
