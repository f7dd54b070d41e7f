// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_limits.h"

#include <algorithm>
#include <map>

namespace iptrk {
namespace {

// The longest prefix wins in a map: each has what those around it allow, too.
std::vector<PrefixMap<std::uint32_t>::Entry> AllowedBy(
    const DetectConfig& detect) {
  std::map<Prefix, std::uint32_t> bits;
  for (std::size_t i = 0; i < kIncidentKinds; ++i)
    for (const Prefix& prefix : detect.rules[i].allow)
      bits[prefix] |= std::uint32_t{1} << i;
  std::vector<PrefixMap<std::uint32_t>::Entry> entries;
  for (const auto& [prefix, own] : bits) {
    std::uint32_t all = own;
    for (const auto& [outer, more] : bits)
      if (outer.length <= prefix.length && outer.Contains(prefix.first))
        all |= more;
    entries.push_back({prefix, all});
  }
  return entries;
}

}  // namespace

DetectLimits::Limits DetectLimits::LimitsOf(
    const std::vector<RuleOverride>& overrides, const DetectConfig& detect) {
  Limits limits;
  for (const RuleOverride& one : overrides) {
    const DetectRule& rule = detect[one.kind];
    const bool enabled = one.enabled.value_or(rule.enabled);
    limits[static_cast<std::size_t>(one.kind)] =
        enabled ? one.limit.value_or(rule.limit) : kNever;
  }
  return limits;
}

DetectLimits::DetectLimits(const Config& config)
    : detect_(config.detect), allowed_(AllowedBy(config.detect), 0) {
  for (const Network& network : config.networks)
    networks_.push_back(LimitsOf(network.detect, detect_));
  for (const Customer& customer : config.customers)
    customers_.push_back(LimitsOf(customer.detect, detect_));
  for (std::size_t i = 0; i < kIncidentKinds; ++i) {
    const DetectRule& rule = detect_.rules[i];
    std::vector<PrefixMap<double>::Entry> entries;
    least_[i] = rule.enabled ? rule.limit : kNever;
    for (const auto& [prefix, limit] : rule.hosts) {
      entries.push_back({prefix, limit});
      least_[i] = std::min(least_[i], limit);
    }
    hosts_.emplace_back(std::move(entries), -1.0);
    for (const auto* group : {&networks_, &customers_})
      for (const Limits& limits : *group)
        least_[i] = std::min(least_[i], limits[i].value_or(kNever));
    allows_ = allows_ || !rule.allow.empty();
  }
}

std::optional<double> DetectLimits::At(const std::vector<Limits>& groups,
                                       int group, IncidentKind kind) {
  if (group < 0 || static_cast<std::size_t>(group) >= groups.size()) return {};
  return groups[static_cast<std::size_t>(group)]
               [static_cast<std::size_t>(kind)];
}

double DetectLimits::Of(IncidentKind kind, Address address, int network,
                        int customer) const {
  const auto i = static_cast<std::size_t>(kind);
  if (Allows(kind, address)) return kNever;
  if (const double own = hosts_[i].Find(address); own >= 0) return own;
  if (const auto own = At(customers_, customer, kind)) return *own;
  return Of(kind, network);
}

double DetectLimits::Of(IncidentKind kind, int network) const {
  if (const auto own = At(networks_, network, kind)) return *own;
  const DetectRule& rule = detect_[kind];
  return rule.enabled ? rule.limit : kNever;
}

}  // namespace iptrk
