// SPDX-License-Identifier: GPL-2.0-only
#include "lib/incident.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

}  // namespace iptrk
