// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <tuple>
#include <utility>

#include "lib/detect_traffic.h"
#include "lib/renumbering.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr int kRestSeconds = 10;         // after which a suspect is let go
constexpr std::uint64_t kAskedFor = 60;  // seconds that an answer may take
constexpr float kTrustBeyond = 2;
constexpr float kTrustDecay = 0.99f;  // a second
constexpr double kMostly = 0.5, kAlone = 0.9;

std::size_t Index(Way way) { return static_cast<std::size_t>(way); }

// A flood's sentence: what was counted.
const char* WhatOf(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::kAmplification:
      return "unasked UDP packets/s from reflectors";
    case IncidentKind::kSynFlood:
      return "unanswered SYNs/s";
    case IncidentKind::kIcmpFlood:
      return "ICMP packets/s";
    case IncidentKind::kFragmentFlood:
      return "fragments/s";
    case IncidentKind::kUdpFlood:
      return "one-sided UDP packets/s";
    case IncidentKind::kVolume:
      return "bit/s";
    default:
      return "packets/s";
  }
}

void SetId(Incident& incident) {
  incident.id = fmt::format(
      "{:%Y%m%dT%H%M%SZ}-{}-{}-{}",
      fmt::gmtime(static_cast<std::time_t>(incident.start_ns / kSecond)),
      incident.kind, incident.direction, incident.subject);
}

void SortById(std::vector<Incident>& incidents) {
  for (Incident& incident : incidents) SetId(incident);
  std::sort(incidents.begin(), incidents.end(),
            [](const Incident& a, const Incident& b) { return a.id < b.id; });
}

}  // namespace

Detector::Detector(const Config& config, Account& account)
    : account_(account), limits_(config) {
  Reconfigure(config);
  account_.SetWatcher(*this);
}

Detector::~Detector() = default;

void Detector::Reconfigure(const Config& config) {
  limits_ = DetectLimits(config);
  privacy_ = config.privacy.peers;
  using enum IncidentKind;
  suspect_packets_ = suspect_odd_ = 0;
  const auto least = [&](std::initializer_list<IncidentKind> kinds) {
    double limit = DetectLimits::kNever;
    for (const IncidentKind kind : kinds)
      limit = std::min(limit, limits_.Least(kind));
    return limit * Alarm::kSuspect;
  };
  suspect_packets_ = least({kPackets, kHammering, kUdpFlood});
  suspect_bytes_ = limits_.Least(kVolume) * Alarm::kSuspect / 8;
  suspect_odd_ = static_cast<std::uint32_t>(std::min(
      least({kSynFlood, kIcmpFlood, kFragmentFlood, kAmplification}), 4e9));

  const auto networks = std::exchange(network_names_, {});
  for (const Network& network : config.networks)
    network_names_.push_back(network.name);
  const auto customers = std::exchange(customer_names_, {});
  for (const Customer& customer : config.customers)
    customer_names_.push_back(customer.name);
  const Renumbering network(networks, network_names_);
  network_packets_.assign(network_names_.size(), 0);
  quiet_.Reconfigure(network_names_.size(), network,
                     Renumbering(customers, customer_names_));
  scans_.Reconfigure(network);
  carpets_.Reconfigure(account_.hosts().index());
  for (const auto& suspect : suspects_)
    if (suspect) {
      const Host& host = account_.hosts()[suspect->number];
      suspect->network = host.network;
      suspect->customer = host.customer;
    }
}

Detector::Trust& Detector::TrustOf(const Host& host) {
  if (host.number >= trust_.size()) trust_.resize(host.number + 1);
  Trust& trust = trust_[host.number];
  if (trust.at != now_) {
    const float left =
        std::pow(kTrustDecay, static_cast<float>(now_ - trust.at));
    for (auto* figure : {&trust.packets, &trust.bytes, &trust.udp, &trust.odd})
      for (float& one : *figure) one *= left;
    trust.at = now_;
  }
  return trust;
}

// Whoever comes when all places are taken is not suspected: 512 hosts above
// the limit are told already.
void Detector::StartSuspecting(Host& host) {
  std::int16_t number;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else if (suspects_.size() < kMostSuspects) {
    number = static_cast<std::int16_t>(suspects_.size());
    suspects_.emplace_back();
    suspect_seconds_.emplace_back();
  } else {
    return;
  }
  suspects_[static_cast<std::size_t>(number)] = std::make_unique<Suspect>(host);
  host.suspect = number;
  account_.Watch(host, true);
}

void Detector::Release(Host& host) {
  if (host.suspect < 0) return;
  suspects_[static_cast<std::size_t>(host.suspect)].reset();
  free_.push_back(host.suspect);
  host.suspect = -1;
  account_.Watch(host, false);
}

