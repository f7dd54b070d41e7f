// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "tools/graph/books_page.h"
#include "tools/graph/host_pages.h"
#include "tools/graph/humanise.h"
#include "tools/graph/network_pages.h"
#include "tools/graph/site_context.h"

namespace iptrk {
namespace {

// Pixels of the widest time-domain graph (charts.cc): a shorter time than one
// of them can't be seen.
constexpr std::time_t kPixels = 520;
constexpr std::time_t kFinest = 10;  // collectd's default interval
// A range shorter than this is no graph.
constexpr std::time_t kShortest = 120;

// Every configured network, with data or not, and those that have data.
std::vector<std::string> NetworkNames(const SiteContext& context) {
  std::set<std::string> names;
  for (const Network& network : context.options.networks)
    names.insert(network.name);
  for (const std::string& name : context.store.Networks()) names.insert(name);
  return {names.begin(), names.end()};
}

PageData ProblemRows(const std::vector<Problem>& problems) {
  PageData rows(PageData::type::list);
  for (const Problem& problem : problems) {
    PageData row;
    row.set("path", problem.path);
    row.set("what", problem.what);
    rows << row;
  }
  return rows;
}

void WriteIndex(SiteContext& context, const std::vector<NetworkView>& networks,
                const PageData& sections) {
  std::time_t as_of = 0;
  for (const NetworkView& network : networks)
    as_of = std::max(as_of, network.as_of);
  PageData page = CommonData(context, "", as_of);
  page.set("networks", sections);
  page.set("has_networks", !networks.empty());
  page.set("rrd_directory", context.options.rrd_directory.string());
  if (context.store.CollectdHosts().size() > 1)
    page.set("collectd_host", context.store.collectd_host());
  page.set("has_problems", !context.problems.empty());
  page.set("problems", ProblemRows(context.problems));
  context.gallery.Write("index.html",
                        context.page_templates.Fill("index", page));
}

// Begin of the first row of the last `length` seconds that has a value.
std::optional<std::time_t> FirstKnown(const std::filesystem::path& file,
                                      std::time_t as_of, std::time_t length) {
  Problem problem;  // told by whoever reads the file for its values
  const auto series =
      FetchSeries(file, kNetworkSources, as_of - length, as_of, problem);
  for (std::size_t row = 0; series && row < series->Rows(); ++row)
    if (std::isfinite(series->At(row, 0)))
      return series->start + static_cast<std::time_t>(row) * series->step;
  return {};
}

// The earliest by any archive: a coarse one starts late by up to a row, and a
// fine one does not reach back far.
std::time_t FirstKnown(const SiteContext& context) {
  std::time_t first = 0;
  for (const std::string& name : context.store.Networks()) {
    const auto file = context.store.NetworkFile(name);
    Problem problem;
    const auto as_of = file ? NewestValue(*file, problem) : std::nullopt;
    if (!as_of) continue;
    for (const std::time_t length : {kHour, kDay, kWeek})
      if (const auto found = FirstKnown(*file, *as_of, length))
        if (first == 0 || *found < first) first = *found;
  }
  return first;
}

}  // namespace

bool ShowsMore(const SiteContext& context, std::time_t as_of,
               std::time_t shorter) {
  return context.first_known < as_of - shorter;
}

TimeRange LastRange(const SiteContext& context, std::time_t as_of,
                    std::time_t length) {
  if (!ShowsMore(context, as_of, length))
    length = std::clamp(as_of - context.first_known, kShortest, length);
  const std::time_t grain = std::max(kFinest, length / kPixels);
  const std::time_t end = as_of - as_of % grain;
  return {end - length, end};
}

std::string NetworkPage(const std::string& network) {
  return fmt::format("network-{}.html", FileNamePart(network));
}

PageData CommonData(const SiteContext& context, const std::string& page_title,
                    std::time_t as_of) {
  PageData data;
  const std::string& site = context.options.title;
  data.set("site", site);
  data.set("page_title", page_title.empty()
                             ? site
                             : fmt::format("{} – {}", page_title, site));
  data.set("has_books", context.has_books);
  data.set("written", LocalTime(context.options.now));
  data.set("known", as_of != 0);
  if (as_of == 0) return data;
  const std::time_t age = std::max<std::time_t>(0, context.options.now - as_of);
  data.set("as_of", LocalTime(as_of));
  data.set("as_of_iso", IsoTime(as_of));
  data.set("age", HumanDuration(age));
  data.set("stale", age > kStaleAfter);
  return data;
}

SiteReport WriteSite(const SiteOptions& options) {
  SiteContext context(options);
  context.has_books = !context.store.Books().empty();
  context.first_known = FirstKnown(context);
  std::vector<NetworkView> networks;
  for (const std::string& name : NetworkNames(context))
    networks.push_back(ReadNetwork(context, name));

  // Hosts before the pages that link to them, so that a link never dangles.
  PageData sections(PageData::type::list);
  context.gallery.Write("style.css", context.page_templates.Text("style.css"));
  for (const NetworkView& network : networks) {
    WriteHostPages(context, network);
    WriteNetworkPage(context, network);
    sections << NetworkSection(context, network);
  }
  WriteBooksPage(context);
  WriteIndex(context, networks, sections);
  context.gallery.Finish();

  SiteReport report;
  report.pages = context.gallery.written();
  report.pictures_drawn = context.gallery.drawn();
  report.pictures_kept = context.gallery.kept();
  report.problems = std::move(context.problems);
  return report;
}

}  // namespace iptrk
