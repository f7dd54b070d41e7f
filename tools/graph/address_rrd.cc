// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/address_rrd.h"

#include <fmt/format.h>
#include <rrd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace iptrk {
namespace {

constexpr std::array<std::string_view, HostVolume::kPacketKinds>
    kPacketSources = {"in_packets", "out_packets", "internal_in_pkts",
                      "internal_out_pkts"};

// Bytes, then packets.
using Values = std::array<double, kHostSources.size() + kPacketSources.size()>;

std::vector<Values> SumPerBar(const AddressAxis& axis,
                              std::span<const AddressVolume> volumes) {
  std::vector<Values> bars(axis.bars);
  for (const AddressVolume& volume : Within(volumes, axis.prefix)) {
    Values& bar = bars[axis.BarOf(volume.address)];
    std::size_t i = 0;
    for (const double bytes : volume.bytes) bar[i++] += bytes;
    for (const double packets : volume.packets) bar[i++] += packets;
  }
  return bars;
}

std::vector<const char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  for (const std::string& s : strings) pointers.push_back(s.c_str());
  return pointers;
}

void CheckLibrary(int result, const std::filesystem::path& path) {
  if (result == 0) return;
  const std::string what = rrd_get_error();
  rrd_clear_error();
  throw std::runtime_error(
      fmt::format("{}: address RRD: {}", path.string(), what));
}

}  // namespace

void WriteAddressRrd(const AddressAxis& axis,
                     std::span<const AddressVolume> volumes,
                     const std::filesystem::path& path) {
  std::vector<std::string> schema;
  for (const std::string_view source : kHostSources)
    schema.push_back(fmt::format("DS:{}:GAUGE:{}:U:U", source, axis.step));
  for (const std::string_view source : kPacketSources)
    schema.push_back(fmt::format("DS:{}:GAUGE:{}:U:U", source, axis.step));
  schema.push_back(fmt::format("RRA:AVERAGE:0.5:1:{}", axis.bars * axis.rows));

  std::vector<std::string> rows;
  std::time_t time = axis.origin;
  for (const Values& bar : SumPerBar(axis, volumes)) {
    for (std::size_t row = 0; row < axis.rows; ++row) {
      time += axis.step;  // an RRD row carries the time of its end
      const bool drawn =
          row >= axis.first_drawn && row < axis.first_drawn + axis.drawn;
      std::string update = fmt::format("{}", time);
      for (const double value : bar)
        update += drawn ? fmt::format(":{}", value) : ":U";
      rows.push_back(std::move(update));
    }
  }

  rrd_clear_error();
  auto arguments = Pointers(schema);
  CheckLibrary(rrd_create_r(path.c_str(), static_cast<unsigned long>(axis.step),
                            axis.origin, static_cast<int>(arguments.size()),
                            arguments.data()),
               path);
  arguments = Pointers(rows);
  CheckLibrary(
      rrd_update_r(path.c_str(), nullptr, static_cast<int>(arguments.size()),
                   arguments.data()),
      path);
}

void SetAxisValues(const AddressAxis& axis, const std::filesystem::path& file,
                   TemplateRow& values) {
  values["file"] = file.string();
  values["start"] = std::to_string(axis.graph_start);
  values["end"] = std::to_string(axis.graph_end);
  values["x_grid"] = axis.x_grid;
  values["bar_seconds"] = std::to_string(axis.DrawnSeconds());
}

}  // namespace iptrk
