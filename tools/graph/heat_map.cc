// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/heat_map.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

constexpr std::int64_t kMostColumns = 800;
constexpr double kWidth = 1024, kLeft = 120, kRight = 16, kTop = 30;
constexpr double kBelow = 62;  // labels of time, the legend, the watermark
constexpr std::size_t kTallestRow = 14;
constexpr std::size_t kLabelHeight = 14;
constexpr std::time_t kMostTicks = 12;

// Each level is about three times the one before. Blue alone, so that who
// can't tell colours apart sees the same.
struct Level {
  const char* light;
  const char* dark;
};
constexpr std::array<Level, 8> kLevels = {{{"#dbe9f9", "#1d2d42"},
                                           {"#b5d2f3", "#214062"},
                                           {"#8ab8ec", "#27568a"},
                                           {"#5f9ce2", "#2f6db3"},
                                           {"#377fd0", "#4488d6"},
                                           {"#1f63b5", "#6ba5e8"},
                                           {"#174b8b", "#9cc4f3"},
                                           {"#0e3362", "#dcebfd"}}};

std::size_t RowHeight(const AddressAxis& axis) {
  return std::clamp<std::size_t>(kHeatHeight / axis.bars, 1, kTallestRow);
}

// Lower bounds of the levels in bit/s: 1 and 3 times powers of ten, the last
// one still reached.
std::array<double, kLevels.size()> Bounds(double most) {
  double power = std::pow(10, std::floor(std::log10(std::max(most, 1.0))));
  bool three = most >= 3 * power;
  std::array<double, kLevels.size()> bounds{};
  for (std::size_t i = bounds.size(); i-- > 0;) {
    bounds[i] = three ? 3 * power : power;
    if (!three) power /= 10;
    three = !three;
  }
  bounds[0] = 0;  // whatever is less
  return bounds;
}

// "30 Mbit/s" of a bound, which has no fraction.
std::string WholeBits(double bits) {
  std::string text = HumanBits(bits);
  const std::size_t point = text.find('.');
  return point == std::string::npos ? text
                                    : text.erase(point, text.find(' ') - point);
}

std::string XmlText(const std::string& text) {
  std::string escaped;
  for (const char c : text)
    escaped += c == '&'   ? "&amp;"
               : c == '<' ? "&lt;"
               : c == '>' ? "&gt;"
                          : std::string(1, c);
  return escaped;
}

std::string TextAt(double x, double y, const char* anchor,
                   const std::string& text) {
  return fmt::format(
      "<text x=\"{:.6g}\" y=\"{:.6g}\" text-anchor=\"{}\">{}"
      "</text>\n",
      x, y, anchor, XmlText(text));
}

// The cells of one level, those of a row that touch as one stroke. In units
// of cells. Level -1: nothing is known.
std::string Cells(const HeatMap& map, const std::vector<int>& levels,
                  int level) {
  std::string path;
  const std::size_t columns = map.Columns();
  for (std::size_t row = 0; row < map.axis.bars; ++row)
    for (std::size_t column = 0; column < columns;) {
      const std::size_t begin = column;
      while (column < columns && levels[row * columns + column] == level)
        ++column;
      if (column > begin)
        path += fmt::format("M{} {}h{}", begin, row, column - begin);
      else
        ++column;
    }
  return path;
}

// "10:00" or "11-26", at round local times.
std::string TimeLabels(const HeatMap& map, double height) {
  std::time_t tick = kLedgerSlot;
  for (const std::time_t next : {900, 1800, 3600, 7200, 10800, 21600, 43200,
                                 86400, 172800, 604800, 2592000})
    if (map.range.Length() / tick > kMostTicks) tick = next;
  std::string labels;
  for (std::time_t time = map.range.start; time < map.range.end;
       time += map.step) {
    // The ledger's days are those of UTC.
    std::tm local{};
    map.step < kDay ? localtime_r(&time, &local) : gmtime_r(&time, &local);
    if ((time + local.tm_gmtoff) % tick >= map.step) continue;
    const double x = kLeft + kWidth *
                                 static_cast<double>(time - map.range.start) /
                                 static_cast<double>(map.range.Length());
    labels += fmt::format("<path d=\"M{0:.6g} {1}V{2}\" class=\"tick\"/>\n", x,
                          kTop, kTop + height + 4);
    labels += TextAt(x, kTop + height + 16, "middle",
                     tick < kDay ? fmt::format("{:%H:%M}", local)
                                 : fmt::format("{:%m-%d}", local));
  }
  return labels;
}

std::string RowLabels(const AddressAxis& axis) {
  const std::size_t height = RowHeight(axis);
  std::size_t every = 1;
  while (every * height < kLabelHeight && every < axis.bars) every *= 2;
  std::string labels;
  for (std::size_t row = 0; row < axis.bars; row += every) {
    const Prefix addresses = axis.AddressesOf(row);
    labels += TextAt(
        kLeft - 6,
        kTop + (static_cast<double>(row) + .5) * static_cast<double>(height) +
            4,
        "end",
        addresses.length == 128 ? addresses.first.ToString()
                                : addresses.ToString());
  }
  return labels;
}

std::string Style() {
  std::string light;
  std::string dark;
  std::string rules;
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    light += fmt::format("--l{}:{};", i, kLevels[i].light);
    dark += fmt::format("--l{}:{};", i, kLevels[i].dark);
    rules += fmt::format(".l{0}{{stroke:var(--l{0})}}", i);
  }
  return fmt::format(
      "<style>:root{{--page:#fff;--text:#1f2328;--line:#b9bec6;{}}}"
      "@media (prefers-color-scheme:dark){{:root{{--page:#16181d;"
      "--text:#d7dae0;--line:#4b515c;{}}}}}"
      "text{{font:11px 'DejaVu Sans',sans-serif;fill:var(--text);"
      "white-space:pre}}"
      ".title text{{font-size:14px}}.quiet text{{opacity:.7}}"
      ".tick{{stroke:var(--line);stroke-opacity:.5}}"
      ".unknown{{stroke:#8b929c;stroke-opacity:.3}}{}</style>\n",
      light, dark, rules);
}

}  // namespace