void Detector::Forget(Host& host) {
  Release(host);
  quiet_.Forget(host);
}

void Detector::OnPacket(Host& host, Way way, const iptrk_record& record) {
  if (host.suspect >= 0)
    suspects_[static_cast<std::size_t>(host.suspect)]->Take(
        way, record, now_, asked_, limits_, privacy_);
  if (way == Way::kReceived && !carpets_.empty())
    carpets_.TakePacket(host, record, privacy_);
}

void Detector::OnOdd(const iptrk_record& record, Host* src, Host* dst,
                     int src_network, int dst_network) {
  // Questions and answers among ours are none of the rules' here.
  if (src && dst && record.protocol == IPPROTO_UDP &&
      !(record.flags & IPTRK_FRAGMENT))
    return;
  const bool no_remote = record.flags & IPTRK_NO_REMOTE;
  bool counts_in = true;
  if (record.protocol == IPPROTO_UDP && !(record.flags & IPTRK_FRAGMENT)) {
    // Only what nobody asked for is odd.
    counts_in = false;
    const Address from = Address::FromBytes(record.src);
    const Address to = Address::FromBytes(record.dst);
    if (src && IsReflectorPort(record.dport)) {
      const bool first = asked_.Add(RecentKeys::Hash(from, to, record.dport));
      if (first && src->suspect >= 0 && IsReflectorPort(record.sport))
        suspects_[static_cast<std::size_t>(src->suspect)]->TakeFirstAnswer();
    }
    if (dst && IsReflectorPort(record.sport))
      counts_in =
          no_remote || !asked_.Has(RecentKeys::Hash(to, from, record.sport));
  }
  if (!no_remote)
    scans_.Take(record, {src_network, dst_network, dst}, second_ns_, privacy_,
                baselines_);
  const auto count = [&](Host* host, Way way) {
    if (!host) return;
    std::uint32_t& odd = host->rate[Index(way)].odd;
    odd += record.packets;
    if (odd > suspect_odd_ && host->suspect < 0 &&
        static_cast<float>(odd) > kTrustBeyond * TrustOf(*host).odd[Index(way)])
      StartSuspecting(*host);
  };
  if (counts_in) count(dst, Way::kReceived);
  // Fragments, SYNs and echo requests that we send; answers are none.
  const bool answer =
      record.protocol == IPPROTO_TCP
          ? (record.tcp_flags & kTcpRst) ||
                (record.tcp_flags & (kTcpSyn | kTcpAck)) == (kTcpSyn | kTcpAck)
          : record.protocol == IPPROTO_UDP ||
                (IsIcmp(record.protocol) &&
                 IcmpSenseOf(record) != IcmpSense::kAsk);
  if (!answer || (record.flags & IPTRK_FRAGMENT)) count(src, Way::kSent);
}

void Detector::OnMartian(const iptrk_record& record, Martian kind) {
  martians_.Take(record, kind, limits_, privacy_);
}

bool Detector::IsSuspicious(const Host& host, const Second& second) {
  for (std::size_t i = 0; i < kWays; ++i) {
    const auto packets = static_cast<double>(second.all[i].packets);
    const auto bytes = static_cast<double>(second.all[i].bytes);
    if (packets <= suspect_packets_ && bytes <= suspect_bytes_) continue;
    const Trust& trust = TrustOf(host);
    const auto beyond = [](double value, double floor, float trusted) {
      return value > std::max(floor, double{kTrustBeyond * trusted});
    };
    if (beyond(packets, suspect_packets_, trust.packets[i]) ||
        beyond(second.udp[i], suspect_packets_, trust.udp[i]) ||
        beyond(bytes, suspect_bytes_, trust.bytes[i]))
      return true;
  }
  return false;
}

Detector::Second Detector::EndHostSecond(Host& host, std::uint64_t end_ns) {
  Second second;
  for (const Way way : {Way::kReceived, Way::kSent}) {
    HostRate& rate = host.rate[Index(way)];
    const Volume now = host.Total(way);
    Volume& all = second.all[Index(way)];
    all = {now.bytes - rate.before.bytes, now.packets - rate.before.packets};
    rate.before = now;
    const auto udp = static_cast<std::uint32_t>(
        host.Of(HostKindOf(way, false, Split::kUdp)).packets +
        host.Of(HostKindOf(way, true, Split::kUdp)).packets);
    second.udp[Index(way)] = udp - host.udp_before[Index(way)];
    host.udp_before[Index(way)] = udp;
    constexpr float kGain = 0.18127f;  // 1 - exp(-1 / 5 s)
    rate.packets += (static_cast<float>(all.packets) - rate.packets) * kGain;
  }
  HostUsual& usual = baselines_.Of(host);
  const std::uint64_t received = second.all[0].packets,
                      sent = second.all[1].packets;
  if (host.network >= 0)
    network_packets_[static_cast<std::size_t>(host.network)] += received + sent;
  const auto now = static_cast<std::uint32_t>(end_ns / kSecond);
  if (sent > 0) usual.Sends(now, begun_);
  if (received + sent > 0) usual.last_seen = now;
  const bool frozen =
      host.suspect >= 0 &&
      suspects_[static_cast<std::size_t>(host.suspect)]->IsOver();
  if (!frozen) usual.Learn(second.all, second.udp);
  quiet_.TakeHost(host, usual, received, usual.SilentFor(now, begun_), end_ns,
                  limits_);
  carpets_.TakeHost(host, usual, second.all, host.rate[0].odd, limits_);
  return second;
}

