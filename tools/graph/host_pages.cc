// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/host_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/naming.h"
#include "lib/readable.h"
#include "tools/graph/charts.h"
#include "tools/graph/humanise.h"
#include "tools/graph/incident_view.h"
#include "tools/graph/parallel.h"

namespace iptrk {
namespace {

// Of the ranges that phones get a picture of their own for.
constexpr std::size_t kNarrowSpans = 2;

constexpr std::size_t kMostGaps = 6;  // the longest times of silence

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

struct HostPage {
  Address address;
  std::string file;
  std::filesystem::path rrd;  // empty: none
};

AddressVolume VolumeOf(const SpanVolumes& span, Address address) {
  const auto found = Within(span.volumes, Prefix{address, 128});
  return found.empty() ? AddressVolume{address, {}, 0, {}} : found.front();
}

PageData TotalsTable(const NetworkView& network, Address address,
                     PageData& page) {
  PageData headings(PageData::type::list);
  std::vector<AddressVolume> volumes;
  PageData covers(PageData::type::list);
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    const SpanVolumes& span = network.spans[i];
    if (!span.shown) continue;
    volumes.push_back(VolumeOf(span, address));
    std::string heading = kSpans[i].heading;
    heading[0] = 'L';
    headings << PageData("heading", heading);
    covers << PageData(
        "bytes", fmt::format("{:.3g} %", std::min(1.0, span.known) * 100));
  }
  page.set("headings", headings);
  PageData rows(PageData::type::list);
  for (const TotalRow& total : kTotals) {
    PageData cells(PageData::type::list);
    for (const AddressVolume& volume : volumes) {
      double bytes = 0;
      for (std::size_t i = 0; i < volume.bytes.size(); ++i)
        if (total.sources[i]) bytes += volume.bytes[i];
      cells << PageData("bytes", HumanBytes(bytes));
    }
    PageData row;
    row.set("heading", total.heading);
    row.set("strong", total.strong);
    row.set("covers", false);
    row.set("cells", cells);
    rows << row;
  }
  // How much of the range the sums above really know.
  PageData row;
  row.set("heading", "Known part of the time");
  row.set("strong", false);
  row.set("covers", true);
  row.set("cells", covers);
  rows << row;
  return rows;
}

// Whole slots, any of a day's.
std::time_t PhaseOf(Address address) {
  return static_cast<std::time_t>(address.low % (kDay / kLedgerSlot)) *
         kLedgerSlot;
}

PageData TimeCharts(SiteContext& context, const NetworkView& network,
                    const HostPage& host, std::time_t as_of) {
  PageData charts(PageData::type::list);
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    if (!network.spans[i].shown) continue;
    const AddressVolume volume = VolumeOf(network.spans[i], host.address);
    TimeChart chart;
    chart.name = fmt::format("host-{}-{}-{}", FileNamePart(network.name),
                             AddressInstance(host.address), kSpans[i].name);
    chart.heading = kSpans[i].heading;
    chart.subject = host.address.ToString();
    chart.body = "time-domain";
    chart.file = host.rrd;
    chart.range =
        LastRange(context, as_of, kSpans[i].length, PhaseOf(host.address));
    chart.as_of = as_of;
    chart.samples = network.samples.OfHost(host.address, chart.range);
    chart.narrow = i < kNarrowSpans;
    chart.figures =
        fmt::format("in {}, out {}, internal in {}, internal out {}",
                    HumanBytes(volume.In()), HumanBytes(volume.Out()),
                    HumanBytes(volume.bytes[kInternalIn]),
                    HumanBytes(volume.bytes[kInternalOut]));
    if (auto data = DrawTimeChart(context, chart)) charts << *data;
  }
  return charts;
}

// Incidents of the host, those of its silence in a list of their own.
void SetIncidents(const SiteContext& context,
                  const std::vector<NetworkView>& networks, Address address,
                  PageData& page) {
  const std::string subject = address.ToString();
  PageData incidents(PageData::type::list);
  PageData silences(PageData::type::list);
  std::vector<const LedgerIncident*> evident;
  std::size_t others = 0;
  std::size_t silent = 0;
  for (const LedgerIncident& incident : context.incidents) {
    if (incident.subject != subject) continue;
    const bool silence = incident.kind == "silent";
    (silence ? silences : incidents)
        << IncidentData(context, incident, networks);
    ++(silence ? silent : others);
    if (!silence) evident.push_back(&incident);
  }
  page.set("incident_tables", IncidentTable(incidents));
  page.set("any_incidents", others != 0);
  SetEvidence(evident, page);
  page.set("silence_tables", IncidentTable(silences));
  page.set("any_silences", silent != 0);
  page.set("days", std::to_string(kIncidentDays));
  page.set("has_ledger", context.ledger != nullptr);
}