HeatMap ReadHeatMap(const LedgerReader& ledger, const AddressAxis& axis,
                    TimeRange range,
                    const std::function<bool(Address)>& counts) {
  HeatMap map;
  map.axis = axis;
  for (const std::int64_t step : {std::int64_t{kLedgerSlot}, kHour, kDay}) {
    map.step = step;
    map.range.start = range.start / step * step;
    map.range.end = std::max(map.range.start + step, range.end / step * step);
    if (map.range.Length() / step <= kMostColumns &&
        map.range.start >= ledger.HostsKeptFrom(step))
      break;
  }
  const std::size_t columns = map.Columns();
  const auto column_of = [&](std::int64_t end) {
    return static_cast<std::size_t>((end - 1 - map.range.start) / map.step);
  };
  map.bytes.assign(axis.bars * columns, -1);
  for (const TotalSlot& slot : ledger.Totals(map.range.start, map.range.end))
    if (slot.covered > 0)
      for (std::size_t row = 0; row < axis.bars; ++row)
        map.bytes[row * columns + column_of(slot.end)] = 0;
  ledger.VisitHosts(
      axis.prefix, map.step, map.range.start, map.range.end,
      [&](std::int64_t end, const HostEntry& host) {
        if (!counts(host.address)) return;
        const std::size_t row = axis.BarOf(host.address);
        if (row >= axis.bars || !axis.AddressesOf(row).Contains(host.address))
          return;
        double& cell = map.bytes[row * columns + column_of(end)];
        cell = std::max(cell, 0.0);
        for (std::size_t i = 0; i < HostVolume::kInternalIn; ++i)
          cell += static_cast<double>(host.volume.bytes[i]);
      });
  return map;
}

std::optional<AddressAxis> MakeHeatAxis(
    const Prefix& prefix, std::span<const AddressVolume> volumes) {
  return prefix.IsIpv4() ? MakeAddressAxis(prefix, kHeatHeight)
                         : MakeRankAxis(prefix, volumes, kHeatHeight);
}

Picture HeatPlace(const AddressAxis& axis) {
  const auto height = static_cast<double>(axis.bars * RowHeight(axis));
  Picture place;
  place.image_width = kLeft + kWidth + kRight;
  place.image_height = kTop + height + kBelow;
  place.graph_left = kLeft;
  place.graph_top = kTop;
  place.graph_width = kWidth;
  place.graph_height = height;
  return place;
}

std::string HeatSvg(const HeatMap& map, const std::string& title,
                    const std::string& watermark) {
  const Picture place = HeatPlace(map.axis);
  const double rate = 8 / static_cast<double>(map.step);
  const auto most = std::ranges::max_element(map.bytes);
  const auto bounds =
      Bounds(most == map.bytes.end() ? 0 : std::max(0.0, *most * rate));
  std::vector<int> levels;  // 0: without traffic; then from 1 on
  levels.reserve(map.bytes.size());
  for (const double bytes : map.bytes)
    levels.push_back(bytes < 0    ? -1
                     : bytes == 0 ? 0
                                  : static_cast<int>(std::ranges::upper_bound(
                                                         bounds, bytes * rate) -
                                                     bounds.begin()));
  const double height = place.graph_height;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.6g}\" "
      "height=\"{1:.6g}\" viewBox=\"0 0 {0:.6g} {1:.6g}\">\n{2}"
      "<rect width=\"100%\" height=\"100%\" fill=\"var(--page)\"/>\n"
      "<g class=\"title\">{3}</g>\n{4}",
      place.image_width, place.image_height, Style(),
      TextAt(place.image_width / 2, 18, "middle", title),
      TimeLabels(map, height));
  svg += fmt::format(
      "<g transform=\"translate({:.6g} {:.6g}) scale({:.9g} {})\" "
      "shape-rendering=\"crispEdges\" stroke-width=\"1\">\n"
      "<g transform=\"translate(0 .5)\">\n",
      kLeft, kTop, kWidth / static_cast<double>(map.Columns()),
      RowHeight(map.axis));
  svg += fmt::format("<path class=\"unknown\" d=\"{}\"/>\n",
                     Cells(map, levels, -1));
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    svg += fmt::format("<path class=\"l{}\" d=\"{}\"/>\n", i,
                       Cells(map, levels, static_cast<int>(i) + 1));
  svg += fmt::format(
      "</g></g>\n<path class=\"tick\" fill=\"none\" "
      "d=\"M{} {}h{}v{}h-{}z\"/>\n",
      kLeft, kTop, kWidth, height, kWidth);
  svg += RowLabels(map.axis);
  const double legend = kTop + height + 34;
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    const double x = kLeft + 118 * static_cast<double>(i);
    svg += fmt::format(
        "<path class=\"l{}\" stroke-width=\"10\" "
        "d=\"M{:.6g} {:.6g}h14\"/>\n",
        i, x, legend - 4);
    svg += TextAt(x + 20, legend, "start",
                  (i == 0 ? "< " : "≥ ") + WholeBits(bounds[i == 0 ? 1 : i]));
  }
  svg += "<g class=\"quiet\">" +
         TextAt(place.image_width / 2, legend + 18, "middle", watermark) +
         "</g>\n</svg>\n";
  return svg;
}

}  // namespace iptrk
