// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/terminal.h"

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <fmt/format.h>
#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace iptrk::console {
namespace {

std::atomic<int> end_signal{0};

void OnEnd(int number) { end_signal.store(number); }

constexpr int kEnding[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT};

struct Look {
  short colour;  // of the terminal's eight; -1: its own
  attr_t attributes;
};

// By theme, then Style. "blind" tells in and out by blue and yellow, and what
// is bad by reverse video too.
constexpr Look kLooks[3][kStyles] = {{{-1, 0},
                                      {COLOR_WHITE, A_DIM},
                                      {-1, A_BOLD},
                                      {COLOR_CYAN, 0},
                                      {COLOR_CYAN, A_BOLD | A_UNDERLINE},
                                      {-1, A_REVERSE},
                                      {COLOR_GREEN, 0},
                                      {COLOR_YELLOW, 0},
                                      {COLOR_RED, A_BOLD},
                                      {COLOR_GREEN, 0},
                                      {COLOR_CYAN, 0},
                                      {COLOR_WHITE, 0},
                                      {COLOR_MAGENTA, 0},
                                      {COLOR_YELLOW, A_BOLD}},
                                     {{-1, 0},
                                      {-1, A_DIM},
                                      {-1, A_BOLD},
                                      {COLOR_BLUE, 0},
                                      {COLOR_BLUE, A_BOLD | A_UNDERLINE},
                                      {-1, A_REVERSE},
                                      {COLOR_GREEN, 0},
                                      {COLOR_MAGENTA, 0},
                                      {COLOR_RED, A_BOLD},
                                      {COLOR_GREEN, 0},
                                      {COLOR_BLUE, 0},
                                      {-1, 0},
                                      {COLOR_MAGENTA, 0},
                                      {COLOR_BLUE, A_BOLD}},
                                     {{-1, 0},
                                      {-1, A_DIM},
                                      {-1, A_BOLD},
                                      {-1, A_BOLD},
                                      {-1, A_BOLD | A_UNDERLINE},
                                      {-1, A_REVERSE},
                                      {COLOR_BLUE, A_BOLD},
                                      {COLOR_YELLOW, A_BOLD},
                                      {COLOR_YELLOW, A_REVERSE},
                                      {COLOR_BLUE, A_BOLD},
                                      {COLOR_YELLOW, 0},
                                      {-1, 0},
                                      {-1, A_DIM},
                                      {-1, A_BOLD}}};
constexpr attr_t kMono[kStyles] = {
    0,         A_DIM, A_BOLD, A_BOLD,    A_BOLD | A_UNDERLINE,
    A_REVERSE, 0,     A_BOLD, A_REVERSE, 0,
    0,         0,     0,      A_BOLD};
constexpr int kMonoTheme = 3;

}  // namespace

bool Utf8Locale() {
  setlocale(LC_ALL, "");
  return std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

Terminal::Terminal(bool mouse) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
    throw std::runtime_error(
        "no terminal; for scripts there are --once --json and `iptrk stream`");
  struct sigaction action {};
  action.sa_handler = OnEnd;
  for (const int number : kEnding) sigaction(number, &action, nullptr);
  // newterm() says what it cannot; initscr() ends the program.
  SCREEN* const screen = newterm(nullptr, stdout, stdin);
  if (!screen) {
    const char* kind = std::getenv("TERM");
    throw std::runtime_error(fmt::format(
        "the terminal '{}' is not known; set TERM, e.g. to xterm-256color",
        kind ? kind : ""));
  }
  set_term(screen);
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  set_escdelay(50);
  curs_set(0);
  const char* no_color = std::getenv("NO_COLOR");
  colours_ = has_colors() && !(no_color && *no_color);
  if (colours_) {
    start_color();
    use_default_colors();
  }
  if (mouse) mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED, nullptr);
  mouseinterval(0);
}

Terminal::~Terminal() {
  curs_set(1);
  endwin();
}

int Terminal::width() const { return getmaxx(stdscr); }
int Terminal::height() const { return getmaxy(stdscr); }
bool Terminal::ended() const { return hung_up_ || end_signal.load() != 0; }

void Terminal::SetTheme(int theme) {
  theme_ = theme;
  if (theme == kMonoTheme) return;
  for (short i = 0; i < kStyles; ++i)
    init_pair(static_cast<short>(i + 1), kLooks[theme][i].colour, -1);
}

void Terminal::Show(const Grid& grid, int theme) {
  theme = colours_ ? theme % static_cast<int>(std::size(kThemes)) : kMonoTheme;
  if (theme != theme_) SetTheme(theme);
  for (int y = 0; y < std::min(grid.height(), height()); ++y)
    for (int x = 0; x < std::min(grid.width(), width()); ++x) {
      const Cell& cell = grid.At(x, y);
      const auto style = static_cast<std::size_t>(cell.style);
      const wchar_t text[] = {static_cast<wchar_t>(cell.character), L'\0'};
      cchar_t character;
      if (theme == kMonoTheme)
        setcchar(&character, text, kMono[style], 0, nullptr);
      else
        setcchar(&character, text, kLooks[theme][style].attributes,
                 static_cast<short>(style + 1), nullptr);
      mvadd_wch(y, x, &character);
    }
  refresh();
}

std::optional<Key> Terminal::Wait(int timeout_ms) {
  pollfd poll_for{STDIN_FILENO, POLLIN, 0};
  wint_t code = 0;
  int kind = get_wch(&code);
  if (kind == ERR) {
    poll(&poll_for, 1, timeout_ms);
    if (poll_for.revents & (POLLHUP | POLLERR | POLLNVAL)) hung_up_ = true;
    if (ended()) return std::nullopt;
    kind = get_wch(&code);
  }
  if (kind == ERR) return std::nullopt;
  if (kind == OK) {
    if (code == L'\r' || code == L'\n') return Key{Key::Kind::kEnter};
    if (code == 27) return Key{Key::Kind::kEscape};
    if (code == 127 || code == 8) return Key{Key::Kind::kBackspace};
    return Key{Key::Kind::kCharacter, static_cast<char32_t>(code)};
  }
  switch (code) {
    case KEY_UP:
      return Key{Key::Kind::kUp};
    case KEY_DOWN:
      return Key{Key::Kind::kDown};
    case KEY_LEFT:
      return Key{Key::Kind::kLeft};
    case KEY_RIGHT:
      return Key{Key::Kind::kRight};
    case KEY_PPAGE:
      return Key{Key::Kind::kPageUp};
    case KEY_NPAGE:
      return Key{Key::Kind::kPageDown};
    case KEY_HOME:
      return Key{Key::Kind::kHome};
    case KEY_END:
      return Key{Key::Kind::kEnd};
    case KEY_ENTER:
      return Key{Key::Kind::kEnter};
    case KEY_BACKSPACE:
      return Key{Key::Kind::kBackspace};
    case KEY_MOUSE: {
      MEVENT event;
      if (getmouse(&event) != OK) return std::nullopt;
      return Key{Key::Kind::kClick, 0, event.x, event.y};
    }
    default:
      return std::nullopt;  // KEY_RESIZE: the size is another now
  }
}

}  // namespace iptrk::console
