// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/rrd_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rrd.h>

#include <algorithm>
#include <map>
#include <memory>

#include "lib/naming.h"

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

Problem LibraryProblem(const fs::path& path) {
  std::string what = rrd_test_error() ? rrd_get_error() : "unknown error";
  rrd_clear_error();
  return {path.string(), std::move(what)};
}

// librrd takes the counts of a header at their word, so a file that is no RRD
// at all must not get as far as that.
bool LooksLikeRrd(const fs::path& path, Problem& problem) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    problem = {path.string(), "can't be opened for reading"};
    return false;
  }
  std::array<char, 4> cookie{};
  if (std::fread(cookie.data(), 1, cookie.size(), file.get()) !=
          cookie.size() ||
      std::string_view(cookie.data(), 3) != "RRD" || cookie[3] != '\0') {
    problem = {path.string(), "is no RRD file, or only the begin of one"};
    return false;
  }
  return true;
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
  if (!LooksLikeRrd(path, problem)) return {};
  unsigned long step = 1;  // ask for the finest; gives back what there is
  unsigned long count = 0;
  char** names = nullptr;
  rrd_value_t* data = nullptr;
  rrd_clear_error();
  if (rrd_fetch_r(path.c_str(), "AVERAGE", &start, &end, &step, &count, &names,
                  &data) != 0) {
    problem = LibraryProblem(path);
    return {};
  }
  const std::unique_ptr<rrd_value_t, void (*)(void*)> data_owner(data,
                                                                 rrd_freemem);
  std::vector<std::string> found;
  for (unsigned long i = 0; i < count; ++i) {
    found.emplace_back(names[i]);
    rrd_freemem(names[i]);
  }
  rrd_freemem(names);

  std::vector<std::size_t> columns;
  for (const std::string_view source : sources) {
    const auto at = std::find(found.begin(), found.end(), source);
    if (at == found.end()) {
      problem = {path.string(),
                 fmt::format("has no data source '{}' (it has {}); is it "
                             "another plugin's, or of another types.db?",
                             source, fmt::join(found, ", "))};
      return {};
    }
    columns.push_back(static_cast<std::size_t>(at - found.begin()));
  }

  Series series;
  series.start = start;
  series.step = static_cast<std::time_t>(step);
  series.sources = sources.size();
  const auto rows = static_cast<std::size_t>((end - start) / series.step);
  series.values.reserve(rows * columns.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (const std::size_t column : columns)
      series.values.push_back(data[row * count + column]);
  return series;
}

std::optional<std::time_t> NewestValue(const fs::path& path, Problem& problem) {
  if (!LooksLikeRrd(path, problem)) return {};
  rrd_clear_error();
  const std::time_t last = rrd_last_r(path.c_str());
  if (last < 0 || rrd_test_error()) {
    problem = LibraryProblem(path);
    return {};
  }
  return last;
}

}  // namespace iptrk
