// SPDX-License-Identifier: GPL-2.0-only
// How the addresses of an IPv4 prefix lie along a time axis.
//
// rrdgraph knows only one x axis, time. So addresses are written as times: a
// unit of time is one value of one octet, and strftime turns the time back
// into the octet. Two units do this without arithmetic:
//   a day     1986-12-31 00:00 UTC + octet days; %-j, the day of the year,
//             prints 1...255 (0 has no number and gets no label);
//   a minute  %-M prints 0...59; for a few low addresses, which so keep
//             their .0.
// A prefix longer than /24 or equal has one unit per address; up to /16 one
// per /24, up to /8 one per /16, with several bars in a unit. A bar stands for
// as many addresses as it takes to give each bar two pixels; their values are
// to be summed, since rrdgraph itself would average.
#ifndef IPTRK_TOOLS_GRAPH_ADDRESS_AXIS_H_
#define IPTRK_TOOLS_GRAPH_ADDRESS_AXIS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/address.h"
#include "tools/graph/volumes.h"

namespace iptrk {

struct AddressAxis {
  Prefix prefix;
  std::size_t bars = 0;
  std::uint64_t addresses_per_bar = 1;  // a power of two
  // What the bars are where they are no even parts of the prefix: 1, 2, ... in
  // order of address.
  std::vector<Prefix> ranked;

  // Seconds on the axis. A bar is `rows` rows of `step`; only `drawn` of them
  // from `first_drawn` on carry its value, so neighbours keep a gap.
  std::time_t origin = 0;  // where the first bar begins
  std::time_t step = 0;
  std::size_t rows = 1;
  std::size_t first_drawn = 0;
  std::size_t drawn = 1;

  // What rrdgraph gets.
  std::time_t graph_start = 0;
  std::time_t graph_end = 0;
  std::string x_grid;  // the value of --x-grid

  std::time_t BarSeconds() const {
    return step * static_cast<std::time_t>(rows);
  }
  std::time_t DrawnSeconds() const {
    return step * static_cast<std::time_t>(drawn);
  }
  // Which bar an address of the prefix belongs to; with `ranked`, one that is
  // in one of them.
  std::size_t BarOf(Address address) const {
    if (!ranked.empty())
      return static_cast<std::size_t>(
          std::upper_bound(
              ranked.begin(), ranked.end(), address,
              [](Address a, const Prefix& p) { return a < p.first; }) -
          ranked.begin() - 1);
    return static_cast<std::size_t>((address.Ipv4() - prefix.first.Ipv4()) /
                                    addresses_per_bar);
  }
  // The addresses behind a bar.
  Prefix AddressesOf(std::size_t bar) const;
  // What a numbered bar is, for titles: " by /56, numbered"; else empty.
  std::string Unit() const;
};

// The axis for a picture whose graph is `width` pixels wide; nothing for IPv6,
// whose prefixes are too sparse for an even axis: see MakeRankAxis().
std::optional<AddressAxis> MakeAddressAxis(const Prefix& prefix,
                                           std::size_t width);

// An axis of those parts of an IPv6 prefix that are in `volumes`, numbered in
// order of address: single hosts, or so many bits less that at most kMostRanked
// remain. Nothing without volumes, or for IPv4.
inline constexpr std::size_t kMostRanked = 256;
std::optional<AddressAxis> MakeRankAxis(const Prefix& prefix,
                                        std::span<const AddressVolume> volumes,
                                        std::size_t width);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_ADDRESS_AXIS_H_
