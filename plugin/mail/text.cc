// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/mail/figures.h"

namespace iptrk::mail {
namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kLabel = 10;      // columns before the value of a line
constexpr std::size_t kMetaLabel = 26;  // at most, for names we don't choose
constexpr std::size_t kSubject = 120;   // no client shows more
constexpr std::size_t kName = 40;       // of a table's row: an IPv6 address
constexpr std::size_t kRows = 10;       // of a table; the head is what counts

// Builds a body of short lines: labels, values that wrap below themselves,
// tables whose columns line up.
class Body {
 public:
  void Paragraph(std::string_view text) {
    for (const std::string& line : Wrapped(Clean(text), kColumns)) {
      out_ += line + "\n";
    }
  }

  // Nothing at all when there is no value.
  void Line(std::string_view label, std::string_view value,
            std::size_t column = kLabel) {
    const std::string name = Clean(label);
    const std::vector<std::string> lines =
        Wrapped(Clean(value), kColumns - column);
    if (lines.empty()) return;
    const std::string margin(column, ' ');
    const bool fits = Width(name) + 2 <= column;
    if (!fits) Paragraph(name);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out_ += i == 0 && fits ? name + margin.substr(Width(name)) : margin;
      out_ += lines[i] + "\n";
    }
  }

  void Blank() { out_ += "\n"; }

  // The first column is aligned left, the others, figures, right.
  void Table(std::string_view heading,
             const std::vector<std::vector<std::string>>& rows) {
    if (rows.empty()) return;
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], Width(row[i]));
      }
    }
    Blank();
    out_ += std::string(heading) + "\n";
    for (const auto& row : rows) {
      std::string line = " ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string fill(widths[i] - Width(row[i]), ' ');
        line += i == 0 ? " " + row[i] + fill : "  " + fill + row[i];
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out_ += line + "\n";
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string Joined(std::string_view glue, std::string_view a,
                   std::string_view b) {
  if (a.empty() || b.empty()) return fmt::format("{}{}", a, b);
  return fmt::format("{}{}{}", a, glue, b);
}

// "31,250 packets/s"; empty without a number.
std::string Measured(const Event& event, std::string_view name) {
  const std::string number = Grouped(event.Meta(name));
  if (number.empty()) return {};
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

std::string Share(const json& object) {
  const auto found = object.find("share");
  if (found == object.end() || !found->is_number()) return {};
  const auto share = found->get<double>();
  // Written so that NaN fails too.
  return share >= 0 && share <= 1 ? Percent(share) : std::string();
}

// The rows of a table out of a JSON array of objects; `name` says what the
// first column shows. Whatever is not such an array gives no rows.
template <typename Name>
std::vector<std::vector<std::string>> Rows(std::string_view text, Name name) {
  std::vector<std::vector<std::string>> rows;
  const json list = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array()) return rows;
  for (const json& item : list) {
    if (rows.size() == kRows) break;
    if (!item.is_object()) continue;
    std::string first = name(item);
    if (first.empty()) continue;
    const std::string packets = Grouped(Member(item, "packets"));
    rows.push_back({std::move(first),
                    packets.empty() ? packets : packets + " packets",
                    Share(item)});
  }
  return rows;
}

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
        cleared(event.Meta("state") == "cleared"),
        inwards(event.Meta("direction") == "in"),
        outwards(event.Meta("direction") == "out"),
        value(Measured(event, "value")),
        limit(Grouped(event.Meta("limit"))),
        peak(Measured(event, "peak")),
        duration(Duration(event.Meta("duration"))) {}

  std::string kind;
  std::string subject;
  bool cleared;
  bool inwards;
  bool outwards;
  std::string value;  // with its unit, as peak is
  std::string limit;
  std::string peak;
  std::string duration;
};

std::string IncidentSubject(const Event& event, const Incident& incident) {
  std::string line = fmt::format(
      "[iptrk] {} {}", SeverityWord(event.severity),
      incident.kind.empty() ? std::string("incident") : incident.kind);
  if (!incident.subject.empty()) line += ": " + incident.subject;
  if (incident.cleared) {
    line += " cleared";
    if (!incident.duration.empty()) line += " after " + incident.duration;
    if (!incident.peak.empty()) line += ", peak " + incident.peak;
    return line;
  }
  line = Joined(" ", line, Clean(event.Meta("direction")));
  line = Joined(" ", line, incident.value);
  if (!incident.limit.empty()) line += " (limit " + incident.limit + ")";
  return line;
}

