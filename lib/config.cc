// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "lib/config_sections.h"
#include "lib/config_syntax.h"

namespace iptrk {
namespace {

void SortByPlace(std::vector<ConfigError>& faults) {
  std::stable_sort(faults.begin(), faults.end(),
                   [](const ConfigError& a, const ConfigError& b) {
                     return std::tie(a.line, a.column) <
                            std::tie(b.line, b.column);
                   });
}

}  // namespace

std::string ConfigError::ToString() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

ConfigResult ParseConfig(const std::string& text, const std::string& name,
                         const std::vector<std::string>* interfaces) {
  ConfigResult result;
  ConfigReader reader(name, result);
  if (text.size() > kMostConfigBytes) {
    reader.Fault({1, 1}, fmt::format("the file is larger than {} bytes; is it "
                                     "the right one?",
                                     kMostConfigBytes));
    return result;
  }
  const toml::table root = ParseTables(text, reader);
  const bool whole = result.ok();
  Config& config = result.config;
  reader.OnlySections(root);
  ReadQueue(root, reader, config, interfaces);
  ReadCollectd(root, reader, config);
  const std::size_t faults = result.errors.size();
  ReadNetworks(root, reader, config);
  // Whether customers lie in networks can't be told when one was not read.
  if (!whole || result.errors.size() > faults) config.networks.clear();
  ReadCustomers(root, reader, config);
  ReadServices(root, reader, config);
  ReadDetect(root, reader, config);
  ReadMail(root, reader, config, interfaces);
  ReadLedger(root, reader, config);
  ReadPages(root, reader, config);
  ReadPrivacy(root, reader, config);
  SortByPlace(result.errors);
  SortByPlace(result.warnings);
  return result;
}

}  // namespace iptrk
