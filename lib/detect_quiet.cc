// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_quiet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/detect_alarm.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::size_t kMany = 5;    // hosts: no matter of one host
constexpr double kMost = 0.5;       // of the hosts that send regularly
constexpr double kLeastUsual = 10;  // packets/s of a network
constexpr int kBackSeconds = 10;    // of traffic, until it is seen again
constexpr double kForgets = 86400;  // seconds

std::string NameAt(const std::vector<std::string>& names, int i) {
  return i >= 0 && static_cast<std::size_t>(i) < names.size()
             ? names[static_cast<std::size_t>(i)]
             : std::string();
}

}  // namespace

std::uint64_t QuietWatch::Sight::LostSince() {
  const auto most =
      static_cast<std::size_t>(kMost * static_cast<double>(hosts)) + 1;
  const std::size_t least = std::max(kMany, most);
  if (quiet_since.size() < least) return 0;
  const auto last =
      quiet_since.begin() + static_cast<std::ptrdiff_t>(least - 1);
  std::nth_element(quiet_since.begin(), last, quiet_since.end());
  return *last;
}

// Who is out of sight stays so.
void QuietWatch::Reconfigure(std::size_t networks, const Renumbering& network,
                             const Renumbering& customer) {
  std::vector<Sight> before =
      std::exchange(networks_, std::vector<Sight>(networks));
  for (std::size_t i = 0; i < before.size(); ++i)
    if (const int now = network(static_cast<std::int16_t>(i)); now >= 0)
      networks_[static_cast<std::size_t>(now)] = std::move(before[i]);
  for (auto& [address, quiet] : hosts_) {
    quiet.network = network(quiet.network);
    quiet.customer = customer(quiet.customer);
  }
}

void QuietWatch::TakeNetworks(const std::vector<std::uint64_t>& packets) {
  networks_.resize(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    Sight& sight = networks_[i];
    if (packets[i] > 0) {
      sight.quiet_seconds = 0;
      sight.back_seconds = std::min(sight.back_seconds + 1, kBackSeconds);
      if (sight.open) continue;
      sight.learnt =
          static_cast<std::uint32_t>(std::min(kForgets, sight.learnt + 1.0));
      sight.usual +=
          (static_cast<double>(packets[i]) - sight.usual) / sight.learnt;
    } else {
      ++sight.quiet_seconds;
      sight.back_seconds = 0;
    }
  }
}

void QuietWatch::TakeHost(const Host& host, const HostUsual& usual,
                          std::uint64_t received, std::uint32_t silent,
                          std::uint64_t end_ns, const DetectLimits& limits) {
  const DetectRule& rule = limits.Of(IncidentKind::kSilent);
  const auto known = hosts_.find(host.address);
  if (known != hosts_.end())
    known->second.back = silent == 0 || limits.Of(IncidentKind::kSilent,
                                                  host) == DetectLimits::kNever;
  if (usual.last_sent == 0 ||
      usual.SendsFor() < static_cast<std::uint32_t>(rule.learn))
    return;
  Sight* const sight = host.network >= 0 && static_cast<std::size_t>(
                                                host.network) < networks_.size()
                           ? &networks_[static_cast<std::size_t>(host.network)]
                           : nullptr;
  if (silent < 5) {
    if (sight) ++sight->hosts;
    return;
  }
  const double own = limits.Of(IncidentKind::kSilent, host);
  const double limit = std::max(own, rule.times * usual.UsualSilence());
  if (own == DetectLimits::kNever) return;
  if (sight) ++sight->hosts;
  if (silent <= limit) {
    // A limit that was raised.
    if (known != hosts_.end() && !known->second.open) hosts_.erase(known);
    return;
  }
  Quiet& quiet = hosts_[host.address];
  if (quiet.since_ns == 0) {
    quiet.since_ns = end_ns - silent * kSecond;
    quiet.network = host.network;
    quiet.customer = host.customer;
  }
  quiet.limit = limit;
  quiet.usual = usual.UsualSilence();
  quiet.value = silent;
  quiet.received.packets += received;
  // Who went home receives nothing; whom nobody sees is still sent to.
  if (sight && quiet.received.packets > 0)
    sight->quiet_since.push_back(quiet.since_ns);
}

