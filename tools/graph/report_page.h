// SPDX-License-Identifier: GPL-2.0-only
// Bills as one HTML page that needs no other file.
#ifndef IPTRK_TOOLS_GRAPH_REPORT_PAGE_H_
#define IPTRK_TOOLS_GRAPH_REPORT_PAGE_H_

#include <span>
#include <string>

#include "lib/report.h"
#include "tools/graph/page.h"

namespace iptrk {

// Throws std::runtime_error naming a template that is wrong or missing.
std::string BillsToHtml(std::span<const Bill> bills, bool audit,
                        const PageTemplates& templates);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_REPORT_PAGE_H_
