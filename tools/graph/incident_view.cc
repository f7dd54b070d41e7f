// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/incident_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/readable.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

using nlohmann::json;

constexpr std::size_t kMostTogether = 10;  // peers or ports of incidents

// Fields that the page shows in a place of their own, or not at all.
constexpr std::array<std::string_view, 18> kPlaced = {
    "id",    "kind",  "subject", "direction", "state",       "start",
    "end",   "rule",  "unit",    "value",     "limit",       "peak",
    "peers", "ports", "packets", "bytes",     "names_peers", "distinct_peers"};

std::string Text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

std::optional<double> Number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return {};
  return found->get<double>();
}

void Set(PageData& data, const std::string& key, const std::string& value) {
  if (value.empty())
    data.set(key, false);
  else
    data.set(key, value);
}

void AddFact(PageData& facts, const std::string& name,
             const std::string& value) {
  if (value.empty()) return;
  PageData fact;
  fact.set("name", name);
  fact.set("value", value);
  facts << fact;
}

std::string Measured(const json& incident, const char* key) {
  const auto number = Number(incident, key);
  if (!number) return "";
  const std::string unit = Text(incident, "unit");
  return HumanNumber(*number) + (unit.empty() ? "" : " " + unit);
}

// "distinct_peers" as "Distinct peers".
std::string Title(std::string name) {
  std::ranges::replace(name, '_', ' ');
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z')
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

// A field that we know nothing of, if it is plain.
std::string Plain(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return HumanNumber(value.get<double>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return "";
}

PageData FactsOf(const json& incident) {
  PageData facts(PageData::type::list);
  AddFact(facts, "Rule", Text(incident, "rule"));
  AddFact(facts, "Value", Measured(incident, "value"));
  AddFact(facts, "Limit", Measured(incident, "limit"));
  AddFact(facts, "Peak", Measured(incident, "peak"));
  if (const auto packets = Number(incident, "packets"))
    AddFact(facts, "Packets", HumanNumber(*packets));
  if (const auto bytes = Number(incident, "bytes"))
    AddFact(facts, "Bytes", HumanBytes(*bytes));
  if (const auto peers = Number(incident, "distinct_peers"))
    AddFact(facts, "Distinct peers, about", HumanNumber(*peers));
  for (const auto& [name, value] : incident.items())
    if (std::ranges::find(kPlaced, name) == kPlaced.end())
      AddFact(facts, Title(name), Plain(value));
  return facts;
}

// Rows of who or what, and its share.
PageData Shares(const json& incident, const char* key, bool& any) {
  PageData rows(PageData::type::list);
  any = false;
  const auto list = incident.find(key);
  if (list == incident.end() || !list->is_array()) return rows;
  for (const json& entry : *list) {
    if (!entry.is_object()) continue;
    std::string what = Text(entry, "address");
    if (const auto port = Number(entry, "port")) {
      const std::string protocol = Text(entry, "protocol");
      what = fmt::format("{}{:.0f}", protocol.empty() ? "" : protocol + "/",
                         *port);
    }
    if (what.empty()) continue;
    PageData row;
    row.set("what", what);
    const double share =
        std::clamp(Number(entry, "share").value_or(0), 0.0, 1.0);
    row.set("share", fmt::format("{:.3g} %", share * 100));
    row.set("bar", fmt::format("{:.4g}", share * 100));
    const auto packets = Number(entry, "packets");
    row.set("packets", packets ? HumanNumber(*packets) : "–");
    rows << row;
    any = true;
  }
  return rows;
}

PageData SharesTable(const char* title, const json& incident, const char* key,
                     bool& any) {
  PageData table;
  table.set("title", title);
  table.set("rows", Shares(incident, key, any));
  PageData tables(PageData::type::list);
  tables << table;
  return tables;
}

// The first of its peers, or "".
std::string FirstPeer(const json& incident) {
  const auto peers = incident.find("peers");
  return peers != incident.end() && peers->is_array() && !peers->empty() &&
                 (*peers)[0].is_object()
             ? Text((*peers)[0], "address")
             : std::string();
}

// A scan's subject is who scans: its peers are hit.
bool IsDoneBySubject(const LedgerIncident& incident) {
  return incident.kind.ends_with("-scan");
}

// The other side of it, in a few words.
std::string Peers(const json& incident) {
  if (const std::string first = FirstPeer(incident); !first.empty()) {
    const auto share = Number(incident["peers"][0], "share");
    return share ? fmt::format("{} ({:.0f} %)", first, *share * 100) : first;
  }
  const auto distinct = Number(incident, "distinct_peers");
  if (distinct && *distinct >= 1)
    return fmt::format("about {} addresses", HumanNumber(*distinct));
  return "";
}

double PacketsOf(const json& object) {
  return object.is_object() ? Number(object, "packets").value_or(0) : 0;
}

// Adds those of one list of an incident to `entries`.
void AddEntries(const json& incident, const char* key,
                std::map<std::string, json>& entries) {
  if (!incident.is_object()) return;
  const auto list = incident.find(key);
  if (list == incident.end() || !list->is_array()) return;
  for (const json& entry : *list) {
    if (!entry.is_object()) continue;
    const std::string what =
        fmt::format("{} {} {}", Text(entry, "address"), Text(entry, "protocol"),
                    Number(entry, "port").value_or(-1));
    const auto [at, is_new] = entries.try_emplace(what, entry);
    if (!is_new)
      at->second["packets"] = PacketsOf(at->second) + PacketsOf(entry);
  }
}

// The first by packets, with their shares of `packets`.
json MostOf(std::map<std::string, json> entries, double packets) {
  std::vector<json> order;
  for (auto& [what, entry] : entries) order.push_back(std::move(entry));
  std::ranges::stable_sort(order, std::greater(), PacketsOf);
  if (order.size() > kMostTogether) order.resize(kMostTogether);
  if (packets > 0)
    for (json& entry : order) entry["share"] = PacketsOf(entry) / packets;
  return order;
}

// For an id of HTML a dot is as strange as what can't be in a file's name.
std::string AnchorOf(const LedgerIncident& incident) {
  std::string anchor = "incident-";
  for (const char c : FileNamePart(incident.id))
    anchor += c == '.' ? "_2e" : std::string(1, c);
  return anchor;
}

}  // namespace

std::string IncidentDuration(const LedgerIncident& incident,
                             std::time_t as_of) {
  const std::time_t end = incident.open ? as_of : incident.end;
  return DurationText(end - incident.start);
}

std::string IncidentLink(const LedgerIncident& incident) {
  return "incidents.html#" + AnchorOf(incident);
}

PageData IncidentData(const SiteContext& context,
                      const LedgerIncident& incident,
                      const std::vector<NetworkView>& networks) {
  json fields = json::parse(incident.json, nullptr, false);
  if (!fields.is_object()) fields = json::object();
  PageData data;
  data.set("anchor", AnchorOf(incident));
  data.set("link", IncidentLink(incident));
  data.set("kind", incident.kind);
  const auto set_host = [&](const std::string& key, const std::string& text) {
    data.set(key + "_page", false);
    data.set(key + "_name", false);
    const auto address = Address::Parse(text);
    if (!address) return;
    Set(data, key + "_name", context.names.Of(*address));
    for (const NetworkView& network : networks)
      if (const auto page = network.pages.find(*address);
          page != network.pages.end())
        data.set(key + "_page", page->second);
  };
  data.set("subject", incident.subject);
  set_host("subject", incident.subject);
  const std::string peers = Peers(fields);
  const bool by_subject = IsDoneBySubject(incident);
  data.set("hit", by_subject ? peers.empty() ? "–" : peers : incident.subject);
  set_host("hit", by_subject ? FirstPeer(fields) : incident.subject);
  Set(data, "direction", Text(fields, "direction"));
  data.set("since", LocalTime(incident.start));
  data.set("since_iso", IsoTime(incident.start));
  data.set("open", incident.open);
  Set(data, "until", incident.open ? "" : LocalTime(incident.end));
  data.set("duration", IncidentDuration(incident, context.ledger_end));
  Set(data, "by", by_subject ? incident.subject : peers);
  const std::string value = Measured(fields, incident.open ? "value" : "peak");
  const std::string limit = Measured(fields, "limit");
  data.set("measure", value.empty() ? "–"
                      : limit.empty()
                          ? value
                          : fmt::format("{}, limit {}", value, limit));
  data.set("facts", FactsOf(fields));
  bool any = false;
  data.set("peer_tables", SharesTable("From or to", fields, "peers", any));
  data.set("has_peers", any);
  data.set("port_tables", SharesTable("Port", fields, "ports", any));
  data.set("has_ports", any);
  return data;
}

void SetEvidence(const std::vector<const LedgerIncident*>& incidents,
                 PageData& data) {
  double packets = 0;
  std::map<std::string, json> peers;
  std::map<std::string, json> ports;
  for (const LedgerIncident* incident : incidents) {
    const json fields = json::parse(incident->json, nullptr, false);
    packets += PacketsOf(fields);
    AddEntries(fields, "peers", peers);
    AddEntries(fields, "ports", ports);
  }
  const json sum = {{"peers", MostOf(std::move(peers), packets)},
                    {"ports", MostOf(std::move(ports), packets)}};
  bool any = false;
  data.set("peer_tables", SharesTable("From or to", sum, "peers", any));
  data.set("has_peers", any);
  data.set("port_tables", SharesTable("Port", sum, "ports", any));
  data.set("has_ports", any);
}

PageData IncidentTable(const PageData& incidents) {
  PageData table;
  table.set("rows", incidents);
  PageData tables(PageData::type::list);
  tables << table;
  return tables;
}

}  // namespace iptrk
