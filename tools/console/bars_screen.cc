// SPDX-License-Identifier: GPL-2.0-only
// The address-domain histogram of a prefix: x its addresses, y their volume.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

struct Chosen {
  std::string network;
  Prefix prefix;
  std::size_t number = 0, count = 0;
};

Chosen Choose(const View& view, const Snapshot& snapshot) {
  std::vector<Chosen> all;
  for (const Network& network : snapshot.prefixes)
    for (const Prefix& prefix : network.prefixes)
      all.push_back({network.name, prefix, 0, 0});
  if (all.empty()) return {};
  Chosen chosen = all[view.network % all.size()];
  chosen.number = view.network % all.size() + 1;
  chosen.count = all.size();
  return chosen;
}

// Where in the prefix an address is, 0 to 1.
double Place(const Prefix& prefix, Address address) {
  const auto wide = [](Address a) {
    return static_cast<unsigned __int128>(a.high) << 64 | a.low;
  };
  const unsigned __int128 offset = wide(address) - wide(prefix.first);
  return static_cast<double>(offset) / std::ldexp(1.0, 128 - prefix.length);
}

}  // namespace

void DrawBars(Grid& grid, const Layout& layout, const View& view,
              const Snapshot& snapshot) {
  const Chosen chosen = Choose(view, snapshot);
  if (chosen.count == 0) {
    grid.Text(0, layout.top, "no network is ours", Style::kDim);
    return;
  }
  constexpr int kScale = 7;  // columns of the y axis
  const int bits = 128 - chosen.prefix.length;
  const int room = grid.width() - kScale;
  // No more bars than addresses, each as wide as the others.
  const int each = bits < 10 ? std::max(1, room >> bits) : 1;
  const int bars = bits < 10 ? std::min(room, 1 << bits) : room;
  std::vector<double> value(static_cast<std::size_t>(bars));
  const HostRow* top = nullptr;
  double top_value = 0;
  // The split by service is of no use here: all of a host counts.
  View whole = view;
  const Column column = view.period == Period::kNow      ? Column::kNow
                        : view.period == Period::kMinute ? Column::kMinute
                                                         : Column::kTotal;
  for (const HostRow& row : snapshot.hosts) {
    if (row.others || !chosen.prefix.Contains(row.address)) continue;
    const double volume = ValueOf(row, column, whole, snapshot);
    const auto bar = std::min(
        bars - 1, static_cast<int>(Place(chosen.prefix, row.address) * bars));
    value[static_cast<std::size_t>(bar)] += volume;
    if (volume > top_value) {
      top_value = volume;
      top = &row;
    }
  }
  const double most = *std::max_element(value.begin(), value.end());
  std::string title =
      fmt::format("{} {} ({} of {}), {}, {} {}", chosen.network,
                  chosen.prefix.ToString(), chosen.number, chosen.count,
                  view.way == Way::kReceived ? "received" : "sent",
                  kPeriodNames[static_cast<std::size_t>(view.period)],
                  view.period == Period::kTotal ? AmountName(view.unit)
                                                : RateName(view.unit));
  if (top)
    title +=
        fmt::format("; most: {} {}", top->address.ToString(), Short(top_value));
  grid.Text(0, layout.top, title, Style::kTitle);
  const int height = layout.rows - 2;
  const int base = layout.top + height;
  grid.TextRight(kScale - 1, layout.top + 1, Short(most), Style::kDim);
  grid.TextRight(kScale - 1, base, "0", Style::kDim);
  for (int i = 0; i < bars && most > 0; ++i)
    for (int row = 0; row < height; ++row) {
      const double share =
          value[static_cast<std::size_t>(i)] / most * height - row;
      if (share <= 0) break;
      for (int k = 0; k < each; ++k)
        grid.Put(kScale + i * each + k, base - row,
                 BarCharacter(std::min(1.0, share), view.ascii),
                 view.way == Way::kReceived ? Style::kIn : Style::kOut);
    }
  grid.Text(kScale, base + 1, chosen.prefix.first.ToString(), Style::kDim);
  grid.TextRight(kScale + bars * each, base + 1,
                 chosen.prefix.Last().ToString(), Style::kDim);
}

}  // namespace iptrk::console
