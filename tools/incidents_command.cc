// SPDX-License-Identifier: GPL-2.0-only
// iptrk incidents: what was abnormal, from the ledger; and what of it nobody
// wants to be told of.
#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "lib/civil_month.h"
#include "lib/classify.h"
#include "lib/detect_rule.h"
#include "lib/json_text.h"
#include "lib/ledger_reader.h"
#include "lib/ledger_schema.h"
#include "lib/local_networks.h"
#include "lib/prefix_map.h"
#include "lib/readable.h"
#include "lib/silence.h"
#include "tools/commands.h"

namespace iptrk {
namespace {

using Json = nlohmann::json;

struct IncidentsOptions {
  std::string kind, subject, network, since = "7d";
  bool open = false;
  bool json = false;
  std::string ledger;
  std::string id;            // show, acknowledge
  std::string what;          // silence: a kind, "*", or an incident's id
  std::string lasts = "2h";  // --for
  std::string note;
  std::int64_t silence = 0;  // unsilence
  Config config;
};

// What is wrong with the call itself.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "90s", "30m", "2h", "7d".
std::int64_t ParseSpan(const char* option, const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const std::string unit(at, end);
  const std::int64_t seconds = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3600
                               : unit == "d" ? 86400
                                             : 0;
  if (error != std::errc{} || number <= 0 || number > 100000 || seconds == 0)
    throw UsageError(fmt::format("{} {}: no time; write such as 30m, 2h or 7d",
                                 option, text));
  return number * seconds;
}

// A span back from now, or a date.
std::int64_t ParseSince(const std::string& text, std::int64_t now) {
  if (const auto date = ParseDate(text, "UTC")) return *date;
  try {
    return now - ParseSpan("--since", text);
  } catch (const UsageError&) {
    throw UsageError(
        fmt::format("--since {}: no time; write such as 2h, 7d, 2026-10-01 or "
                    "2026-10-01T12:30",
                    text));
  }
}

std::string TimeText(std::int64_t seconds) {
  return FormatDate(seconds, "UTC");
}

std::string Who() {
  for (const char* name : {"SUDO_USER", "LOGNAME", "USER"})
    if (const char* who = std::getenv(name)) return who;
  return std::to_string(getuid());
}

std::string PathOf(const IncidentsOptions& options, const Config& config) {
  const std::string path =
      options.ledger.empty() ? config.ledger.path : options.ledger;
  if (path.empty())
    throw UsageError("no ledger is configured; give --ledger PATH");
  return path;
}

std::string Member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : JsonText(*found);
}

double Figure(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

// The whole of an incident as it was last told, with what is said of it now.
struct Row {
  LedgerIncident incident;
  Json json;
  bool acknowledged = false;
  bool silenced = false;
};

Row RowOf(LedgerIncident incident, SilenceReader& silences, std::int64_t now) {
  Row row{std::move(incident), {}, false, false};
  row.json = Json::parse(row.incident.json, nullptr, false);
  if (!row.json.is_object()) row.json = Json::object();
  row.acknowledged = silences.Acknowledged(row.incident.id);
  row.silenced = silences.Silenced(row.incident.kind, row.incident.subject,
                                   Member(row.json, "network"), now);
  row.json["acknowledged"] = row.acknowledged;
  row.json["silenced"] = row.silenced;
  return row;
}

// Whether incidents can be of something that is called so.
bool IsSubject(const std::string& name, const IncidentsOptions& options,
               const std::string& path, std::int64_t now) {
  const Config& config = options.config;
  if (name == kEvery || if_nametoindex(name.c_str()) != 0) return true;
  for (int kind = 0; kind < kMartians; ++kind)
    if (name == ToString(static_cast<Martian>(kind))) return true;
  for (const auto* names :
       {&config.queue.interfaces, &config.queue.inside, &config.queue.outside})
    if (std::ranges::find(*names, name) != names->end()) return true;
  const auto incidents = LedgerReader(path).Incidents(0, now + 86400);
  return std::ranges::find(config.networks, name, &Network::name) !=
             config.networks.end() ||
         std::ranges::find(incidents, name, &LedgerIncident::subject) !=
             incidents.end();
}

// As incidents will have it: of our IPv6 they know hosts of ipv6_prefix alone.
std::string SubjectOf(const IncidentsOptions& options, const std::string& path,
                      std::int64_t now) {
  const std::string& subject = options.subject;
  const auto prefix = Prefix::Parse(subject);
  if (!prefix) {
    if (!IsSubject(subject, options, path, now))
      throw UsageError(fmt::format(
          "--subject {}: no address, prefix, network or interface", subject));
    return subject;
  }
  const auto& networks = options.config.networks;
  const int network = MapPrefixes(networks).Find(prefix->first);
  if (network < 0 || prefix->IsIpv4()) return subject;
  const int host = networks[static_cast<std::size_t>(network)].ipv6_prefix;
  return Prefix::Of(prefix->first, std::min(prefix->length, host)).ToString();
}

std::string NetworkOf(const IncidentsOptions& options) {
  std::vector<std::string> names;
  for (const Network& network : options.config.networks)
    names.push_back(network.name);
  if (names.empty()) names.emplace_back(kLocalNetwork);
  const std::string& name = options.network;
  if (name != kEvery && std::ranges::find(names, name) == names.end())
    throw UsageError(fmt::format("--network {}: unknown; there are: {}", name,
                                 fmt::join(names, " ")));
  return name;
}

std::vector<Row> Find(const IncidentsOptions& options, const std::string& path,
                      std::int64_t now) {
  if (!options.kind.empty() && !ParseIncidentKind(options.kind))
    throw UsageError(fmt::format("--kind {}: unknown; known are {}",
                                 options.kind,
                                 fmt::join(kIncidentKindNames, ", ")));
  SilenceReader silences(path);
  const std::string wanted =
      options.subject.empty() ? "" : SubjectOf(options, path, now);
  const auto prefix = Prefix::Parse(wanted);
  std::vector<Row> rows;
  for (LedgerIncident& incident : LedgerReader(path).Incidents(
           ParseSince(options.since, now), now + 86400)) {
    if (!options.kind.empty() && incident.kind != options.kind) continue;
    if (options.open && !incident.open) continue;
    if (!wanted.empty() && incident.subject != wanted) {
      const auto subject = Prefix::Parse(incident.subject);
      if (!prefix || !subject || subject->length < prefix->length ||
          !prefix->Contains(subject->first))
        continue;
    }
    Row row = RowOf(std::move(incident), silences, now);
    if (!options.network.empty() &&
        Member(row.json, "network") != options.network)
      continue;
    rows.push_back(std::move(row));
  }
  // One that was taken out of the configuration may have had some.
  if (rows.empty() && !options.network.empty()) NetworkOf(options);
  return rows;
}

void PrintList(const std::vector<Row>& rows, const std::string& since) {
  if (rows.empty()) {
    fmt::print("no incidents since {}\n", since);
    return;
  }
  for (const Row& row : rows) {
    const Json& json = row.json;
    const std::int64_t end =
        row.incident.open ? std::time(nullptr) : row.incident.end;
    fmt::print("{:<8} {}  {:<14} {:<3} {:<20} peak {:.0f} {}, {}{}{}\n    {}\n",
               row.incident.open ? "OPEN" : "cleared",
               TimeText(row.incident.start), row.incident.kind,
               Member(json, "direction"), row.incident.subject,
               Figure(json, "peak"), Member(json, "unit"),
               DurationText(end - row.incident.start),
               row.acknowledged ? ", acknowledged" : "",
               row.silenced ? ", silenced" : "", row.incident.id);
  }
}

void PrintShares(const char* title, const Json& json, const char* list,
                 const char* name) {
  const auto found = json.find(list);
  if (found == json.end() || !found->is_array() || found->empty()) return;
  fmt::print("{}\n", title);
  for (const Json& one : *found) {
    std::string what = Member(one, name);
    if (one.contains("protocol"))
      what = fmt::format("{}/{}", Member(one, "protocol"), what);
    fmt::print("  {:<40} {:>14.0f} packets {:>5.1f} %", what,
               Figure(one, "packets"), Figure(one, "share") * 100);
    if (one.contains("bytes"))
      fmt::print(" {:>14.0f} bytes {:>5.1f} %", Figure(one, "bytes"),
                 Figure(one, "share_bytes") * 100);
    fmt::print("\n");
  }
}

void PrintWhole(const Row& row,
                const std::vector<Acknowledgement>& acknowledgements) {
  const Json& json = row.json;
  const std::int64_t end =
      row.incident.open ? std::time(nullptr) : row.incident.end;
  fmt::print("{} {} {}, {}\n\n", row.incident.kind, Member(json, "direction"),
             row.incident.subject, row.incident.open ? "open" : "cleared");
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) fmt::print("{:<14} {}\n", name, value);
  };
  const std::string unit = Member(json, "unit");
  const auto figure = [&](const char* name) {
    return fmt::format("{:.0f} {}", Figure(json, name), unit);
  };
  line("incident", row.incident.id);
  line("network", Member(json, "network"));
  line("customer", Member(json, "customer"));
  line("severity", Member(json, "severity"));
  line("since", TimeText(row.incident.start));
  if (!row.incident.open) line("until", TimeText(row.incident.end));
  line("lasted", DurationText(end - row.incident.start));
  line("rule", Member(json, "rule"));
  line("value",
       fmt::format("{} over {} s", figure("value"), Member(json, "window")));
  line("limit", figure("limit"));
  line("usual", Figure(json, "baseline") > 0 ? figure("baseline")
                                             : "not known, or of no matter");
  line("peak", figure("peak"));
  line("in all", fmt::format("{:.0f} packets, {:.0f} bytes",
                             Figure(json, "packets"), Figure(json, "bytes")));
  line("peers", fmt::format("about {:.0f}", Figure(json, "distinct_peers")));
  for (const Acknowledgement& one : acknowledgements)
    if (one.incident == row.incident.id)
      line("acknowledged",
           fmt::format("{} by {}{}", TimeText(one.made), one.who,
                       one.note.empty() ? "" : ": " + one.note));
  if (row.silenced) line("silenced", "yes; see iptrk incidents silences");
  PrintShares("\ntop peers", json, "peers", "address");
  PrintShares("\ntop ports", json, "ports", "port");
}

