// SPDX-License-Identifier: GPL-2.0-only
// Lines of at most 80 columns, for the part of a mail that a terminal shows.
//
// Pure functions of clean text (figures.h); what they return has no line break
// at its end.
#ifndef IPTRK_PLUGIN_MAIL_LAYOUT_H_
#define IPTRK_PLUGIN_MAIL_LAYOUT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace iptrk::mail {

inline constexpr std::size_t kColumns = 80;

// `text` wrapped; lines after the first begin with `margin` blanks.
std::string Paragraph(std::string_view text, std::size_t margin = 0);

// "Who       10.1.0.216": the value, wrapped, begins at `column`, below its
// label if that is longer.
std::string FactLine(std::string_view label, std::string_view value,
                     std::size_t column);

// Rows of the same number of cells as lines: the first cell aligned left, the
// others, figures, right. Columns that are empty in all rows vanish.
std::vector<std::string> TableLines(
    const std::vector<std::vector<std::string>>& rows);

// `text` with every line that is longer than 80 columns wrapped, one blank line
// for several, none at either end, and a line break at the end: what a template
// leaves of its sections is no matter.
std::string Tidied(std::string_view text);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_LAYOUT_H_
