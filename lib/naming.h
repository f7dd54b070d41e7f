// SPDX-License-Identifier: GPL-2.0-only
// Names under which collectd, and so the RRDs on disk, know our values.
//
//   DIRECTORY/HOST/iptrk-NETWORK/iptrk_host-10.1.0.80.rrd
//   DIRECTORY/HOST/iptrk-NETWORK/iptrk_host_packets-10.1.0.80.rrd
//   DIRECTORY/HOST/iptrk-NETWORK/iptrk_network.rrd
//   DIRECTORY/HOST/iptrk-NETWORK/iptrk_service-web.rrd
//   DIRECTORY/HOST/iptrk-all/iptrk_martian.rrd
//   DIRECTORY/HOST/iptrk-interface-eth0/iptrk_books-received.rrd  (and -sent)
//   DIRECTORY/HOST/iptrk-queue/iptrk_queue.rrd
//
// NETWORK is a configured name, or "all" for the sum over everything seen.
// The data sources of each type are in plugin/iptrk.types.db.
#ifndef IPTRK_LIB_NAMING_H_
#define IPTRK_LIB_NAMING_H_

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "lib/address.h"

namespace iptrk {

inline constexpr char kPluginName[] = "iptrk";
inline constexpr char kAllNetworks[] = "all";
inline constexpr char kQueueInstance[] = "queue";
inline constexpr char kInterfacePrefix[] = "interface-";

inline constexpr char kHostType[] = "iptrk_host";
inline constexpr char kHostPacketsType[] = "iptrk_host_packets";
inline constexpr char kNetworkType[] = "iptrk_network";
inline constexpr char kServiceType[] = "iptrk_service";
inline constexpr char kMartianType[] = "iptrk_martian";
inline constexpr char kBooksType[] = "iptrk_books";
inline constexpr char kQueueType[] = "iptrk_queue";

// An address as a type instance and so as a file name: ':' separates fields
// of an rrdgraph DEF, so 2001:db8::1 is written 2001_db8__1.
inline std::string AddressInstance(Address address) {
  std::string text = address.ToString();
  std::replace(text.begin(), text.end(), ':', '_');
  return text;
}

inline std::optional<Address> AddressOfInstance(std::string_view instance) {
  std::string text(instance);
  std::replace(text.begin(), text.end(), '_', ':');
  return Address::Parse(text);
}

}  // namespace iptrk

#endif  // IPTRK_LIB_NAMING_H_
