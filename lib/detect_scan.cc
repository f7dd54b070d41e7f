// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/detect_traffic.h"
#include "lib/peer_privacy.h"

namespace iptrk {
namespace {

constexpr std::size_t kWorthEvidence = 4;  // targets
constexpr double kFewHosts = 5;            // a scan of ports
constexpr std::uint16_t kTraceFirst = 33434, kTraceLast = 33700;

std::uint64_t TargetOf(Address address, std::uint8_t protocol,
                       std::uint16_t port) {
  return RecentKeys::Hash(address, {}, std::uint64_t{protocol} << 16 | port);
}

std::uint64_t PlaceHash(Address address) {
  return HashAddress(address, 7) * 0x9e3779b97f4a7c15u;
}

std::uint32_t TagOf(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash) | 1;
}

bool Holds(const std::vector<std::uint32_t>& tags, std::uint32_t tag) {
  return std::binary_search(tags.begin(), tags.end(), tag);
}

// Whether it was there.
bool Drop(std::vector<std::uint32_t>& tags, std::uint32_t tag) {
  const auto found = std::equal_range(tags.begin(), tags.end(), tag);
  const bool held = found.first != found.second;
  tags.erase(found.first, found.second);
  return held;
}

}  // namespace

ScanTable::ScanTable() : sources_(kMostSources), places_(kMostSources) {}

std::size_t ScanTable::Find(Address address) const {
  const std::uint64_t hash = PlaceHash(address);
  const std::size_t first = (hash >> 40) % (kMostSources / kWay) * kWay;
  for (std::size_t i = first; i < first + kWay; ++i)
    if (places_[i].tag == TagOf(hash) && sources_[i].taken &&
        sources_[i].address == address)
      return i;
  return kNowhere;
}

// Open ones last, then by what they tried, then by when.
void ScanTable::Rank(std::size_t place) {
  const Source& source = sources_[place];
  const auto count =
      static_cast<std::uint32_t>(std::min<std::size_t>(source.Count(), 1023));
  places_[place].rank =
      std::uint32_t{source.open} << 31 | count << 21 |
      (static_cast<std::uint32_t>(source.last_ns / kSecond) & 0xfffff) << 1 | 1;
}

void ScanTable::Clear(std::size_t place) {
  // Keeps the memory of the lists.
  Source& source = sources_[place];
  std::vector<std::uint32_t> now = std::move(source.now);
  std::vector<std::uint32_t> before = std::move(source.before);
  now.clear();
  before.clear();
  source = Source();
  source.now = std::move(now);
  source.before = std::move(before);
  places_[place] = {};
}

// The place of whoever tried least, and of those for the longest time.
std::size_t ScanTable::Make(Address address) {
  const std::uint64_t hash = PlaceHash(address);
  const std::size_t first = (hash >> 40) % (kMostSources / kWay) * kWay;
  std::size_t least = first;
  for (std::size_t i = first + 1; i < first + kWay; ++i)
    if (places_[i].rank < places_[least].rank) least = i;
  if (sources_[least].open) return kNowhere;
  Clear(least);
  sources_[least].address = address;
  sources_[least].taken = true;
  places_[least].tag = TagOf(hash);
  return least;
}

void ScanTable::Try(const iptrk_record& record, std::uint64_t target,
                    const ScanSides& sides, std::uint64_t now_ns,
                    PeerPrivacy privacy, Baselines& usual) {
  if (answering_.Has(target)) return;
  if (now_ns == 0) now_ns = record.time_ns;  // no second has ended yet
  const Address address = Address::FromBytes(record.src);
  const std::size_t found = Find(address);
  const std::size_t place = found == kNowhere ? Make(address) : found;
  if (place == kNowhere) return;
  Source& source = sources_[place];
  if (found == kNowhere) {
    source.start_ns = source.turned_ns = now_ns;
    source.ours = sides.src_network != kNoNetwork;
    source.network = static_cast<std::int16_t>(source.ours ? sides.src_network
                                                           : sides.dst_network);
  }
  source.volume += record;
  const auto tag = static_cast<std::uint32_t>(target >> 32);
  if (Holds(source.now, tag) || Holds(source.before, tag)) return;
  source.last_ns = now_ns;
  if (source.Count() < kMostTargets)
    source.now.insert(
        std::upper_bound(source.now.begin(), source.now.end(), tag), tag);
  else
    ++source.beyond;
  const Address target_host = Address::FromBytes(record.dst);
  source.hosts.Add(target_host);
  if (sides.dst && !usual.HasSent(*sides.dst) &&
      source.unused.size() < kUnusedTouched &&
      !std::count(source.unused.begin(), source.unused.end(), target_host))
    source.unused.push_back(target_host);
  if (!source.why && source.Count() >= kWorthEvidence)
    source.why = std::make_unique<Evidence>();
  if (source.why)
    source.why->Add(target_host, record.dport, record,
                    source.ours ? privacy : PeerPrivacy::kFull);
  Rank(place);
}

