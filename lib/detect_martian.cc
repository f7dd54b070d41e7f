// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_martian.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lib/detect_alarm.h"
#include "lib/seconds.h"

namespace iptrk {

void MartianWatch::Take(const iptrk_record& record, Martian kind,
                        const DetectLimits& limits, PeerPrivacy privacy) {
  const auto i = static_cast<std::size_t>(kind);
  if (i >= kKinds) return;
  const Address src = Address::FromBytes(record.src);
  const Address dst = Address::FromBytes(record.dst);
  if (limits.Allows(IncidentKind::kMartian, src) ||
      limits.Allows(IncidentKind::kMartian, dst))
    return;
  Kind& one = kinds_[i];
  one.second += record;
  one.sources.Add(src, record.dport, record, privacy);
  one.targets.Add(dst, record.dport, record, privacy);
}

bool MartianWatch::Advance(Kind& kind, std::uint64_t end_ns,
                           const DetectLimits& limits) {
  const DetectRule& rule = limits.Of(IncidentKind::kMartian);
  kind.seconds[kind.at] = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(kind.second.packets, 0xffffffff));
  kind.at = (kind.at + 1) % kWindow;
  kind.value = std::accumulate(kind.seconds.begin(), kind.seconds.end(), 0.0);
  const bool rises = kind.value > Alarm::kSuspect * rule.limit;
  if (rises && kind.start_ns == 0) {
    kind.start_ns = end_ns - kSecond;
    kind.peak = 0;
    kind.total = {};
  } else if (!rises && !kind.open) {
    kind.start_ns = 0;
    kind.sources = kind.targets = {};
  }
  if (kind.second.packets > 0) kind.last_ns = end_ns;
  kind.total += kind.second;
  kind.second = {};
  kind.peak = std::max(kind.peak, kind.value);
  kind.calm = kind.value < Alarm::kCalm * rule.limit ? kind.calm + 1 : 0;
  if (kind.open) return !rule.enabled || kind.calm >= Alarm::kCalmSeconds;
  return rule.enabled && kind.value >= rule.limit;
}

Incident MartianWatch::Describe(std::size_t i, const DetectLimits& limits,
                                PeerPrivacy privacy) const {
  const Kind& kind = kinds_[i];
  const DetectRule& rule = limits.Of(IncidentKind::kMartian);
  const char* const name = ToString(static_cast<Martian>(i));
  Incident incident;
  incident.kind = ToString(IncidentKind::kMartian);
  incident.subject = name;
  incident.direction = std::string("in");
  incident.severity = IncidentSeverity::kWarning;
  incident.open = kind.open;
  incident.start_ns = kind.start_ns;
  incident.opened_ns = kind.opened_ns;
  incident.end_ns = kind.open ? 0 : kind.last_ns;
  constexpr const char* kMeanings[kKinds] = {
      "with a source that no host may have",
      "with a source from the wrong side", "of which neither side is ours"};
  incident.rule = fmt::format("{:.0f} or more packets {} in a minute",
                              rule.limit, kMeanings[i]);
  incident.unit = std::string("packets/min");
  incident.value = kind.value;
  incident.limit = rule.limit;
  incident.peak = kind.peak;
  incident.window = static_cast<int>(kWindow);
  incident.packets = kind.total.packets;
  incident.bytes = kind.total.bytes;
  kind.sources.FillIn(incident, privacy);
  return incident;
}

}  // namespace iptrk
