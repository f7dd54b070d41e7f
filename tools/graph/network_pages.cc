// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/network_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/naming.h"
#include "tools/graph/charts.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

constexpr std::size_t kTopRows = 10;
constexpr int kBlock = 120;  // a /24: the widest with a bar per address
// Pictures of /24s on one page; those with the most traffic get them.
constexpr std::size_t kMaxBlocks = 64;

double Total(const AddressVolume& v) { return v.In() + v.Out() + v.Internal(); }

double TotalOf(std::span<const AddressVolume> volumes) {
  double total = 0;
  for (const AddressVolume& v : volumes) total += Total(v);
  return total;
}

bool IsWide(const Prefix& prefix) {
  return prefix.IsIpv4() && prefix.length < kBlock;
}

std::string BlockAnchor(Address first) {
  return "block-" + AddressInstance(first);
}

// Page or anchor behind a bar of a histogram.
std::string BarLink(const NetworkView& network, const Prefix& addresses) {
  if (addresses.length < 128)
    return NetworkPage(network.name) + "#" +
           BlockAnchor(Prefix::Of(addresses.first, kBlock).first);
  const auto page = network.pages.find(addresses.first);
  return page == network.pages.end() ? "" : page->second;
}

void SetAddress(const NetworkView& network, Address address, PageData& row) {
  row.set("address", address.ToString());
  const auto page = network.pages.find(address);
  // Said even if there is none: mustache would else take the page of the
  // network around the row.
  if (page == network.pages.end())
    row.set("page", false);
  else
    row.set("page", page->second);
}

// The hosts with the most bytes one way, with TCP, UDP and other of that way.
PageData TopTable(const NetworkView& network, HostSource first_source,
                  const std::string& title) {
  const auto of = [first_source](const AddressVolume& v) {
    return v.bytes[first_source] + v.bytes[first_source + 1] +
           v.bytes[first_source + 2];
  };
  std::vector<AddressVolume> order = network.day;
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return of(a) > of(b) || (of(a) == of(b) && a.address < b.address);
  });
  PageData rows(PageData::type::list);
  bool empty = true;
  for (std::size_t i = 0; i < std::min(kTopRows, order.size()); ++i) {
    const AddressVolume& v = order[i];
    if (of(v) <= 0) break;
    PageData row;
    SetAddress(network, v.address, row);
    row.set("bar", fmt::format("{:.4g}", 100 * of(v) / of(order[0])));
    row.set("total", HumanBytes(of(v)));
    row.set("tcp", HumanBytes(v.bytes[first_source]));
    row.set("udp", HumanBytes(v.bytes[first_source + 1]));
    row.set("other", HumanBytes(v.bytes[first_source + 2]));
    rows << row;
    empty = false;
  }
  PageData table;
  table.set("title", title);
  table.set("way", first_source == kInTcp ? "in" : "out");
  table.set("empty", empty);
  table.set("rows", rows);
  return table;
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
    if (Total(v) > 0) ++flow.active;
  }
  return flow;
}

PageData FlowData(const std::string& heading, TimeRange range,
                  std::span<const AddressVolume> volumes) {
  const Flow flow = FlowOf(volumes);
  PageData data;
  data.set("heading", heading);
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

// Histograms of the last hour and day of every IPv4 prefix, and what to say
// of the others.
void SetHistograms(SiteContext& context, const NetworkView& network,
                   PageData& section) {
  PageData charts(PageData::type::list);
  std::vector<std::string> no_axis;
  for (const Prefix& prefix : network.prefixes) {
    if (!prefix.IsIpv4()) {
      no_axis.push_back(prefix.ToString());
      continue;
    }
    HistogramChart chart;
    chart.prefix = prefix;
    chart.as_of = network.as_of;
    chart.link = [&](const Prefix& a) { return BarLink(network, a); };
    const std::string name =
        fmt::format("histogram-{}-{}", FileNamePart(network.name),
                    FileNamePart(prefix.ToString()));
    chart.name = name + "-hour";
    chart.heading = "last hour";
    chart.range = LastRange(context, network.as_of, kHour);
    chart.volumes = network.hour;
    if (auto data = DrawHistogram(context, chart)) charts << *data;
    if (!ShowsMore(context, network.as_of, kHour)) continue;
    chart.name = name + "-day";
    chart.heading = "last day";
    chart.range = LastRange(context, network.as_of, kDay);
    chart.volumes = network.day;
    if (auto data = DrawHistogram(context, chart)) charts << *data;
  }
  section.set("histograms", charts);
  if (!no_axis.empty())
    section.set("no_axis", fmt::format("{}", fmt::join(no_axis, ", ")));
}

void SetTimeCharts(SiteContext& context, const NetworkView& network,
                   PageData& section) {
  const auto file = context.store.NetworkFile(network.name);
  PageData charts(PageData::type::list);
  if (file) {
    TimeChart chart;
    chart.file = *file;
    chart.range = LastRange(context, network.as_of, kDay);
    chart.as_of = network.as_of;
    chart.figures = Figures(network.day);
    chart.heading = "last day";
    chart.body = "network";
    chart.subject = network.name;
    chart.name = "network-" + FileNamePart(network.name);
    if (auto data = DrawTimeChart(context, chart)) charts << *data;
    chart.services = ServiceRows(context.store.Services(network.name));
    chart.body = "services";
    chart.subject = network.name + ", services";
    chart.figures.clear();
    chart.name = "services-" + FileNamePart(network.name);
    if (!chart.services.empty())
      if (auto data = DrawTimeChart(context, chart)) charts << *data;
  }
  section.set("time_charts", charts);
}

// A histogram for each /24 of a wide prefix that had traffic.
void SetBlocks(SiteContext& context, const NetworkView& network,
               PageData& page) {
  struct Block {
    Prefix prefix;
    double total = 0;
  };
  std::vector<Block> blocks;
  for (const Prefix& prefix : network.prefixes) {
    if (!IsWide(prefix)) continue;
    const auto inside = Within(network.day, prefix);
    for (auto at = inside.begin(); at != inside.end();) {
      const Prefix block = Prefix::Of(at->address, kBlock);
      const auto hosts = Within(inside, block);
      if (TotalOf(hosts) > 0) blocks.push_back({block, TotalOf(hosts)});
      at += static_cast<std::ptrdiff_t>(hosts.size());
    }
  }
  const std::size_t all = blocks.size();
  if (all > kMaxBlocks) {
    std::partial_sort(
        blocks.begin(), blocks.begin() + kMaxBlocks, blocks.end(),
        [](const Block& a, const Block& b) { return a.total > b.total; });
    blocks.resize(kMaxBlocks);
    page.set("blocks_note",
             fmt::format("The {} /24s with the most traffic, of {} with any.",
                         kMaxBlocks, all));
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.prefix < b.prefix; });
  PageData list(PageData::type::list);
  for (const Block& block : blocks) {
    HistogramChart chart;
    chart.name = fmt::format("block-{}-{}", FileNamePart(network.name),
                             FileNamePart(block.prefix.first.ToString()));
    chart.heading = "last day";
    chart.prefix = block.prefix;
    chart.range = LastRange(context, network.as_of, kDay);
    chart.as_of = network.as_of;
    chart.volumes = network.day;
    chart.link = [&](const Prefix& a) { return BarLink(network, a); };
    auto data = DrawHistogram(context, chart);
    if (!data) continue;
    data->set("anchor", BlockAnchor(block.prefix.first));
    list << *data;
  }
  page.set("blocks", list);
}

}  // namespace

