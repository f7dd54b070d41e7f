// SPDX-License-Identifier: GPL-2.0-only
// Pictures of a page with all that HTML needs of them: for both themes, a
// narrow form for phones, the text for who can't see them, and the links that
// lie over a histogram's bars.
#ifndef IPTRK_TOOLS_GRAPH_CHARTS_H_
#define IPTRK_TOOLS_GRAPH_CHARTS_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "tools/graph/address_axis.h"
#include "tools/graph/site_context.h"

namespace iptrk {

// Data of the partial "chart". A picture that can't be drawn becomes a
// problem of the context and gives nothing.
struct HistogramChart {
  std::string name;     // of the files, without directory and extension
  std::string heading;  // "last hour"
  Prefix prefix;
  TimeRange range;
  std::time_t as_of = 0;
  std::span<const AddressVolume> volumes;
  // Page for a bar, or empty; gets the addresses behind the bar.
  std::function<std::string(const Prefix&)> link;
};
std::optional<PageData> DrawHistogram(SiteContext& context,
                                      const HistogramChart& chart);

struct TimeChart {
  std::string name;
  std::string heading;
  std::string subject;  // title and text: "10.1.0.80"
  std::string body;     // template: "time-domain", "network", "services"
  std::filesystem::path file;
  std::vector<TemplateRow> services;
  std::vector<Sample> samples;  // of the range, for the 95th percentile
  TimeRange range;
  std::time_t as_of = 0;
  bool narrow = true;   // also drawn for phones
  std::string figures;  // numbers for the text: "in 3 GB, out 4 GB"
};
std::optional<PageData> DrawTimeChart(SiteContext& context,
                                      const TimeChart& chart);

// Of a network with a ledger; nothing where there is no axis. Not for a
// process that InParallel() made.
struct HeatChart {
  std::string name;
  std::string heading;
  Prefix prefix;
  TimeRange range;
  std::span<const AddressVolume> volumes;  // who there is
  std::span<const Prefix> taken;           // in the prefix, but of others
  std::function<std::string(const Prefix&)> link;
};
std::optional<PageData> DrawHeat(SiteContext& context, const HeatChart& chart);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_CHARTS_H_
