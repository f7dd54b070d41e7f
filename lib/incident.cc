// SPDX-License-Identifier: GPL-2.0-only
#include "lib/incident.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lib/json_text.h"
#include "lib/protocol.h"
#include "lib/readable.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::size_t kMessageMost = 255;  // NOTIF_MAX_MSG_LEN - 1

double Rounded(double value) { return std::round(value * 10) / 10; }

nlohmann::json PeersToJson(const std::vector<PeerShare>& peers) {
  auto list = nlohmann::json::array();
  for (const PeerShare& peer : peers)
    list.push_back({{"address", peer.address},
                    {"packets", peer.packets},
                    {"share", std::round(peer.share * 1e4) / 1e4},
                    {"bytes", peer.bytes},
                    {"share_bytes", std::round(peer.share_bytes * 1e4) / 1e4}});
  return list;
}

nlohmann::json PortsToJson(const std::vector<PortShare>& ports) {
  auto list = nlohmann::json::array();
  for (const PortShare& port : ports)
    list.push_back({{"protocol", ProtocolToString(port.protocol)},
                    {"port", port.port},
                    {"packets", port.packets},
                    {"share", std::round(port.share * 1e4) / 1e4}});
  return list;
}

std::uint64_t TimeOf(const nlohmann::json& text) {
  std::tm time{};
  const std::string& words = text.get_ref<const std::string&>();
  if (strptime(words.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time) == nullptr) return 0;
  return static_cast<std::uint64_t>(timegm(&time)) * kSecond;
}

}  // namespace

std::string FormatTime(std::uint64_t time_ns) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(time_ns / kSecond)));
}

const char* ToString(IncidentSeverity severity) {
  return severity == IncidentSeverity::kWarning ? "warning" : "failure";
}

std::string Incident::Message() const {
  std::string text =
      open
          ? fmt::format("{} {}: {} {} {} (limit {}) since {}", kind, direction,
                        subject, WithCommas(value), unit, WithCommas(limit),
                        FormatTime(start_ns))
          : fmt::format("{} {}: {} cleared after {} s, peak {} {} (limit {})",
                        kind, direction, subject, (end_ns - start_ns) / kSecond,
                        WithCommas(peak), unit, WithCommas(limit));
  if (!peers.empty())
    text += fmt::format(", mostly {} ({:.0f} %)", peers[0].address,
                        peers[0].share * 100);
  else if (distinct_peers >= 2)
    text += fmt::format(", about {} peers{}", WithCommas(distinct_peers),
                        names_peers ? ", none above 1 %" : "");
  if (baseline > 0) text += fmt::format(", usually {}", WithCommas(baseline));
  if (text.size() > kMessageMost) text.resize(kMessageMost);
  return text;
}

std::map<std::string, std::string> Incident::Fields() const {
  std::map<std::string, std::string> fields = {
      {"incident", id},
      {"kind", kind},
      {"subject", subject},
      {"network", network},
      {"customer", customer},
      {"direction", direction},
      {"severity", ToString(severity)},
      {"window", std::to_string(window)},
      {"baseline", fmt::format("{:.0f}", baseline)},
      {"state", open ? "open" : "cleared"},
      {"start", FormatTime(start_ns)},
      {"opened", FormatTime(opened_ns)},
      {"rule", rule},
      {"unit", unit},
      {"value", fmt::format("{:.0f}", value)},
      {"limit", fmt::format("{:.0f}", limit)},
      {"peak", fmt::format("{:.0f}", peak)},
      {"total_packets", std::to_string(packets)},
      {"total_bytes", std::to_string(bytes)},
      {"distinct_peers", fmt::format("{:.0f}", distinct_peers)},
      {"peers", JsonText(PeersToJson(peers))},
      {"ports", JsonText(PortsToJson(ports))},
  };
  if (!open) {
    fields["end"] = FormatTime(end_ns);
    fields["duration"] = std::to_string((end_ns - start_ns) / kSecond);
  }
  return fields;
}

nlohmann::json ToJson(const Incident& incident) {
  nlohmann::json json = {
      {"id", incident.id},
      {"kind", incident.kind},
      {"subject", incident.subject},
      {"network", incident.network},
      {"direction", incident.direction},
      {"state", incident.open ? "open" : "cleared"},
      {"start", FormatTime(incident.start_ns)},
      {"opened", FormatTime(incident.opened_ns)},
      {"end", incident.open ? nlohmann::json()
                            : nlohmann::json(FormatTime(incident.end_ns))},
      {"rule", incident.rule},
      {"unit", incident.unit},
      {"value", Rounded(incident.value)},
      {"limit", Rounded(incident.limit)},
      {"window", incident.window},
      {"baseline", Rounded(incident.baseline)},
      {"severity", ToString(incident.severity)},
      {"customer", incident.customer},
      {"peak", Rounded(incident.peak)},
      {"packets", incident.packets},
      {"bytes", incident.bytes},
      {"distinct_peers", std::round(incident.distinct_peers)},
      {"peers", PeersToJson(incident.peers)},
      {"ports", PortsToJson(incident.ports)},
  };
  return json;
}

std::optional<Incident> IncidentOfJson(const std::string& text) try {
  const auto json = nlohmann::json::parse(text);
  Incident incident;
  incident.id = json.at("id");
  incident.kind = json.at("kind");
  incident.subject = json.at("subject");
  incident.network = json.at("network");
  incident.direction = json.at("direction");
  incident.open = json.at("state") == "open";
  incident.start_ns = TimeOf(json.at("start"));
  incident.opened_ns = TimeOf(json.at("opened"));
  if (!incident.open) incident.end_ns = TimeOf(json.at("end"));
  incident.rule = json.at("rule");
  incident.unit = json.at("unit");
  incident.value = json.at("value");
  incident.limit = json.at("limit");
  incident.window = json.at("window");
  incident.baseline = json.at("baseline");
  incident.severity = json.at("severity") == "warning"
                          ? IncidentSeverity::kWarning
                          : IncidentSeverity::kFailure;
  incident.customer = json.at("customer");
  incident.peak = json.at("peak");
  incident.packets = json.at("packets");
  incident.bytes = json.at("bytes");
  incident.distinct_peers = json.at("distinct_peers");
  for (const auto& peer : json.at("peers"))
    incident.peers.push_back({peer.at("address"), peer.at("packets"),
                              peer.at("share"), peer.at("bytes"),
                              peer.at("share_bytes")});
  for (const auto& port : json.at("ports")) {
    const std::string name = port.at("protocol");
    incident.ports.push_back({ProtocolOfName(name).value_or(0), port.at("port"),
                              port.at("packets"), port.at("share")});
  }
  return incident;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

}  // namespace iptrk
