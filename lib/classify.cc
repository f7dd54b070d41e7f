// SPDX-License-Identifier: GPL-2.0-only
#include "lib/classify.h"

#include <fnmatch.h>

#include <algorithm>

#include "lib/address.h"
#include "lib/protocol.h"

namespace iptrk {
namespace {

constexpr std::size_t kPorts = 65536;
constexpr std::size_t kProtocols = 256;

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

Verdict MartianVerdict(Martian kind) { return {Direction::kMartian, kind, 0}; }

bool MatchesAny(const std::vector<std::string>& patterns, const char* name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [=](const std::string& pattern) {
                       return fnmatch(pattern.c_str(), name, 0) == 0;
                     });
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
    : tcp_ports_(kPorts, kNone),
      udp_ports_(kPorts, kNone),
      protocols_(kProtocols, kNone),
      inside_(config.queue.inside),
      outside_(config.queue.outside) {
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
  for (std::uint32_t byte = 0; byte < plain_.size(); ++byte)
    plain_[byte] = byte != 169 &&
                   ScopeOf(Address::FromIpv4(byte << 24 | 1)) == Scope::kGlobal;
}

void Classifier::SetInterfaces(const std::vector<iptrk_interface>& interfaces) {
  sides_.clear();
  if (inside_.empty() && outside_.empty()) return;
  for (const iptrk_interface& interface : interfaces) {
    if (sides_.size() <= interface.index) sides_.resize(interface.index + 1);
    sides_[interface.index] =
        MatchesAny(inside_, interface.name)    ? Side::kInside
        : MatchesAny(outside_, interface.name) ? Side::kOutside
                                               : Side::kUnknown;
  }
  sides_known_ = true;
}

// Ours from outside, or of others from inside.
bool Classifier::IsSpoofed(const iptrk_record& record, bool src_ours,
                           bool src_plain) const {
  if ((record.flags & (IPTRK_SENT | IPTRK_NO_REMOTE)) ||
      record.interface >= sides_.size())
    return false;
  const Side side = sides_[record.interface];
  return src_ours ? side == Side::kOutside : src_plain && side == Side::kInside;
}

Verdict Classifier::Judge(const iptrk_record& record, bool src_ours,
                          bool dst_ours) const {
  // A remote address that the kernel had no room for was some global one.
  const bool any = (record.flags & IPTRK_NO_REMOTE) != 0;
  const Address from = Address::FromBytes(record.src);
  const Address to = Address::FromBytes(record.dst);
  // IPv4 addresses in IPv6 packets are of no use on a wire (RFC 4291, 2.5.5.2).
  if (!any && (record.flags & IPTRK_IPV6) != 0 &&
      (from.IsIpv4() || to.IsIpv4()))
    return MartianVerdict(Martian::kBogon);
  const Scope src = src_ours || any ? Scope::kGlobal : ScopeOf(from);
  const Scope dst = dst_ours || any ? Scope::kGlobal : ScopeOf(to);
  const bool src_near = src_ours || src == Scope::kLink;
  const bool dst_near = dst_ours || dst == Scope::kLink || dst == Scope::kGroup;
  // A host that has no address yet asks its neighbours: DHCP, DAD.
  const bool asks = src == Scope::kUnspecified &&
                    (dst == Scope::kGroup || dst == Scope::kLink);
  if (!src_near && src != Scope::kGlobal && !asks)
    return MartianVerdict(Martian::kBogon);
  if (IsSpoofed(record, src_ours, src == Scope::kGlobal))
    return MartianVerdict(Martian::kSpoofed);
  if ((src_near && dst_near) || asks) return {Direction::kInternal, {}, 0};
  if (dst_ours) return {Direction::kIn, {}, 0};
  if (src_ours) return {Direction::kOut, {}, 0};
  return MartianVerdict(Martian::kForeign);
}

std::int16_t Classifier::RarePort(std::uint8_t protocol,
                                  std::uint16_t port) const {
  for (const auto& [known, service] : rare_ports_)
    if (known.protocol == protocol && known.port == port) return service;
  return kNone;
}

std::int16_t Classifier::RareServiceOf(const iptrk_record& record,
                                       bool src_ours, bool dst_ours) const {
  if (HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER)) {
    std::uint16_t first = record.sport, second = record.dport;
    if (!SourcePortFirst(record, src_ours, dst_ours)) std::swap(first, second);
    for (const std::uint16_t port : {first, second})
      if (const std::int16_t service = RarePort(record.protocol, port);
          service != kNone)
        return service;
  }
  return protocols_[record.protocol];
}

}  // namespace iptrk
