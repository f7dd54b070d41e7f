// SPDX-License-Identifier: GPL-2.0-only
// What RRDs hold over a range of time, in bytes.
//
// A rate of one row counts for the part of the row that lies in the range.
// At the finest archive and with ends on its rows that is the exact sum; a
// range that needs a coarser archive, or cuts rows, is as exact as one row's
// average. Rows without a value count as nothing and lower `known`.
#ifndef IPTRK_TOOLS_GRAPH_VOLUMES_H_
#define IPTRK_TOOLS_GRAPH_VOLUMES_H_

#include <array>
#include <cstddef>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "lib/address.h"
#include "tools/graph/rrd_store.h"

namespace iptrk {

// Seconds since the epoch; start not included, end included.
struct TimeRange {
  std::time_t start = 0;
  std::time_t end = 0;
  std::time_t Length() const { return end - start; }
};

// Bytes per data source, in the order the sources were asked for, and for how
// many seconds of the range the first of them is known.
struct Sums {
  std::vector<double> bytes;
  double known = 0;
};
Sums SumOver(const Series& series, TimeRange range);

// Indexes into HostVolume::bytes; the order of kHostSources.
enum HostSource : std::size_t {
  kInTcp,
  kInUdp,
  kInOther,
  kOutTcp,
  kOutUdp,
  kOutOther,
  kInternalIn,
  kInternalOut,
};

struct HostVolume {
  Address address;
  std::array<double, kHostSources.size()> bytes{};
  double known = 0;  // seconds of the range for which there are values

  double In() const { return bytes[kInTcp] + bytes[kInUdp] + bytes[kInOther]; }
  double Out() const {
    return bytes[kOutTcp] + bytes[kOutUdp] + bytes[kOutOther];
  }
  double Internal() const { return bytes[kInternalIn] + bytes[kInternalOut]; }
};

// One entry per readable host RRD of the network, in order of addresses;
// whatever can't be read is added to `problems`.
std::vector<HostVolume> ReadHostVolumes(const RrdStore& store,
                                        const std::string& network,
                                        TimeRange range,
                                        std::vector<Problem>& problems);

// The part of `volumes` (in order of addresses) that lies in `prefix`.
std::span<const HostVolume> Within(std::span<const HostVolume> volumes,
                                   const Prefix& prefix);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_VOLUMES_H_
