// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>

#include "lib/peer_privacy.h"
#include "lib/peer_sketch.h"
#include "lib/protocol.h"
#include "lib/seconds.h"
#include "lib/space_saving.h"

namespace iptrk {
namespace {

// FastNetMon decides on a 5 s average as well; shorter ones raise on bursts.
const float kFastGain = 1 - std::exp(-1.0f / 5);
constexpr std::uint8_t kWindow = 0b11111;  // the last 5 seconds
constexpr int kSecondsOver = 3;            // that many of them over: raise

constexpr double kSuspect = 0.5;  // of the limit: start gathering evidence
constexpr double kCalm = 0.6;     // of the limit: below it an incident rests
constexpr int kCalmSeconds = 60;  // rest that clears it
constexpr int kDropSeconds = 10;  // rest after which a suspect is let go

constexpr std::size_t kTop = 10;
constexpr double kLeastShare = 0.01;

}  // namespace

// What is gathered about one direction of one host.
struct Detector::Evidence {
  Address subject;
  int network = kNoNetwork;
  Way way = Way::kReceived;
  bool open = false;
  std::uint64_t since_ns = 0;      // when suspected
  std::uint64_t start_ns = 0;      // the same, once over the limit; else 0
  std::uint64_t last_over_ns = 0;  // end of the last one
  int calm_seconds = 0;
  double value = 0;
  double peak = 0;
  Volume total;  // since suspected, as are the sketches
  PeerSketch distinct;
  SpaceSaving<Address, 64> peers;
  SpaceSaving<std::uint32_t, 32> ports;  // protocol << 16 | port
};

Detector::Detector(const Config& config, Account& account) : account_(account) {
  Reconfigure(config);
  account_.SetWatcher(*this);
}

Detector::~Detector() = default;

void Detector::Reconfigure(const Config& config) {
  rule_ = config.detect.packets;
  privacy_ = config.privacy.peers;
  suspect_packets_ = rule_.enabled
                         ? static_cast<std::uint64_t>(kSuspect * rule_.limit)
                         : ~std::uint64_t{0};
  network_names_.clear();
  for (const Network& network : config.networks)
    network_names_.push_back(network.name);
  account_.hosts().ForEach([&](Host& host) {
    for (const HostRate& rate : host.rate)
      if (rate.evidence >= 0)
        evidence_[static_cast<std::size_t>(rate.evidence)]->network =
            host.network;
  });
}

void Detector::OnPacket(Host& host, Way way, const iptrk_record& record) {
  const HostRate& rate = host.rate[static_cast<std::size_t>(way)];
  if (rate.evidence < 0 || (record.flags & IPTRK_NO_REMOTE)) return;
  Evidence& evidence = *evidence_[static_cast<std::size_t>(rate.evidence)];
  const bool received = way == Way::kReceived;
  const Address peer = Address::FromBytes(received ? record.src : record.dst);
  evidence.peers.Add(PeerKey(peer, privacy_), record.packets);
  evidence.distinct.Add(peer);
  const bool has_port =
      HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER);
  const std::uint16_t own_port = received ? record.dport : record.sport;
  evidence.ports.Add((std::uint32_t{record.protocol} << 16) |
                         (has_port ? own_port : std::uint16_t{0}),
                     record.packets);
}

// Whoever comes when all places are taken is not suspected: 1024 hosts above
// the limit are told already.
void Detector::Suspect(Host& host, Way way, std::uint64_t since_ns) {
  std::int16_t number;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else if (evidence_.size() < kMostSuspects) {
    number = static_cast<std::int16_t>(evidence_.size());
    evidence_.emplace_back();
  } else {
    return;
  }
  auto evidence = std::make_unique<Evidence>();
  evidence->subject = host.address;
  evidence->network = host.network;
  evidence->way = way;
  evidence->since_ns = since_ns;
  evidence_[static_cast<std::size_t>(number)] = std::move(evidence);
  host.rate[static_cast<std::size_t>(way)].evidence = number;
  account_.Watch(host, true);
}

void Detector::Release(Host& host, Way way) {
  std::int16_t& number = host.rate[static_cast<std::size_t>(way)].evidence;
  if (number < 0) return;
  evidence_[static_cast<std::size_t>(number)].reset();
  free_.push_back(number);
  number = -1;
  if (host.rate[0].evidence < 0 && host.rate[1].evidence < 0)
    account_.Watch(host, false);
}

void Detector::Forget(Host& host) {
  Release(host, Way::kReceived);
  Release(host, Way::kSent);
}

