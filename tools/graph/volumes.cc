// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/volumes.h"

#include <algorithm>
#include <cmath>

namespace iptrk {

Sums SumOver(const Series& series, TimeRange range) {
  Sums sums;
  sums.bytes.resize(series.sources);
  for (std::size_t row = 0; row < series.Rows(); ++row) {
    const std::time_t begin =
        series.start + static_cast<std::time_t>(row) * series.step;
    const std::time_t seconds =
        std::min(begin + series.step, range.end) - std::max(begin, range.start);
    if (seconds <= 0) continue;
    const auto weight = static_cast<double>(seconds);
    for (std::size_t i = 0; i < series.sources; ++i) {
      const double rate = series.At(row, i);
      if (std::isfinite(rate)) sums.bytes[i] += rate * weight;
    }
    if (series.sources > 0 && std::isfinite(series.At(row, 0)))
      sums.known += weight;
  }
  return sums;
}

std::vector<AddressVolume> ReadHostVolumes(const RrdStore& store,
                                           const std::string& network,
                                           TimeRange range,
                                           std::vector<Problem>& problems) {
  std::vector<AddressVolume> volumes;
  for (const HostRrd& host : store.Hosts(network)) {
    Problem problem;
    const auto series =
        FetchSeries(host.path, kHostSources, range.start, range.end, problem);
    if (!series) {
      problems.push_back(std::move(problem));
      continue;
    }
    const Sums sums = SumOver(*series, range);
    AddressVolume volume{host.address, {}, sums.known, {}};
    std::copy(sums.bytes.begin(), sums.bytes.end(), volume.bytes.begin());
    volumes.push_back(volume);
  }
  return volumes;
}

std::vector<AddressVolume> ReadLedgerVolumes(const LedgerReader& ledger,
                                             const Prefix& prefix,
                                             TimeRange& range) {
  const HostHistory history = ledger.Hosts(prefix, range.start, range.end);
  range = {history.from, history.to};
  std::vector<AddressVolume> volumes;
  volumes.reserve(history.hosts.size());
  for (const HostEntry& host : history.hosts) {
    AddressVolume& volume = volumes.emplace_back();
    volume.address = host.address;
    volume.known = static_cast<double>(range.Length());
    const auto as_double = [](std::uint64_t n) {
      return static_cast<double>(n);
    };
    std::ranges::transform(host.volume.bytes, volume.bytes.begin(), as_double);
    std::ranges::transform(host.volume.packets, volume.packets.begin(),
                           as_double);
  }
  return volumes;
}

std::span<const AddressVolume> Within(std::span<const AddressVolume> volumes,
                                      const Prefix& prefix) {
  const auto first = std::lower_bound(
      volumes.begin(), volumes.end(), prefix.first,
      [](const AddressVolume& v, Address a) { return v.address < a; });
  const auto last = std::upper_bound(
      first, volumes.end(), prefix.Last(),
      [](Address a, const AddressVolume& v) { return a < v.address; });
  return {first, last};
}

}  // namespace iptrk
