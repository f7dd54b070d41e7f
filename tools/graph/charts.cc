// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/charts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "tools/graph/address_rrd.h"
#include "tools/graph/heat_map.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

const Look kHistogram{1024, 260, 1, true, "light", ""};
const Look kWide{520, 170, 1, true, "light", ""};
// A phone shows 390 pixels; the numbers of the legend stand in tables.
const Look kNarrow{280, 150, 1, false, "light", ""};

std::string Number(double pixels) { return fmt::format("{:.6g}", pixels); }

void SetPicture(const std::string& file, const Picture& picture,
                const std::string& prefix, PageData& data) {
  data.set(prefix + "file", file);
  data.set(prefix + "width", Number(picture.image_width));
  data.set(prefix + "height", Number(picture.image_height));
}

// A part of a picture that leads somewhere.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};
PageData Link(const std::string& href, const std::string& label, Box box) {
  PageData data;
  data.set("href", href);
  data.set("label", label);
  data.set("x", Number(box.x));
  data.set("y", Number(box.y));
  data.set("width", Number(box.width));
  data.set("height", Number(box.height));
  return data;
}

// Draws one picture and puts its name and size into `data`, each key with
// `prefix` before it.
Picture DrawInto(SiteContext& context, const std::string& name,
                 const Drawing& drawing, const std::string& prefix,
                 PageData& data) {
  const std::string file = fmt::format("img/{}.svg", name);
  const Picture picture = context.gallery.Draw(file, drawing);
  SetPicture(file, picture, prefix, data);
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
    bars << Link(
        link,
        fmt::format("{}   in {}   out {}",
                    addresses.length == 128 ? addresses.first.ToString()
                                            : addresses.ToString(),
                    HumanBytes(in), HumanBytes(out)),
        {picture.graph_left + width * static_cast<double>(bar),
         picture.graph_top, width, picture.graph_height});
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
  WriteAddressRrd(*axis, inside, file);
  PageData data;
  try {
    Drawing drawing{&context.shelf.Get("histogram"),
                    {},
                    kHistogram,
                    TimeZone::kUtc,
                    ContentOf(inside)};
    SetAxisValues(*axis, file, drawing.values.values);
    drawing.values.values["title"] =
        fmt::format("{}{}   {}   {}", chart.prefix.ToString(), axis->Unit(),
                    chart.heading, HumanRange(chart.range));
    drawing.values.values["watermark"] = Watermark(chart.as_of);
    const Picture picture = DrawInto(context, chart.name, drawing, "", data);
    data.set("bars", BarLinks(chart, *axis, inside, picture));
  } catch (const TemplateError&) {
    throw;  // concerns every picture, and is told once
  } catch (const std::system_error&) {
    throw;  // nothing can be written: likewise
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
    drawing.values.lists["percentile"] =
        PercentileRows(chart.samples, chart.range);
    DrawInto(context, chart.name, drawing, "", data);
    drawing.look = kNarrow;
    if (chart.narrow)
      DrawInto(context, chart.name + "-narrow", drawing, "narrow_", data);
  } catch (const TemplateError&) {
    throw;
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error& error) {
    context.problems.push_back({chart.file.string(), error.what()});
    return {};
  }
  data.set("alt", fmt::format("{} over time, {} ({}){}.", chart.subject,
                              chart.heading, HumanRange(chart.range),
                              chart.figures.empty()
                                  ? ""
                                  : ": " + chart.figures +
                                        PercentileText(chart.samples)));
  data.set("has_narrow", chart.narrow);
  data.set("wide", false);
  data.set("has_bars", false);
  return data;
}

std::optional<PageData> DrawHeat(SiteContext& context, const HeatChart& chart) {
  const auto inside = Within(chart.volumes, chart.prefix);
  const auto axis = MakeHeatAxis(chart.prefix, inside);
  if (!axis) return {};
  std::string key = fmt::format("heat {} {} {}", chart.prefix.ToString(),
                                chart.range.start, chart.range.end);
  for (const Prefix& prefix : axis->ranked) key += " " + prefix.ToString();
  for (const Prefix& prefix : chart.taken) key += " -" + prefix.ToString();
  const std::string file = fmt::format("img/{}.svg", chart.name);
  const Picture picture =
      context.gallery.Make(file, key, HeatPlace(*axis), [&] {
        const HeatMap map = ReadHeatMap(
            *context.ledger, *axis, chart.range,
            [&](Address address) { return !Holds(chart.taken, address); });
        return HeatSvg(
            map,
            fmt::format("{}{}   {}   {}", chart.prefix.ToString(), axis->Unit(),
                        chart.heading, HumanRange(map.range)),
            Watermark(map.range.end));
      });
  PageData bars(PageData::type::list);
  const double height = picture.graph_height / static_cast<double>(axis->bars);
  std::size_t last = axis->bars;
  for (const AddressVolume& volume : inside) {
    const std::size_t row = axis->BarOf(volume.address);
    const Prefix addresses = axis->AddressesOf(row);
    const std::string link = chart.link(addresses);
    if (row == last || link.empty()) continue;
    last = row;
    bars << Link(link,
                 addresses.length == 128 ? addresses.first.ToString()
                                         : addresses.ToString(),
                 {picture.graph_left,
                  picture.graph_top + height * static_cast<double>(row),
                  picture.graph_width, height});
  }
  PageData data;
  SetPicture(file, picture, "", data);
  data.set("bars", bars);
  data.set("alt", fmt::format("Heat map of bits a second of each address of "
                              "{}, {} ({}).",
                              chart.prefix.ToString(), chart.heading,
                              HumanRange(chart.range)));
  data.set("wide", true);
  data.set("has_bars", true);
  data.set("has_narrow", false);
  return data;
}

}  // namespace iptrk
