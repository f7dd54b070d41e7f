// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/humanise.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "lib/readable.h"

namespace iptrk {

namespace {

// "3.21 M" and the unit.
std::string Scaled(double number, const char* unit) {
  constexpr std::array<const char*, 7> kScales = {"",  "k", "M", "G",
                                                  "T", "P", "E"};
  if (!std::isfinite(number)) return "unknown";
  std::size_t scale = 0;
  // Rounding must not give "1000 kB".
  while (std::abs(number) >= 999.5 && scale + 1 < kScales.size()) {
    number /= 1000;
    ++scale;
  }
  const double size = std::abs(number);
  const int digits = scale == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}{}", number, digits, kScales[scale], unit);
}

}  // namespace

std::string HumanBytes(double bytes) { return Scaled(bytes, "B"); }

std::string HumanBits(double bits) { return Scaled(bits, "bit/s"); }

std::string HumanNumber(double number) {
  if (!std::isfinite(number)) return "unknown";
  if (std::abs(number) < 100 && number != std::round(number))
    return fmt::format("{:.3g}", number);
  return WithCommas(number);
}

std::string LocalTime(std::time_t time) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(time));
}

std::string IsoTime(std::time_t time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string HumanRange(TimeRange range) {
  const std::string start = LocalTime(range.start);
  const std::string end = LocalTime(range.end);
  const std::size_t date = start.find(' ');
  const bool same_day = start.compare(0, date, end, 0, date) == 0;
  return fmt::format("{} – {}", start, same_day ? end.substr(date + 1) : end);
}

}  // namespace iptrk
