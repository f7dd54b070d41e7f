// SPDX-License-Identifier: GPL-2.0-only
// The page of one own host: hour, day and week over time, and its totals.
#ifndef IPTRK_TOOLS_GRAPH_HOST_PAGES_H_
#define IPTRK_TOOLS_GRAPH_HOST_PAGES_H_

#include "tools/graph/site_context.h"

namespace iptrk {

// Writes the pages of all hosts that `network` has decided to show.
void WriteHostPages(SiteContext& context, const NetworkView& network,
                    const std::vector<NetworkView>& networks);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_HOST_PAGES_H_
