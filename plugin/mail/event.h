// SPDX-License-Identifier: GPL-2.0-only
// One notification of collectd, copied out of the daemon's own structures.
//
// A plain value without collectd types: the adapter fills it, everything else
// of the mail plugin only reads it. Nothing in it is trusted: host names and
// messages come from the network plugin too, so whoever shows a field cleans
// it first (figures.h).
#ifndef IPTRK_PLUGIN_MAIL_EVENT_H_
#define IPTRK_PLUGIN_MAIL_EVENT_H_

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace iptrk::mail {

enum class Severity { kFailure, kWarning, kOkay };

// collectd's own words: "FAILURE", "WARNING", "OKAY".
std::string_view SeverityWord(Severity severity);

struct Event {
  Severity severity = Severity::kFailure;
  std::chrono::system_clock::time_point time;
  std::string host;
  std::string plugin;
  std::string plugin_instance;
  std::string type;
  std::string type_instance;
  std::string message;
  std::map<std::string, std::string> meta;

  // The meta datum of this name; empty when there is none.
  std::string_view Meta(std::string_view name) const;

  // Whether iptrk itself tells of an incident, with meta data to lay out.
  bool IsIncident() const;

  // Whether something is wrong, or is no longer.
  bool IsAlarm() const { return severity != Severity::kOkay; }

  // What goes wrong and gets well again, as one string to be compared: the
  // kind, subject, direction and network of an incident, which has another id
  // each time; or what another plugin watches.
  std::string Topic() const;

  // For lists: "packets 10.1.0.216 in", "df/root on gw1". Clean.
  std::string Name() const;

  // What makes this event the same as another, as one string to be hashed. An
  // incident is told once for each time it opens, changes severity or clears:
  // after a crash the slot is replayed, and then figures may differ a little
  // while the event is still the one already mailed, as long as it carries the
  // incident's own time. For other plugins every field counts.
  std::string Identity() const;
};

// `event` with all of its text cleaned (figures.h), so that it can be kept as
// JSON.
Event Cleaned(const Event& event);

nlohmann::json ToJson(const Event& event);
// Throws nlohmann::json::exception for what is not such an object.
Event EventFromJson(const nlohmann::json& object);

// 64 bits of SHA-256 in hex digits: no two texts of one installation ever meet.
std::string Digest(std::string_view text);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_EVENT_H_
