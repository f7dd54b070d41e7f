// SPDX-License-Identifier: GPL-2.0-only
// A screen as cells: what the screens draw on, and a terminal shows.
//
// Every character takes one column; drawing beyond an edge is cut off.
// Thread-compatible.
#ifndef IPTRK_TOOLS_CONSOLE_GRID_H_
#define IPTRK_TOOLS_CONSOLE_GRID_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iptrk::console {

// What a cell means; a theme says how that looks.
enum class Style : std::uint8_t {
  kPlain,
  kDim,
  kTitle,
  kHeader,
  kSorted,  // header of the column that sorts
  kSelected,
  kGood,
  kWarning,
  kBad,
  kIn,
  kOut,
  kInternal,
  kMartian,
  kKey,
};
inline constexpr int kStyles = 14;

struct Cell {
  char32_t character = U' ';
  Style style = Style::kPlain;
};

class Grid {
 public:
  Grid(int width, int height)
      : width_(width),
        height_(height),
        cells_(static_cast<std::size_t>(width * height)) {}

  int width() const { return width_; }
  int height() const { return height_; }
  const Cell& At(int x, int y) const {
    return cells_[static_cast<std::size_t>(y * width_ + x)];
  }

  void Put(int x, int y, char32_t character, Style style);
  // UTF-8; control characters become '?'. Returns the column behind it.
  int Text(int x, int y, std::string_view text, Style style = Style::kPlain);
  // So that it ends before column `x`.
  void TextRight(int x, int y, std::string_view text,
                 Style style = Style::kPlain);
  // All cells of a row.
  void Restyle(int y, Style style);

  // Lines without blanks at their ends, each with a newline.
  std::string ToText() const;

 private:
  int width_;
  int height_;
  std::vector<Cell> cells_;
};

std::u32string DecodeUtf8(std::string_view text);
std::string EncodeUtf8(std::u32string_view text);

// At most `width` columns: "2001:db8:1:…:f00d" when it is longer.
std::string Shortened(const std::string& text, int width, bool ascii);

// Eight heights and none: U+2581..2588, or " .:-=+*#@" in ASCII.
char32_t BarCharacter(double share, bool ascii);

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_GRID_H_
