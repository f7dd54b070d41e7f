// SPDX-License-Identifier: GPL-2.0-only
// Pages on every core. librrd keeps its time zone and fonts per process, so
// work is shared among processes, not threads.
#ifndef IPTRK_TOOLS_GRAPH_PARALLEL_H_
#define IPTRK_TOOLS_GRAPH_PARALLEL_H_

#include <cstddef>
#include <functional>

#include "tools/graph/site_context.h"

namespace iptrk {

// Calls work(i) for each i below `count`, in as many processes as there are
// cores; what they draw, write and complain of is the context's afterwards,
// and nothing else is. `work` must leave the ledger alone: its connection is
// the parent's. Throws std::runtime_error with what a process could not do.
void InParallel(SiteContext& context, std::size_t count,
                const std::function<void(std::size_t)>& work);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_PARALLEL_H_
