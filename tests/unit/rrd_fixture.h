// SPDX-License-Identifier: GPL-2.0-only
// Tiny RRDs in a directory of the test's own, laid out as lib/naming.h says.
#ifndef IPTRK_TESTS_UNIT_RRD_FIXTURE_H_
#define IPTRK_TESTS_UNIT_RRD_FIXTURE_H_

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rrd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/graph/rrd_store.h"
#include "tools/graph/temporary_directory.h"

namespace iptrk {

// A round time, so that rows of any step begin there.
inline constexpr std::time_t kRrdBegin = 1700006400;  // 2023-11-15 00:00 UTC

// Writes an RRD with one row of `values` after the other from `begin` on, and
// a second archive of six rows each.
inline void MakeRrd(const std::filesystem::path& path,
                    std::span<const std::string_view> sources, int step,
                    const std::vector<std::vector<double>>& rows,
                    std::time_t begin = kRrdBegin) {
  std::filesystem::create_directories(path.parent_path());
  std::vector<std::string> schema;
  for (const std::string_view source : sources)
    schema.push_back(fmt::format("DS:{}:GAUGE:{}:0:U", source, 2 * step));
  schema.push_back(fmt::format("RRA:AVERAGE:0.5:1:{}", rows.size() + 10));
  schema.push_back(fmt::format("RRA:AVERAGE:0.5:6:{}", rows.size() + 200));
  std::vector<std::string> updates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string update =
        fmt::format("{}", begin + static_cast<std::time_t>(i + 1) * step);
    for (const double value : rows[i]) update += fmt::format(":{}", value);
    updates.push_back(update);
  }
  std::vector<const char*> words;
  for (const std::string& word : schema) words.push_back(word.c_str());
  ASSERT_EQ(rrd_create_r(path.c_str(), static_cast<unsigned long>(step), begin,
                         static_cast<int>(words.size()), words.data()),
            0)
      << rrd_get_error();
  words.clear();
  for (const std::string& word : updates) words.push_back(word.c_str());
  ASSERT_EQ(rrd_update_r(path.c_str(), nullptr, static_cast<int>(words.size()),
                         words.data()),
            0)
      << rrd_get_error();
}

// A host with the same bytes/s in all eight sources: rate, 2 rate, ... 8 rate.
inline void MakeHostRrd(const std::filesystem::path& network,
                        const std::string& address, double rate,
                        std::size_t minutes = 60) {
  const std::vector<double> row = {rate,     2 * rate, 3 * rate, 4 * rate,
                                   5 * rate, 6 * rate, 7 * rate, 8 * rate};
  std::string instance = address;
  for (char& c : instance)
    if (c == ':') c = '_';
  MakeRrd(network / ("iptrk_host-" + instance + ".rrd"), kHostSources, 60,
          std::vector<std::vector<double>>(minutes, row));
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace iptrk

#endif  // IPTRK_TESTS_UNIT_RRD_FIXTURE_H_
