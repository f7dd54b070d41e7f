// SPDX-License-Identifier: GPL-2.0-only
// A heat map: addresses from top to bottom, time from left to right, the
// colour of a cell is how much the addresses had in that time. rrdgraph has no
// such picture, so this one is written as SVG, for light and dark readers.
#ifndef IPTRK_TOOLS_GRAPH_HEAT_MAP_H_
#define IPTRK_TOOLS_GRAPH_HEAT_MAP_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "lib/ledger_reader.h"
#include "tools/graph/address_axis.h"
#include "tools/graph/render.h"

namespace iptrk {

struct HeatMap {
  AddressAxis axis;  // a bar is a row
  TimeRange range;   // whole columns
  std::time_t step = 0;
  // Bytes in and out, row after row; below zero where nothing is known.
  std::vector<double> bytes;

  std::size_t Columns() const {
    return static_cast<std::size_t>(range.Length() / step);
  }
  double At(std::size_t row, std::size_t column) const {
    return bytes[row * Columns() + column];
  }
};

// Of what `counts` of the axis' prefix, in columns of five minutes, hours or
// days: the finest that the ledger still has and a picture has room for. The
// begin moves to that of a column; nothing is shown of what is not over.
// Throws LedgerError.
HeatMap ReadHeatMap(const LedgerReader& ledger, const AddressAxis& axis,
                    TimeRange range,
                    const std::function<bool(Address)>& counts);

// Pixels of a row's height, of all rows at most this together.
inline constexpr std::size_t kHeatHeight = 512;

// The axis of a heat map's rows; `volumes` is who there is, for IPv6.
std::optional<AddressAxis> MakeHeatAxis(const Prefix& prefix,
                                        std::span<const AddressVolume> volumes);

// Where the rows lie in the picture.
Picture HeatPlace(const AddressAxis& axis);
std::string HeatSvg(const HeatMap& map, const std::string& title,
                    const std::string& watermark);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_HEAT_MAP_H_
