// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/entry_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lib/address.h"
#include "lib/detect_rule.h"
#include "plugin/mail/figures.h"
#include "plugin/mail/layout.h"

namespace iptrk::mail {
namespace {

using kainjow::mustache::data;
using nlohmann::json;

constexpr std::size_t kMetaLabel = 26;  // at most, for names we don't choose
constexpr std::size_t kName = 40;       // of a table's row: an IPv6 address
constexpr std::size_t kRows = 10;       // of a table; the head is what counts

std::string Joined(std::string_view glue, std::string_view a,
                   std::string_view b) {
  if (a.empty() || b.empty()) return fmt::format("{}{}", a, b);
  return fmt::format("{}{}{}", a, glue, b);
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == text.npos;
}

double Figure(const Event& event, std::string_view name) {
  return std::strtod(std::string(event.Meta(name)).c_str(), nullptr);
}

// "31,250 packets/s"; empty without a number.
std::string Measured(const Event& event, std::string_view name) {
  const std::string number = Grouped(event.Meta(name));
  // Already with its unit, or in words.
  if (number.empty() || number.find(' ') != number.npos) return number;
  return Joined(" ", number, Clean(event.Meta("unit")));
}

// A member as text, whether it is a JSON string or a number.
std::string Member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  if (found->is_string()) {
    return Shortened(Clean(found->get_ref<const std::string&>()), kName);
  }
  return found->is_number() ? found->dump() : std::string();
}

double Share(const json& object) {
  const auto found = object.find("share");
  if (found == object.end() || !found->is_number()) return -1;
  const auto share = found->get<double>();
  // Written so that NaN fails too.
  return share >= 0 && share <= 1 ? share : -1;
}

// The rows of a table out of a JSON array of objects; `name` says what the
// first column shows. Whatever is not such an array gives no rows.
template <typename Name>
std::vector<TableRow> Rows(std::string_view text, Name name) {
  std::vector<TableRow> rows;
  const json list = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return rows;
  for (const json& item : list) {
    if (rows.size() == kRows) break;
    if (!item.is_object()) continue;
    std::string first = name(item);
    if (first.empty()) continue;
    const std::string packets = Grouped(Member(item, "packets"));
    const double share = Share(item);
    rows.push_back(
        {{std::move(first), packets.empty() ? packets : packets + " packets",
          Bytes(Member(item, "bytes")),
          share < 0 ? std::string() : Percent(share)},
         share});
  }
  return rows;
}

std::string PeerName(const json& item) { return Member(item, "address"); }

std::string PortName(const json& item) {
  const std::string port = Member(item, "port");
  const std::string protocol = Member(item, "protocol");
  // ICMP has no ports.
  return Joined("/", port == "0" ? std::string() : port, protocol);
}

struct Incident {
  explicit Incident(const Event& event)
      : kind(Clean(event.Meta("kind"))),
        subject(Clean(event.Meta("subject"))),
        inwards(event.Meta("direction") == "in"),
        outwards(event.Meta("direction") == "out"),
        value(Measured(event, "value")),
        limit(Grouped(event.Meta("limit"))),
        peak(Measured(event, "peak")),
        duration(Duration(event.Meta("duration"))) {}

  std::string kind;
  std::string subject;
  bool inwards;
  bool outwards;
  std::string value;  // with its unit, as peak is
  std::string limit;
  std::string peak;
  std::string duration;
};

// How long it has been open; empty if nobody said since when.
std::string OpenFor(const Event& event, Time now) {
  if (now <= event.time) return {};
  return Duration(std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(now - event.time)
          .count()));
}

