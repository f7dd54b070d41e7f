// SPDX-License-Identifier: GPL-2.0-only
// The sections that say how iptrk works; what it counts is said in
// config_networks.cc and config_services.cc.
#include "lib/config_sections.h"

#include <fnmatch.h>

#include <algorithm>

#include "kernel/uapi/iptrk.h"
#include "lib/ledger_entry.h"

namespace iptrk {
namespace {

constexpr int kHundredYears = 36500;  // days

bool Matches(const std::string& pattern, const std::string& interface) {
  return fnmatch(pattern.c_str(), interface.c_str(), 0) == 0;
}

bool MatchesAny(const std::vector<std::string>& patterns,
                const std::string& interface) {
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return Matches(pattern, interface); });
}

bool IsPattern(const std::string& text) {
  return text.find_first_of("*?[\\") != text.npos;
}

void ReadPatterns(const toml::table& table, ConfigReader& reader,
                  std::string_view key, std::vector<std::string>& patterns,
                  const std::vector<std::string>* interfaces) {
  reader.Strings(
      table, key, [&](const std::string& pattern, const toml::node& node) {
        if (pattern.empty() || pattern.size() > 15 ||
            pattern.find_first_of("/ :") != pattern.npos) {
          reader.Fault(
              node,
              fmt::format("'{}' is no interface name or pattern of 1 to 15 "
                          "characters, such as \"eth0\" or \"eth*\"",
                          Shown(pattern)));
          return;
        }
        patterns.push_back(pattern);
        if (key == "interfaces" && patterns.size() == IPTRK_PATTERNS + 1)
          reader.Fault(node, fmt::format("there can be {} at most; write "
                                         "patterns, such as \"vlan*\"",
                                         IPTRK_PATTERNS));
        if (interfaces && std::none_of(interfaces->begin(), interfaces->end(),
                                       [&](const std::string& interface) {
                                         return Matches(pattern, interface);
                                       }))
          reader.Warn(
              node, fmt::format("no interface of this machine {} '{}' now; "
                                "there are {}",
                                IsPattern(pattern) ? "matches" : "is named",
                                Shown(pattern), fmt::join(*interfaces, ", ")));
      });
}

// An interface has one side, and is watched.
void CheckSides(const toml::table& table, ConfigReader& reader,
                const QueueConfig& queue) {
  reader.Strings(
      table, "outside",
      [&](const std::string& pattern, const toml::node& node) {
        for (const std::string& inside : queue.inside)
          if (Matches(pattern, inside) || Matches(inside, pattern)) {
            reader.Fault(
                node,
                fmt::format("'{}' is in inside too{}; an interface has "
                            "ours behind it or others, not both",
                            Shown(pattern),
                            inside == pattern
                                ? ""
                                : fmt::format(" by '{}'", Shown(inside))));
            return;
          }
      });
  if (queue.interfaces.empty()) return;
  for (const char* key : {"inside", "outside"})
    reader.Strings(
        table, key, [&](const std::string& pattern, const toml::node& node) {
          if (!IsPattern(pattern) && !MatchesAny(queue.interfaces, pattern))
            reader.Warn(node, fmt::format("{} is not one of interfaces, so it "
                                          "is not watched",
                                          Shown(pattern)));
        });
}

// Seconds that hosts may be counted by when networks are by `interval`.
std::vector<int> HostIntervals(int interval) {
  std::vector<int> right;
  for (int seconds = interval; seconds <= kLedgerSlot; seconds += interval)
    if (kLedgerSlot % seconds == 0) right.push_back(seconds);
  return right;
}

}  // namespace

void ReadQueue(const toml::table& root, ConfigReader& reader, Config& config,
               const std::vector<std::string>* interfaces) {
  const toml::table* table = reader.Table(root, "queue");
  if (!table) return;
  QueueConfig& queue = config.queue;
  reader.OnlyKeys(*table, "queue");
  if (const toml::node* node = reader.String(*table, "name", queue.name);
      node && (queue.name.empty() || queue.name.size() > 31))
    reader.Fault(*node, "name must have 1 to 31 characters");
  ReadPatterns(*table, reader, "interfaces", queue.interfaces, interfaces);
  ReadPatterns(*table, reader, "inside", queue.inside, interfaces);
  ReadPatterns(*table, reader, "outside", queue.outside, interfaces);
  CheckSides(*table, reader, queue);
  if (const toml::node* node = reader.Number<std::uint32_t>(
          *table, "records", 1024, 1u << 24, queue.records);
      node && (queue.records & (queue.records - 1)))
    reader.Fault(*node,
                 fmt::format("records must be a power of two, such as {}",
                             1u << (31 - __builtin_clz(queue.records))));
  reader.Bool(*table, "promiscuous", queue.promiscuous);
}

