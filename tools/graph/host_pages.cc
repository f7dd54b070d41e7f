// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/host_pages.h"

#include <fmt/format.h>

#include <array>

#include "lib/naming.h"
#include "tools/graph/charts.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

struct Span {
  const char* name;
  const char* heading;
  std::time_t length;
};
constexpr std::array<Span, 3> kSpans = {{{"hour", "last hour", kHour},
                                         {"day", "last day", kDay},
                                         {"week", "last week", kWeek}}};

// Rows of the table of totals; a sum of some of the eight sources each.
struct TotalRow {
  const char* heading;
  std::array<bool, kHostSources.size()> sources;
  bool strong;
};
constexpr std::array<TotalRow, 10> kTotals = {{
    {"In", {true, true, true}, true},
    {"tcp", {true}, false},
    {"udp", {false, true}, false},
    {"other", {false, false, true}, false},
    {"Out", {false, false, false, true, true, true}, true},
    {"tcp", {false, false, false, true}, false},
    {"udp", {false, false, false, false, true}, false},
    {"other", {false, false, false, false, false, true}, false},
    {"Internal in", {false, false, false, false, false, false, true}, true},
    {"Internal out",
     {false, false, false, false, false, false, false, true},
     true},
}};

PageData TotalsTable(const std::array<Sums, kSpans.size()>& sums) {
  PageData rows(PageData::type::list);
  for (const TotalRow& total : kTotals) {
    PageData cells(PageData::type::list);
    for (const Sums& span : sums) {
      double bytes = 0;
      for (std::size_t i = 0; i < span.bytes.size(); ++i)
        if (total.sources[i]) bytes += span.bytes[i];
      cells << PageData("bytes", HumanBytes(bytes));
    }
    PageData row;
    row.set("heading", total.heading);
    row.set("strong", total.strong);
    row.set("cells", cells);
    rows << row;
  }
  // How much of the range the sums above really know.
  PageData cells(PageData::type::list);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double share =
        sums[i].known / static_cast<double>(kSpans[i].length) * 100;
    cells << PageData("bytes", fmt::format("{:.4g} %", share));
  }
  PageData row;
  row.set("heading", "Known part of the time");
  row.set("covers", true);
  row.set("cells", cells);
  rows << row;
  return rows;
}

void WriteHostPage(SiteContext& context, const NetworkView& network,
                   const HostRrd& host, const std::string& file) {
  Problem problem;
  const auto as_of = NewestValue(host.path, problem);
  if (!as_of) {
    context.problems.push_back(problem);
    return;
  }
  const std::string address = host.address.ToString();
  PageData page = CommonData(context, address, *as_of);
  page.set("address", address);
  page.set("network", network.name);
  page.set("network_page", NetworkPage(network.name));
  // Hosts are let go when they have long been silent: say so.
  if (network.as_of - *as_of > kStaleAfter)
    page.set("silent", LocalTime(*as_of));

  std::array<Sums, kSpans.size()> sums;
  PageData charts(PageData::type::list);
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    const Span& span = kSpans[i];
    const TimeRange range = LastRange(context, *as_of, span.length);
    const auto series =
        FetchSeries(host.path, kHostSources, range.start, range.end, problem);
    if (!series) {
      context.problems.push_back(problem);
      return;
    }
    sums[i] = SumOver(*series, range);
    if (i > 0 && !ShowsMore(context, *as_of, kSpans[i - 1].length)) continue;
    AddressVolume volume;
    std::copy(sums[i].bytes.begin(), sums[i].bytes.end(), volume.bytes.begin());
    TimeChart chart;
    chart.name = fmt::format("host-{}-{}-{}", FileNamePart(network.name),
                             AddressInstance(host.address), span.name);
    chart.heading = span.heading;
    chart.subject = address;
    chart.body = "time-domain";
    chart.file = host.path;
    chart.range = range;
    chart.as_of = *as_of;
    chart.figures =
        fmt::format("in {}, out {}, internal in {}, internal out {}",
                    HumanBytes(volume.In()), HumanBytes(volume.Out()),
                    HumanBytes(volume.bytes[kInternalIn]),
                    HumanBytes(volume.bytes[kInternalOut]));
    if (auto data = DrawTimeChart(context, chart)) charts << *data;
  }
  page.set("charts", charts);
  page.set("totals", TotalsTable(sums));
  context.gallery.Write(file, context.page_templates.Fill("host", page));
}

}  // namespace

void WriteHostPages(SiteContext& context, const NetworkView& network) {
  for (const HostRrd& host : network.hosts) {
    const auto page = network.pages.find(host.address);
    if (page != network.pages.end())
      WriteHostPage(context, network, host, page->second);
  }
}

}  // namespace iptrk
