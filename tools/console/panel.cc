// SPDX-License-Identifier: GPL-2.0-only
// The panel: services by direction with the last minute, and the books.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr int kNameWidth = 11;
constexpr Style kDirectionStyles[kDirections] = {
    Style::kIn, Style::kOut, Style::kInternal, Style::kMartian};

void AddTo(PanelRow& sum, const PanelRow& row) {
  for (std::size_t d = 0; d < kDirections; ++d) {
    for (std::size_t p = 0; p < kPeriods; ++p)
      sum.volume[p][d] += row.volume[p][d];
    for (std::size_t i = 0; i < kHistory; ++i)
      sum.history[d][i] += row.history[d][i];
  }
}

double Weight(const PanelRow& row) {
  Volume sum;
  for (const Volume& volume :
       row.volume[static_cast<std::size_t>(Period::kMinute)])
    sum += volume;
  return static_cast<double>(sum.bytes);
}

// The total, then the services with most in the last minute, then the rest: as
// many as there is room for.
std::vector<PanelRow> Chosen(const Snapshot& snapshot, std::size_t room) {
  std::vector<std::size_t> order(snapshot.panel.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(
      order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return Weight(snapshot.panel[a]) > Weight(snapshot.panel[b]);
      });
  PanelRow total, rest;
  total.name = "total";
  std::vector<PanelRow> rows(1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const PanelRow& row = snapshot.panel[order[i]];
    AddTo(total, row);
    if (i + 2 < room || order.size() + 1 <= room) {
      rows.push_back(row);
    } else {
      AddTo(rest, row);
      rest.name = fmt::format("{} more", order.size() - (rows.size() - 1));
    }
  }
  rows[0] = total;
  if (!rest.name.empty() && rows.size() < room) rows.push_back(rest);
  return rows;
}

void DrawSparkline(Grid& grid, int x, int y, int width,
                   const std::array<Volume, kHistory>& history,
                   const View& view, Style style) {
  width = std::min(width, static_cast<int>(kHistory));
  const std::size_t first = kHistory - static_cast<std::size_t>(width);
  double most = 0;
  for (std::size_t i = first; i < kHistory; ++i)
    most = std::max(most, InUnit(history[i], view.unit));
  if (most == 0) return;
  for (std::size_t i = first; i < kHistory; ++i)
    grid.Put(x + static_cast<int>(i - first), y,
             BarCharacter(InUnit(history[i], view.unit) / most, view.ascii),
             style);
}

std::string BooksText(const Snapshot& snapshot) {
  if (snapshot.interfaces.empty())
    return fmt::format(
        "{} packets in all",
        Short(static_cast<double>(snapshot.Total(Period::kTotal).packets)));
  Volume seen, merged, unattributed;
  bool closed = true;
  const auto add = [](Volume& sum, const iptrk_volume& volume) {
    sum += Volume{volume.bytes, volume.packets};
  };
  for (const iptrk_interface& interface : snapshot.interfaces)
    for (const iptrk_books* books : {&interface.received, &interface.sent}) {
      add(seen, books->seen);
      add(merged, books->merged);
      add(unattributed, books->unattributed);
      closed = closed && books->seen.bytes == books->recorded.bytes +
                                                  books->merged.bytes +
                                                  books->unattributed.bytes +
                                                  books->elsewhere.bytes;
    }
  const auto share = [&](const Volume& part) {
    return seen.bytes ? 100.0 * static_cast<double>(part.bytes) /
                            static_cast<double>(seen.bytes)
                      : 0;
  };
  return fmt::format(
      "books {}: seen {}B, merged {:.1f} %, unattributed {:.1f} %; queue "
      "{:.0f} "
      "% full",
      closed ? "close" : "DO NOT CLOSE", Short(static_cast<double>(seen.bytes)),
      share(merged), share(unattributed), snapshot.fill * 100);
}

}  // namespace

void DrawPanel(Grid& grid, const Layout& layout, const View& view,
               const Snapshot& snapshot) {
  int y = layout.panel;
  const int column = (grid.width() - kNameWidth) / kDirections;
  const int spark = std::min(column - 8, static_cast<int>(kHistory));
  for (int x = 0; x < grid.width(); ++x)
    grid.Put(x, y, view.ascii ? U'-' : U'─', Style::kDim);
  grid.Text(0, y, fmt::format("{} ", RateName(view.unit)), Style::kHeader);
  for (int d = 0; d < kDirections; ++d)
    grid.Text(kNameWidth + d * column, y,
              fmt::format(" {} ", ToString(static_cast<Direction>(d))),
              kDirectionStyles[d]);
  grid.TextRight(grid.width(), y, fmt::format(" last {} s ", spark),
                 Style::kDim);
  for (const PanelRow& row :
       Chosen(snapshot, static_cast<std::size_t>(layout.panel_rows))) {
    ++y;
    grid.Text(0, y, row.name.substr(0, kNameWidth - 1),
              row.name == "total" ? Style::kTitle : Style::kPlain);
    for (int d = 0; d < kDirections; ++d) {
      const auto at = static_cast<std::size_t>(d);
      const double now = InUnit(row.volume[0][at], view.unit);
      const int x = kNameWidth + d * column;
      grid.TextRight(x + 6, y, Short(now),
                     now == 0 ? Style::kDim : Style::kPlain);
      DrawSparkline(grid, x + 7, y, spark, row.history[at], view,
                    kDirectionStyles[d]);
    }
  }
  const std::string books = BooksText(snapshot);
  grid.Text(0, layout.panel + layout.panel_rows + 1, books,
            books.find("NOT") == std::string::npos ? Style::kDim : Style::kBad);
}

}  // namespace iptrk::console