// The last sign of life that the spans know of.
std::string SentBefore(const NetworkView& network, Address address) {
  for (std::size_t i = kDaySpan; i < kSpans.size(); ++i) {
    const AddressVolume volume = VolumeOf(network.spans[i], address);
    if (volume.Out() + volume.bytes[kInternalOut] > 0)
      return fmt::format("Nothing lately; it did in the {}.",
                         kSpans[i].heading);
  }
  return "Never, as far as the ledger goes back.";
}

// When it sent, by five-minute slots: the record of its silence.
void SetSilence(const SiteContext& context, const NetworkView& network,
                Address address, PageData& page) {
  page.set("has_record", context.ledger != nullptr);
  if (!context.ledger) return;
  SendRecord record =
      network.samples.RecordOf(address, {network.as_of - kDay, network.as_of});
  page.set("sent", record.last == 0
                       ? SentBefore(network, address)
                       : fmt::format("In the five minutes before {}.",
                                     LocalTime(record.last)));
  page.set("silent_slots",
           fmt::format("{} of {}", record.silent, record.slots));
  auto& silences = record.silences;
  page.set("gaps_cut", silences.size() > kMostGaps);
  if (silences.size() > kMostGaps) {
    std::ranges::stable_sort(silences, std::greater(), &TimeRange::Length);
    silences.resize(kMostGaps);
    std::ranges::sort(silences, {}, &TimeRange::start);
  }
  PageData rows(PageData::type::list);
  for (const TimeRange& silence : silences) {
    PageData row;
    row.set("range", HumanRange(silence));
    row.set("duration", DurationText(silence.Length()));
    rows << row;
  }
  page.set("gaps", rows);
  page.set("any_gaps", !silences.empty());
}

void WriteHostPage(SiteContext& context, const NetworkView& network,
                   const std::vector<NetworkView>& networks,
                   const HostPage& host) {
  const std::string address = host.address.ToString();
  std::optional<std::time_t> rrd_as_of;
  if (!host.rrd.empty()) {
    Problem problem;
    rrd_as_of = NewestValue(host.rrd, problem);
    // Without a ledger it was told when volumes were read.
    if (!rrd_as_of && context.ledger) context.problems.push_back(problem);
    if (!rrd_as_of && !context.ledger) return;
  }
  const std::time_t as_of =
      context.ledger ? network.as_of : rrd_as_of.value_or(0);
  PageData page = CommonData(context, address, as_of);
  page.set("address", address);
  page.set("host_name", false);
  if (const std::string& name = context.names.Of(host.address); !name.empty())
    page.set("host_name", name);
  page.set("network", network.name);
  page.set("network_page", NetworkPage(network.name));
  page.set("silent", false);
  page.set("behind", false);
  // Hosts are let go when they have long been silent: say so. The ledger tells
  // that from an RRD that isn't written.
  const auto& hour = network.spans[kHourSpan].volumes;
  const bool speaks =
      context.ledger && std::ranges::binary_search(hour, host.address, {},
                                                   &AddressVolume::address);
  if (rrd_as_of && network.as_of - *rrd_as_of > kRrdStaleAfter)
    page.set(speaks ? "behind" : "silent", LocalTime(*rrd_as_of));
  PageData charts(PageData::type::list);
  if (rrd_as_of) charts = TimeCharts(context, network, host, *rrd_as_of);
  page.set("charts", charts);
  page.set("has_charts", rrd_as_of.has_value());
  page.set("totals", TotalsTable(network, host.address, page));
  SetIncidents(context, networks, host.address, page);
  SetSilence(context, network, host.address, page);
  context.gallery.Write(host.file, context.page_templates.Fill("host", page));
}

}  // namespace

void WriteHostPages(SiteContext& context, const NetworkView& network,
                    const std::vector<NetworkView>& networks) {
  std::vector<HostPage> pages;
  for (const auto& [address, file] : network.pages) {
    const auto rrd =
        std::ranges::lower_bound(network.hosts, address, {}, &HostRrd::address);
    const bool has = rrd != network.hosts.end() && rrd->address == address;
    pages.push_back({address, file, has ? rrd->path : ""});
  }
  InParallel(context, pages.size(), [&](std::size_t i) {
    WriteHostPage(context, network, networks, pages[i]);
  });
}

}  // namespace iptrk
