// SPDX-License-Identifier: GPL-2.0-only
// Words and figures as a person reads them, from strings nobody vouches for.
//
// All functions are pure, never throw for their input's contents, and return
// clean text: valid UTF-8 without control characters, so without line breaks.
// What is not the number it should be is returned cleaned, never dropped.
#ifndef IPTRK_PLUGIN_MAIL_FIGURES_H_
#define IPTRK_PLUGIN_MAIL_FIGURES_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace iptrk::mail {

// One line of valid UTF-8. Control characters, line and paragraph separators
// become a blank, marks that turn the direction of text around vanish, bytes
// that are no UTF-8 become U+FFFD; blanks at both ends go.
std::string Clean(std::string_view text);

// "31250" -> "31,250", "0.25" -> "0.25", "31250.4" -> "31,250".
std::string Grouped(std::string_view number);

// Bytes: "41234567" -> "41.2 MB" (powers of 1000).
std::string Bytes(std::string_view number);

// Seconds: "72" -> "1 min 12 s".
std::string Duration(std::string_view seconds);

// "2026-11-22T23:34:12Z" -> "2026-11-22 23:34:12 UTC".
std::string Timestamp(std::string_view rfc3339);
std::string Timestamp(std::chrono::system_clock::time_point time);

// 0..1 -> "58 %".
std::string Percent(double share);

// Columns a terminal needs: code points, which is right for what we print.
std::size_t Width(std::string_view text);

// `text`, cut to `width` columns, with "…" as the last one when cut.
std::string Shortened(std::string_view text, std::size_t width);

// `text` in lines of at most `width` columns, broken at blanks; only a word
// longer than a line is broken inside.
std::vector<std::string> Wrapped(std::string_view text, std::size_t width);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_FIGURES_H_