// Whatever answers is no sign of a scan. Of others only who was tried is kept:
// answers that nobody asked for may come from any number of addresses.
void ScanTable::Answer(Address asker, std::uint64_t target, bool ours) {
  if (ours && !answering_.Add(target)) return;
  const std::size_t place = Find(asker);
  if (place == kNowhere) return;
  const auto tag = static_cast<std::uint32_t>(target >> 32);
  const bool now = Drop(sources_[place].now, tag);
  const bool before = Drop(sources_[place].before, tag);
  if (!ours && (now || before)) answering_.Add(target);
  Rank(place);
}

void ScanTable::Take(const iptrk_record& record, const ScanSides& sides,
                     std::uint64_t now_ns, PeerPrivacy privacy,
                     Baselines& usual) {
  if (record.flags & (IPTRK_FRAGMENT_LATER | IPTRK_NO_REMOTE)) return;
  const bool src_ours = sides.src_network != kNoNetwork;
  // Others among themselves, where a mirror shows them.
  if (!src_ours && sides.dst_network == kNoNetwork) return;
  const auto try_it = [&](std::uint16_t port) {
    Try(record, TargetOf(Address::FromBytes(record.dst), record.protocol, port),
        sides, now_ns, privacy, usual);
  };
  const auto answer = [&](std::uint16_t port) {
    Answer(Address::FromBytes(record.dst),
           TargetOf(Address::FromBytes(record.src), record.protocol, port),
           src_ours);
  };
  switch (record.protocol) {
    case IPPROTO_TCP: {
      const int flags = record.tcp_flags & (kTcpSyn | kTcpRst | kTcpAck);
      if (flags == kTcpSyn || flags == 0)
        try_it(record.dport);
      else if (flags == (kTcpSyn | kTcpAck))
        answer(record.sport);
      return;
    }
    case IPPROTO_UDP:
      if (src_ours && sides.dst_network == kNoNetwork) answer(record.sport);
      // A host of ours that asks the world (DNS, DHT) is none.
      else if (!src_ours && !IsReflectorPort(record.sport) &&
               record.sport >= 1024 &&
               !(record.dport >= kTraceFirst && record.dport <= kTraceLast))
        try_it(record.dport);
      return;
    default:
      if (!IsIcmp(record.protocol)) return;
      if (record.sport == 8 || record.sport == 128)
        try_it(0);
      else if (record.sport == 0 || record.sport == 129)
        answer(0);
  }
}

double ScanTable::LimitOf(const Source& source,
                          const DetectLimits& limits) const {
  const DetectRule& rule = limits.Of(source.kind);
  if (!rule.enabled || limits.Allows(source.kind, source.address))
    return DetectLimits::kNever;
  const bool dark = source.unused.size() >= kUnusedTouched;
  return source.ours ? dark ? rule.limit_own_unused : rule.limit_own
         : dark      ? rule.limit_unused
                     : rule.limit;
}

