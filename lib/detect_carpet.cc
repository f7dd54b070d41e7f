// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_carpet.h"

#include <fmt/format.h>

#include <algorithm>

namespace iptrk {
namespace {

constexpr std::size_t kLeastHosts = 8;
constexpr double kLeastEach = 5;       // packets/s to one host
constexpr std::uint64_t kOneWay = 64;  // packets to it for one from it
constexpr std::size_t kMostGroups = 65536;

}  // namespace

Prefix CarpetWatch::PrefixOf(Address address) {
  return Prefix::Of(address, address.IsIpv4() ? 96 + 24 : 48);
}

void CarpetWatch::TakeHost(const Host& host, const HostUsual& usual,
                           const std::array<Volume, kWays>& second,
                           std::uint64_t odd, const DetectLimits& limits) {
  if (!last_ || !last_prefix_.Contains(host.address)) {
    last_ = nullptr;
    last_prefix_ = PrefixOf(host.address);
    const auto found = groups_.find(last_prefix_);
    if (found == groups_.end() && groups_.size() >= kMostGroups) return;
    last_ = found == groups_.end() ? &groups_[last_prefix_] : &found->second;
    last_->network = host.network;
  }
  Group& group = *last_;
  ++group.hosts;
  const Volume& in = second[static_cast<std::size_t>(Way::kReceived)];
  const Volume& out = second[static_cast<std::size_t>(Way::kSent)];
  if (in.packets == 0) return;
  const bool one_way = out.packets * kOneWay < in.packets;
  const std::uint64_t counts = one_way ? in.packets : std::min(odd, in.packets);
  if (counts == 0) return;
  if (limits.Of(IncidentKind::kCarpet, host) == DetectLimits::kNever) return;
  group.second += Volume{in.bytes * counts / in.packets, counts};
  const double own = usual.KnowsRates()
                         ? limits.Of(IncidentKind::kCarpet).times *
                               static_cast<double>(usual.packets[0])
                         : 0;
  if (static_cast<double>(counts) > std::max(kLeastEach, own)) ++group.above;
}

void CarpetWatch::TakePacket(const Host& host, const iptrk_record& record,
                             PeerPrivacy privacy) {
  const auto found = groups_.find(PrefixOf(host.address));
  if (found == groups_.end() || !found->second.why) return;
  if (record.flags & IPTRK_NO_REMOTE)
    found->second.why->AddPortOnly(record.dport, record);
  else
    found->second.why->Add(Address::FromBytes(record.src), record.dport, record,
                           privacy);
}

void CarpetWatch::Reconfigure(const HostIndex& index) {
  for (auto& [prefix, group] : groups_)
    group.network = static_cast<std::int16_t>(index.FindNetwork(prefix.first));
}

bool CarpetWatch::Explains(Address address) const {
  if (gathering_ == 0) return false;
  const auto found = groups_.find(PrefixOf(address));
  return found != groups_.end() &&
         (found->second.alarm.IsOpen() || found->second.alarm.IsDue());
}

bool CarpetWatch::Wants(Address address) const {
  if (gathering_ == 0) return false;
  const auto found = groups_.find(PrefixOf(address));
  return found != groups_.end() && found->second.why != nullptr;
}

void CarpetWatch::EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                            const std::vector<std::string>& networks,
                            PeerPrivacy privacy,
                            std::vector<Incident>& changes) {
  const DetectRule& rule = limits.Of(IncidentKind::kCarpet);
  last_ = nullptr;
  for (auto it = groups_.begin(); it != groups_.end();) {
    auto& [prefix, group] = *it;
    const double usual =
        group.learnt >= HostUsual::kLeastLearnt ? group.usual : 0;
    // Who is allowed was left out host by host.
    const double own = limits.Of(IncidentKind::kCarpet, group.network);
    const double limit = std::max(own, rule.times * usual);
    const double share =
        static_cast<double>(group.above) /
        static_cast<double>(std::max<std::size_t>(group.hosts, 1));
    const bool wide = group.above >= kLeastHosts && share > rule.share;
    if (wide) {
      group.share = share;
      group.touched = std::max(group.touched, group.above);
    }
    group.alarm.Take(wide ? static_cast<double>(group.second.packets) : 0,
                     limit, usual, wide ? group.second : Volume{}, end_ns);
    if (!group.alarm.IsOver()) {
      group.learnt = std::min(group.learnt + 1, HostUsual::kForgets);
      group.usual += (static_cast<double>(group.second.packets) - group.usual) /
                     group.learnt;
    }
    const Alarm::Change change = group.alarm.Decide(false, false, end_ns);
    if (change != Alarm::Change::kNone)
      changes.push_back(Describe(prefix, group, limits, networks, privacy));
    if (group.alarm.IsRising() && !group.why) {
      group.why = std::make_unique<Evidence>();
      ++gathering_;
    } else if (!group.alarm.IsRising() && !group.alarm.IsOpen() && group.why) {
      group.why.reset();
      group.touched = 0;
      --gathering_;
    }
    const bool gone = group.hosts == 0 && !group.why;
    group.hosts = group.above = 0;
    group.second = {};
    it = gone ? groups_.erase(it) : std::next(it);
  }
}

void CarpetWatch::AddOpen(const DetectLimits& limits,
                          const std::vector<std::string>& networks,
                          PeerPrivacy privacy,
                          std::vector<Incident>& open) const {
  for (const auto& [prefix, group] : groups_)
    if (group.alarm.IsOpen())
      open.push_back(Describe(prefix, group, limits, networks, privacy));
}

Incident CarpetWatch::Describe(const Prefix& prefix, const Group& group,
                               const DetectLimits& limits,
                               const std::vector<std::string>& networks,
                               PeerPrivacy privacy) const {
  const DetectRule& rule = limits.Of(IncidentKind::kCarpet);
  Incident incident;
  incident.kind = ToString(IncidentKind::kCarpet);
  incident.subject = prefix.ToString();
  if (group.network >= 0 &&
      static_cast<std::size_t>(group.network) < networks.size())
    incident.network = networks[static_cast<std::size_t>(group.network)];
  incident.direction = std::string("in");
  incident.severity = IncidentSeverity::kFailure;
  group.alarm.FillIn(incident);
  incident.rule = fmt::format(
      "more than {:.0f} unanswered packets/s to a prefix while more than "
      "{:.0f} "
      "% of its hosts get more than {:.0f} times what they usually do ({} "
      "hosts, {:.0f} %), in 3 of 5 s",
      incident.limit, rule.share * 100, rule.times, group.touched,
      group.share * 100);
  incident.unit = std::string("packets/s");
  if (group.why) group.why->FillIn(incident, privacy);
  return incident;
}

}  // namespace iptrk
