// SPDX-License-Identifier: GPL-2.0-only
// Numbers in few columns: "0", "987", "1.23k", "45.6M", "789G".
#ifndef IPTRK_TOOLS_CONSOLE_UNITS_H_
#define IPTRK_TOOLS_CONSOLE_UNITS_H_

#include <fmt/format.h>

#include <string>

namespace iptrk::console {

// Three digits and a decimal prefix: at most five columns.
inline std::string Short(double value) {
  constexpr char kPrefixes[] = " kMGTPE";
  std::size_t prefix = 0;
  while (value >= 999.5 && prefix + 2 < sizeof kPrefixes) {
    value /= 1000;
    ++prefix;
  }
  if (prefix == 0) {
    if (value == 0 || value >= 9.995) return fmt::format("{:.0f}", value);
    if (value == static_cast<int>(value)) return fmt::format("{:.0f}", value);
    return fmt::format("{:.1f}", value);
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, decimals, kPrefixes[prefix]);
}

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_UNITS_H_