std::vector<Incident> Detector::EndSecond(std::uint64_t end_ns) {
  std::vector<Incident> changes;
  ++now_;
  if (begun_ == 0) begun_ = static_cast<std::uint32_t>(end_ns / kSecond) - 1;
  std::fill(network_packets_.begin(), network_packets_.end(), 0);
  account_.hosts().ForEach([&](Host& host) {
    const Second second = EndHostSecond(host, end_ns);
    if (host.suspect < 0 && IsSuspicious(host, second)) StartSuspecting(host);
    if (host.suspect >= 0)
      suspect_seconds_[static_cast<std::size_t>(host.suspect)] = second;
  });
  scans_.EndSecond(end_ns, limits_, network_names_, privacy_, changes);
  carpets_.EndSecond(end_ns, limits_, network_names_, privacy_, changes);
  EndSuspects(end_ns, changes);
  quiet_.TakeNetworks(network_packets_);
  quiet_.EndSecond(end_ns, limits_, network_names_, customer_names_, changes);
  martians_.EndSecond(
      end_ns, limits_, privacy_,
      [&](Address target) {
        return std::any_of(suspects_.begin(), suspects_.end(),
                           [&](const auto& suspect) {
                             return suspect && suspect->address == target &&
                                    suspect->IsOver();
                           }) ||
               carpets_.Explains(target);
      },
      changes);
  WatchCarpets();
  account_.hosts().ForEach([](Host& host) {
    for (HostRate& rate : host.rate) rate.odd = 0;
  });
  if (end_ns >= asked_turned_ns_ + kAskedFor * kSecond) {
    asked_.Turn();
    asked_turned_ns_ = end_ns;
  }
  second_ns_ = end_ns;
  SortById(changes);
  return changes;
}

void Detector::EndSuspects(std::uint64_t end_ns,
                           std::vector<Incident>& changes) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < suspects_.size(); ++i)
    if (suspects_[i]) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return suspects_[a]->address < suspects_[b]->address;
  });
  for (const std::size_t i : order) {
    Suspect& suspect = *suspects_[i];
    const Host& host = account_.hosts()[suspect.number];
    const HostUsual& usual = baselines_.Of(host);
    std::array<Suspect::Baseline, kWays> baseline;
    for (std::size_t way = 0; usual.KnowsRates() && way < kWays; ++way)
      baseline[way] = {usual.packets[way], usual.udp[way], usual.bytes[way]};
    suspect.EndSecond(suspect_seconds_[i].all, baseline, limits_, host, end_ns);
  }
  // First what ours receive: what ours send may be the other side of it.
  for (const Way way : {Way::kReceived, Way::kSent})
    for (const std::size_t i : order)
      for (std::size_t k = 0; k < kRateKinds; ++k) {
        Suspect& suspect = *suspects_[i];
        const auto kind = static_cast<IncidentKind>(k);
        Alarm& alarm = suspect.Of(way, kind);
        const bool explained =
            !alarm.IsOpen() && alarm.IsDue() && IsExplained(suspect, way, kind);
        if (alarm.Decide(explained, kind == IncidentKind::kHammering, end_ns) !=
            Alarm::Change::kNone)
          changes.push_back(Describe(suspect, way, kind));
      }
  for (const std::size_t i : order) {
    Suspect& suspect = *suspects_[i];
    Host& host = account_.hosts()[suspect.number];
    Trust& trust = TrustOf(host);
    const Second& second = suspect_seconds_[i];
    for (std::size_t way = 0; suspect.rest > 0 && way < kWays; ++way) {
      const auto keep = [](float& most, auto now) {
        most = std::max(most, static_cast<float>(now));
      };
      keep(trust.packets[way], second.all[way].packets);
      keep(trust.bytes[way], second.all[way].bytes);
      keep(trust.udp[way], second.udp[way]);
      keep(trust.odd[way], host.rate[way].odd);
    }
    if (suspect.rest >= kRestSeconds && !suspect.IsOver()) Release(host);
  }
}