std::string IncidentSubject(const Entry& entry, Time now) {
  const Incident incident(entry.event);
  std::string line = fmt::format(
      "[iptrk] {} {}", SeverityWord(entry.event.severity),
      incident.kind.empty() ? std::string("incident") : incident.kind);
  if (!incident.subject.empty()) line += ": " + incident.subject;
  if (!entry.open) {
    line += " cleared";
    if (!incident.duration.empty()) line += " after " + incident.duration;
    if (!incident.peak.empty()) line += ", peak " + incident.peak;
    return line;
  }
  line = Joined(" ", line, Clean(entry.event.Meta("direction")));
  if (entry.reminder) {
    return line + " still open after " + OpenFor(entry.event, now);
  }
  line = Joined(" ", line, incident.value);
  if (!incident.limit.empty()) line += " (limit " + incident.limit + ")";
  return line;
}

bool IsScan(const Incident& incident) {
  return incident.kind == ToString(IncidentKind::kPortScan) ||
         incident.kind == ToString(IncidentKind::kHostScan);
}

// What of these kinds is measured is not traffic of the subject's. Empty for
// all others.
std::string SentenceOfKind(const Event& event, const Incident& incident,
                           const std::string& who) {
  const std::optional<IncidentKind> kind =
      ParseIncidentKind(event.Meta("kind"));
  if (!kind) return {};
  const std::string& value = incident.value;
  const auto limited = [&incident](std::string text, const std::string& limit) {
    if (incident.limit.empty() || incident.limit == "0") return text;
    return text + "; the limit is " + limit;
  };
  const auto seconds = [&event](const char* name) {
    return Duration(event.Meta(name));
  };
  switch (*kind) {
    case IncidentKind::kPortScan:
    case IncidentKind::kHostScan:
      return limited(fmt::format("{} tries {}", who, value), incident.limit);
    case IncidentKind::kMartian:
      return limited(fmt::format("{} are martians ({})", value, who),
                     incident.limit);
    case IncidentKind::kSilent:
      return limited(
          fmt::format("{} has sent nothing for {}", who, seconds("value")),
          seconds("limit"));
    case IncidentKind::kMirrorLost:
      // Told early when many fell silent together.
      if (Figure(event, "value") < Figure(event, "limit")) {
        return fmt::format("Most hosts of {} are silent at once", who);
      }
      return limited(fmt::format("No packet of {} has been seen for {}", who,
                                 seconds("value")),
                     seconds("limit"));
    case IncidentKind::kBooks:
      if (Figure(event, "value") == 0) {
        return fmt::format("The books of {} do not balance", who);
      }
      return limited(
          fmt::format("The books of {} lack {} of its packets", who, value),
          Measured(event, "limit"));
    default:
      return {};
  }
}

// The one sentence that must do when nothing else is read.
std::string IncidentSentence(const Entry& entry, Time now) {
  const Incident incident(entry.event);
  const std::string who =
      incident.subject.empty() ? std::string("It") : incident.subject;
  if (!entry.open) {
    std::string text = who + " is back to normal";
    if (!incident.duration.empty()) text += " after " + incident.duration;
    if (!incident.peak.empty()) text += "; the peak was " + incident.peak;
    return text + ".";
  }
  const std::string still =
      entry.reminder
          ? fmt::format("Still open after {}, nothing new is known. ",
                        OpenFor(entry.event, now))
          : std::string();
  if (incident.value.empty()) return still + Clean(entry.event.message);
  if (const std::string text = SentenceOfKind(entry.event, incident, who);
      !text.empty()) {
    return still + text + ".";
  }
  const char* verb = "shows";
  if (incident.inwards) verb = "receives";
  if (incident.outwards) verb = "sends";
  std::string text =
      fmt::format("{}{} {} {}", still, who, verb, incident.value);
  if (!incident.limit.empty()) text += "; the limit is " + incident.limit;
  return text + ".";
}

std::string_view PeersHeading(const Incident& incident) {
  if (IsScan(incident)) return "Top targets";
  if (incident.inwards) return "Top senders";
  if (incident.outwards) return "Top receivers";
  return "Top peers";
}

