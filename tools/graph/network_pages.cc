// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/network_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/naming.h"
#include "tools/graph/charts.h"
#include "tools/graph/humanise.h"
#include "tools/graph/network_volumes.h"
#include "tools/graph/parallel.h"
#include "tools/graph/top_table.h"

namespace iptrk {
namespace {

// Rows of a table of addresses: more are found by their /24.
constexpr std::size_t kMaxRows = 1024;

// Page behind a bar of a histogram: of the host, or of the first /24 in it
// that has one.
std::string BarLink(const NetworkView& network, const Prefix& addresses) {
  const auto& pages = addresses.length < 128 ? network.blocks : network.pages;
  const Address first = addresses.length < 128
                            ? Prefix::Of(addresses.first, kBlock).first
                            : addresses.first;
  const auto page = pages.lower_bound(first);
  return page == pages.end() || addresses.Last() < page->first ? ""
                                                               : page->second;
}

struct Flow {
  double in = 0;
  double out = 0;
  double internal = 0;
  std::size_t active = 0;
};

Flow FlowOf(std::span<const AddressVolume> volumes) {
  Flow flow;
  for (const AddressVolume& v : volumes) {
    flow.in += v.In();
    flow.out += v.Out();
    // What one own host sent another is on both: count it once.
    flow.internal += v.bytes[kInternalIn];
    if (TotalOf(v) > 0) ++flow.active;
  }
  return flow;
}

std::string Sentence(std::string_view heading) {
  std::string text(heading);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

PageData FlowData(std::string_view heading, TimeRange range,
                  std::span<const AddressVolume> volumes) {
  const Flow flow = FlowOf(volumes);
  PageData data;
  data.set("heading", Sentence(heading));
  data.set("range", HumanRange(range));
  data.set("in", HumanBytes(flow.in));
  data.set("out", HumanBytes(flow.out));
  data.set("internal", HumanBytes(flow.internal));
  data.set("active", std::to_string(flow.active));
  return data;
}

std::string Figures(std::span<const AddressVolume> volumes) {
  const Flow flow = FlowOf(volumes);
  return fmt::format("in {}, out {}, internal {}", HumanBytes(flow.in),
                     HumanBytes(flow.out), HumanBytes(flow.internal));
}

PageData FlowRows(const NetworkView& network, std::size_t spans) {
  PageData flows(PageData::type::list);
  for (std::size_t i = 0; i < spans; ++i) {
    const SpanVolumes& span = network.spans[i];
    if (span.shown)
      flows << FlowData(kSpans[i].heading, span.range, span.volumes);
  }
  return flows;
}

// One of `prefix` and span; adds it to `charts`.
void AddHistogram(SiteContext& context, const NetworkView& network,
                  const Prefix& prefix, std::size_t i, PageData& charts) {
  const SpanVolumes& span = network.spans[i];
  if (!span.shown) return;
  HistogramChart chart;
  chart.prefix = prefix;
  chart.as_of = span.range.end;
  chart.link = [&](const Prefix& a) { return BarLink(network, a); };
  chart.name = fmt::format("histogram-{}-{}-{}", FileNamePart(network.name),
                           FileNamePart(prefix.ToString()), kSpans[i].name);
  chart.heading = kSpans[i].heading;
  chart.range = span.range;
  chart.volumes = span.volumes;
  if (auto data = DrawHistogram(context, chart)) {
    data->set("anchor", false);
    charts << *data;
  }
}

// Likewise; an hour has too few columns to be worth it.
void AddHeat(SiteContext& context, const NetworkView& network,
             const Prefix& prefix, std::size_t i, PageData& charts) {
  const SpanVolumes& span = network.spans[i];
  if (!context.ledger || !span.shown || i == kHourSpan) return;
  const auto taken =
      TakenByOthers(context.options.networks, network.name, network.prefixes);
  HeatChart chart;
  chart.prefix = prefix;
  chart.link = [&](const Prefix& a) { return BarLink(network, a); };
  chart.name = fmt::format("heat-{}-{}-{}", FileNamePart(network.name),
                           FileNamePart(prefix.ToString()), kSpans[i].name);
  chart.heading = kSpans[i].heading;
  chart.range = LastRange(context, network.as_of, kSpans[i].length);
  chart.volumes = span.volumes;
  chart.taken = taken;
  if (auto data = DrawHeat(context, chart)) charts << *data;
}

void AddTimeCharts(SiteContext& context, const NetworkView& network,
                   std::size_t i, PageData& charts) {
  const auto file = context.store.NetworkFile(network.name);
  if (!file || !network.spans[i].shown) return;
  Problem problem;
  const auto as_of = NewestValue(*file, problem);
  if (!as_of) return;
  const std::string part = FileNamePart(network.name);
  TimeChart chart;
  chart.file = *file;
  chart.range = LastRange(context, *as_of, kSpans[i].length);
  chart.as_of = *as_of;
  chart.figures = Figures(network.spans[i].volumes);
  chart.heading = kSpans[i].heading;
  chart.body = "network";
  chart.subject = network.name;
  chart.name = fmt::format("network-{}-{}", part, kSpans[i].name);
  if (context.ledger)
    chart.samples = IsOnly(context.options.networks, network.name)
                        ? TotalSamples(*context.ledger, chart.range)
                        : network.samples.OfAll(chart.range);
  if (auto data = DrawTimeChart(context, chart)) charts << *data;
  chart.samples.clear();
  chart.services = ServiceRows(context.store.Services(network.name));
  chart.body = "services";
  chart.subject = network.name + ", services";
  chart.figures.clear();
  chart.name = fmt::format("services-{}-{}", part, kSpans[i].name);
  if (!chart.services.empty())
    if (auto data = DrawTimeChart(context, chart)) charts << *data;
}

PageData AddressRow(const SiteContext& context, const NetworkView& network,
                    const AddressVolume& v, double most) {
  PageData row;
  SetAddress(context, network, v.address, row);
  row.set("bar", fmt::format("{:.4g}", most > 0 ? 100 * TotalOf(v) / most : 0));
  row.set("in", HumanBytes(v.In()));
  row.set("out", HumanBytes(v.Out()));
  row.set("internal", HumanBytes(v.Internal()));
  return row;
}

PageData AddressRows(const SiteContext& context, const NetworkView& network,
                     std::span<const AddressVolume> volumes) {
  double most = 0;
  for (const AddressVolume& v : volumes) most = std::max(most, TotalOf(v));
  PageData rows(PageData::type::list);
  for (const AddressVolume& v : volumes)
    rows << AddressRow(context, network, v, most);
  return rows;
}

// The /24s of a wide network, each as if it were one address.
PageData BlockRows(const NetworkView& network) {
  const auto& day = network.spans[kDaySpan].volumes;
  struct Row {
    std::string prefix, page;
    Flow flow;
  };
  std::vector<Row> blocks;
  double most = 0;
  for (const auto& [first, page] : network.blocks) {
    const Prefix prefix{first, kBlock};
    blocks.push_back({prefix.ToString(), page, FlowOf(Within(day, prefix))});
    most = std::max(most, blocks.back().flow.in + blocks.back().flow.out);
  }
  PageData rows(PageData::type::list);
  for (const Row& block : blocks) {
    PageData row;
    row.set("address", block.prefix);
    row.set("page", block.page);
    row.set("host_name", false);
    row.set("bar",
            fmt::format(
                "{:.4g}",
                most > 0 ? 100 * (block.flow.in + block.flow.out) / most : 0));
    row.set("in", HumanBytes(block.flow.in));
    row.set("out", HumanBytes(block.flow.out));
    row.set("internal", HumanBytes(block.flow.internal));
    rows << row;
  }
  return rows;
}

// A part of a network's page or a /24's: everything of one span.
PageData SpanSection(SiteContext& context, const NetworkView& network,
                     std::span<const Prefix> prefixes, std::size_t i,
                     bool of_network) {
  PageData section;
  section.set("id", kSpans[i].name);
  section.set("heading", Sentence(kSpans[i].heading));
  section.set("range", HumanRange(network.spans[i].range));
  PageData charts(PageData::type::list);
  for (const Prefix& prefix : prefixes)
    AddHistogram(context, network, prefix, i, charts);
  if (of_network)
    for (const Prefix& prefix : prefixes)
      AddHeat(context, network, prefix, i, charts);
  section.set("charts", charts);
  PageData pair(PageData::type::list);
  if (of_network) AddTimeCharts(context, network, i, pair);
  section.set("time_charts", pair);
  return section;
}

void SetSpans(SiteContext& context, const NetworkView& network,
              std::span<const Prefix> prefixes, bool of_network,
              PageData& page) {
  PageData sections(PageData::type::list);
  for (std::size_t i = 0; i < kSpans.size(); ++i)
    if (network.spans[i].shown)
      sections << SpanSection(context, network, prefixes, i, of_network);
  page.set("sections", sections);
}

void WriteBlockPage(SiteContext& context, const NetworkView& network,
                    Address first, const std::string& file) {
  const Prefix prefix{first, kBlock};
  PageData page = CommonData(context, prefix.ToString(), network.as_of);
  page.set("name", prefix.ToString());
  page.set("network", network.name);
  page.set("network_page", NetworkPage(network.name));
  page.set("has_data", true);
  SetSpans(context, network, std::span(&prefix, 1), false, page);
  page.set("rows_of", "addresses");
  page.set("rows",
           AddressRows(context, network,
                       Within(network.spans[kDaySpan].volumes, prefix)));
  page.set("note", false);
  page.set("tops", PageData(PageData::type::list));
  context.gallery.Write(file, context.page_templates.Fill("network", page));
}

// Whether a host of it had traffic, however long ago.
bool HadHosts(const NetworkView& network) {
  return std::ranges::any_of(network.spans, [](const SpanVolumes& span) {
    return !span.volumes.empty();
  });
}

}  // namespace

PageData NetworkSection(SiteContext& context, const NetworkView& network) {
  std::vector<std::string> prefixes;
  for (const Prefix& prefix : network.prefixes)
    prefixes.push_back(prefix.ToString());
  PageData section;
  section.set("name", network.name);
  section.set("id", "network-" + FileNamePart(network.name));
  section.set("prefixes", fmt::format("{}", fmt::join(prefixes, ", ")));
  section.set("page", NetworkPage(network.name));
  section.set("has_data", network.as_of != 0);
  if (network.as_of == 0) return section;
  const std::size_t hosts = network.spans[kDaySpan].volumes.size();
  section.set("flows", FlowRows(network, kDaySpan + 1));
  section.set("has_hosts", hosts != 0);
  section.set("had_hosts", HadHosts(network));
  section.set("host_count", std::to_string(hosts));
  PageData charts(PageData::type::list);
  PageData tops(PageData::type::list);
  if (hosts != 0) {
    for (const Prefix& prefix : network.prefixes)
      for (const std::size_t i : {kHourSpan, kDaySpan})
        AddHistogram(context, network, prefix, i, charts);
    tops << TopTable(context, network, kHourSpan, kInTcp);
    tops << TopTable(context, network, kHourSpan, kOutTcp);
  }
  section.set("histograms", charts);
  section.set("tops", tops);
  PageData pair(PageData::type::list);
  const bool has_day = network.spans[kDaySpan].shown;
  AddTimeCharts(context, network, has_day ? kDaySpan : kHourSpan, pair);
  section.set("time_charts", pair);
  return section;
}

void WriteNetworkPage(SiteContext& context, const NetworkView& network) {
  const auto& day = network.spans[kDaySpan].volumes;
  PageData page = CommonData(context, network.name, network.as_of);
  page.set("name", network.name);
  page.set("network", false);
  const bool has_data = network.as_of != 0 && HadHosts(network);
  page.set("has_data", has_data);
  if (has_data) SetSpans(context, network, network.prefixes, true, page);
  PageData tops(PageData::type::list);
  tops << TopTable(context, network, kDaySpan, kInTcp);
  tops << TopTable(context, network, kDaySpan, kOutTcp);
  page.set("tops", tops);
  page.set("note", false);
  if (network.blocks.empty()) {
    const std::size_t rows = std::min(kMaxRows, day.size());
    page.set("rows_of", "addresses");
    page.set("rows", AddressRows(context, network, {day.data(), rows}));
    if (rows < day.size())
      page.set("note",
               fmt::format("The first {} of {} addresses.", rows, day.size()));
  } else {
    std::vector<AddressVolume> ipv6;
    for (const AddressVolume& v : day)
      if (!v.address.IsIpv4() && ipv6.size() < kMaxRows) ipv6.push_back(v);
    page.set("rows_of", ipv6.empty() ? "/24s with traffic"
                                     : "/24s and IPv6 addresses with traffic");
    PageData rows = BlockRows(network);
    const PageData more = AddressRows(context, network, ipv6);
    for (const PageData& row : more.list_value()) rows << row;
    page.set("rows", rows);
    if (network.blocks.size() == kMaxBlocks)
      page.set("note",
               fmt::format("The {} /24s with the most traffic.", kMaxBlocks));
  }
  if (day.empty()) page.set("note", "No byte in the last day.");
  context.gallery.Write(NetworkPage(network.name),
                        context.page_templates.Fill("network", page));

  const std::vector<std::pair<Address, std::string>> blocks(
      network.blocks.begin(), network.blocks.end());
  InParallel(context, blocks.size(), [&](std::size_t i) {
    WriteBlockPage(context, network, blocks[i].first, blocks[i].second);
  });
}

}  // namespace iptrk
