// SPDX-License-Identifier: GPL-2.0-only
// Something abnormal: who, since when, by which rule, from whom.
#ifndef IPTRK_LIB_INCIDENT_H_
#define IPTRK_LIB_INCIDENT_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace iptrk {

struct PeerShare {
  std::string address;        // whole or its prefix, as [privacy] says
  std::uint64_t packets = 0;  // certain; never more than there were
  double share = 0;           // of the incident's packets, 0 to 1
  std::uint64_t bytes = 0;    // likewise
  double share_bytes = 0;
};

struct PortShare {
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;  // of our host; of amplification, the other one's
  std::uint64_t packets = 0;
  double share = 0;
};

// collectd's; an incident may rise from one to the other while it is open.
enum class IncidentSeverity : std::uint8_t { kWarning, kFailure };

struct Incident {
  std::string id;         // unique; start, kind, direction and subject
  std::string kind;       // one of kIncidentKindNames
  std::string subject;    // "10.1.0.216", "10.1.0.0/24", "spoofed", "eth0"
  std::string network;    // "lan"; empty: none of ours alone
  std::string customer;   // whose host it is; empty: nobody's
  std::string direction;  // "in" or "out", as seen from our networks
  IncidentSeverity severity = IncidentSeverity::kFailure;
  bool open = true;
  std::uint64_t start_ns = 0;   // CLOCK_REALTIME, when it rose
  std::uint64_t opened_ns = 0;  // when it was told first
  std::uint64_t end_ns = 0;     // when cleared: last second over the limit
  std::string rule;             // a sentence
  std::string unit;             // of value, limit, peak and baseline
  double value = 0;             // now
  double limit = 0;
  double peak = 0;
  int window = 0;             // seconds that value is taken over
  double baseline = 0;        // what was usual before; 0: none is known
  std::uint64_t packets = 0;  // since the start
  std::uint64_t bytes = 0;
  double distinct_peers = 0;     // estimate
  bool names_peers = true;       // false: [privacy] wants them not kept
  std::vector<PeerShare> peers;  // most packets first, at most 10
  std::vector<PortShare> ports;  // likewise

  // One line of at most 255 characters, complete in itself.
  std::string Message() const;
  // Every field as text; the names are those of the notification's meta data.
  std::map<std::string, std::string> Fields() const;
};

const char* ToString(IncidentSeverity severity);  // "warning", "failure"

nlohmann::json ToJson(const Incident& incident);
// And back, to the second; nothing when it is none of ours.
std::optional<Incident> IncidentOfJson(const std::string& text);

// "2026-11-22T23:34:12Z".
std::string FormatTime(std::uint64_t time_ns);

}  // namespace iptrk

#endif  // IPTRK_LIB_INCIDENT_H_
