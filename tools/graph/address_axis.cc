// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/address_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace iptrk {
namespace {

// 1986-12-31 00:00 UTC. Its day number is a multiple of 64, so that a row of
// several days, which an RRD aligns to the epoch, begins with a bar.
constexpr std::time_t kDayZero = 536371200;
constexpr std::time_t kMinuteZero = 1009843200;  // 2002-01-01 00:00 UTC
constexpr std::time_t kMinute = 60;
constexpr std::uint32_t kMinutes = 60;  // what %-M can tell apart

// Pixels that a bar needs at least: one can hardly be seen, and rrdgraph never
// fills the last column of a graph, which would be the last bar's only one.
constexpr std::uint64_t kBarPixels = 2;

// Pixels that a label takes with its distance to the next, at 8 point.
constexpr double kShortLabel = 40;  // ".255"
constexpr double kLongLabel = 90;   // "10.255.255.0"

// Octets to the right of the one that a unit of the axis stands for.
int LowerOctets(int length) {
  if (length >= 24) return 0;
  if (length >= 16) return 1;
  return length >= 8 ? 2 : 3;
}

// strftime format of a label, with `field` in place of the unit's octet.
std::string LabelFormat(std::uint32_t first, int lower, const char* field) {
  switch (lower) {
    case 0:
      return fmt::format(".{}", field);
    case 1:
      return fmt::format("{}.{}.{}.0", first >> 24, first >> 16 & 255, field);
    case 2:
      return fmt::format("{}.{}.0.0", first >> 24, field);
    default:
      return fmt::format("{}.0.0.0", field);
  }
}

// Seconds to stop before the end of the axis. rrdgraph fills pixel i - 1 with
// the row in which start + i * (end - start) / width lies: that must be the row
// of that pixel, so the time must stay just short of the next one, even if the
// start is `late`; but not by so much that it shows. It also hides the label
// of the address behind the last one.
std::time_t Slack(std::time_t whole, std::size_t width, std::time_t late) {
  if (late == 0) return 1;
  const auto pixels = static_cast<std::time_t>(width);
  return std::clamp<std::time_t>(whole / pixels / 2, 1, (late + 1) * pixels);
}

// A gap of a pixel at 4 pixels a bar, on both sides when there is room. A row
// must not be less than a pixel, else rrdgraph averages rows.
void SetRows(std::time_t bar_seconds, double pixels, AddressAxis& axis) {
  const double bar_pixels = pixels / static_cast<double>(axis.bars);
  if (bar_pixels >= 10 && bar_seconds % 10 == 0) {
    axis.rows = 10, axis.first_drawn = 1, axis.drawn = 8;
  } else if (bar_pixels >= 4 && bar_seconds % 4 == 0) {
    axis.rows = 4, axis.drawn = 3;
  }
  axis.step = bar_seconds / static_cast<std::time_t>(axis.rows);
}

}  // namespace

std::string AddressAxis::Unit() const {
  if (ranked.empty()) return "";
  return ranked.front().length == 128
             ? " by host, numbered"
             : fmt::format(" by /{}, numbered", ranked.front().length);
}

Prefix AddressAxis::AddressesOf(std::size_t bar) const {
  if (!ranked.empty()) return ranked[bar];
  const auto first =
      static_cast<std::uint32_t>(prefix.first.Ipv4() + bar * addresses_per_bar);
  return {Address::FromIpv4(first),
          128 - static_cast<int>(std::countr_zero(addresses_per_bar))};
}

