// SPDX-License-Identifier: GPL-2.0-only
// The static site: the overview, a page per network, /24 and host, incidents,
// bills, the books.
#ifndef IPTRK_TOOLS_GRAPH_SITE_H_
#define IPTRK_TOOLS_GRAPH_SITE_H_

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/config.h"
#include "tools/graph/rrd_store.h"

namespace iptrk {

struct SiteOptions {
  std::filesystem::path output;          // made if need be
  std::filesystem::path templates;       // *.rrdgraph
  std::filesystem::path page_templates;  // *.mustache, style.css
  std::filesystem::path rrd_directory;
  bool rrds_named = false;    // by the user: it must have some
  std::string collectd_host;  // empty: the one updated last
  std::string title;
  std::filesystem::path ledger;  // empty, or no such file: from RRDs alone
  bool ledger_named = false;     // by the user: it must be there
  std::filesystem::path names;   // in the form of /etc/hosts; empty: none
  std::vector<Customer> customers;
  std::vector<Network> networks;  // configured; others with data are found
  std::time_t now = 0;
};

struct SiteReport {
  std::size_t pages = 0;
  std::size_t pictures_drawn = 0;
  std::size_t pictures_kept = 0;
  std::vector<Problem> problems;  // also shown on the index
};

// Writes the site, each file atomically. Throws std::runtime_error when the
// site as a whole can't be written; what ails one RRD is in the report.
// Call it from a process of one thread: it forks. One run at a time per
// output.
SiteReport WriteSite(const SiteOptions& options);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_SITE_H_
