// SPDX-License-Identifier: GPL-2.0-only
#include "lib/local_networks.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>

namespace iptrk {
namespace {

std::optional<Prefix> PrefixOf(const ifaddrs& entry) {
  if (!entry.ifa_addr || !entry.ifa_netmask) return std::nullopt;
  if (entry.ifa_addr->sa_family == AF_INET) {
    const auto* address = reinterpret_cast<sockaddr_in*>(entry.ifa_addr);
    const auto* mask = reinterpret_cast<sockaddr_in*>(entry.ifa_netmask);
    return Prefix::Of(Address::FromIpv4(ntohl(address->sin_addr.s_addr)),
                      96 + std::popcount(mask->sin_addr.s_addr));
  }
  if (entry.ifa_addr->sa_family == AF_INET6) {
    const auto* address = reinterpret_cast<sockaddr_in6*>(entry.ifa_addr);
    const auto* mask = reinterpret_cast<sockaddr_in6*>(entry.ifa_netmask);
    if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) return std::nullopt;
    int length = 0;
    for (const std::uint8_t byte : mask->sin6_addr.s6_addr)
      length += std::popcount(byte);
    return Prefix::Of(Address::FromBytes(address->sin6_addr.s6_addr), length);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Network> LocalNetworks(
    const std::vector<iptrk_interface>& interfaces) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list,
                                                               freeifaddrs);
  // Addresses sit on bridges and VLANs above what is watched; so with any
  // interface watched, all but loopback's count.
  const bool watching =
      std::any_of(interfaces.begin(), interfaces.end(),
                  [](const iptrk_interface& i) { return i.watched != 0; });
  Network network{kLocalNetwork, {}};
  for (const ifaddrs* entry = list; watching && entry;
       entry = entry->ifa_next) {
    if (entry->ifa_flags & IFF_LOOPBACK) continue;
    const auto prefix = PrefixOf(*entry);
    if (prefix && std::find(network.prefixes.begin(), network.prefixes.end(),
                            *prefix) == network.prefixes.end())
      network.prefixes.push_back(*prefix);
  }
  if (network.prefixes.empty()) return {};
  return {network};
}

}  // namespace iptrk
