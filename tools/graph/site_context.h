// SPDX-License-Identifier: GPL-2.0-only
// What the parts of one run of WriteSite() share.
#ifndef IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_
#define IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_

#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "lib/address.h"
#include "tools/graph/drawing.h"
#include "tools/graph/gallery.h"
#include "tools/graph/page.h"
#include "tools/graph/site.h"
#include "tools/graph/temporary_directory.h"
#include "tools/graph/volumes.h"

namespace iptrk {

inline constexpr std::time_t kWeek = 7 * kDay;

// Data older than this is called stale in so many words. collectd's writers
// may well hold values back for half an hour, which is no fault.
inline constexpr std::time_t kStaleAfter = kHour;

// More pages than this help nobody and take too long; the hosts with the most
// traffic of the last day get them.
inline constexpr std::size_t kMaxHostPages = 4096;

struct NetworkView {
  std::string name;
  std::vector<Prefix> prefixes;
  std::vector<HostRrd> hosts;
  std::time_t as_of = 0;  // newest value of any RRD; 0: none
  std::vector<AddressVolume> hour;
  std::vector<AddressVolume> day;
  std::map<Address, std::string> pages;  // host -> its page
};

struct SiteContext {
  explicit SiteContext(const SiteOptions& site_options)
      : options(site_options),
        store(options.rrd_directory, options.collectd_host),
        shelf(options.templates),
        page_templates(options.page_templates),
        gallery(options.output, shelf) {}

  const SiteOptions& options;
  RrdStore store;
  TemplateShelf shelf;
  PageTemplates page_templates;
  Gallery gallery;
  TemporaryDirectory scratch;  // for address RRDs
  std::vector<Problem> problems;
  bool has_books = false;
  // Since when there is any data; 0: unknown, or longer than kWeek.
  std::time_t first_known = 0;
};

// The last `length` seconds of data, with an end that moves only when at
// least a pixel of a picture does, so that it is not drawn for nothing. Of a
// site younger than that, what there is: a new one shows its first minutes
// across the whole width.
TimeRange LastRange(const SiteContext& context, std::time_t as_of,
                    std::time_t length);

// Whether the last `length` seconds hold more than the last `shorter` do.
bool ShowsMore(const SiteContext& context, std::time_t as_of,
               std::time_t shorter);

std::string NetworkPage(const std::string& network);

// What head and foot of every page need. `as_of` 0: nothing known.
PageData CommonData(const SiteContext& context, const std::string& page_title,
                    std::time_t as_of);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_
