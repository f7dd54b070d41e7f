// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/themed_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace iptrk {
namespace {

constexpr std::size_t kDecimals = 2;

// "GRID" -> "#dcdfe4". How much shines through stays as the light theme has it.
std::map<std::string, std::string> Colors(
    std::span<const std::string> arguments) {
  constexpr std::string_view kOption = "--color=";
  std::map<std::string, std::string> colors;
  for (const std::string& argument : arguments) {
    const std::size_t hash = argument.find('#');
    if (argument.starts_with(kOption) && hash != std::string::npos)
      colors[argument.substr(kOption.size(), hash - kOption.size())] =
          argument.substr(hash, 7);
  }
  return colors;
}

// "rgb(100%,0%,0%)" -> "#ff0000"; empty if it is written otherwise.
std::string Hex(const std::string& rgb) {
  double red = 0;
  double green = 0;
  double blue = 0;
  // NOLINTNEXTLINE(cert-err34-c): what does not fit is left as it is.
  if (std::sscanf(rgb.c_str(), "rgb(%lf%%,%lf%%,%lf%%)", &red, &green, &blue) !=
      3)
    return "";
  const auto byte = [](double percent) {
    return static_cast<unsigned>(std::lround(percent * 2.55));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", byte(red), byte(green), byte(blue));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string ThemedSvg(std::string_view svg, std::span<const std::string> light,
                      std::span<const std::string> dark) {
  const auto light_colors = Colors(light);
  const auto dark_colors = Colors(dark);
  std::map<std::string, std::string> variables;  // light -> dark
  for (const auto& [name, color] : light_colors)
    if (const auto found = dark_colors.find(name); found != dark_colors.end())
      variables.emplace(color, found->second);

  std::string themed;
  themed.reserve(svg.size());
  bool styled = false;
  for (std::size_t at = 0; at < svg.size();) {
    // What can't be of interest goes over as it is.
    const std::size_t next = std::min(svg.find_first_of("r.>", at), svg.size());
    themed += svg.substr(at, next - at);
    at = next;
    if (at == svg.size()) break;
    const char c = svg[at];
    if (svg.substr(at).starts_with("rgb(")) {
      const std::size_t end = std::min(svg.find(')', at), svg.size() - 1);
      const std::string rgb(svg.substr(at, end + 1 - at));
      const std::string hex = Hex(rgb);
      at = end + 1;
      if (variables.contains(hex))
        themed += fmt::format("var(--c{})", hex.substr(1));
      else
        themed += hex.empty() ? rgb : hex;
    } else if (c == '.' && at > 0 && IsDigit(svg[at - 1])) {
      std::size_t end = at + 1;
      while (end < svg.size() && IsDigit(svg[end])) ++end;
      themed += svg.substr(at, std::min(end - at, kDecimals + 1));
      at = end;
    } else if (c == '>' && !styled &&
               svg.substr(0, at).rfind("<svg") != std::string_view::npos) {
      themed += "><style>:root{";
      for (const auto& [from, to] : variables)
        themed += fmt::format("--c{}:{};", from.substr(1), from);
      themed += "}@media (prefers-color-scheme:dark){:root{";
      for (const auto& [from, to] : variables)
        themed += fmt::format("--c{}:{};", from.substr(1), to);
      themed += "}}</style>";
      styled = true;
      ++at;
    } else {
      themed += c;
      ++at;
    }
  }
  return themed;
}

}  // namespace iptrk
