// SPDX-License-Identifier: GPL-2.0-only
// What each key does.
#include <algorithm>

#include "tools/console/view.h"

namespace iptrk::console {
namespace {

void Show(View& view, Screen screen) {
  view.screen = screen;
  view.scroll = 0;
  view.search.clear();
  view.host = screen == Screen::kHost ? view.host : std::nullopt;
}

void HandlePrompt(View& view, const Key& key, const Snapshot* snapshot) {
  switch (key.kind) {
    case Key::Kind::kCharacter:
      if (key.character >= 0x20 && key.character < 0x7f &&
          view.typed.size() < 500)
        view.typed += static_cast<char>(key.character);
      break;
    case Key::Kind::kBackspace:
      if (!view.typed.empty()) view.typed.pop_back();
      break;
    case Key::Kind::kEscape:
      view.prompt = Prompt::kNone;
      view.error.clear();
      return;
    case Key::Kind::kEnter:
      if (view.prompt == Prompt::kSearch) {
        view.search = view.typed;
        view.scroll = 0;
        view.prompt = Prompt::kNone;
        return;
      }
      if (!snapshot) return;
      try {
        view.filter = Filter(view.typed, snapshot->services).text();
        view.prompt = Prompt::kNone;
        view.error.clear();
        view.lines.clear();
      } catch (const FilterError& error) {
        view.error = error.what();
        view.error_at = error.at;
      }
      return;
    default:
      return;
  }
  view.error.clear();
  if (view.prompt == Prompt::kSearch) view.search = view.typed;
}

void Select(View& view, const Snapshot& snapshot, int by, bool absolute,
            int rows) {
  const auto sorted = SortedHosts(view, snapshot);
  if (sorted.empty()) return;
  const int count = static_cast<int>(sorted.size());
  int at = 0;
  for (int i = 0; i < count; ++i)
    if (view.selected &&
        sorted[static_cast<std::size_t>(i)]->address == *view.selected)
      at = i;
  at = std::clamp(absolute ? by : at + by, 0, count - 1);
  if (sorted[static_cast<std::size_t>(at)]->others) at = std::max(0, at - 1);
  view.selected = sorted[static_cast<std::size_t>(at)]->address;
  view.scroll = std::clamp(view.scroll, std::max(0, at - rows + 1), at);
}

void Move(View& view, const Snapshot* snapshot, int by, bool absolute,
          int rows) {
  if (view.screen == Screen::kHosts) {
    if (snapshot) Select(view, *snapshot, by, absolute, rows);
    return;
  }
  // The stream scrolls back from its newest line.
  if (view.screen == Screen::kStream) by = absolute ? by : -by;
  const int most = view.screen == Screen::kStream
                       ? static_cast<int>(view.lines.size())
                   : snapshot ? static_cast<int>(snapshot->detail.peers.size())
                              : 0;
  view.scroll =
      std::clamp(absolute ? by : view.scroll + by, 0, std::max(0, most - 1));
}

void Open(View& view, const Snapshot* snapshot) {
  if (view.screen != Screen::kHosts || !snapshot) return;
  const auto sorted = SortedHosts(view, *snapshot);
  if (sorted.empty() || sorted[0]->others) return;
  std::optional<Address> host = view.selected;
  const bool listed = host && std::any_of(sorted.begin(), sorted.end(),
                                          [&](const HostRow* row) {
                                            return row->address == *host;
                                          });
  view.selected = listed ? *host : sorted[0]->address;
  view.host = view.selected;
  view.screen = Screen::kHost;
  view.scroll = 0;
  view.search.clear();
}

void NextColumn(View& view, int by, int width) {
  std::vector<Column> columns = {Column::kAddress};
  for (const auto& place : ColumnPlaces(width)) columns.push_back(place.column);
  const auto at = std::find(columns.begin(), columns.end(), view.sort);
  const auto count = static_cast<int>(columns.size());
  const int now =
      at == columns.end() ? 1 : static_cast<int>(at - columns.begin());
  view.sort = columns[static_cast<std::size_t>((now + by + count) % count)];
}

void Click(View& view, const Key& key, const Snapshot* snapshot, int width,
           const Layout& layout) {
  if (view.screen != Screen::kHosts || !snapshot) return;
  if (key.y == layout.top) {
    Column column = Column::kAddress;
    if (key.x >= AddressWidth(width))
      for (const auto& place : ColumnPlaces(width)) {
        column = place.column;
        if (key.x < place.end) break;
      }
    if (view.sort == column) view.reversed = !view.reversed;
    view.sort = column;
    return;
  }
  const int row = key.y - layout.top - 1;
  if (row < 0 || row >= layout.rows - 1) return;
  const auto before = view.selected;
  view.scroll =
      FirstHostShown(view, SortedHosts(view, *snapshot), layout.rows - 1);
  Select(view, *snapshot, view.scroll + row, true, layout.rows - 1);
  if (view.selected == before) Open(view, snapshot);
}

void HandleCharacter(View& view, char32_t character, const Snapshot* snapshot,
                     int width, int rows) {
  constexpr Screen kRound[] = {Screen::kHosts, Screen::kStream, Screen::kBars};
  switch (character) {
    case U'q':
    case U'Q':
      view.quit = true;
      break;
    case U'?':
      view.help = true;
      break;
    case U'1':
    case U'h':
      Show(view, Screen::kHosts);
      break;
    case U'2':
      Show(view, Screen::kStream);
      break;
    case U'3':
      Show(view, Screen::kBars);
      break;
    case U'\t':
      for (std::size_t i = 0; i < 3; ++i)
        if (view.screen == kRound[i] ||
            (i == 0 && view.screen == Screen::kHost)) {
          Show(view, kRound[(i + 1) % 3]);
          break;
        }
      break;
    case U'r':
      view.way = Way::kReceived;
      break;
    case U's':
      view.way = Way::kSent;
      break;
    case U't':
      view.period =
          static_cast<Period>((static_cast<int>(view.period) + 1) % 3);
      break;
    case U'u':
      view.unit = static_cast<Unit>((static_cast<int>(view.unit) + 1) % 3);
      break;
    case U'R':
      view.reversed = !view.reversed;
      break;
    case U'<':
      NextColumn(view, -1, width);
      break;
    case U'>':
      NextColumn(view, 1, width);
      break;
    case U'/':
      view.prompt = Prompt::kSearch;
      view.typed = view.search;
      break;
    case U'f':
      view.prompt = Prompt::kFilter;
      view.typed = view.filter;
      break;
    case U' ':
      view.paused = !view.paused;
      break;
    case U'n':
      ++view.network;
      break;
    case U'c':
      ++view.theme;
      break;
    case U'j':
      Move(view, snapshot, 1, false, rows);
      break;
    case U'k':
      Move(view, snapshot, -1, false, rows);
      break;
    default:
      break;
  }
}

}  // namespace

void HandleKey(View& view, const Key& key, const Snapshot* snapshot, int width,
               int height) {
  if (view.help) {
    view.help = false;
    return;
  }
  if (view.prompt != Prompt::kNone) {
    HandlePrompt(view, key, snapshot);
    return;
  }
  const Layout layout =
      LayoutOf(width, height, snapshot ? snapshot->services.size() : 0,
               snapshot ? snapshot->incidents.size() : 0);
  const int rows = std::max(1, layout.rows - 1);
  constexpr int kFar = 1 << 30;
  switch (key.kind) {
    case Key::Kind::kCharacter:
      HandleCharacter(view, key.character, snapshot, width, rows);
      break;
    case Key::Kind::kUp:
      Move(view, snapshot, -1, false, rows);
      break;
    case Key::Kind::kDown:
      Move(view, snapshot, 1, false, rows);
      break;
    case Key::Kind::kPageUp:
      Move(view, snapshot, -rows, false, rows);
      break;
    case Key::Kind::kPageDown:
      Move(view, snapshot, rows, false, rows);
      break;
    case Key::Kind::kHome:
      Move(view, snapshot, view.screen == Screen::kStream ? kFar : 0, true,
           rows);
      break;
    case Key::Kind::kEnd:
      Move(view, snapshot, view.screen == Screen::kStream ? 0 : kFar, true,
           rows);
      break;
    case Key::Kind::kLeft:
      NextColumn(view, -1, width);
      break;
    case Key::Kind::kRight:
      NextColumn(view, 1, width);
      break;
    case Key::Kind::kEnter:
      Open(view, snapshot);
      break;
    case Key::Kind::kEscape:
    case Key::Kind::kBackspace:
      if (view.search.empty()) Show(view, Screen::kHosts);
      view.search.clear();
      break;
    case Key::Kind::kClick:
      Click(view, key, snapshot, width, layout);
      break;
  }
}

}  // namespace iptrk::console
