// SPDX-License-Identifier: GPL-2.0-only
// The whole screen: header, the screen's own part, panel, incidents, keys.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "lib/seconds.h"
#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr const char* kHelp[] = {
    "1  hosts            2  stream         3  addresses of a network",
    "Tab  next screen    Enter  open a host    Esc  back",
    "r s  received, sent     t  now, 1 min, since start",
    "< >  sort by another column    R  reverse    arrows, PgUp, PgDn  move",
    "/  search an address    f  filter    Space  pause    n  next network",
    "u  bits, bytes, packets    c  colours    q  quit    mouse: click a row",
    "",
    "A filter:  net 10.1.0.0/24 and not (port 443 or service dns)",
    "  host net port src dst proto tcp udp icmp ip ip6 service",
    "  in out internal martian   and or not ( )",
    "Counts begin anew with another filter; incidents see every packet.",
    "",
    "now is one second; bytes are layer 2 without FCS; k is 1000.",
    "local: between own hosts. peers: an estimate. flags: SYN FIN RST PSH ACK",
};

const char* HealthText(Health health) {
  constexpr const char* kTexts[] = {"waiting", "live", "STALE", "ended",
                                    "FAILED"};
  return kTexts[static_cast<std::size_t>(health)];
}

Style HealthStyle(Health health) {
  return health == Health::kLive      ? Style::kGood
         : health == Health::kEnded   ? Style::kWarning
         : health == Health::kWaiting ? Style::kDim
                                      : Style::kBad;
}

std::string TimeOfDay(std::uint64_t time_ns) {
  return fmt::format(
      "{:%H:%M:%S}",
      fmt::localtime(static_cast<std::time_t>(time_ns / kSecond)));
}

void DrawHeader(Grid& grid, const View& view, const Snapshot* snapshot,
                const Status& status) {
  int x = grid.Text(0, 0, "iptrk ", Style::kTitle);
  x = grid.Text(
      x, 0,
      Shortened(status.source, std::max(8, grid.width() / 4), view.ascii) +
          " ");
  if (snapshot && snapshot->end_ns)
    x = grid.Text(x, 0, TimeOfDay(snapshot->end_ns) + " ");
  std::string health = HealthText(status.health);
  if (status.health == Health::kStale)
    health += fmt::format(": no data for {:.0f} s", status.age);
  x = grid.Text(x, 0, health, HealthStyle(status.health));
  if (view.paused) x = grid.Text(x + 1, 0, "PAUSED", Style::kWarning);
  if (!view.filter.empty())
    x = grid.Text(x + 1, 0, "filter: " + view.filter, Style::kWarning);
  const std::string period = fmt::format(
      " {}, {}", kPeriodNames[static_cast<std::size_t>(view.period)],
      RateName(view.unit));
  grid.TextRight(grid.width(), 0, period, Style::kDim);
}

void DrawIncidents(Grid& grid, const Layout& layout, const Snapshot& snapshot) {
  const auto& incidents = snapshot.incidents;
  for (int i = 0; i < layout.incident_rows; ++i) {
    const int y = layout.incidents + i;
    if (incidents.empty()) {
      grid.Text(0, y, "no incident", Style::kDim);
      return;
    }
    const auto at = static_cast<std::size_t>(i);
    const bool last = i + 1 == layout.incident_rows;
    const Incident& incident = incidents[at];
    std::string text = fmt::format(
        "! {} {} {}: {} {}, limit {}, since {}", incident.kind,
        incident.direction, incident.subject, Short(incident.value),
        incident.unit, Short(incident.limit), TimeOfDay(incident.start_ns));
    if (last && at + 1 < incidents.size())
      text += fmt::format("  (+{} more)", incidents.size() - at - 1);
    else if (!incident.peers.empty())
      text +=
          fmt::format(", most from {} ({:.0f} %)", incident.peers[0].address,
                      incident.peers[0].share * 100);
    grid.Text(0, y, text, Style::kBad);
    grid.Restyle(y, Style::kBad);
  }
}