void ReadCollectd(const toml::table& root, ConfigReader& reader,
                  Config& config) {
  const toml::table* table = reader.Table(root, "collectd");
  if (!table) return;
  CollectdConfig& collectd = config.collectd;
  reader.OnlyKeys(*table, "collectd");
  if (const toml::node* node =
          reader.Number(*table, "interval", 1, kLedgerSlot, collectd.interval);
      node && kLedgerSlot % collectd.interval) {
    reader.Fault(*node, fmt::format("interval must divide 300 s: one of {}",
                                    fmt::join(HostIntervals(1), ", ")));
    collectd.interval = CollectdConfig{}.interval;
  }
  const std::vector<int> right = HostIntervals(collectd.interval);
  if (const toml::node* node = reader.Number(
          *table, "host_interval", 1, kLedgerSlot, collectd.host_interval)) {
    if (!std::count(right.begin(), right.end(), collectd.host_interval))
      reader.Fault(*node,
                   fmt::format("host_interval must be a multiple of interval "
                               "({} s) and divide 300 s: one of {}",
                               collectd.interval, fmt::join(right, ", ")));
  } else {
    // The least that is right and not below the default.
    collectd.host_interval =
        *std::lower_bound(right.begin(), right.end(), collectd.host_interval);
  }
  if (const toml::node* node = reader.Number(
          *table, "forget_after", 60, 366 * 86400, collectd.forget_after);
      node && collectd.forget_after < collectd.host_interval)
    reader.Fault(*node,
                 fmt::format("forget_after must be at least host_interval, "
                             "{} s; a day is 86400",
                             collectd.host_interval));
  reader.Path(*table, "rrd_directory", collectd.rrd_directory);
}

void ReadLedger(const toml::table& root, ConfigReader& reader, Config& config) {
  const toml::table* table = reader.Table(root, "ledger");
  if (!table) return;
  LedgerConfig& ledger = config.ledger;
  reader.OnlyKeys(*table, "ledger");
  reader.Path(*table, "path", ledger.path, /*may_be_empty=*/true);
  // A month is billed when it is over, from the one before at most.
  constexpr int kTwoMonths = 62;
  if (const toml::node* node = reader.Number(*table, "keep_slots", 1,
                                             kHundredYears, ledger.keep_slots);
      node && ledger.keep_slots < kTwoMonths)
    reader.Warn(*node, fmt::format("keep_slots = {} days is too short to bill "
                                   "a month after its end; {} are enough",
                                   ledger.keep_slots, kTwoMonths));
  struct {
    std::string_view key;
    int& days;
  } const kept[] = {{"keep_host_slots", ledger.keep_host_slots},
                    {"keep_host_hours", ledger.keep_host_hours},
                    {"keep_host_days", ledger.keep_host_days}};
  for (const auto& [key, days] : kept)
    reader.Number(*table, key, 1, kHundredYears, days);
  for (int finer : {0, 1}) {
    const auto& [finer_key, finer_days] = kept[finer];
    const auto& [key, days] = kept[finer + 1];
    const toml::node* node = table->get(key);
    if (!node) node = table->get(finer_key);
    if (node && days < finer_days)
      reader.Warn(*node, fmt::format("{} = {} days is less than {} = {}; what "
                                     "is coarser is meant to be kept longer",
                                     key, days, finer_key, finer_days));
  }
}

void ReadPages(const toml::table& root, ConfigReader& reader, Config& config) {
  const toml::table* table = reader.Table(root, "pages");
  if (!table) return;
  reader.OnlyKeys(*table, "pages");
  reader.Path(*table, "directory", config.pages.directory);
  reader.Path(*table, "names", config.pages.names, true);
  if (const toml::node* node =
          reader.String(*table, "title", config.pages.title);
      node && config.pages.title.size() > 200)
    reader.Fault(*node, "title must have at most 200 characters");
}

void ReadPrivacy(const toml::table& root, ConfigReader& reader,
                 Config& config) {
  const toml::table* table = reader.Table(root, "privacy");
  if (!table) return;
  reader.OnlyKeys(*table, "privacy");
  constexpr std::array<std::pair<std::string_view, PeerPrivacy>, 3> kPeers = {
      {{"full", PeerPrivacy::kFull},
       {"prefix", PeerPrivacy::kPrefix},
       {"none", PeerPrivacy::kNone}}};
  reader.Choice(*table, "peers", kPeers, config.privacy.peers);
}

}  // namespace iptrk
