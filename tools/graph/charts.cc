// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/charts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "tools/graph/address_rrd.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

const Look kHistogram{1024, 260, 1, true, "light", ""};
const Look kWide{520, 170, 1, true, "light", ""};
// A phone shows 390 pixels; the numbers of the legend stand in tables.
const Look kNarrow{280, 150, 1, false, "light", ""};

std::string Number(double pixels) { return fmt::format("{:.6g}", pixels); }

// Draws one picture and puts its name and size into `data`, each key with
// `prefix` before it.
Picture DrawInto(SiteContext& context, const std::string& name,
                 const Drawing& drawing, const std::string& prefix,
                 PageData& data) {
  const std::string file = fmt::format("img/{}.svg", name);
  const Picture picture = context.gallery.Draw(file, drawing);
  data.set(prefix + "file", file);
  data.set(prefix + "width", Number(picture.image_width));
  data.set(prefix + "height", Number(picture.image_height));
  return picture;
}

std::string HistogramText(const HistogramChart& chart,
                          std::span<const AddressVolume> inside) {
  double in = 0;
  double out = 0;
  std::size_t active = 0;
  const AddressVolume* most = nullptr;
  for (const AddressVolume& v : inside) {
    in += v.In();
    out += v.Out();
    if (v.In() + v.Out() > 0) ++active;
    if (most == nullptr || v.In() + v.Out() > most->In() + most->Out())
      most = &v;
  }
  std::string text = fmt::format(
      "Histogram of bytes per address of {}, {} ({}): in {}, out {}; {} with "
      "traffic",
      chart.prefix.ToString(), chart.heading, HumanRange(chart.range),
      HumanBytes(in), HumanBytes(out),
      active == 1 ? "1 address" : fmt::format("{} addresses", active));
  if (most != nullptr && active > 0)
    text +=
        fmt::format(", most of it {}: in {}, out {}", most->address.ToString(),
                    HumanBytes(most->In()), HumanBytes(most->Out()));
  return text + ".";
}

// The links, exactly over the bars: librrd says where the graph lies, the axis
// how many bars share its width.
PageData BarLinks(const HistogramChart& chart, const AddressAxis& axis,
                  std::span<const AddressVolume> inside,
                  const Picture& picture) {
  PageData bars(PageData::type::list);
  const double width = picture.graph_width / static_cast<double>(axis.bars);
  for (auto at = inside.begin(); at != inside.end();) {
    const std::size_t bar = axis.BarOf(at->address);
    double in = 0;
    double out = 0;
    for (; at != inside.end() && axis.BarOf(at->address) == bar; ++at) {
      in += at->In();
      out += at->Out();
    }
    const Prefix addresses = axis.AddressesOf(bar);
    const std::string link = chart.link(addresses);
    if (link.empty()) continue;
    PageData data;
    data.set("href", link);
    data.set("label",
             fmt::format("{}   in {}   out {}",
                         addresses.length == 128 ? addresses.first.ToString()
                                                 : addresses.ToString(),
                         HumanBytes(in), HumanBytes(out)));
    data.set("x",
             Number(picture.graph_left + width * static_cast<double>(bar)));
    data.set("y", Number(picture.graph_top));
    data.set("width", Number(width));
    data.set("height", Number(picture.graph_height));
    bars << data;
  }
  return bars;
}

// What {file} holds, for the picture's key.
std::string ContentOf(std::span<const AddressVolume> volumes) {
  std::string content = "volumes";
  for (const AddressVolume& v : volumes) {
    content += ' ' + v.address.ToString();
    for (const double bytes : v.bytes) content += fmt::format(" {}", bytes);
    for (const double packets : v.packets)
      content += fmt::format(" {}", packets);
  }
  return content;
}

std::string Watermark(std::time_t as_of) {
  return "data until " + LocalTime(as_of);
}

}  // namespace

std::optional<PageData> DrawHistogram(SiteContext& context,
                                      const HistogramChart& chart) {
  const auto inside = Within(chart.volumes, chart.prefix);
  const auto width = static_cast<std::size_t>(kHistogram.width);
  const auto axis = chart.prefix.IsIpv4()
                        ? MakeAddressAxis(chart.prefix, width)
                        : MakeRankAxis(chart.prefix, inside, width);
  if (!axis) return {};
  const std::filesystem::path file =
      context.scratch.path() / fmt::format("address-{}.rrd", getpid());
  PageData data;
  try {
    Drawing drawing{&context.shelf.Get("histogram"),
                    {},
                    kHistogram,
                    TimeZone::kUtc,
                    ContentOf(inside)};
    WriteAddressRrd(*axis, inside, file);
    SetAxisValues(*axis, file, drawing.values.values);
    drawing.values.values["title"] =
        fmt::format("{}{}   {}   {}", chart.prefix.ToString(), axis->Unit(),
                    chart.heading, HumanRange(chart.range));
    drawing.values.values["watermark"] = Watermark(chart.as_of);
    const Picture picture = DrawInto(context, chart.name, drawing, "", data);
    data.set("bars", BarLinks(chart, *axis, inside, picture));
  } catch (const TemplateError&) {
    throw;  // concerns every picture, and is told once
  } catch (const std::runtime_error& error) {
    context.problems.push_back({chart.prefix.ToString(), error.what()});
    return {};
  }
  data.set("alt", HistogramText(chart, inside));
  data.set("wide", true);
  data.set("has_bars", true);
  data.set("has_narrow", false);
  return data;
}

std::optional<PageData> DrawTimeChart(SiteContext& context,
                                      const TimeChart& chart) {
  PageData data;
  try {
    Drawing drawing{
        &context.shelf.Get(chart.body), {}, kWide, TimeZone::kLocal, ""};
    TemplateRow& values = drawing.values.values;
    values["file"] = chart.file.string();
    values["start"] = std::to_string(chart.range.start);
    values["end"] = std::to_string(chart.range.end);
    values["title"] = fmt::format("{}   {}", chart.subject, chart.heading);
    values["watermark"] = Watermark(chart.range.end);
    drawing.values.lists["service"] = chart.services;
    DrawInto(context, chart.name, drawing, "", data);
    drawing.look = kNarrow;
    if (chart.narrow)
      DrawInto(context, chart.name + "-narrow", drawing, "narrow_", data);
  } catch (const TemplateError&) {
    throw;
  } catch (const std::runtime_error& error) {
    context.problems.push_back({chart.file.string(), error.what()});
    return {};
  }
  data.set("alt",
           fmt::format("{} over time, {} ({}){}.", chart.subject, chart.heading,
                       HumanRange(chart.range),
                       chart.figures.empty() ? "" : ": " + chart.figures));
  data.set("has_narrow", chart.narrow);
  data.set("wide", false);
  data.set("has_bars", false);
  return data;
}

}  // namespace iptrk
