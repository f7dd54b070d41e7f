// SPDX-License-Identifier: GPL-2.0-only
// What the ledger alone knows: incidents with their evidence, bills, and the
// overview's answer to whether something is wrong.
#ifndef IPTRK_TOOLS_GRAPH_LEDGER_PAGES_H_
#define IPTRK_TOOLS_GRAPH_LEDGER_PAGES_H_

#include <vector>

#include "tools/graph/site_context.h"

namespace iptrk {

void WriteIncidentsPage(SiteContext& context,
                        const std::vector<NetworkView>& networks);

// Bills of this month so far and the last one, of every customer.
void WriteBillsPage(SiteContext& context);

// Sets the headline of the overview, its open and latest incidents, and what
// the books of the last hour lack.
void SetOverview(SiteContext& context, const std::vector<NetworkView>& networks,
                 PageData& page);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_LEDGER_PAGES_H_
