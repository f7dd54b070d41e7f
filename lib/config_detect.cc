// SPDX-License-Identifier: GPL-2.0-only
// The sections [detect.KIND], and those of networks and customers.
#include <algorithm>
#include <string>

#include "lib/config_keys.h"
#include "lib/config_sections.h"

namespace iptrk {
namespace {

constexpr double kMostLimit = 1e13;
constexpr double kYear = 366 * 86400.0;  // seconds

// Least and most that a kind's limit may be.
std::pair<double, double> LimitsOf(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::kPortScan:
    case IncidentKind::kHostScan:
      return {2, 1000};  // what is kept of one remote
    case IncidentKind::kSilent:
    case IncidentKind::kMirrorLost:
      return {5, kYear};
    case IncidentKind::kBooks:
      return {0, 100};
    default:
      return {1, kMostLimit};
  }
}

std::string NoKind(std::string_view name) {
  const std::string_view nearest = NearestWord(name, kIncidentKindNames);
  return nearest.empty()
             ? fmt::format("'{}' is no kind of incident; there are {}",
                           Shown(name), fmt::join(kIncidentKindNames, ", "))
             : fmt::format("'{}' is no kind of incident; did you mean [{}]?",
                           Shown(name), fmt::format("detect.{}", nearest));
}

std::optional<Prefix> PrefixOrFault(std::string_view text,
                                    toml::source_position at,
                                    ConfigReader& reader) {
  const auto prefix = Prefix::Parse(text);
  if (!prefix)
    reader.Fault(at, fmt::format("'{}' is no prefix; write such as 10.1.0.80, "
                                 "10.1.0.0/24 or 2001:db8:1::/48, without bits "
                                 "set behind its length",
                                 Shown(text)));
  return prefix;
}

// hosts = { "10.1.0.80" = 50000 }
void ReadHosts(const toml::table& table, ConfigReader& reader,
               IncidentKind kind, DetectRule& rule) {
  const toml::node* node = table.get("hosts");
  if (!node) return;
  const toml::table* hosts = node->as_table();
  if (!hosts) {
    reader.Fault(*node,
                 "hosts must be limits by prefix, such as hosts = { "
                 "\"10.1.0.80\" = 50000 }");
    return;
  }
  const auto [least, most] = LimitsOf(kind);
  for (const auto& [key, value] : *hosts) {
    const auto prefix = PrefixOrFault(key.str(), key.source().begin, reader);
    double limit = 0;
    if (reader.Number(*hosts, key.str(), least, most, limit) && prefix)
      rule.hosts.emplace_back(*prefix, limit);
  }
}

void ReadRule(const toml::table& table, ConfigReader& reader, IncidentKind kind,
              DetectRule& rule) {
  const auto [least, most] = LimitsOf(kind);
  reader.Bool(table, "enabled", rule.enabled);
  reader.Number(table, "limit", least, most, rule.limit);
  reader.Number(table, "times", 0.0, 1000.0, rule.times);
  reader.Number(table, "share", 0.01, 1.0, rule.share);
  reader.Bool(table, "answered", rule.answered);
  for (const auto& [key, member] :
       {std::pair{"limit_unused", &DetectRule::limit_unused},
        std::pair{"limit_own", &DetectRule::limit_own},
        std::pair{"limit_own_unused", &DetectRule::limit_own_unused}})
    reader.Number(table, key, 2.0, 1000.0, rule.*member);
  reader.Number(table, "learn", 0.0, kYear, rule.learn);
  reader.Strings(table, "allow",
                 [&](const std::string& text, const toml::node& node) {
                   if (const auto prefix =
                           PrefixOrFault(text, node.source().begin, reader))
                     rule.allow.push_back(*prefix);
                 });
  ReadHosts(table, reader, kind, rule);
}

// What one network or customer has otherwise than all.
bool CanOverride(IncidentKind kind) {
  return static_cast<std::size_t>(kind) < kRateKinds ||
         kind == IncidentKind::kCarpet || kind == IncidentKind::kSilent;
}

template <typename Named>
void ReadOverrides(const toml::table& root, std::string_view group,
                   ConfigReader& reader, std::vector<Named>& list) {
  const toml::node* all = root.get(group);
  if (!all || !all->is_table()) return;
  for (Named& named : list) {
    const toml::node* node = all->as_table()->get(named.name);
    const toml::table* section = node ? node->as_table() : nullptr;
    const std::string shown = fmt::format("{}.{}.detect", group, named.name);
    const toml::table* detect =
        section ? reader.Table(*section, "detect", shown) : nullptr;
    if (!detect) continue;
    for (const auto& [key, value] : *detect) {
      const auto kind = ParseIncidentKind(key.str());
      if (!kind) {
        reader.Fault(key, NoKind(key.str()));
        continue;
      }
      if (!CanOverride(*kind)) {
        reader.Fault(key, fmt::format("{} is not of one host, so it is the "
                                      "same everywhere; write [detect.{}]",
                                      key.str(), key.str()));
        continue;
      }
      const std::string name = fmt::format("{}.{}", shown, key.str());
      const toml::table* table = reader.Table(*detect, key.str(), name);
      if (!table) continue;
      reader.OnlyKeys(*table, fmt::format("{}.NAME.detect.KIND", group), name);
      RuleOverride override{*kind, {}, {}};
      bool enabled = true;
      if (reader.Bool(*table, "enabled", enabled)) override.enabled = enabled;
      const auto [least, most] = LimitsOf(*kind);
      double limit = 0;
      if (reader.Number(*table, "limit", least, most, limit))
        override.limit = limit;
      named.detect.push_back(override);
    }
  }
}

}  // namespace

void ReadDetect(const toml::table& root, ConfigReader& reader, Config& config) {
  ReadOverrides(root, "networks", reader, config.networks);
  ReadOverrides(root, "customers", reader, config.customers);
  const toml::table* table = reader.Table(root, "detect", "detect.KIND");
  if (!table) return;
  for (const auto& [key, node] : *table) {
    const auto kind = ParseIncidentKind(key.str());
    if (!kind) {
      reader.Fault(key, NoKind(key.str()));
      continue;
    }
    const std::string name = fmt::format("detect.{}", key.str());
    const toml::table* section = reader.Table(*table, key.str(), name);
    if (!section) continue;
    reader.OnlyKeys(*section, name);
    ReadRule(*section, reader, *kind, config.detect[*kind]);
  }
}

}  // namespace iptrk