// What somebody will type into a shell or a file.
bool IsWord(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// To be pasted into a shell, so only of parts that are what they should be.
std::string SilenceCommand(const Incident& incident) {
  if (!IsWord(incident.kind)) return {};
  std::string command = "iptrk incidents silence " + incident.kind;
  if (const auto prefix = Prefix::Parse(incident.subject)) {
    command += " --subject " + incident.subject;
  } else if (!incident.subject.empty()) {
    if (!IsWord(incident.subject)) return {};
    command += " --subject " + incident.subject;
  }
  return command + " --for 2h";
}

// "opened 3 times" when that is more than the mail's plain words say.
std::string History(const Entry& entry) {
  const Counts& counts = entry.counts;
  if (counts.opened + counts.changed + counts.cleared <= 1) return {};
  return CountsText(counts);
}

data IncidentFacts(const Entry& entry) {
  const Event& event = entry.event;
  const Incident incident(event);
  FactList facts;
  const std::string network = Clean(event.Meta("network"));
  facts.Add("Who", incident.subject.empty() || network.empty()
                       ? incident.subject
                       : incident.subject + ", network " + network);
  if (incident.subject.empty()) facts.Add("Network", network);
  facts.Add("Customer", Clean(event.Meta("customer")));
  facts.Add("What",
            Joined(", ", incident.kind, Clean(event.Meta("direction"))));
  facts.Add("Since", Timestamp(event.Meta("start")));
  facts.Add("Until", Timestamp(event.Meta("end")));
  facts.Add(entry.open ? "Open for" : "Lasted", incident.duration);
  facts.Add("Events", History(entry));
  facts.Add("Rule", Clean(event.Meta("rule")));
  facts.Add("Measured", incident.value);
  facts.Add("Limit", Measured(event, "limit"));
  facts.Add("Baseline", Measured(event, "baseline"));
  const std::string_view window = event.Meta("window");
  facts.Add("Window", IsNumber(window) ? Duration(window) : Clean(window));
  facts.Add("Peak", incident.peak);
  const std::string packets = Grouped(event.Meta("total_packets"));
  facts.Add("Total", Joined(", ", packets.empty() ? "" : packets + " packets",
                            Bytes(event.Meta("total_bytes"))));
  const std::string peers = Grouped(event.Meta("distinct_peers"));
  facts.Add("Peers", peers.empty() || peers == "1"
                         ? peers
                         : "about " + peers + " addresses");
  facts.Add("Seen by", Clean(event.host));
  return facts.Take();
}

data PlainFacts(const Entry& entry) {
  const Event& event = entry.event;
  FactList facts;
  facts.Add("Severity", SeverityWord(event.severity));
  facts.Add("Time", Timestamp(event.time));
  facts.Add("Events", History(entry));
  facts.Add("Host", Clean(event.host));
  facts.Add("Plugin",
            Clean(Joined(" / ", event.plugin, event.plugin_instance)));
  facts.Add("Type", Clean(Joined(" / ", event.type, event.type_instance)));
  std::size_t column = 0;
  for (const auto& [name, value] : event.meta) {
    column = std::max(column, Width(Clean(name)) + 2);
  }
  for (const auto& [name, value] : event.meta) {
    facts.Add(Clean(name), Clean(value),
              std::max<std::size_t>(10, std::min(column, kMetaLabel)));
  }
  return facts.Take();
}

bool IsEmptyColumn(const std::vector<TableRow>& rows, std::size_t column) {
  return std::ranges::all_of(rows, [column](const TableRow& row) {
    return column >= row.cells.size() || row.cells[column].empty();
  });
}

}  // namespace

void FactList::Add(std::string_view name, std::string_view value,
                   std::size_t column) {
  if (value.empty()) return;
  data fact;
  fact.set("name", std::string(name));
  fact.set("value", std::string(value));
  fact.set("line", FactLine(name, value, column));
  list_.push_back(fact);
}

