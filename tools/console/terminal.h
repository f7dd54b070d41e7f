// SPDX-License-Identifier: GPL-2.0-only
// The terminal: shows grids, gives keys, and leaves all as it was.
//
// One at a time: ncurses keeps its state in the process. Signals that end the
// program (HUP, INT, TERM, QUIT) end Wait() instead, so that the destructor
// puts the terminal back. Use from one thread.
#ifndef IPTRK_TOOLS_CONSOLE_TERMINAL_H_
#define IPTRK_TOOLS_CONSOLE_TERMINAL_H_

#include <optional>
#include <stdexcept>
#include <string>

#include "tools/console/grid.h"
#include "tools/console/view.h"

namespace iptrk::console {

inline constexpr const char* kThemes[] = {"dark", "light", "blind", "mono"};

class Terminal {
 public:
  // Throws std::runtime_error when there is no terminal, or one of a kind that
  // can't be drawn on.
  explicit Terminal(bool mouse);
  ~Terminal();
  Terminal(const Terminal&) = delete;

  int width() const;
  int height() const;
  // `theme` is an index into kThemes; without colours it is "mono".
  void Show(const Grid& grid, int theme);
  // Waits for a key or a changed size, at most `timeout_ms`.
  std::optional<Key> Wait(int timeout_ms);
  // Whether a signal or a hang-up wants an end.
  bool ended() const;

 private:
  void SetTheme(int theme);

  bool colours_ = false;
  bool hung_up_ = false;
  int theme_ = -1;
};

// Whether the locale can show more than ASCII. Sets the locale.
bool Utf8Locale();

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_TERMINAL_H_
