// SPDX-License-Identifier: GPL-2.0-only
// The page on which the books of every interface must balance:
//   seen = recorded + merged + unattributed + elsewhere
//   unseen = nic - seen, what went past the hooks
#ifndef IPTRK_TOOLS_GRAPH_BOOKS_PAGE_H_
#define IPTRK_TOOLS_GRAPH_BOOKS_PAGE_H_

#include "tools/graph/site_context.h"

namespace iptrk {

// Writes books.html; context.has_books says whether there is anything to show.
void WriteBooksPage(SiteContext& context);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_BOOKS_PAGE_H_
