// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plugin/mail/figures.h"

namespace iptrk::mail {

std::string Paragraph(std::string_view text, std::size_t margin) {
  const std::string between = "\n" + std::string(margin, ' ');
  return fmt::format("{}",
                     fmt::join(Wrapped(text, kColumns - margin), between));
}

std::string FactLine(std::string_view label, std::string_view value,
                     std::size_t column) {
  const std::string margin(column, ' ');
  const bool fits = Width(label) + 2 <= column;
  std::string line =
      fits ? fmt::format("{}{}", label, margin.substr(Width(label)))
           : Paragraph(label) + "\n" + margin;
  bool first = true;
  for (const std::string& part : Wrapped(value, kColumns - column)) {
    if (!first) line += "\n" + margin;
    line += part;
    first = false;
  }
  return line;
}

std::vector<std::string> TableLines(
    const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string fill(widths[i] - Width(row[i]), ' ');
      line += i == 0 ? row[i] + fill : "  " + fill + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string Tidied(std::string_view text) {
  std::string out;
  bool gap = false;  // before the next line
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find_last_not_of(" \r\t") + 1);
    if (line.empty()) {
      gap = !out.empty();
      continue;
    }
    if (std::exchange(gap, false)) out += '\n';
    if (Width(line) <= kColumns) {
      out += line;
    } else {
      const std::size_t margin =
          std::min(line.find_first_not_of(' '), kColumns / 2);
      out += std::string(margin, ' ') + Paragraph(line.substr(margin), margin);
    }
    out += '\n';
  }
  return out;
}

}  // namespace iptrk::mail
