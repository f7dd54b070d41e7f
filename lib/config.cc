// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <tuple>

#include "lib/config_sections.h"

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
  try {
    const toml::table root = toml::parse(text, name);
    ConfigReader reader(name, result);
    reader.OnlySections(root);
    ReadQueue(root, reader, result.config, interfaces);
    ReadCollectd(root, reader, result.config);
    const std::size_t faults = result.errors.size();
    ReadNetworks(root, reader, result.config);
    // Whether customers lie in them can't be told then.
    if (result.errors.size() > faults) result.config.networks.clear();
    ReadCustomers(root, reader, result.config);
    ReadServices(root, reader, result.config);
    ReadDetect(root, reader, result.config);
    ReadMail(root, reader, result.config);
    ReadLedger(root, reader, result.config);
    ReadPages(root, reader, result.config);
    ReadPrivacy(root, reader, result.config);
  } catch (const toml::parse_error& error) {
    result.errors.push_back({name, error.source().begin.line,
                             error.source().begin.column,
                             std::string(error.description())});
  }
  SortByPlace(result.errors);
  SortByPlace(result.warnings);
  return result;
}

ConfigResult LoadConfig(const std::string& path,
                        const std::vector<std::string>* interfaces) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.fail()) {
    ConfigResult result;
    result.errors.push_back(
        {path, 0, 0,
         fmt::format("can't be read: {}",
                     std::generic_category().message(errno ? errno : EIO))});
    return result;
  }
  return ParseConfig(text.str(), path, interfaces);
}

ConfigResult LoadConfigOrDefaults(const std::string& path, bool named) {
  if (!named && access(path.c_str(), F_OK) != 0) return {};
  return LoadConfig(path);
}

}  // namespace iptrk