Incident QuietWatch::DescribeHost(
    const Address& address, const Quiet& quiet, std::uint64_t end_ns,
    const std::vector<std::string>& networks,
    const std::vector<std::string>& customers) const {
  Incident incident;
  incident.kind = ToString(IncidentKind::kSilent);
  incident.subject = address.ToString();
  incident.network = NameAt(networks, quiet.network);
  incident.customer = NameAt(customers, quiet.customer);
  incident.direction = std::string("out");
  incident.severity = IncidentSeverity::kWarning;
  incident.open = quiet.open;
  incident.start_ns = quiet.since_ns;
  incident.opened_ns = quiet.opened_ns;
  incident.end_ns = quiet.open ? 0 : end_ns;
  incident.rule = fmt::format(
      "nothing sent for {:.0f} s, while others send to it; 99 of 100 of its "
      "own silences are shorter than {:.0f} s",
      quiet.limit, quiet.usual);
  incident.unit = std::string("s");
  incident.value = quiet.value;
  incident.peak = quiet.value;
  incident.limit = quiet.limit;
  incident.window = static_cast<int>(std::min(quiet.limit, 1e9));
  incident.baseline = quiet.usual;
  incident.packets = quiet.received.packets;
  return incident;
}

Incident QuietWatch::DescribeSight(
    std::size_t network, const Sight& sight,
    const std::vector<std::string>& networks) const {
  Incident incident;
  incident.kind = ToString(IncidentKind::kMirrorLost);
  incident.subject = incident.network =
      NameAt(networks, static_cast<int>(network));
  incident.direction = std::string("in");
  incident.severity = IncidentSeverity::kFailure;
  incident.open = sight.open;
  incident.start_ns = sight.since_ns;
  incident.opened_ns = sight.opened_ns;
  incident.end_ns = sight.open ? 0 : sight.back_ns;
  incident.rule = fmt::format(
      "no packet of the network for {:.0f} s, or most of its hosts silent at "
      "once while others send to them; usually {:.0f} packets/s: look at the "
      "mirror port, the uplink and the watched interfaces",
      sight.limit, sight.usual);
  incident.unit = std::string("s");
  incident.value = sight.value;
  incident.peak = sight.peak;
  incident.limit = sight.limit;
  incident.window = static_cast<int>(sight.limit);
  return incident;
}

void QuietWatch::EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                           const std::vector<std::string>& networks,
                           const std::vector<std::string>& customers,
                           std::vector<Incident>& changes) {
  now_ns_ = end_ns;
  const DetectRule& lost = limits.Of(IncidentKind::kMirrorLost);
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    Sight& sight = networks_[i];
    const bool dark = static_cast<double>(sight.quiet_seconds) >= lost.limit &&
                      sight.learnt >= lost.learn && sight.usual >= kLeastUsual;
    const std::uint64_t lost_since = sight.LostSince();
    const bool many = lost_since != 0;
    const std::uint64_t since_ns =
        many ? lost_since : end_ns - sight.quiet_seconds * kSecond;
    sight.value = static_cast<double>((end_ns - since_ns) / kSecond);
    sight.peak = std::max(sight.peak, sight.value);
    if (!sight.open && lost.enabled && (dark || many)) {
      sight.open = true;
      sight.limit = lost.limit;
      sight.opened_ns = end_ns;
      sight.since_ns = since_ns;
      sight.peak = sight.value;
      changes.push_back(DescribeSight(i, sight, networks));
    } else if (sight.open && !many && sight.back_seconds >= kBackSeconds) {
      sight.open = false;
      sight.back_ns = end_ns - kBackSeconds * kSecond;
      changes.push_back(DescribeSight(i, sight, networks));
    }
  }
  for (auto it = hosts_.begin(); it != hosts_.end();) {
    auto& [address, quiet] = *it;
    const std::size_t network = static_cast<std::size_t>(quiet.network);
    const bool unseen =
        quiet.network >= 0 && network < networks_.size() &&
        (networks_[network].open || networks_[network].quiet_seconds >= 5);
    if (quiet.back) {
      if (quiet.open) {
        quiet.open = false;
        changes.push_back(
            DescribeHost(address, quiet, end_ns, networks, customers));
      }
      it = hosts_.erase(it);
      continue;
    }
    // Nobody misses a host to which nobody sends.
    if (!quiet.open && !unseen && quiet.received.packets > 0 &&
        quiet.value > quiet.limit) {
      quiet.open = true;
      quiet.opened_ns = end_ns;
      changes.push_back(
          DescribeHost(address, quiet, end_ns, networks, customers));
    }
    ++it;
  }
  for (Sight& sight : networks_) {
    sight.hosts = 0;
    sight.quiet_since.clear();
  }
}

void QuietWatch::AddOpen(const std::vector<std::string>& networks,
                         const std::vector<std::string>& customers,
                         std::vector<Incident>& open) const {
  for (std::size_t i = 0; i < networks_.size(); ++i)
    if (networks_[i].open)
      open.push_back(DescribeSight(i, networks_[i], networks));
  for (const auto& [address, quiet] : hosts_)
    if (quiet.open)
      open.push_back(
          DescribeHost(address, quiet, now_ns_, networks, customers));
}

}  // namespace iptrk