std::optional<AddressAxis> MakeAddressAxis(const Prefix& prefix,
                                           std::size_t width) {
  if (!prefix.IsIpv4() || width == 0) return {};
  AddressAxis axis;
  axis.prefix = prefix;
  const std::uint32_t first = prefix.first.Ipv4();
  const std::uint64_t addresses = std::uint64_t{1}
                                  << (32 - prefix.FamilyLength());
  const int lower = LowerOctets(prefix.FamilyLength());
  const std::uint64_t per_unit = std::uint64_t{1} << (8 * lower);
  const auto octet = static_cast<std::uint32_t>(first / per_unit) & 255;
  const std::uint64_t units = std::max<std::uint64_t>(1, addresses / per_unit);
  const double pixels = static_cast<double>(width);
  const double unit_pixels = pixels / static_cast<double>(units);

  const double label = lower == 0 ? kShortLabel : kLongLabel;
  std::uint64_t label_every = 1;
  while (static_cast<double>(label_every) * unit_pixels < label &&
         label_every < units)
    label_every *= 2;
  // Only where each bar has its label, in its middle, does the .0 need one.
  const bool minutes =
      lower == 0 && label_every == 1 && octet + units <= kMinutes;
  const std::time_t unit = minutes ? kMinute : kDay;

  std::uint64_t group = 1;
  while (addresses / group * kBarPixels > width ||
         static_cast<std::uint64_t>(unit) * group % per_unit != 0)
    group *= 2;
  axis.addresses_per_bar = group;
  axis.bars = static_cast<std::size_t>(addresses / group);
  const auto bar_seconds = static_cast<std::time_t>(
      static_cast<std::uint64_t>(unit) * group / per_unit);

  SetRows(bar_seconds, pixels, axis);

  axis.origin = (minutes ? kMinuteZero : kDayZero) +
                static_cast<std::time_t>(octet) * unit;
  // A second later where the label at the origin would be "365".
  const std::time_t late = octet == 0 && !minutes ? 1 : 0;
  const std::time_t whole = bar_seconds * static_cast<std::time_t>(axis.bars);
  axis.graph_start = axis.origin + late;
  axis.graph_end = axis.origin + whole - Slack(whole, width, late);

  const char* base = minutes ? "MINUTE" : "DAY";
  const std::uint64_t minor = std::max<std::uint64_t>(1, label_every / 2);
  // The last number moves a label to the middle of its unit.
  axis.x_grid =
      fmt::format("{0}:{1}:{0}:{2}:{0}:{2}:{3}:{4}", base, minor, label_every,
                  label_every == 1 && (octet != 0 || minutes) ? unit : 0,
                  LabelFormat(first, lower, minutes ? "%-M" : "%-j"));
  return axis;
}

std::optional<AddressAxis> MakeRankAxis(const Prefix& prefix,
                                        std::span<const AddressVolume> volumes,
                                        std::size_t width) {
  if (prefix.IsIpv4() || volumes.empty() || width == 0) return {};
  AddressAxis axis;
  axis.prefix = prefix;
  const std::size_t most =
      std::clamp<std::size_t>(width / kBarPixels, 1, kMostRanked);
  for (int length = 128; length >= prefix.length; --length) {
    axis.ranked.clear();
    for (const AddressVolume& volume : volumes) {
      const Prefix part = Prefix::Of(volume.address, length);
      if (axis.ranked.empty() || axis.ranked.back() != part)
        axis.ranked.push_back(part);
      if (axis.ranked.size() > most) break;
    }
    if (axis.ranked.size() <= most) break;
  }
  axis.bars = axis.ranked.size();
  // From the first of January on, so that %-j counts from 1.
  axis.origin = kDayZero + kDay;
  SetRows(kDay, static_cast<double>(width), axis);
  const std::time_t whole = kDay * static_cast<std::time_t>(axis.bars);
  axis.graph_start = axis.origin;
  axis.graph_end = axis.origin + whole - Slack(whole, width, 0);
  std::uint64_t every = 1;
  while (static_cast<double>(every * width) <
             kShortLabel * static_cast<double>(axis.bars) &&
         every < axis.bars)
    every *= 2;
  axis.x_grid = fmt::format("DAY:{0}:DAY:{1}:DAY:{1}:{2}:%-j",
                            std::max<std::uint64_t>(1, every / 2), every,
                            every == 1 ? kDay : 0);
  return axis;
}

}  // namespace iptrk
