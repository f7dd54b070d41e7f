// SPDX-License-Identifier: GPL-2.0-only
#include "lib/classify.h"

#include <algorithm>

#include "lib/protocol.h"

namespace iptrk {
namespace {

constexpr std::size_t kPorts = 65536;
constexpr std::size_t kProtocols = 256;
constexpr std::int16_t kNone = -1;

// What an address is apart from being ours.
enum class Scope : std::uint8_t {
  kGlobal,
  kUnspecified,  // 0.0.0.0, ::
  kLink,         // 169.254/16, fe80::/10: always of our own wire
  kGroup,        // multicast and 255.255.255.255
  kBogon,        // may not be a source: 0/8, 127/8, 240/4, ::1
};

Scope ScopeOf(Address a) {
  if (a.IsIpv4()) {
    const std::uint32_t v4 = a.Ipv4();
    if (v4 == 0) return Scope::kUnspecified;
    if (v4 == 0xffffffff) return Scope::kGroup;
    switch (v4 >> 24) {
      case 0:
      case 127:
        return Scope::kBogon;
      case 169:
        return v4 >> 16 == 0xa9fe ? Scope::kLink : Scope::kGlobal;
    }
    if (v4 >> 28 == 0xe) return Scope::kGroup;
    return v4 >> 28 == 0xf ? Scope::kBogon : Scope::kGlobal;
  }
  if (a.high >> 56 == 0xff) return Scope::kGroup;
  if (a.high >> 54 == 0xfe80 >> 6) return Scope::kLink;
  if (a.high == 0 && a.low == 0) return Scope::kUnspecified;
  if (a.high == 0 && a.low == 1) return Scope::kBogon;
  return Scope::kGlobal;
}

PrefixMap<int> MapNetworks(const std::vector<Network>& networks) {
  std::vector<PrefixMap<int>::Entry> entries;
  for (std::size_t i = 0; i < networks.size(); ++i)
    for (const Prefix& prefix : networks[i].prefixes)
      entries.push_back({prefix, static_cast<int>(i)});
  return {std::move(entries), kNoNetwork};
}

void DecideMartian(Verdict& verdict, Martian kind) {
  verdict.direction = Direction::kMartian;
  verdict.martian = kind;
}

}  // namespace

const char* ToString(Direction direction) {
  constexpr const char* kNames[] = {"in", "out", "internal", "martian"};
  return kNames[static_cast<int>(direction)];
}

const char* ToString(Martian kind) {
  constexpr const char* kNames[] = {"bogon", "spoofed", "foreign", "nonip"};
  return kNames[static_cast<int>(kind)];
}

Classifier::Classifier(const Config& config)
    : networks_(MapNetworks(config.networks)),
      tcp_ports_(kPorts, kNone),
      udp_ports_(kPorts, kNone),
      protocols_(kProtocols, kNone) {
  for (const Service& service : config.services) {
    const auto index = static_cast<std::int16_t>(names_.size());
    names_.push_back(service.name);
    for (const ServicePort& port : service.ports) {
      if (port.port == 0) {
        if (protocols_[port.protocol] == kNone)
          protocols_[port.protocol] = index;
      } else if (port.protocol == IPPROTO_TCP) {
        if (tcp_ports_[port.port] == kNone) tcp_ports_[port.port] = index;
      } else if (port.protocol == IPPROTO_UDP) {
        if (udp_ports_[port.port] == kNone) udp_ports_[port.port] = index;
      } else {
        rare_ports_.emplace_back(port, index);
      }
    }
  }
  const auto first_rest = static_cast<std::int16_t>(names_.size());
  names_.insert(names_.end(), {"other-tcp", "other-udp", "other"});
  for (std::size_t protocol = 0; protocol < kProtocols; ++protocol)
    if (protocols_[protocol] == kNone)
      protocols_[protocol] = static_cast<std::int16_t>(
          first_rest +
          static_cast<int>(SplitOf(static_cast<std::uint8_t>(protocol))));
}

Verdict Classifier::Classify(const iptrk_record& record) const {
  Verdict verdict;
  if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6))) {
    DecideMartian(verdict, Martian::kNonIp);
    verdict.service = static_cast<int>(names_.size()) - 1;
    return verdict;
  }
  verdict.src = Address::FromBytes(record.src);
  verdict.dst = Address::FromBytes(record.dst);
  verdict.src_network = networks_.Find(verdict.src);
  verdict.dst_network = networks_.Find(verdict.dst);
  const bool src_ours = verdict.src_network != kNoNetwork;
  const bool dst_ours = verdict.dst_network != kNoNetwork;

  if (src_ours && dst_ours) {
    verdict.direction = Direction::kInternal;
  } else {
    // A remote address that the kernel had no room for was some global one.
    const bool any = (record.flags & IPTRK_NO_REMOTE) != 0;
    const Scope src = src_ours || any ? Scope::kGlobal : ScopeOf(verdict.src);
    const Scope dst = dst_ours || any ? Scope::kGlobal : ScopeOf(verdict.dst);
    const bool src_near = src_ours || src == Scope::kLink;
    const bool dst_near =
        dst_ours || dst == Scope::kLink || dst == Scope::kGroup;
    // A host that has no address yet asks its neighbours: DHCP, DAD.
    const bool asks = src == Scope::kUnspecified &&
                      (dst == Scope::kGroup || dst == Scope::kLink);
    if (!src_near && src != Scope::kGlobal && !asks)
      DecideMartian(verdict, Martian::kBogon);
    else if ((src_near && dst_near) || asks)
      verdict.direction = Direction::kInternal;
    else if (dst_ours)
      verdict.direction = Direction::kIn;
    else if (src_ours)
      verdict.direction = Direction::kOut;
    else
      DecideMartian(verdict, Martian::kForeign);
  }
  verdict.service = ServiceOf(record, verdict);
  return verdict;
}

int Classifier::ServiceOfPort(std::uint8_t protocol, std::uint16_t port) const {
  if (protocol == IPPROTO_TCP) return tcp_ports_[port];
  if (protocol == IPPROTO_UDP) return udp_ports_[port];
  for (const auto& [known, service] : rare_ports_)
    if (known.protocol == protocol && known.port == port) return service;
  return kNone;
}

// The service our own host offers wins over the one it uses: a mail server
// that asks port 53 does dns, but whoever asks our port 25 does mail.
int Classifier::ServiceOf(const iptrk_record& record,
                          const Verdict& verdict) const {
  if (HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER)) {
    const bool own_is_src =
        verdict.src_network != kNoNetwork && verdict.dst_network == kNoNetwork;
    std::uint16_t first = own_is_src ? record.sport : record.dport;
    std::uint16_t second = own_is_src ? record.dport : record.sport;
    // Between two of ours the lower port is the server's.
    if (verdict.src_network != kNoNetwork &&
        verdict.dst_network != kNoNetwork && second < first)
      std::swap(first, second);
    for (const std::uint16_t port : {first, second})
      if (const int service = ServiceOfPort(record.protocol, port);
          service != kNone)
        return service;
  }
  return protocols_[record.protocol];
}

}  // namespace iptrk