NetworkView ReadNetwork(SiteContext& context, const std::string& name) {
  NetworkView network;
  network.name = name;
  network.prefixes = PrefixesOf(name, context.options.networks, context.store);
  network.hosts = context.store.Hosts(name);
  std::vector<std::filesystem::path> files;
  if (const auto file = context.store.NetworkFile(name)) files.push_back(*file);
  for (const HostRrd& host : network.hosts) files.push_back(host.path);
  for (const auto& file : files) {
    Problem problem;
    // A host's file that can't be read is told by ReadHostVolumes below.
    if (const auto newest = NewestValue(file, problem))
      network.as_of = std::max(network.as_of, *newest);
    else if (network.hosts.empty())
      context.problems.push_back(problem);
  }
  if (network.as_of == 0) return network;

  std::vector<Problem> told_again;
  network.hour =
      ReadHostVolumes(context.store, name,
                      LastRange(context, network.as_of, kHour), told_again);
  network.day = ReadHostVolumes(context.store, name,
                                LastRange(context, network.as_of, kDay),
                                context.problems);

  std::vector<AddressVolume> order = network.day;
  if (order.size() > kMaxHostPages) {
    std::partial_sort(
        order.begin(), order.begin() + kMaxHostPages, order.end(),
        [](const auto& a, const auto& b) { return Total(a) > Total(b); });
    order.resize(kMaxHostPages);
  }
  for (const AddressVolume& v : order)
    network.pages[v.address] = fmt::format(
        "host-{}-{}.html", FileNamePart(name), AddressInstance(v.address));
  return network;
}

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
  PageData flows(PageData::type::list);
  flows << FlowData("Last hour", LastRange(context, network.as_of, kHour),
                    network.hour);
  if (ShowsMore(context, network.as_of, kHour))
    flows << FlowData("Last day", LastRange(context, network.as_of, kDay),
                      network.day);
  section.set("flows", flows);
  section.set("has_hosts", !network.hosts.empty());
  section.set("host_count", std::to_string(network.hosts.size()));
  if (!network.hosts.empty()) {
    SetHistograms(context, network, section);
    PageData tops(PageData::type::list);
    tops << TopTable(network, kInTcp, "Top receivers, last day");
    tops << TopTable(network, kOutTcp, "Top senders, last day");
    section.set("tops", tops);
  }
  SetTimeCharts(context, network, section);
  return section;
}

void WriteNetworkPage(SiteContext& context, const NetworkView& network) {
  PageData page = CommonData(context, network.name, network.as_of);
  page.set("name", network.name);
  page.set("has_data", !network.day.empty());
  double most = 0;
  for (const AddressVolume& v : network.day) most = std::max(most, Total(v));
  PageData rows(PageData::type::list);
  for (const AddressVolume& v : network.day) {
    PageData row;
    SetAddress(network, v.address, row);
    row.set("bar", fmt::format("{:.4g}", most > 0 ? 100 * Total(v) / most : 0));
    row.set("in", HumanBytes(v.In()));
    row.set("out", HumanBytes(v.Out()));
    row.set("internal", HumanBytes(v.Internal()));
    rows << row;
  }
  page.set("rows", rows);
  SetBlocks(context, network, page);
  context.gallery.Write(NetworkPage(network.name),
                        context.page_templates.Fill("network", page));
}

}  // namespace iptrk
