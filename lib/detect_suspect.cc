// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_suspect.h"

#include <algorithm>
#include <utility>

#include "lib/detect_traffic.h"

namespace iptrk {
namespace {

constexpr std::uint16_t kTalkSeconds = 5;  // both sides spoke within
constexpr double kMostly = 0.5;
constexpr int kEvidenceSeconds = 60;
constexpr std::uint32_t kWholePacket = 600;  // bytes: no question

std::uint64_t Clip(std::uint64_t value, std::uint64_t less) {
  return value > less ? value - less : 0;
}

// `volume` without `packets` of it, which are of its mean size.
Volume Without(const Volume& volume, std::uint64_t packets) {
  const std::uint64_t left = Clip(volume.packets, packets);
  if (left == volume.packets) return volume;
  const double share =
      static_cast<double>(left) / static_cast<double>(volume.packets);
  return {static_cast<std::uint64_t>(static_cast<double>(volume.bytes) * share),
          left};
}

Volume Scaled(const Volume& volume, double factor) {
  return {static_cast<std::uint64_t>(
              static_cast<double>(volume.bytes) * factor + 0.5),
          static_cast<std::uint64_t>(
              static_cast<double>(volume.packets) * factor + 0.5)};
}

constexpr Way Other(Way way) {
  return way == Way::kReceived ? Way::kSent : Way::kReceived;
}

std::size_t Index(Way way) { return static_cast<std::size_t>(way); }
std::size_t Index(IncidentKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

Suspect::Suspect(const Host& host)
    : address(host.address),
      number(host.number),
      network(host.network),
      customer(host.customer) {
  for (const Way way : {Way::kReceived, Way::kSent})
    average_before_[Index(way)] = host.rate[Index(way)].packets;
}

Volume Suspect::Second::total() const {
  Volume sum;
  for (const Volume& one : of) sum += one;
  return sum;
}

bool Suspect::TalksWith(Way way, Address peer, std::uint32_t now) {
  const std::uint64_t hash = HashAddress(peer, 3) * 0x9e3779b97f4a7c15u;
  Talk& talk = talks_[hash >> 32 & (kTalks - 1)];
  const auto tag = static_cast<std::uint32_t>(hash) | 1;
  // Never 0, which is "never".
  const auto second = static_cast<std::uint16_t>(now % 65535 + 1);
  if (talk.tag != tag) talk = {tag, {}};
  talk.last[Index(way)] = second;
  const std::uint16_t other = talk.last[Index(Other(way))];
  return other != 0 && static_cast<std::uint16_t>((second + 65535 - other) %
                                                  65535) <= kTalkSeconds;
}

void Suspect::Await(std::uint64_t hash) {
  const std::size_t group = (hash >> 40) % (kAwaited / 4) * 4;
  const auto tag = static_cast<std::uint32_t>(hash) | 1;
  for (std::size_t i = group; i < group + 4; ++i)
    if (awaited_[i] == 0 || awaited_[i] == tag) {
      awaited_[i] = tag;
      return;
    }
  awaited_[group + (hash >> 20 & 3)] = tag;
}

bool Suspect::Complete(std::uint64_t hash) {
  const std::size_t group = (hash >> 40) % (kAwaited / 4) * 4;
  const auto tag = static_cast<std::uint32_t>(hash) | 1;
  for (std::size_t i = group; i < group + 4; ++i)
    if (awaited_[i] == tag) {
      awaited_[i] = 0;
      return true;
    }
  return false;
}

Suspect::Class Suspect::ClassOf(Way way, const iptrk_record& record,
                                Address own, Address peer, std::uint32_t now,
                                const RecentKeys& asked) {
  const bool received = way == Way::kReceived;
  const bool no_remote = record.flags & IPTRK_NO_REMOTE;
  const auto talks = [&] { return !no_remote && TalksWith(way, peer, now); };
  if (record.flags & IPTRK_FRAGMENT)
    return talks() ? Class::kExplained : Class::kFragment;
  const std::uint16_t own_port = received ? record.dport : record.sport;
  const std::uint16_t peer_port = received ? record.sport : record.dport;
  switch (record.protocol) {
    case IPPROTO_TCP: {
      const std::uint8_t flags = record.tcp_flags;
      const bool unknown = record.flags & IPTRK_MERGED;
      if (unknown && syn_heavy_[Index(way)]) return Class::kSyn;
      const std::uint64_t hash = RecentKeys::Hash(
          peer, own, std::uint64_t{peer_port} << 16 | own_port);
      if ((flags & (kTcpSyn | kTcpAck)) == kTcpSyn) {
        if (received) Await(hash);
        return Class::kSyn;
      }
      if (flags & kTcpSyn) second_[Index(way)].accepted += record.packets;
      if (flags & (kTcpSyn | kTcpRst)) return Class::kAnswer;
      if (received && (flags & kTcpAck) && Complete(hash))
        second_[Index(way)].completed += record.packets;
      return talks() ? Class::kExplained : Class::kPlain;
    }
    case IPPROTO_UDP: {
      const bool both = talks();
      if (received && IsReflectorPort(peer_port) && !both &&
          !asked.Has(RecentKeys::Hash(own, peer, peer_port)))
        return Class::kReflected;
      // Who is asked at its port may be flooded by those it answers; who
      // asked, or is sent whole packets of data, wants it.
      const bool wanted =
          both && (!received || peer_port <= own_port ||
                   record.bytes >= kWholePacket * record.packets);
      return wanted ? Class::kExplained : Class::kUdp;
    }
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      switch (IcmpSenseOf(record)) {
        case IcmpSense::kAsk:
          return Class::kIcmp;
        case IcmpSense::kAnswer:
          return Class::kIcmpAnswer;
        case IcmpSense::kNeighbour:
          return Class::kExplained;
      }
      break;
    default:
      break;
  }
  return talks() ? Class::kExplained : Class::kPlain;
}

bool Suspect::Take(Way way, const iptrk_record& record, std::uint32_t now,
                   const RecentKeys& asked, const DetectLimits& limits,
                   PeerPrivacy privacy) {
  const bool received = way == Way::kReceived;
  const Address src = Address::FromBytes(record.src);
  const Address dst = Address::FromBytes(record.dst);
  const Address own = received ? dst : src, peer = received ? src : dst;
  const Class what = ClassOf(way, record, own, peer, now, asked);
  Second& second = second_[Index(way)];
  second.of[static_cast<std::size_t>(what)] += record;
  const bool explains = what == Class::kExplained || what == Class::kAnswer ||
                        what == Class::kIcmpAnswer;
  if (!explains && limits.allows())
    if (const std::uint32_t allowed = limits.Allowed(peer))
      for (std::size_t i = 0; i < kRateKinds; ++i)
        if (allowed >> i & 1) second.allowed[i] += record;
  // What explains itself is no evidence, unless a rule counts it all the same.
  const bool counts = !explains ||
                      (what == Class::kExplained &&
                       (limits.Of(IncidentKind::kPackets).answered ||
                        limits.Of(IncidentKind::kVolume).answered)) ||
                      (received && what != Class::kExplained);
  if (!counts) return true;
  Evidence& evidence = evidence_[Index(way)];
  const std::uint16_t own_port = received ? record.dport : record.sport;
  const std::uint16_t port =
      what == Class::kReflected ? record.sport : own_port;
  if (record.flags & IPTRK_NO_REMOTE)
    evidence.AddPortOnly(port, record);
  else
    evidence.Add(peer, port, record, privacy);
  return explains;
}

Volume Suspect::Measured(Way way, IncidentKind kind,
                         const DetectLimits& limits) const {
  const Second& here = second_[Index(way)];
  const Second& there = second_[Index(Other(way))];
  const DetectRule& rule = limits.Of(kind);
  const Volume syn =
      Without(here.Of(Class::kSyn),
              way == Way::kReceived ? here.completed : there.accepted);
  // More answers than there was to answer. Of what is sent, all answers are:
  // one that is repeated comes from a flood, too.
  const std::uint64_t provoked =
      way == Way::kSent ? ~std::uint64_t{0} : there.total().packets;
  const Volume icmp_answers = Without(here.Of(Class::kIcmpAnswer), provoked);
  Volume sum;
  switch (kind) {
    case IncidentKind::kAmplification:
      sum = Without(here.Of(Class::kReflected), first_answers_);
      break;
    case IncidentKind::kSynFlood:
      sum = syn;
      break;
    case IncidentKind::kIcmpFlood:
      sum = here.Of(Class::kIcmp) + icmp_answers;
      break;
    case IncidentKind::kFragmentFlood:
      sum = here.Of(Class::kFragment);
      break;
    case IncidentKind::kUdpFlood:
      sum = here.Of(Class::kUdp);
      if (rule.answered) sum += here.Of(Class::kExplained);
      break;
    default:
      sum = here.Of(Class::kReflected) + syn + here.Of(Class::kIcmp) +
            icmp_answers + here.Of(Class::kFragment) + here.Of(Class::kUdp) +
            here.Of(Class::kPlain) + Without(here.Of(Class::kAnswer), provoked);
      if (rule.answered) sum = here.total();
      break;
  }
  const Volume& allowed = here.allowed[Index(kind)];
  sum.packets = Clip(sum.packets, allowed.packets);
  sum.bytes = Clip(sum.bytes, allowed.bytes);
  if (kind == IncidentKind::kHammering && Why(way).TopShare() <= rule.share)
    return {};
  return sum;
}

void Suspect::Take(Way way, const Volume& total, const Baseline& baseline,
                   const DetectLimits& limits, const Host& host,
                   std::uint64_t end_ns) {
  const Volume seen = second_[Index(way)].total();
  const double scale = seen.packets == 0
                           ? 1
                           : static_cast<double>(total.packets) /
                                 static_cast<double>(seen.packets);
  for (std::size_t i = 0; i < kRateKinds; ++i) {
    const auto kind = static_cast<IncidentKind>(i);
    const DetectRule& rule = limits.Of(kind);
    double limit = limits.Of(kind, host);
    const bool is_volume = kind == IncidentKind::kVolume;
    // Who has many packets of TCP has no use for as many of UDP.
    const double usual = is_volume                         ? baseline.bytes * 8
                         : kind == IncidentKind::kUdpFlood ? baseline.udp
                                                           : baseline.packets;
    if (rule.times > 0) limit = std::max(limit, rule.times * usual);
    const Volume measured = Scaled(Measured(way, kind, limits), scale);
    // Of what came before, as much counts as of what is looked at first: all
    // of a flood, and nothing of a download.
    double& before = average_before_[Index(way)];
    if (kind == IncidentKind::kPackets && before > 0 && total.packets > 0)
      alarms_[Index(way)][i].StartAt(std::exchange(before, 0) *
                                     static_cast<double>(measured.packets) /
                                     static_cast<double>(total.packets));
    const double figure =
        static_cast<double>(is_volume ? measured.bytes * 8 : measured.packets);
    alarms_[Index(way)][i].Take(figure, limit, rule.times > 0 ? usual : 0,
                                measured, end_ns);
  }
}

void Suspect::EndSecond(const std::array<Volume, kWays>& total,
                        const std::array<Baseline, kWays>& baseline,
                        const DetectLimits& limits, const Host& host,
                        std::uint64_t end_ns) {
  for (const Way way : {Way::kReceived, Way::kSent}) {
    const std::size_t i = Index(way);
    Second& second = second_[i];
    const Volume seen = second.total();
    // Suspected at this second's end: its packets will have been such as the
    // next second's.
    if (seen.packets == 0 && total[i].packets > 0 && held_[i] == Volume{}) {
      held_[i] = total[i];
      continue;
    }
    // A second's burst that nothing followed, such as a download's last, is
    // none of which anything is known.
    if (held_[i].packets > 0 && seen.packets > 0)
      Take(way, held_[i], baseline[i], limits, host, end_ns - kSecond);
    else if (held_[i].packets > 0)
      average_before_[i] = 0;
    held_[i] = {};
    Take(way, total[i], baseline[i], limits, host, end_ns);
    syn_heavy_[i] = static_cast<double>(second.Of(Class::kSyn).packets) >
                    kMostly * static_cast<double>(seen.packets);
    // What was sent long before is no evidence of what opens now.
    if (IsOpenOrDue(way)) {
      evidence_seconds_[i] = 0;
    } else if (++evidence_seconds_[i] >= kEvidenceSeconds) {
      evidence_[i] = {};
      evidence_seconds_[i] = 0;
    }
  }
  second_ = {};
  first_answers_ = 0;
  // What is held is not judged yet, and so not found harmless.
  const bool holds = held_[0].packets + held_[1].packets > 0;
  rest = IsRising() || holds ? 0 : rest + 1;
}

bool Suspect::IsExplained(Way way, IncidentKind kind) const {
  using enum IncidentKind;
  const auto holds = [&](IncidentKind other) {
    return Of(way, other).IsOpen() || (other < kind && Of(way, other).IsDue());
  };
  switch (kind) {
    case kAmplification:
      return holds(kUdpFlood) || holds(kFragmentFlood);
    case kSynFlood:
    case kIcmpFlood:
      return false;
    case kFragmentFlood:
      return holds(kAmplification) || holds(kUdpFlood);
    case kUdpFlood:
      return holds(kAmplification) || holds(kFragmentFlood);
    default:
      for (std::size_t i = 0; i < kRateKinds; ++i)
        if (const auto other = static_cast<IncidentKind>(i);
            other != kind && holds(other))
          return true;
      return false;
  }
}

bool Suspect::IsOpen(Way way) const {
  return std::any_of(alarms_[Index(way)].begin(), alarms_[Index(way)].end(),
                     [](const Alarm& alarm) { return alarm.IsOpen(); });
}

bool Suspect::IsOpenOrDue(Way way) const {
  return std::any_of(
      alarms_[Index(way)].begin(), alarms_[Index(way)].end(),
      [](const Alarm& alarm) { return alarm.IsOpen() || alarm.IsDue(); });
}

bool Suspect::IsMuch(Way way) const {
  return Of(way, IncidentKind::kVolume).IsDue() ||
         std::any_of(alarms_[Index(way)].begin(), alarms_[Index(way)].end(),
                     [](const Alarm& alarm) {
                       return alarm.IsDue() &&
                              alarm.fast() >= Alarm::kWorse * alarm.limit();
                     });
}

bool Suspect::IsOver() const {
  for (const auto& way : alarms_)
    for (const Alarm& alarm : way)
      if (alarm.IsOver()) return true;
  return false;
}

bool Suspect::IsRising() const {
  for (const auto& way : alarms_)
    for (const Alarm& alarm : way)
      if (alarm.IsRising()) return true;
  return false;
}

}  // namespace iptrk
