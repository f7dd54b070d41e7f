// SPDX-License-Identifier: GPL-2.0-only
// What addresses had over a range of time, from the ledger or from RRDs.
//
// The ledger's figures are exact integers of whole five-minute slots. In RRDs
// a rate of one row counts for the part of the row that lies in the range.
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
#include "lib/ledger_reader.h"
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

// Indexes into AddressVolume::bytes; the order of kHostSources.
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

struct AddressVolume {
  Address address;
  std::array<double, kHostSources.size()> bytes{};
  double known = 0;  // seconds of the range for which there are values
  // In the order of HostVolume::packets. An RRD of iptrk_host has none.
  std::array<double, HostVolume::kPacketKinds> packets{};

  double In() const { return bytes[kInTcp] + bytes[kInUdp] + bytes[kInOther]; }
  double Out() const {
    return bytes[kOutTcp] + bytes[kOutUdp] + bytes[kOutOther];
  }
  double Internal() const { return bytes[kInternalIn] + bytes[kInternalOut]; }
};

// One entry per readable host RRD of the network, in order of addresses;
// whatever can't be read is added to `problems`.
std::vector<AddressVolume> ReadHostVolumes(const RrdStore& store,
                                           const std::string& network,
                                           TimeRange range,
                                           std::vector<Problem>& problems);

// What the ledger has of the prefix. `range` becomes what was really read:
// whole slots, and longer where only hours or days are left. Throws
// LedgerError.
std::vector<AddressVolume> ReadLedgerVolumes(const LedgerReader& ledger,
                                             const Prefix& prefix,
                                             TimeRange& range);

// The part of `volumes` (in order of addresses) that lies in `prefix`.
std::span<const AddressVolume> Within(std::span<const AddressVolume> volumes,
                                      const Prefix& prefix);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_VOLUMES_H_