bool Detector::IsExplained(const Suspect& suspect, Way way,
                           IncidentKind kind) const {
  if (suspect.IsExplained(way, kind)) return true;
  if (way == Way::kReceived && carpets_.Explains(suspect.address)) return true;
  const Evidence& why = suspect.Why(way);
  const double share = why.TopShare();
  // A scan that is fast is no flood; what is much is one, to however many
  // ports.
  const bool may_be_scan = !suspect.IsMuch(way);
  if (way == Way::kSent && may_be_scan && scans_.IsScanner(suspect.address))
    return true;
  if (share < kMostly) return false;
  const Address peer = why.TopPeer();
  if (share >= kAlone && may_be_scan && scans_.IsScanner(peer)) return true;
  // Between two of ours: told of the one that is hit.
  return way == Way::kSent &&
         std::any_of(suspects_.begin(), suspects_.end(),
                     [&](const auto& other) {
                       return other && other->address == peer &&
                              other->IsOpen(Way::kReceived);
                     });
}

// The hosts of a prefix that rises are watched, until it rests.
void Detector::WatchCarpets() {
  if (carpets_.empty() && !carpet_watched_) return;
  account_.hosts().ForEach([&](Host& host) {
    account_.Watch(host, host.suspect >= 0 || carpets_.Wants(host.address));
  });
  carpet_watched_ = !carpets_.empty();
}

std::vector<Incident> Detector::EndBooks(
    std::uint64_t end_ns, int seconds,
    const std::vector<iptrk_interface>& before,
    const std::vector<iptrk_interface>& now) {
  std::vector<Incident> changes = books_.EndSlot(
      end_ns, seconds, before, now, limits_.Of(IncidentKind::kBooks));
  SortById(changes);
  return changes;
}

std::vector<Incident> Detector::Open() const {
  std::vector<Incident> open;
  for (const auto& suspect : suspects_)
    for (const Way way : {Way::kReceived, Way::kSent})
      for (std::size_t k = 0; suspect && k < kRateKinds; ++k) {
        const auto kind = static_cast<IncidentKind>(k);
        if (suspect->Of(way, kind).IsOpen())
          open.push_back(Describe(*suspect, way, kind));
      }
  scans_.AddOpen(limits_, network_names_, privacy_, open);
  carpets_.AddOpen(limits_, network_names_, privacy_, open);
  quiet_.AddOpen(network_names_, customer_names_, open);
  martians_.AddOpen(limits_, privacy_, open);
  books_.AddOpen(limits_.Of(IncidentKind::kBooks), open);
  SortById(open);
  return open;
}

std::string Detector::SaveBaselines() const {
  return baselines_.Save(account_.hosts(),
                         static_cast<std::uint32_t>(second_ns_ / kSecond));
}

bool Detector::RestoreBaselines(const std::string& saved) {
  return baselines_.Restore(saved);
}

Incident Detector::Describe(const Suspect& suspect, Way way,
                            IncidentKind kind) const {
  const Alarm& alarm = suspect.Of(way, kind);
  const DetectRule& rule = limits_.Of(kind);
  Incident incident;
  incident.kind = ToString(kind);
  incident.subject = suspect.address.ToString();
  const auto name = [](const std::vector<std::string>& names, int i) {
    return i >= 0 && static_cast<std::size_t>(i) < names.size()
               ? names[static_cast<std::size_t>(i)]
               : std::string();
  };
  incident.network = name(network_names_, suspect.network);
  incident.customer = name(customer_names_, suspect.customer);
  incident.direction = std::string(way == Way::kReceived ? "in" : "out");
  incident.severity = kind == IncidentKind::kHammering && !alarm.IsWorse()
                          ? IncidentSeverity::kWarning
                          : IncidentSeverity::kFailure;
  alarm.FillIn(incident);
  incident.unit =
      std::string(kind == IncidentKind::kVolume ? "bit/s" : "packets/s");
  incident.rule = fmt::format(
      "more than {:.0f} {} {} one host{}{}, 5 s average, in 3 of 5 s",
      alarm.limit(), WhatOf(kind), way == Way::kReceived ? "to" : "from",
      kind == IncidentKind::kHammering
          ? fmt::format(", more than {:.0f} % of them {} one other",
                        rule.share * 100, way == Way::kReceived ? "from" : "to")
          : "",
      rule.times > 0 && incident.baseline * rule.times >= alarm.limit()
          ? fmt::format(", {:.0f} times what is usual", rule.times)
          : "");
  suspect.Why(way).FillIn(incident, privacy_);
  return incident;
}

}  // namespace iptrk
