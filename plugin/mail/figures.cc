// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/figures.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>

#include "lib/readable.h"

namespace iptrk::mail {
namespace {

constexpr char32_t kReplacement = 0xfffd;

// Takes one code point off `text`; kReplacement for a byte that starts none.
char32_t TakeCodePoint(std::string_view& text) {
  const auto byte = [&text](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  std::size_t length = 1;
  char32_t code = lead;
  char32_t least = 0;  // smaller ones have a shorter form: not allowed
  if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4, code = lead & 0x07, least = 0x10000;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    length = 3, code = lead & 0x0f, least = 0x800;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    length = 2, code = lead & 0x1f, least = 0x80;
  } else if (lead >= 0x80) {
    text.remove_prefix(1);
    return kReplacement;
  }
  bool valid = length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xc0) == 0x80;
    code = code << 6 | (byte(i) & 0x3f);
  }
  valid = valid && code >= least && code <= 0x10ffff &&
          !(code >= 0xd800 && code <= 0xdfff);
  text.remove_prefix(valid ? length : 1);
  return valid ? code : kReplacement;
}

void AppendUtf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool IsBreak(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
         code == 0x2029;
}

// They would let an alert read as something it is not.
bool TurnsDirection(char32_t code) {
  return (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f;
}

std::optional<double> Number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

// Above this a double has no whole numbers to group.
constexpr double kLargestWhole = 9e15;

std::size_t CodePointLength(std::string_view text) {
  std::string_view rest = text;
  TakeCodePoint(rest);
  return text.size() - rest.size();
}

}  // namespace

std::string Clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t code = TakeCodePoint(text);
    if (TurnsDirection(code)) continue;
    AppendUtf8(out, IsBreak(code) ? U' ' : code);
  }
  const std::size_t first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

std::string Grouped(std::string_view number) {
  const std::optional<double> value = Number(number);
  if (!value || std::fabs(*value) > kLargestWhole) return Clean(number);
  // Below ten the part behind the point matters (a load of 0.25).
  if (std::fabs(*value) < 10) return fmt::format("{:.3g}", *value);
  return WithCommas(*value);
}

std::string Bytes(std::string_view number) {
  const std::optional<double> value = Number(number);
  if (!value || *value < 0) return Clean(number);
  static constexpr std::array kUnits = {"bytes", "kB", "MB", "GB",
                                        "TB",    "PB", "EB"};
  double scaled = *value;
  std::size_t unit = 0;
  // 999.5 would print as 1000.
  while (scaled >= 999.5 && unit + 1 < kUnits.size()) {
    scaled /= 1000;
    ++unit;
  }
  const int places = unit == 0 || scaled >= 99.95 ? 0 : 1;
  return fmt::format("{:.{}f} {}", scaled, places, kUnits[unit]);
}

std::string Duration(std::string_view seconds) {
  const std::optional<double> value = Number(seconds);
  if (!value || *value < 0 || *value > kLargestWhole) return Clean(seconds);
  return DurationText(std::llround(*value));
}

std::string Timestamp(std::string_view rfc3339) {
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
  bool matches = rfc3339.size() == kShape.size();
  for (std::size_t i = 0; matches && i < kShape.size(); ++i) {
    matches = kShape[i] == 'd' ? rfc3339[i] >= '0' && rfc3339[i] <= '9'
                               : rfc3339[i] == kShape[i];
  }
  if (!matches) return Clean(rfc3339);
  return fmt::format("{} {} UTC", rfc3339.substr(0, 10), rfc3339.substr(11, 8));
}

std::string Timestamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc = {};
  if (gmtime_r(&seconds, &utc) == nullptr) return "unknown";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", utc);
}

std::string Percent(double share) {
  const double percent = share * 100;
  if (percent > 0 && percent < 1) return "<1 %";
  return fmt::format("{:.0f} %", percent);
}

std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  for (; !text.empty(); ++width) TakeCodePoint(text);
  return width;
}

std::string Shortened(std::string_view text, std::size_t width) {
  if (Width(text) <= width || width == 0) return std::string(text);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i + 1 < width; ++i) {
    bytes += CodePointLength(text.substr(bytes));
  }
  std::string out(text.substr(0, bytes));
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "…";
}

std::vector<std::string> Wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (true) {
    const std::size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    if (!line.empty() && Width(line) + 1 + Width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    while (line.empty() && Width(word) > width) {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < width; ++i) {
        bytes += CodePointLength(word.substr(bytes));
      }
      lines.emplace_back(word.substr(0, bytes));
      word.remove_prefix(bytes);
    }
    if (!line.empty()) line.push_back(' ');
    line.append(word);
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace iptrk::mail