// The one sentence that must do when nothing else is read.
std::string IncidentSentence(const Event& event, const Incident& incident) {
  const std::string who =
      incident.subject.empty() ? std::string("It") : incident.subject;
  if (incident.cleared) {
    std::string text = who + " is back to normal";
    if (!incident.duration.empty()) text += " after " + incident.duration;
    if (!incident.peak.empty()) text += "; the peak was " + incident.peak;
    return text + ".";
  }
  if (incident.value.empty()) return event.message;
  const char* verb = "shows";
  if (incident.inwards) verb = "receives";
  if (incident.outwards) verb = "sends";
  std::string text = fmt::format("{} {} {}", who, verb, incident.value);
  if (!incident.limit.empty()) text += "; the limit is " + incident.limit;
  return text + ".";
}

std::string_view PeersHeading(const Incident& incident) {
  if (incident.inwards) return "Top senders";
  if (incident.outwards) return "Top receivers";
  return "Top peers";
}

// A section of the config file is named after the kind, so a kind that could
// be none is not repeated to somebody who will type it.
bool NamesSection(std::string_view kind) {
  return !kind.empty() && std::ranges::all_of(kind, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

Text DescribeIncident(const Event& event, const std::string& config_file) {
  const Incident incident(event);
  Body body;
  body.Paragraph(IncidentSentence(event, incident));
  body.Blank();
  const std::string network = Clean(event.Meta("network"));
  body.Line("Who", incident.subject.empty() || network.empty()
                       ? incident.subject
                       : incident.subject + ", network " + network);
  if (incident.subject.empty()) body.Line("Network", network);
  body.Line("What", Joined(", ", incident.kind, event.Meta("direction")));
  body.Line("Since", Timestamp(event.Meta("start")));
  body.Line("Until", Timestamp(event.Meta("end")));
  body.Line("Lasted", incident.duration);
  body.Line("Rule", event.Meta("rule"));
  body.Line("Measured", incident.value);
  body.Line("Limit", Measured(event, "limit"));
  body.Line("Peak", incident.peak);
  const std::string packets = Grouped(event.Meta("total_packets"));
  body.Line("Total", Joined(", ", packets.empty() ? "" : packets + " packets",
                            Bytes(event.Meta("total_bytes"))));
  const std::string peers = Grouped(event.Meta("distinct_peers"));
  body.Line("Peers", peers.empty() || peers == "1"
                         ? peers
                         : "about " + peers + " addresses");
  body.Line("Seen by", event.host);

  body.Table(PeersHeading(incident),
             Rows(event.Meta("peers"),
                  [](const json& item) { return Member(item, "address"); }));
  body.Table("Top ports", Rows(event.Meta("ports"), PortName));

  body.Blank();
  if (NamesSection(incident.kind)) {
    body.Paragraph(
        fmt::format("To silence this, set a higher limit, or enabled = false, "
                    "under [detect.{}] in {} on {}.",
                    incident.kind, config_file,
                    event.host.empty() ? "that machine" : event.host));
  }
  body.Paragraph(fmt::format("Incident {}", event.Meta("incident")));
  return {IncidentSubject(event, incident), body.Take()};
}

Text DescribePlain(const Event& event) {
  const std::string host = Clean(event.host);
  std::string subject = fmt::format("[iptrk] {}", SeverityWord(event.severity));
  const std::string source = Joined(
      " on ", Joined("/", Clean(event.plugin), Clean(event.plugin_instance)),
      host);
  if (!source.empty()) subject += " " + source;
  const std::string message = Clean(event.message);
  if (!message.empty()) subject += ": " + message;

  Body body;
  body.Paragraph(message.empty() ? "A notification without a message."
                                 : message);
  body.Blank();
  body.Line("Severity", SeverityWord(event.severity));
  body.Line("Time", Timestamp(event.time));
  body.Line("Host", host);
  body.Line("Plugin", Joined(" / ", event.plugin, event.plugin_instance));
  body.Line("Type", Joined(" / ", event.type, event.type_instance));
  if (!event.meta.empty()) {
    std::size_t column = kLabel;
    for (const auto& [name, value] : event.meta) {
      column = std::max(column, Width(Clean(name)) + 2);
    }
    body.Blank();
    for (const auto& [name, value] : event.meta) {
      body.Line(name, value, std::min(column, kMetaLabel));
    }
  }
  return {std::move(subject), body.Take()};
}

}  // namespace

Text Describe(const Event& event, const std::string& config_file) {
  Text text = event.IsIncident() ? DescribeIncident(event, config_file)
                                 : DescribePlain(event);
  text.subject = Shortened(Clean(text.subject), kSubject);
  return text;
}

}  // namespace iptrk::mail
