// SPDX-License-Identifier: GPL-2.0-only
// The RRDs that collectd keeps of our values, found and read.
//
// The layout is that of lib/naming.h. A file that is missing, unreadable, half
// written or has other data sources than ours is a Problem to be shown, never
// a crash and never a silent zero.
//
// Values are what is on disk: what collectd's cache or rrdcached still holds
// is not seen, and shows as older data (see NewestValue).
//
// Threads: thread-compatible. librrd keeps its last error per thread.
#ifndef IPTRK_TOOLS_GRAPH_RRD_STORE_H_
#define IPTRK_TOOLS_GRAPH_RRD_STORE_H_

#include <array>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/address.h"

namespace iptrk {

// Data sources by type, in the order of plugin/iptrk.types.db.
inline constexpr std::array<std::string_view, 8> kHostSources = {
    "in_tcp",  "in_udp",    "in_other",    "out_tcp",
    "out_udp", "out_other", "internal_in", "internal_out"};
inline constexpr std::array<std::string_view, 8> kNetworkSources = {
    "in",         "out",         "internal",         "martian",
    "in_packets", "out_packets", "internal_packets", "martian_packets"};
inline constexpr std::array<std::string_view, 3> kServiceSources = {"in", "out",
                                                                    "internal"};
inline constexpr std::array<std::string_view, 6> kBooksSources = {
    "nic", "seen", "recorded", "merged", "unattributed", "elsewhere"};

struct Problem {
  std::string path;
  std::string what;
};

// Rates over a range: row i covers start + i*step (not included) to
// start + (i+1)*step (included), both in seconds since the epoch.
struct Series {
  std::time_t start = 0;
  std::time_t step = 1;
  std::size_t sources = 0;
  std::vector<double> values;  // row after row; NaN where nothing is known

  std::size_t Rows() const { return sources ? values.size() / sources : 0; }
  double At(std::size_t row, std::size_t source) const {
    return values[row * sources + source];
  }
};

struct HostRrd {
  Address address;
  std::filesystem::path path;
};

struct ServiceRrd {
  std::string name;
  std::filesystem::path path;
};

struct BooksRrd {
  std::string interface;
  std::string direction;  // "received" or "sent"
  std::filesystem::path path;
};

class RrdStore {
 public:
  // `collectd_host` empty: the directory below `directory` that holds iptrk
  // data, and of several the one updated last. CollectdHosts() tells them all.
  RrdStore(std::filesystem::path directory, const std::string& collectd_host);

  const std::filesystem::path& directory() const { return directory_; }
  // Empty when nothing of iptrk was found.
  const std::string& collectd_host() const { return host_; }
  const std::vector<std::string>& CollectdHosts() const { return hosts_; }

  // Names of networks that have data, sorted; without "all".
  std::vector<std::string> Networks() const;
  // Own addresses of a network that have an RRD, in numeric order.
  std::vector<HostRrd> Hosts(const std::string& network) const;
  std::vector<ServiceRrd> Services(const std::string& network) const;
  std::vector<BooksRrd> Books() const;
  // The RRD's path, or nothing where there is no such file.
  std::optional<std::filesystem::path> NetworkFile(
      const std::string& network) const;
  std::optional<std::filesystem::path> HostFile(const std::string& network,
                                                Address address) const;

 private:
  std::filesystem::path Instance(const std::string& instance) const;

  std::filesystem::path directory_;
  std::string host_;
  std::vector<std::string> hosts_;
};

// What to say of a directory or a `collectd_host` (if not empty) that the user
// named and that has no data of iptrk.
std::optional<Problem> NamedButEmpty(const RrdStore& store,
                                     bool directory_named,
                                     const std::string& collectd_host);

// AVERAGE rates of `sources` (columns come in that order) from the finest
// archive that covers start..end. Nothing, and `problem` set, when the file
// can't be used.
std::optional<Series> FetchSeries(const std::filesystem::path& path,
                                  std::span<const std::string_view> sources,
                                  std::time_t start, std::time_t end,
                                  Problem& problem);

// Time of the newest value in the file; nothing, and `problem` set, when the
// file can't be used.
std::optional<std::time_t> NewestValue(const std::filesystem::path& path,
                                       Problem& problem);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_RRD_STORE_H_
