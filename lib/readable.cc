// SPDX-License-Identifier: GPL-2.0-only
#include "lib/readable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iptrk {

std::string WithCommas(double number) {
  std::string digits = fmt::format("{:.0f}", std::fabs(number));
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, 1, ',');
  return std::signbit(number) && digits != "0" ? "-" + digits : digits;
}

std::string DurationText(std::int64_t seconds) {
  const std::int64_t total = std::max<std::int64_t>(seconds, 0);
  const std::int64_t hours = total / 3600 % 24;
  const std::int64_t minutes = total / 60 % 60;
  if (total >= 86400) return fmt::format("{} d {} h", total / 86400, hours);
  if (total >= 3600) return fmt::format("{} h {} min", hours, minutes);
  if (total >= 60) return fmt::format("{} min {} s", minutes, total % 60);
  return fmt::format("{} s", total);
}

}  // namespace iptrk
