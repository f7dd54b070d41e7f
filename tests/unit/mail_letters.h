// SPDX-License-Identifier: GPL-2.0-only
// Events as the plugin gets them, and letters about them.
#ifndef IPTRK_TESTS_UNIT_MAIL_LETTERS_H_
#define IPTRK_TESTS_UNIT_MAIL_LETTERS_H_

#include <chrono>
#include <string>

#include "plugin/mail/letter.h"
#include "plugin/mail/message.h"
#include "plugin/mail/text.h"

namespace iptrk::mail {

inline constexpr char kConfig[] = "/etc/iptrk/iptrk.toml";

inline Event Opened() {
  Event event;
  event.severity = Severity::kFailure;
  event.time =
      std::chrono::system_clock::from_time_t(1795390452);  // 23:34:12 UTC
  event.host = "gw1";
  event.plugin = "iptrk";
  event.message = "packets: 10.1.0.216 in 31250 packets/s";
  event.meta = {
      {"incident", "20261122T233412Z-packets-10.1.0.216"},
      {"kind", "packets"},
      {"subject", "10.1.0.216"},
      {"direction", "in"},
      {"state", "open"},
      {"start", "2026-11-22T23:34:12Z"},
      {"duration", "3"},
      {"rule", "more than 1000 packets/s to one host in 3 of 5 s"},
      {"value", "31250"},
      {"limit", "1000"},
      {"baseline", "140"},
      {"window", "5"},
      {"unit", "packets/s"},
      {"peak", "40100"},
      {"total_packets", "93750"},
      {"total_bytes", "5625000"},
      {"distinct_peers", "1204"},
      {"network", "lan"},
      {"customer", "acme"},
      {"peers", R"([{"address":"203.0.113.9","packets":54375,"share":0.58},)"
                R"({"address":"2001:db8::9","packets":9001,"share":0.096}])"},
      {"ports",
       R"([{"port":53,"protocol":"udp","packets":60000,"share":0.64},)"
       R"({"port":0,"protocol":"icmp","packets":10,"share":0.0001}])"}};
  return event;
}

inline Event Cleared() {
  Event event = Opened();
  event.severity = Severity::kOkay;
  event.time += std::chrono::seconds(72);
  event.meta["state"] = "cleared";
  event.meta["end"] = "2026-11-22T23:35:24Z";
  event.meta["duration"] = "72";
  return event;
}

inline Event FromThreshold() {
  Event event;
  event.severity = Severity::kWarning;
  event.time = std::chrono::system_clock::from_time_t(1795390452);
  event.host = "gw1";
  event.plugin = "df";
  event.plugin_instance = "root";
  event.type = "percent_bytes";
  event.type_instance = "used";
  event.message = "Data source \"value\" is currently 91.5.";
  event.meta = {{"CurrentValue", "91.5"}, {"WarningMax", "90"}};
  return event;
}

inline Entry EntryOf(const Event& event) {
  Entry entry;
  entry.event = event;
  entry.thread = event.IsIncident()
                     ? std::string(event.Meta("incident"))
                     : "notification." + Digest(event.Identity());
  entry.open = event.IsAlarm();
  (entry.open ? entry.counts.opened : entry.counts.cleared) = 1;
  return entry;
}

// Half a minute after the event.
inline Letter LetterOf(const Event& event) {
  Letter letter;
  letter.id = Digest(event.Identity());
  letter.time = event.time + std::chrono::seconds(30);
  letter.entries = {EntryOf(event)};
  return letter;
}

inline Templates BuiltIn() {
  return Templates("", [](LogLevel, const std::string&) {});
}

}  // namespace iptrk::mail

#endif  // IPTRK_TESTS_UNIT_MAIL_LETTERS_H_