Row FindOne(const IncidentsOptions& options, const std::string& path,
            std::int64_t now) {
  SilenceReader silences(path);
  std::vector<Row> found;
  for (LedgerIncident& incident : LedgerReader(path).Incidents(0, now + 86400))
    if (incident.id == options.id || incident.id.starts_with(options.id)) {
      const bool whole = incident.id == options.id;
      Row row = RowOf(std::move(incident), silences, now);
      if (whole) return row;
      found.push_back(std::move(row));
    }
  if (found.size() == 1) return std::move(found[0]);
  throw UsageError(
      found.empty()
          ? fmt::format("{}: no such incident; iptrk incidents lists them",
                        options.id)
          : fmt::format("{}: {} incidents begin so; write more of it",
                        options.id, found.size()));
}

Json SilenceToJson(const Silence& one) {
  return {{"id", one.id},
          {"kind", one.kind},
          {"subject", one.subject},
          {"network", one.network},
          {"until", TimeText(one.until)},
          {"made", TimeText(one.made)},
          {"who", one.who},
          {"note", one.note}};
}

LedgerDatabase OpenToWrite(const std::string& path) {
  // A ledger is made by collectd's plugin, not by a slip in a path.
  CheckLedger(LedgerDatabase(path, LedgerDatabase::Mode::kRead));
  return LedgerDatabase(path, LedgerDatabase::Mode::kWrite);
}

