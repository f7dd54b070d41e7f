// SPDX-License-Identifier: GPL-2.0-only
// What somebody looks at: which screen, sorted how, and what was typed.
//
// A plain value. HandleKey() changes it, Render() draws it with a snapshot.
#ifndef IPTRK_TOOLS_CONSOLE_VIEW_H_
#define IPTRK_TOOLS_CONSOLE_VIEW_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/console/grid.h"
#include "tools/console/model.h"
#include "tools/console/snapshot.h"

namespace iptrk::console {

enum class Screen : std::uint8_t { kHosts, kHost, kStream, kBars };
enum class Unit : std::uint8_t { kBits, kBytes, kPackets };
enum class Prompt : std::uint8_t { kNone, kFilter, kSearch };

// Of the list of hosts.
enum class Column : std::uint8_t {
  kAddress,
  kNow,
  kMinute,
  kTotal,
  kTcp,
  kUdp,
  kOther,
  kInternal,
  kPackets,
  kOpposite,
  kPeers,
};
inline constexpr int kColumns = 11;

// How things go with the source of records.
enum class Health : std::uint8_t { kWaiting, kLive, kStale, kEnded, kFailed };
struct Status {
  Health health = Health::kWaiting;
  std::string source;   // "eth0, eth1", or the name of a capture
  std::string message;  // why it ended or failed
  double age = 0;       // seconds since the last snapshot
};

struct View {
  static constexpr std::size_t kMostStreamLines = 2000;

  Screen screen = Screen::kHosts;
  bool help = false;
  bool ascii = false;
  Unit unit = Unit::kBits;
  Way way = Way::kReceived;
  Period period = Period::kNow;  // of the split by protocol and of packets
  Column sort = Column::kNow;
  bool reversed = false;
  std::optional<Address> selected;  // nothing: the first row
  int scroll = 0;                   // first row shown
  std::string search;
  std::size_t network = 0;  // of the bars

  Prompt prompt = Prompt::kNone;
  std::string typed;
  std::string error;  // about what was typed, below it
  std::size_t error_at = 0;

  bool paused = false;
  std::deque<StreamLine> lines;     // newest last
  std::uint64_t stream_passed = 0;  // in the last second
  std::uint64_t stream_shown = 0;
  std::uint64_t batch_passed = 0;  // in this one so far
  std::uint64_t batch_shown = 0;

  // What the reader is to do.
  std::string filter;
  std::optional<Address> host;  // whose peers
  bool quit = false;
  int theme = 0;

  void AddLines(StreamBatch batch);
  void EndStreamSecond();
};

struct Key {
  enum class Kind : std::uint8_t {
    kCharacter,
    kUp,
    kDown,
    kLeft,
    kRight,
    kPageUp,
    kPageDown,
    kHome,
    kEnd,
    kEnter,
    kEscape,
    kBackspace,
    kClick,  // at x, y
  };
  Kind kind = Kind::kCharacter;
  char32_t character = 0;
  int x = 0, y = 0;
};

// `width` and `height` are the terminal's; `snapshot` may be null.
void HandleKey(View& view, const Key& key, const Snapshot* snapshot, int width,
               int height);

Grid Render(const View& view, const Snapshot* snapshot, const Status& status,
            int width, int height);

// --- what both need

// A column's right edge and its title; those that fit into `width`.
struct ColumnPlace {
  Column column;
  int end;
};
std::vector<ColumnPlace> ColumnPlaces(int width);
int AddressWidth(int width);

// The rows that are shown, in their order.
// Index of the first of these that is on the screen, which has `rows` for them:
// the selected one is on it.
int FirstHostShown(const View& view, std::span<const HostRow* const> hosts,
                   int rows);
std::vector<const HostRow*> SortedHosts(const View& view,
                                        const Snapshot& snapshot);
std::vector<const PeerRow*> SortedPeers(const View& view,
                                        const Snapshot& snapshot);
double ValueOf(const HostRow& row, Column column, const View& view,
               const Snapshot& snapshot);

// Where the screen's own rows are, between the header and the panel.
struct Layout {
  int top, rows;          // of the screen's own part, its header row included
  int panel, panel_rows;  // first row, and its number without the header
  int incidents, incident_rows;
  int keys;  // the last row
};
Layout LayoutOf(int width, int height, std::size_t services,
                std::size_t incidents);

double InUnit(const Volume& volume, Unit unit);
const char* RateName(Unit unit);    // "bit/s"
const char* AmountName(Unit unit);  // "bytes" where rates are in bits

// --- the parts of the screen; `layout` says where
void DrawHosts(Grid& grid, const Layout& layout, const View& view,
               const Snapshot& snapshot);
void DrawHost(Grid& grid, const Layout& layout, const View& view,
              const Snapshot& snapshot);
void DrawStream(Grid& grid, const Layout& layout, const View& view,
                const Snapshot* snapshot);
void DrawBars(Grid& grid, const Layout& layout, const View& view,
              const Snapshot& snapshot);
void DrawPanel(Grid& grid, const Layout& layout, const View& view,
               const Snapshot& snapshot);
void DrawHelp(Grid& grid, const Layout& layout, const View& view);

// One record as a line of the stream: "13:07:35.123 eth0 in tcp ...".
std::string StreamText(const StreamLine& line,
                       const std::vector<iptrk_interface>& interfaces,
                       const std::vector<std::string>& services, bool ascii);
std::string FlagsText(std::uint8_t tcp_flags);  // "S.A"
std::string InterfaceName(const std::vector<iptrk_interface>& interfaces,
                          unsigned index);

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_VIEW_H_
