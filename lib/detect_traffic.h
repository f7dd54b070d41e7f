// SPDX-License-Identifier: GPL-2.0-only
// What a record is to the rules: by its headers alone.
#ifndef IPTRK_LIB_DETECT_TRAFFIC_H_
#define IPTRK_LIB_DETECT_TRAFFIC_H_

#include <netinet/in.h>

#include <cstdint>

#include "kernel/uapi/iptrk.h"
#include "lib/protocol.h"

namespace iptrk {

inline constexpr std::uint8_t kTcpSyn = 2, kTcpRst = 4, kTcpAck = 16;

// Services that answer more than they are asked, from whatever address: CISA
// TA14-017A, and ISAKMP.
constexpr bool IsReflectorPort(std::uint16_t port) {
  switch (port) {
    case 17:     // quote of the day
    case 19:     // chargen
    case 53:     // DNS
    case 69:     // TFTP
    case 111:    // portmap
    case 123:    // NTP
    case 137:    // NetBIOS
    case 161:    // SNMP
    case 177:    // XDMCP
    case 389:    // CLDAP
    case 427:    // SLP
    case 500:    // ISAKMP
    case 520:    // RIP
    case 1434:   // SQL resolution
    case 1900:   // SSDP
    case 3283:   // Apple remote desktop
    case 3389:   // remote desktop
    case 3478:   // STUN
    case 3702:   // WS-Discovery
    case 4500:   // ISAKMP, NAT traversal
    case 5351:   // NAT-PMP
    case 5353:   // mDNS
    case 5683:   // CoAP
    case 10001:  // Ubiquiti discovery
    case 11211:  // memcached
    case 27960:  // Quake
    case 37810:  // DHDiscover
      return true;
    default:
      return false;
  }
}

constexpr bool IsIcmp(std::uint8_t protocol) {
  return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

enum class IcmpSense : std::uint8_t {
  kAsk,       // echo and the like: comes unbidden
  kAnswer,    // replies and errors: provoked by what was sent
  kNeighbour  // neighbour discovery: the link's own
};
constexpr IcmpSense IcmpSenseOf(const iptrk_record& record) {
  const std::uint16_t type = record.sport;
  if (record.protocol == IPPROTO_ICMPV6)
    return type == 128                 ? IcmpSense::kAsk
           : type >= 130 && type < 158 ? IcmpSense::kNeighbour
                                       : IcmpSense::kAnswer;
  return type == 8 || type == 13 || type == 15 || type == 17
             ? IcmpSense::kAsk
             : IcmpSense::kAnswer;
}

// Part of an established connection, or of the one service that is busy on
// UDP: nothing that a rule must look at packet by packet.
[[gnu::always_inline]] inline bool IsPlainTraffic(const iptrk_record& record) {
  if (record.flags & IPTRK_FRAGMENT) [[unlikely]]
    return false;
  constexpr std::uint16_t kQuic = 443;
  if (record.protocol == IPPROTO_TCP) [[likely]]
    return (record.tcp_flags & (kTcpSyn | kTcpRst | kTcpAck)) == kTcpAck ||
           (record.flags & IPTRK_MERGED);
  if (record.protocol == IPPROTO_UDP)
    return record.sport == kQuic || record.dport == kQuic;
  return !IsIcmp(record.protocol);
}

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_TRAFFIC_H_