void List(const IncidentsOptions& options, const std::string& path,
          std::int64_t now) {
  const std::vector<Row> rows = Find(options, path, now);
  if (!options.json) {
    PrintList(rows, TimeText(ParseSince(options.since, now)));
    return;
  }
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(row.json);
  fmt::print("{}\n", JsonText(Json{{"incidents", list}}, 2));
}

void Show(const IncidentsOptions& options, const std::string& path,
          std::int64_t now) {
  const Row row = FindOne(options, path, now);
  if (options.json)
    fmt::print("{}\n", JsonText(row.json, 2));
  else
    PrintWhole(row, ReadAcknowledgements(
                        LedgerDatabase(path, LedgerDatabase::Mode::kRead)));
}

void ListSilences(const IncidentsOptions& options, const std::string& path,
                  std::int64_t now) {
  const LedgerDatabase database(path, LedgerDatabase::Mode::kRead);
  CheckLedger(database);
  Json list = Json::array();
  bool any = false;
  for (const Silence& one : ReadSilences(database)) {
    if (one.until <= now) continue;
    any = true;
    if (options.json)
      list.push_back(SilenceToJson(one));
    else
      fmt::print("{:>4}  {:<14} {:<24} {:<12} until {}, by {}{}\n", one.id,
                 one.kind, one.subject, one.network, TimeText(one.until),
                 one.who, one.note.empty() ? "" : ": " + one.note);
  }
  if (options.json)
    fmt::print("{}\n", JsonText(Json{{"silences", list}}, 2));
  else if (!any)
    fmt::print("nothing is silenced\n");
}

void AddOne(const IncidentsOptions& options, const std::string& path,
            std::int64_t now) {
  Silence silence{.kind = options.what,
                  .until = now + ParseSpan("--for", options.lasts),
                  .made = now,
                  .who = Who(),
                  .note = options.note};
  if (!options.subject.empty()) silence.subject = SubjectOf(options, path, now);
  if (!options.network.empty()) silence.network = NetworkOf(options);
  if (options.what != kEvery && !ParseIncidentKind(options.what)) {
    // Its kind and its subject, for what comes of it later, too.
    IncidentsOptions one = options;
    one.id = options.what;
    try {
      const Row row = FindOne(one, path, now);
      silence.kind = row.incident.kind;
      if (options.subject.empty()) silence.subject = row.incident.subject;
    } catch (const UsageError&) {
      throw UsageError(
          fmt::format("{}: neither a kind nor an incident; kinds are *, {}",
                      options.what, fmt::join(kIncidentKindNames, ", ")));
    }
  }
  LedgerDatabase database = OpenToWrite(path);
  silence.id = AddSilence(database, silence);
  if (options.json)
    fmt::print("{}\n", JsonText(SilenceToJson(silence), 2));
  else
    fmt::print(
        "silence {}: {} of {} in network {} until {}; iptrk incidents "
        "unsilence {} ends it\n",
        silence.id, silence.kind == kEvery ? "everything" : silence.kind,
        silence.subject == kEvery ? "everybody" : silence.subject,
        silence.network, TimeText(silence.until), silence.id);
}