bool Detector::Decide(const HostRate& rate, const Volume& second,
                      std::uint64_t end_ns) {
  Evidence& evidence = *evidence_[static_cast<std::size_t>(rate.evidence)];
  if (rate.over & 1) {
    if (evidence.start_ns == 0) evidence.start_ns = evidence.since_ns;
    evidence.last_over_ns = end_ns;
  }
  evidence.total += second;
  evidence.value = rate.fast;
  evidence.peak = std::max(evidence.peak, static_cast<double>(second.packets));
  const bool calm = rate.fast < kCalm * rule_.limit;
  evidence.calm_seconds = calm ? evidence.calm_seconds + 1 : 0;

  if (!evidence.open && std::popcount(rate.over) >= kSecondsOver) {
    evidence.open = true;
    return true;
  }
  if (evidence.open && evidence.calm_seconds >= kCalmSeconds) {
    evidence.open = false;
    return true;
  }
  return false;
}

std::vector<Incident> Detector::EndSecond(std::uint64_t end_ns) {
  std::vector<Incident> changes;
  if (!rule_.enabled) return changes;
  account_.hosts().ForEach([&](Host& host) {
    for (const Way way : {Way::kReceived, Way::kSent}) {
      HostRate& rate = host.rate[static_cast<std::size_t>(way)];
      const Volume now = host.Total(way);
      const Volume second{now.bytes - rate.before.bytes,
                          now.packets - rate.before.packets};
      rate.before = now;
      rate.fast += (static_cast<float>(second.packets) - rate.fast) * kFastGain;
      rate.over = static_cast<std::uint8_t>(
          (rate.over << 1 | (rate.fast > rule_.limit)) & kWindow);
      if (rate.evidence < 0) {
        if (second.packets <= suspect_packets_) continue;
        Suspect(host, way, end_ns - kSecond);
        if (rate.evidence < 0) continue;
      }
      const Evidence& evidence =
          *evidence_[static_cast<std::size_t>(rate.evidence)];
      if (Decide(rate, second, end_ns)) changes.push_back(Describe(evidence));
      if (!evidence.open && evidence.calm_seconds >= kDropSeconds)
        Release(host, way);
    }
  });
  std::sort(changes.begin(), changes.end(),
            [](const Incident& a, const Incident& b) { return a.id < b.id; });
  return changes;
}

std::vector<Incident> Detector::Open() const {
  std::vector<Incident> open;
  for (const auto& evidence : evidence_)
    if (evidence && evidence->open) open.push_back(Describe(*evidence));
  std::sort(open.begin(), open.end(),
            [](const Incident& a, const Incident& b) { return a.id < b.id; });
  return open;
}

Incident Detector::Describe(const Evidence& evidence) const {
  Incident incident;
  incident.kind = "packets";
  incident.subject = evidence.subject.ToString();
  if (evidence.network != kNoNetwork)
    incident.network =
        network_names_[static_cast<std::size_t>(evidence.network)];
  incident.direction = evidence.way == Way::kReceived ? "in" : "out";
  incident.open = evidence.open;
  incident.start_ns = evidence.start_ns;
  incident.end_ns = evidence.open ? 0 : evidence.last_over_ns;
  incident.rule = fmt::format(
      "more than {:.0f} packets/s {} one host, 5 s average, in 3 "
      "of 5 s",
      rule_.limit, evidence.way == Way::kReceived ? "to" : "from");
  incident.unit = "packets/s";
  incident.value = evidence.value;
  incident.limit = rule_.limit;
  incident.peak = evidence.peak;
  incident.packets = evidence.total.packets;
  incident.bytes = evidence.total.bytes;
  incident.distinct_peers = evidence.distinct.Count();
  incident.id = fmt::format(
      "{:%Y%m%dT%H%M%SZ}-{}-{}-{}",
      fmt::gmtime(static_cast<std::time_t>(evidence.start_ns / kSecond)),
      incident.kind, incident.direction, incident.subject);

  incident.names_peers = privacy_ != PeerPrivacy::kNone;
  for (const auto& entry : evidence.peers.Top(kTop)) {
    if (!incident.names_peers) break;
    const double share = static_cast<double>(entry.Certain()) /
                         static_cast<double>(evidence.peers.total());
    if (share >= kLeastShare)
      incident.peers.push_back(
          {PeerText(entry.key, privacy_), entry.Certain(), share});
  }
  for (const auto& entry : evidence.ports.Top(kTop)) {
    const double share = static_cast<double>(entry.Certain()) /
                         static_cast<double>(evidence.ports.total());
    if (share >= kLeastShare)
      incident.ports.push_back({static_cast<std::uint8_t>(entry.key >> 16),
                                static_cast<std::uint16_t>(entry.key),
                                entry.Certain(), share});
  }
  return incident;
}

}  // namespace iptrk
