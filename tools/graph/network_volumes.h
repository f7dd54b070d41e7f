// SPDX-License-Identifier: GPL-2.0-only
// Reads what the hosts of a network had, and decides who gets a page.
#ifndef IPTRK_TOOLS_GRAPH_NETWORK_VOLUMES_H_
#define IPTRK_TOOLS_GRAPH_NETWORK_VOLUMES_H_

#include <cstddef>
#include <string>

#include "tools/graph/site_context.h"

namespace iptrk {

inline constexpr int kBlock = 120;  // a /24: the widest with a bar per address
// Pages of /24s; those with the most traffic get them.
inline constexpr std::size_t kMaxBlocks = 1024;

inline double TotalOf(const AddressVolume& v) {
  return v.In() + v.Out() + v.Internal();
}

// From the ledger, or where there is none from RRDs. Files that can't be read
// become problems of the context. Throws LedgerError.
NetworkView ReadNetwork(SiteContext& context, const std::string& name);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_NETWORK_VOLUMES_H_