void EndOne(const IncidentsOptions& options, const std::string& path) {
  LedgerDatabase database = OpenToWrite(path);
  if (!RemoveSilence(database, options.silence))
    throw UsageError(
        fmt::format("{}: no such silence; iptrk incidents silences lists them",
                    options.silence));
  if (options.json)
    fmt::print("{}\n",
               JsonText(Json{{"id", options.silence}, {"ended", true}}, 2));
  else
    fmt::print("silence {} is ended\n", options.silence);
}

void AcknowledgeOne(const IncidentsOptions& options, const std::string& path,
                    std::int64_t now, bool take_back) {
  const Row row = FindOne(options, path, now);
  LedgerDatabase database = OpenToWrite(path);
  if (!take_back)
    Acknowledge(database, {row.incident.id, now, Who(), options.note});
  else if (!TakeBackAcknowledgement(database, row.incident.id))
    throw UsageError(fmt::format("{}: is not acknowledged", row.incident.id));
  if (options.json)
    fmt::print("{}\n", JsonText(Json{{"id", row.incident.id},
                                     {"acknowledged", !take_back}},
                                2));
  else
    fmt::print("{} is {}acknowledged\n", row.incident.id,
               take_back ? "no longer " : "");
}

}  // namespace

void AddIncidentsCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "incidents", "what was abnormal, with evidence; silences");
  auto options = std::make_shared<IncidentsOptions>();
  const auto run = [options, &context](auto body) {
    return [options, &context, body] {
      const auto config = context.LoadConfigOrComplain();
      if (!config) return;
      options->config = *config;
      try {
        body(*options, PathOf(*options, *config), std::time(nullptr));
      } catch (const UsageError& error) {
        std::cerr << "iptrk incidents: " << error.what() << "\n";
        context.exit_code = 2;
      } catch (const std::exception& error) {
        std::cerr << "iptrk incidents: " << error.what() << "\n";
        context.exit_code = 1;
      }
    };
  };
  command->require_subcommand(0, 1);
  command->fallthrough();
  command->add_option("--kind", options->kind, "only of this kind");
  command->add_option("--subject", options->subject,
                      "only of this host, or of those in this prefix");
  command->add_option("--network", options->network, "only of this network");
  command
      ->add_option("--since", options->since,
                   "not cleared before: 2h, 7d, 2026-10-01")
      ->capture_default_str();
  command->add_flag("--open", options->open, "only those still open");
  command->add_flag("--json", options->json, "for machines");
  command->add_option("--ledger", options->ledger,
                      "the ledger's file (default: the configured one)");
  command->callback([command, run] {
    if (command->get_subcommands().empty()) run(List)();
  });

  CLI::App* show = command->add_subcommand("show", "one with its evidence");
  show->add_option("ID", options->id, "or the first letters of it")->required();
  show->callback(run(Show));

  CLI::App* silence = command->add_subcommand(
      "silence", "have nobody told of a kind for a time");
  silence
      ->add_option("KIND|ID", options->what,
                   "a kind, '*' for every, or an incident")
      ->required();
  silence->add_option("--for", options->lasts, "30m, 2h, 7d")
      ->capture_default_str();
  silence->add_option("--note", options->note, "why");
  silence->callback(run(AddOne));

  CLI::App* unsilence = command->add_subcommand("unsilence", "end a silence");
  unsilence->add_option("NUMBER", options->silence, "see silences")->required();
  unsilence->callback(run([](const IncidentsOptions& o, const std::string& path,
                             std::int64_t) { EndOne(o, path); }));

  command->add_subcommand("silences", "what is silenced now")
      ->callback(run(ListSilences));

  CLI::App* acknowledge = command->add_subcommand(
      "acknowledge", "have nobody reminded of an incident");
  acknowledge->add_option("ID", options->id, "or the first letters of it")
      ->required();
  acknowledge->add_option("--note", options->note, "why");
  const auto take_back = std::make_shared<bool>(false);
  acknowledge->add_flag("--undo", *take_back, "have them reminded again");
  acknowledge->callback(
      run([take_back](const IncidentsOptions& o, const std::string& path,
                      std::int64_t now) {
        AcknowledgeOne(o, path, now, *take_back);
      }));
}

}  // namespace iptrk