void ScanTable::EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                          const std::vector<std::string>& networks,
                          PeerPrivacy privacy, std::vector<Incident>& changes) {
  constexpr std::uint64_t kHalf = kWindow / 2 * kSecond;
  if (end_ns >= turned_ns_ + kHalf) {
    answering_.Turn();
    turned_ns_ = end_ns;
  }
  std::size_t untold = 0;
  for (std::size_t place = 0; place < kMostSources; ++place) {
    if (places_[place].rank == 0) continue;
    Source& source = sources_[place];
    if (end_ns >= source.turned_ns + kHalf) {
      source.before = std::exchange(source.now, {});
      source.beyond = 0;
      source.turned_ns = end_ns;
      Rank(place);
      if (source.Count() == 0 && !source.open) {
        Clear(place);
        continue;
      }
    }
    if (source.Count() < kWorthEvidence && !source.open) continue;
    const double hosts = source.hosts.Count();
    if (!source.open)
      source.kind = hosts <= kFewHosts ? IncidentKind::kPortScan
                                       : IncidentKind::kHostScan;
    const double limit = LimitOf(source, limits);
    const auto count = static_cast<double>(source.Count());
    source.peak = std::max(source.peak, count);
    source.calm = count < Alarm::kCalm * limit ? source.calm + 1 : 0;
    const bool worse = count >= Alarm::kWorse * limit;
    if (!source.open && count >= limit) {
      if (!source.ours && open_ >= kMostOpen) {
        ++untold;
        continue;
      }
      source.open = true;
      if (!source.ours) ++open_;
      source.opened_ns = end_ns;
      source.worse = worse;
    } else if (source.open && source.calm >= Alarm::kCalmSeconds) {
      source.open = false;
      if (!source.ours) --open_;
    } else if (source.open && worse && !source.worse) {
      source.worse = true;
    } else {
      continue;
    }
    changes.push_back(Describe(source, limits, networks, privacy));
    if (source.open)
      Rank(place);
    else
      Clear(place);
  }
  untold_ = untold;
}

void ScanTable::AddOpen(const DetectLimits& limits,
                        const std::vector<std::string>& networks,
                        PeerPrivacy privacy,
                        std::vector<Incident>& open) const {
  for (const Source& source : sources_)
    if (source.taken && source.open)
      open.push_back(Describe(source, limits, networks, privacy));
}

void ScanTable::Reconfigure(const Renumbering& network) {
  for (Source& source : sources_) source.network = network(source.network);
}

bool ScanTable::IsScanner(Address source) const {
  const std::size_t found = Find(source);
  return found != kNowhere && sources_[found].open;
}

Incident ScanTable::Describe(const Source& source, const DetectLimits& limits,
                             const std::vector<std::string>& networks,
                             PeerPrivacy privacy) const {
  Incident incident;
  incident.kind = ToString(source.kind);
  incident.subject = source.ours ? source.address.ToString()
                                 : PeerText(source.address, privacy);
  if (incident.subject.empty()) incident.subject = std::string("a remote host");
  if (source.network >= 0 &&
      static_cast<std::size_t>(source.network) < networks.size())
    incident.network = networks[static_cast<std::size_t>(source.network)];
  incident.direction = std::string(source.ours ? "out" : "in");
  incident.severity =
      source.worse ? IncidentSeverity::kFailure : IncidentSeverity::kWarning;
  incident.open = source.open;
  incident.start_ns = source.start_ns;
  incident.opened_ns = source.opened_ns;
  incident.end_ns = source.open ? 0 : source.last_ns;
  incident.limit = LimitOf(source, limits);
  incident.rule = fmt::format(
      "{:.0f} or more targets (host and port) of {} that did not answer, in 15 "
      "minutes{}",
      incident.limit, source.ours ? "one host of ours" : "one remote",
      source.unused.size() < kUnusedTouched
          ? ""
          : ", three addresses among them that nobody uses");
  if (!source.ours && untold_ > 0)
    incident.rule +=
        fmt::format("; {} more scan and are not told one by one", untold_);
  incident.unit = std::string("targets");
  incident.value = static_cast<double>(source.Count());
  incident.peak = source.peak;
  incident.window = static_cast<int>(kWindow);
  incident.packets = source.volume.packets;
  incident.bytes = source.volume.bytes;
  if (source.why)
    source.why->FillIn(incident, source.ours ? privacy : PeerPrivacy::kFull);
  return incident;
}

}  // namespace iptrk
