// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/rrd_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "lib/naming.h"
#include "lib/rrd_reader.h"

namespace iptrk {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSuffix = ".rrd";

// Names of what is in a directory, sorted; none if it can't be listed.
std::vector<std::string> Entries(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error))
    names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool IsInstance(std::string_view name) {
  return name.starts_with(std::string(kPluginName) + "-");
}

// What stands between "TYPE-" and ".rrd" of a file name, or nothing.
std::optional<std::string> TypeInstance(std::string_view file,
                                        std::string_view type) {
  if (!file.starts_with(type) || !file.ends_with(kSuffix)) return {};
  file.remove_prefix(type.size());
  if (!file.starts_with('-')) return {};
  file.remove_prefix(1);
  file.remove_suffix(kSuffix.size());
  return std::string(file);
}

// Time of the last write below the iptrk-* directories of a collectd host.
fs::file_time_type LastWrite(const fs::path& host) {
  auto newest = fs::file_time_type::min();
  for (const std::string& instance : Entries(host)) {
    if (!IsInstance(instance)) continue;
    std::error_code error;
    fs::directory_iterator at(host / instance, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      std::error_code vanished;
      const auto time = fs::last_write_time(at->path(), vanished);
      if (!vanished) newest = std::max(newest, time);
    }
  }
  return newest;
}

}  // namespace

RrdStore::RrdStore(fs::path directory, const std::string& collectd_host)
    : directory_(std::move(directory)) {
  auto newest = fs::file_time_type::min();
  for (const std::string& host : Entries(directory_)) {
    const std::vector<std::string> inside = Entries(directory_ / host);
    if (std::none_of(inside.begin(), inside.end(), IsInstance)) continue;
    hosts_.push_back(host);
  }
  if (!collectd_host.empty() || hosts_.size() == 1) {
    host_ = collectd_host.empty() ? hosts_.front() : collectd_host;
    return;
  }
  for (const std::string& host : hosts_) {
    const auto time = LastWrite(directory_ / host);
    if (!host_.empty() && time <= newest) continue;
    newest = time;
    host_ = host;
  }
}

fs::path RrdStore::Instance(const std::string& instance) const {
  return directory_ / host_ / fmt::format("{}-{}", kPluginName, instance);
}

std::vector<std::string> RrdStore::Networks() const {
  std::vector<std::string> networks;
  if (host_.empty()) return networks;
  for (const std::string& entry : Entries(directory_ / host_)) {
    if (!IsInstance(entry)) continue;
    const std::string name = entry.substr(sizeof kPluginName);
    if (name != kAllNetworks && NetworkFile(name)) networks.push_back(name);
  }
  return networks;
}

std::vector<HostRrd> RrdStore::Hosts(const std::string& network) const {
  std::vector<HostRrd> hosts;
  const fs::path directory = Instance(network);
  for (const std::string& file : Entries(directory)) {
    const auto instance = TypeInstance(file, kHostType);
    if (!instance) continue;
    if (const auto address = AddressOfInstance(*instance))
      hosts.push_back({*address, directory / file});
  }
  std::sort(hosts.begin(), hosts.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  return hosts;
}

std::vector<ServiceRrd> RrdStore::Services(const std::string& network) const {
  std::vector<ServiceRrd> services;
  const fs::path directory = Instance(network);
  for (const std::string& file : Entries(directory))
    if (const auto name = TypeInstance(file, kServiceType))
      services.push_back({*name, directory / file});
  return services;
}

std::vector<BooksRrd> RrdStore::Books() const {
  std::vector<BooksRrd> books;
  if (host_.empty()) return books;
  const std::string prefix =
      fmt::format("{}-{}", kPluginName, kInterfacePrefix);
  for (const std::string& entry : Entries(directory_ / host_)) {
    if (!entry.starts_with(prefix)) continue;
    const fs::path directory = directory_ / host_ / entry;
    for (const std::string& file : Entries(directory))
      if (const auto direction = TypeInstance(file, kBooksType))
        books.push_back(
            {entry.substr(prefix.size()), *direction, directory / file});
  }
  return books;
}

std::optional<fs::path> RrdStore::NetworkFile(
    const std::string& network) const {
  fs::path path =
      Instance(network) / fmt::format("{}{}", kNetworkType, kSuffix);
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  return path;
}

std::optional<fs::path> RrdStore::HostFile(const std::string& network,
                                           Address address) const {
  fs::path path =
      Instance(network) /
      fmt::format("{}-{}{}", kHostType, AddressInstance(address), kSuffix);
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  return path;
}

std::optional<Problem> NamedButEmpty(const RrdStore& store,
                                     bool directory_named,
                                     const std::string& collectd_host) {
  const auto& hosts = store.CollectdHosts();
  const std::string directory = store.directory().string();
  if (directory_named && hosts.empty()) {
    std::error_code error;
    const fs::directory_iterator can_be_listed(directory, error);
    return Problem{directory,
                   error ? error.message() : "holds no RRDs of iptrk"};
  }
  if (collectd_host.empty() ||
      std::ranges::find(hosts, collectd_host) != hosts.end())
    return {};
  return Problem{
      fmt::format("--collectd-host {}", collectd_host),
      fmt::format(
          "no RRDs of iptrk below {}; there are those of: {}", directory,
          hosts.empty() ? "none" : fmt::format("{}", fmt::join(hosts, " ")))};
}

std::optional<Series> FetchSeries(const fs::path& path,
                                  std::span<const std::string_view> sources,
                                  std::time_t start, std::time_t end,
                                  Problem& problem) {
  RrdRows rows;
  try {
    rows = ReadAverages(path, start, end);
  } catch (const std::runtime_error& error) {
    problem = {path.string(), error.what()};
    return {};
  }

  std::vector<std::size_t> columns;
  for (const std::string_view source : sources) {
    const auto at = std::find(rows.sources.begin(), rows.sources.end(), source);
    if (at == rows.sources.end()) {
      problem = {path.string(),
                 fmt::format("has no data source '{}' (it has {}); is it "
                             "another plugin's, or of another types.db?",
                             source, fmt::join(rows.sources, ", "))};
      return {};
    }
    columns.push_back(static_cast<std::size_t>(at - rows.sources.begin()));
  }

  Series series;
  series.start = rows.start;
  series.step = rows.step;
  series.sources = sources.size();
  const std::size_t count = rows.values.size() / rows.sources.size();
  series.values.reserve(count * columns.size());
  for (std::size_t row = 0; row < count; ++row)
    for (const std::size_t column : columns)
      series.values.push_back(rows.values[row * rows.sources.size() + column]);
  return series;
}

std::optional<std::time_t> NewestValue(const fs::path& path, Problem& problem) {
  try {
    return LastUpdate(path);
  } catch (const std::runtime_error& error) {
    problem = {path.string(), error.what()};
    return {};
  }
}

}  // namespace iptrk
