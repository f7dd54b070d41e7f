// SPDX-License-Identifier: GPL-2.0-only
// What the parts of one run of WriteSite() share.
#ifndef IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_
#define IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_

#include <array>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/address.h"
#include "lib/ledger_reader.h"
#include "tools/graph/drawing.h"
#include "tools/graph/gallery.h"
#include "tools/graph/host_names.h"
#include "tools/graph/page.h"
#include "tools/graph/samples.h"
#include "tools/graph/site.h"
#include "tools/graph/temporary_directory.h"
#include "tools/graph/volumes.h"

namespace iptrk {

inline constexpr std::time_t kWeek = 7 * kDay;

// The ranges that pages show.
struct Span {
  const char* name;  // in names of files
  const char* heading;
  std::time_t length;
};
inline constexpr std::array<Span, 5> kSpans = {
    {{"hour", "last hour", kHour},
     {"day", "last day", kDay},
     {"week", "last week", kWeek},
     {"month", "last month", 31 * kDay},
     {"year", "last year", 366 * kDay}}};
inline constexpr std::size_t kHourSpan = 0, kDaySpan = 1;

// Data older than this is called stale in so many words. The ledger is
// written every host interval; writers of RRDs may well hold values back for
// half an hour, which is no fault.
inline constexpr std::time_t kLedgerStaleAfter = 900;
inline constexpr std::time_t kRrdStaleAfter = kHour;

// More pages than this help nobody and take too long; the hosts with the most
// traffic of the last day get them.
inline constexpr std::size_t kMaxHostPages = 4096;

struct SpanVolumes {
  bool shown = false;  // the site has data beyond the next shorter span
  TimeRange range;
  double known = 0;  // share of the range from which there are data
  std::vector<AddressVolume> volumes;  // in order of addresses
};

struct NetworkView {
  std::string name;
  std::vector<Prefix> prefixes;
  std::vector<HostRrd> hosts;  // in order of addresses
  std::time_t as_of = 0;       // newest value; 0: none
  std::array<SpanVolumes, kSpans.size()> spans;
  std::map<Address, std::string> pages;   // host -> its page
  HostSamples samples;                    // of those with a page; by ledger
  std::map<Address, std::string> blocks;  // first address of a /24 -> its page
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
  // Of the ledger; without one volumes come from RRDs.
  std::unique_ptr<LedgerReader> ledger;
  std::time_t ledger_end = 0;
  std::string ledger_lost;  // why there is none, though there is a file
  std::vector<LedgerIncident> incidents;  // of kIncidentDays, the latest first
  HostNames names;
  // Since when there is any data; 0: unknown, or longer than a year.
  std::time_t first_known = 0;
};

inline constexpr int kIncidentDays = 62;

// The last `length` seconds of data, with an end that moves only when at
// least a pixel of a picture does, so that it is not drawn for nothing. Of a
// site younger than that, what there is: a new one shows its first minutes
// across the whole width.
// `phase` shifts when it moves, so that not all pictures do in the same run.
TimeRange LastRange(const SiteContext& context, std::time_t as_of,
                    std::time_t length, std::time_t phase = 0);

// Whether the last `length` seconds hold more than the last `shorter` do.
bool ShowsMore(const SiteContext& context, std::time_t as_of,
               std::time_t shorter);

std::string NetworkPage(const std::string& network);

// What head and foot of every page need. `as_of` 0: nothing known.
PageData CommonData(const SiteContext& context, const std::string& page_title,
                    std::time_t as_of);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_SITE_CONTEXT_H_
