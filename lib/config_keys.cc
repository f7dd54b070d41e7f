// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_keys.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace iptrk {
namespace {

constexpr std::size_t kLongest = 40;  // no known word is as long

std::string Plain(std::string_view word) {
  std::string plain(word);
  for (char& c : plain)
    c = c == '-'
            ? '_'
            : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return plain;
}

// Letters to insert, delete, replace or swap with the next (Damerau and
// Levenshtein, each place edited once).
std::size_t Distance(std::string_view a, std::string_view b) {
  using Row = std::vector<std::size_t>;
  std::vector<Row> rows(a.size() + 1, Row(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      std::size_t& least = rows[i][j];
      if (i == 0 || j == 0) {
        least = i + j;
        continue;
      }
      least = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                        rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, rows[i - 2][j - 2] + 1);
    }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string_view NearestWord(std::string_view word,
                             std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kLongest) return {};
  const std::string plain = Plain(word);
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    // "host" for "host_interval" is no slip of few letters, but a clear one.
    std::size_t distance = Distance(plain, Plain(candidate));
    if (plain.size() >= 4 && candidate.starts_with(plain)) distance = 1;
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace iptrk
