// SPDX-License-Identifier: GPL-2.0-only
// Tables of addresses: the top receivers and senders.
#ifndef IPTRK_TOOLS_GRAPH_TOP_TABLE_H_
#define IPTRK_TOOLS_GRAPH_TOP_TABLE_H_

#include <cstddef>

#include "tools/graph/site_context.h"

namespace iptrk {

// Sets what a table's row shows of an address: itself, its page and its name,
// each also when there is none, since mustache would else take those of
// what is around the row.
void SetAddress(const SiteContext& context, const NetworkView& network,
                Address address, PageData& row);

// The hosts with the most bytes of a span one way, which begins at
// `first_source`: kInTcp or kOutTcp; with TCP, UDP and other of that way.
PageData TopTable(const SiteContext& context, const NetworkView& network,
                  std::size_t span, HostSource first_source);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_TOP_TABLE_H_
