// SPDX-License-Identifier: GPL-2.0-only
// Something abnormal: who, since when, by which rule, from whom.
#ifndef IPTRK_LIB_INCIDENT_H_
#define IPTRK_LIB_INCIDENT_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace iptrk {

struct PeerShare {
  std::string address;        // whole or its prefix, as [privacy] says
  std::uint64_t packets = 0;  // certain; never more than there were
  double share = 0;           // of the incident's packets, 0 to 1
};

struct PortShare {
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;  // of our host
  std::uint64_t packets = 0;
  double share = 0;
};

struct Incident {
  std::string id;         // unique; start, kind, subject and direction
  std::string kind;       // "packets"
  std::string subject;    // "10.1.0.216"
  std::string network;    // "lan"
  std::string direction;  // "in" or "out", as seen from the subject
  bool open = true;
  std::uint64_t start_ns = 0;  // CLOCK_REALTIME, when it rose
  std::uint64_t end_ns = 0;    // when cleared: last second over the limit
  std::string rule;            // a sentence
  std::string unit;            // of value, limit and peak: "packets/s"
  double value = 0;            // now
  double limit = 0;
  double peak = 0;
  std::uint64_t packets = 0;  // since the start
  std::uint64_t bytes = 0;
  double distinct_peers = 0;     // estimate
  bool names_peers = true;       // false: [privacy] wants them not kept
  std::vector<PeerShare> peers;  // greatest first, at most 10
  std::vector<PortShare> ports;  // likewise

  // One line of at most 255 characters, complete in itself.
  std::string Message() const;
  // Every field as text; the names are those of the notification's meta data.
  std::map<std::string, std::string> Fields() const;
};

nlohmann::json ToJson(const Incident& incident);

// "2026-11-22T23:34:12Z".
std::string FormatTime(std::uint64_t time_ns);

}  // namespace iptrk

#endif  // IPTRK_LIB_INCIDENT_H_
