// SPDX-License-Identifier: GPL-2.0-only
// Names of IP protocols, and the tcp/udp/other split used everywhere.
#ifndef IPTRK_LIB_PROTOCOL_H_
#define IPTRK_LIB_PROTOCOL_H_

#include <netinet/in.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iptrk {

enum class Split : std::uint8_t { kTcp, kUdp, kOther };
inline constexpr int kSplits = 3;

constexpr Split SplitOf(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP   ? Split::kTcp
         : protocol == IPPROTO_UDP ? Split::kUdp
                                   : Split::kOther;
}

constexpr bool HasPorts(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
         protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
         protocol == IPPROTO_UDPLITE;
}

struct ProtocolName {
  std::uint8_t number;
  std::string_view name;
};

// IANA's keywords, lower case.
inline constexpr ProtocolName kProtocolNames[] = {
    {IPPROTO_ICMP, "icmp"},     {IPPROTO_IGMP, "igmp"},
    {IPPROTO_IPIP, "ipip"},     {IPPROTO_TCP, "tcp"},
    {IPPROTO_UDP, "udp"},       {IPPROTO_DCCP, "dccp"},
    {IPPROTO_IPV6, "ipv6"},     {IPPROTO_GRE, "gre"},
    {IPPROTO_ESP, "esp"},       {IPPROTO_AH, "ah"},
    {IPPROTO_ICMPV6, "icmpv6"}, {89, "ospf"},
    {IPPROTO_PIM, "pim"},       {112, "vrrp"},
    {IPPROTO_SCTP, "sctp"},     {IPPROTO_UDPLITE, "udplite"},
};

inline std::string ProtocolToString(std::uint8_t protocol) {
  for (const ProtocolName& known : kProtocolNames)
    if (known.number == protocol) return std::string(known.name);
  return std::to_string(protocol);
}

// "tcp", or a number such as "47".
inline std::optional<std::uint8_t> ProtocolOfName(std::string_view name) {
  for (const ProtocolName& known : kProtocolNames)
    if (known.name == name) return known.number;
  std::uint8_t number = 0;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

}  // namespace iptrk

#endif  // IPTRK_LIB_PROTOCOL_H_