void DrawKeys(Grid& grid, const Layout& layout, const View& view) {
  const int y = layout.keys;
  if (view.prompt != Prompt::kNone) {
    const std::string ask =
        view.prompt == Prompt::kFilter ? "filter: " : "search: ";
    int x = grid.Text(0, y, ask, Style::kKey);
    x = grid.Text(x, y, view.typed);
    grid.Put(x, y, view.ascii ? U'_' : U'▏', Style::kKey);
    if (!view.error.empty()) {
      for (int i = 0; i < grid.width(); ++i) {
        grid.Put(i, y - 1, U' ', Style::kPlain);
        grid.Put(i, y - 2, U' ', Style::kPlain);
      }
      const int at = static_cast<int>(ask.size() + view.error_at);
      grid.Text(0, y - 2, view.error, Style::kBad);
      grid.Put(at, y - 1, view.ascii ? U'v' : U'▼', Style::kBad);
    }
    return;
  }
  struct {
    const char* key;
    const char* text;
  } keys[] = {{"q", "quit"},     {"?", "help"},      {"1", "hosts"},
              {"2", "stream"},   {"3", "addresses"}, {"r", "received"},
              {"s", "sent"},     {"t", "period"},    {"<>", "sort"},
              {"/", "search"},   {"f", "filter"},    {"u", "units"},
              {"Space", "pause"}};
  int x = 0;
  for (const auto& [key, text] : keys) {
    const std::string word = fmt::format(" {}", text);
    if (x + static_cast<int>(std::string(key).size() + word.size()) >
        grid.width())
      break;
    x = grid.Text(x, y, key, Style::kKey);
    x = grid.Text(x, y, word, Style::kDim) + 2;
  }
}

}  // namespace

Layout LayoutOf(int /*width*/, int height, std::size_t services,
                std::size_t incidents) {
  Layout layout{};
  layout.keys = height - 1;
  const int most_incidents = height >= 40 ? 4 : height >= 30 ? 2 : 1;
  layout.incident_rows =
      std::clamp(static_cast<int>(incidents), 1, most_incidents);
  layout.incidents = layout.keys - layout.incident_rows;
  const int all = static_cast<int>(services) + 2;  // the total, non-IP
  layout.panel_rows = std::clamp(height / 4, 1, all);
  layout.panel = layout.incidents - layout.panel_rows - 2;  // header and books
  layout.top = 1;
  layout.rows = std::max(1, layout.panel - layout.top);
  return layout;
}

void DrawHelp(Grid& grid, const Layout& layout, const View& /*view*/) {
  for (int y = 1; y < layout.keys; ++y)
    for (int x = 0; x < grid.width(); ++x) grid.Put(x, y, U' ', Style::kPlain);
  int y = 2;
  for (const char* line : kHelp) grid.Text(2, y++, line);
  grid.Text(2, y + 1, "any key goes back", Style::kDim);
}

Grid Render(const View& view, const Snapshot* snapshot, const Status& status,
            int width, int height) {
  Grid grid(width, height);
  constexpr int kLeastWidth = 40, kLeastHeight = 12;
  if (width < kLeastWidth || height < kLeastHeight) {
    grid.Text(0, 0, "too small; q quits");
    return grid;
  }
  const Layout layout =
      LayoutOf(width, height, snapshot ? snapshot->services.size() : 0,
               snapshot ? snapshot->incidents.size() : 0);
  DrawHeader(grid, view, snapshot, status);
  if (view.help) {
    DrawHelp(grid, layout, view);
  } else if (view.screen == Screen::kStream) {
    DrawStream(grid, layout, view, snapshot);
  } else if (!snapshot) {
    grid.Text(0, 2,
              status.message.empty() ? "the first second is being counted"
                                     : status.message,
              status.message.empty() ? Style::kDim : Style::kBad);
  } else if (view.screen == Screen::kHosts) {
    DrawHosts(grid, layout, view, *snapshot);
  } else if (view.screen == Screen::kHost) {
    DrawHost(grid, layout, view, *snapshot);
  } else {
    DrawBars(grid, layout, view, *snapshot);
  }
  if (snapshot && !view.help) {
    DrawPanel(grid, layout, view, *snapshot);
    DrawIncidents(grid, layout, *snapshot);
    if (!status.message.empty()) {
      grid.Text(0, layout.incidents, status.message + " ", Style::kBad);
      grid.Restyle(layout.incidents, HealthStyle(status.health));
    }
  }
  DrawKeys(grid, layout, view);
  return grid;
}

}  // namespace iptrk::console
