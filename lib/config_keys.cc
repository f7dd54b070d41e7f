// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_keys.h"

#include <algorithm>
#include <cctype>
#include <numeric>
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

// Letters to insert, delete or replace (Levenshtein).
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
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
