// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/grid.h"

#include <algorithm>
#include <cmath>

namespace iptrk::console {

void Grid::Put(int x, int y, char32_t character, Style style) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  cells_[static_cast<std::size_t>(y * width_ + x)] = {character, style};
}

int Grid::Text(int x, int y, std::string_view text, Style style) {
  for (const char32_t character : DecodeUtf8(text))
    Put(x++, y, character, style);
  return x;
}

void Grid::TextRight(int x, int y, std::string_view text, Style style) {
  Text(x - static_cast<int>(DecodeUtf8(text).size()), y, text, style);
}

void Grid::Restyle(int y, Style style) {
  for (int x = 0; x < width_; ++x) Put(x, y, At(x, y).character, style);
}

std::string Grid::ToText() const {
  std::string text;
  for (int y = 0; y < height_; ++y) {
    std::u32string line;
    for (int x = 0; x < width_; ++x) line += At(x, y).character;
    line.erase(line.find_last_not_of(U' ') + 1);
    text += EncodeUtf8(line) + '\n';
  }
  return text;
}

// What is no UTF-8, no printable character or no single column becomes '?'.
std::u32string DecodeUtf8(std::string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const int more = byte < 0x80   ? 0
                     : byte < 0xc2 ? -1
                     : byte < 0xe0 ? 1
                     : byte < 0xf0 ? 2
                                   : -1;
    char32_t character = more <= 0   ? byte
                         : more == 1 ? byte & 0x1fu
                                     : byte & 0x0fu;
    bool good = more >= 0 && i + static_cast<std::size_t>(more) < text.size();
    for (int k = 1; good && k <= more; ++k) {
      const auto next =
          static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      good = (next & 0xc0) == 0x80;
      character = character << 6 | (next & 0x3fu);
    }
    const bool shown =
        good && character >= 0x20 && character != 0x7f &&
        !(character >= 0x80 && character < 0xa0) &&
        (character < 0x300 || (character >= 0x2010 && character < 0x2600));
    result += shown ? character : U'?';
    i += good ? static_cast<std::size_t>(more) + 1 : 1;
  }
  return result;
}

std::string EncodeUtf8(std::u32string_view text) {
  std::string result;
  for (const char32_t c : text) {
    if (c < 0x80) {
      result += static_cast<char>(c);
    } else if (c < 0x800) {
      result += static_cast<char>(0xc0 | c >> 6);
      result += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      result += static_cast<char>(0xe0 | c >> 12);
      result += static_cast<char>(0x80 | (c >> 6 & 0x3f));
      result += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return result;
}

std::string Shortened(const std::string& text, int width, bool ascii) {
  const auto size = static_cast<int>(text.size());
  if (size <= width) return text;
  if (width < 4)
    return text.substr(0, static_cast<std::size_t>(std::max(0, width)));
  const auto head = static_cast<std::size_t>((width - 1) / 2);
  const auto tail = static_cast<std::size_t>(width - 1) - head;
  return text.substr(0, head) + (ascii ? "~" : "…") +
         text.substr(text.size() - tail);
}

char32_t BarCharacter(double share, bool ascii) {
  constexpr char32_t kAscii[] = U" .:-=+*#@";
  const int height =
      share <= 0 ? 0 : std::clamp(static_cast<int>(std::ceil(share * 8)), 1, 8);
  if (ascii) return kAscii[height];
  return height == 0 ? U' ' : static_cast<char32_t>(0x2580 + height);
}

}  // namespace iptrk::console
