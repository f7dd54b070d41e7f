// SPDX-License-Identifier: GPL-2.0-only
// A network on the pages: its section of the index, and its own page with all
// its addresses.
#ifndef IPTRK_TOOLS_GRAPH_NETWORK_PAGES_H_
#define IPTRK_TOOLS_GRAPH_NETWORK_PAGES_H_

#include "tools/graph/site_context.h"

namespace iptrk {

// Draws the network's pictures; data of one row of the index.
PageData NetworkSection(SiteContext& context, const NetworkView& network);

// Writes the page with the histograms of every span and every address, and of
// a network wider than /24 a page for each /24 with traffic.
void WriteNetworkPage(SiteContext& context, const NetworkView& network);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_NETWORK_PAGES_H_