void AddTable(data& tables, std::string_view heading,
              const std::vector<TableRow>& rows) {
  if (rows.empty()) return;
  std::vector<std::vector<std::string>> cells;
  for (const TableRow& row : rows) cells.push_back(row.cells);
  const std::vector<std::string> lines = TableLines(cells);
  data list(data::type::list);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    data row;
    data texts(data::type::list);
    for (std::size_t column = 0; column < rows[i].cells.size(); ++column) {
      if (IsEmptyColumn(rows, column)) continue;
      data cell;
      cell.set("text", rows[i].cells[column]);
      texts.push_back(cell);
    }
    row.set("cells", texts);
    row.set("line", lines[i]);
    if (rows[i].share >= 0) {
      row.set("bar", fmt::format("{:.0f}", rows[i].share * 100));
    }
    list.push_back(row);
  }
  data table;
  table.set("heading", std::string(heading));
  table.set("rows", list);
  tables.push_back(table);
}

std::string CountsText(const Counts& counts) {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what) {
    if (count == 0) return;
    text = Joined(
        ", ", text,
        fmt::format("{} {}", what,
                    count == 1 ? std::string("once")
                               : Grouped(std::to_string(count)) + " times"));
  };
  add(counts.opened, "opened");
  add(counts.changed, "changed");
  add(counts.cleared, "cleared");
  add(counts.silenced, "silenced");
  return text;
}

std::string EntrySubject(const Entry& entry, Time now) {
  const Event& event = entry.event;
  if (event.IsIncident()) return Clean(IncidentSubject(entry, now));
  std::string subject = fmt::format("[iptrk] {}", SeverityWord(event.severity));
  const std::string source = Joined(
      " on ", Joined("/", Clean(event.plugin), Clean(event.plugin_instance)),
      Clean(event.host));
  if (!source.empty()) subject += " " + source;
  const std::string message = Clean(event.message);
  if (!message.empty()) subject += ": " + message;
  return Clean(subject);
}

data EntryValues(const Entry& entry, Time now, bool how_to_silence,
                 const std::string& config_file) {
  const Event& event = entry.event;
  data values;
  data tables(data::type::list);
  values.set("name", event.Name());
  values.set("severity", std::string(SeverityWord(event.severity)));
  values.set("color",
             entry.open
                 ? event.severity == Severity::kWarning ? "#b26a00" : "#b3261e"
                 : "#1b6e3c");
  values.set("open", entry.open);
  values.set("cleared", !entry.open);
  values.set("reminder", entry.reminder);
  for (const char* name :
       {"kind", "subject", "network", "customer", "direction", "rule", "value",
        "limit", "baseline", "window", "peak", "unit", "incident"}) {
    // Nothing rather than "", which mustache takes for true.
    if (const std::string text = Clean(event.Meta(name)); !text.empty()) {
      values.set(name, text);
    }
  }
  if (event.IsIncident()) {
    const Incident incident(event);
    values.set("sentence", Paragraph(IncidentSentence(entry, now)));
    values.set("facts", IncidentFacts(entry));
    AddTable(tables, PeersHeading(incident),
             Rows(event.Meta("peers"), PeerName));
    AddTable(tables, "Top ports", Rows(event.Meta("ports"), PortName));
    const std::string command = SilenceCommand(incident);
    const bool goes_on = entry.open || entry.counts.opened > 1;
    if (how_to_silence && goes_on && !command.empty()) {
      values.set("silence", command);
      values.set("config",
                 Paragraph(fmt::format(
                     "For good: a higher limit, or enabled = false, under "
                     "[detect.{}] in {} on {}.",
                     incident.kind, config_file,
                     event.host.empty() ? "that machine" : Clean(event.host))));
    }
  } else {
    const std::string message = Clean(event.message);
    values.set("sentence",
               Paragraph(message.empty() ? "A notification without a message."
                                         : message));
    values.set("facts", PlainFacts(entry));
  }
  values.set("tables", tables);
  return values;
}

}  // namespace iptrk::mail
