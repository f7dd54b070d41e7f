// SPDX-License-Identifier: GPL-2.0-only
// What a network, or everything seen, received and sent: one cell for each
// direction, protocol split and service, so that a packet is one addition.
#ifndef IPTRK_LIB_NETWORK_VOLUME_H_
#define IPTRK_LIB_NETWORK_VOLUME_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "lib/classify.h"
#include "lib/protocol.h"
#include "lib/volume.h"

namespace iptrk {

struct ServiceVolume {
  Volume in, out, internal;
};

class NetworkVolume {
 public:
  explicit NetworkVolume(std::size_t services = 1)
      : services_(services),
        cells_(static_cast<std::size_t>(kDirections * kSplits) * services) {}

  // The cell of a packet, the same in all of one configuration.
  std::size_t Cell(const Verdict& verdict, Split split) const {
    return Cell(verdict.direction, split,
                static_cast<std::size_t>(verdict.service));
  }
  Volume& operator[](std::size_t cell) { return cells_[cell]; }

  // Of everything seen, not of a network: frames that are not IP, and what
  // the kernel had no room to keep an address of.
  Volume nonip, unattributed;

  // Martian: with nonip.
  Volume Of(Direction direction) const;
  Volume Of(Split split) const;  // IP packets of all directions
  Volume Of(Direction direction, std::size_t service) const;  // IP packets
  ServiceVolume Service(std::size_t index) const;
  Volume Total() const;
  void Clear();

  // All cells, to be kept and set again; false when they are none.
  const std::vector<Volume>& cells() const { return cells_; }
  bool SetCells(std::vector<Volume> cells) {
    constexpr std::size_t kPerService = kDirections * kSplits;
    if (cells.empty() || cells.size() % kPerService != 0) return false;
    services_ = cells.size() / kPerService;
    cells_ = std::move(cells);
    return true;
  }

 private:
  std::size_t Cell(Direction direction, Split split,
                   std::size_t service) const {
    return (static_cast<std::size_t>(direction) * kSplits +
            static_cast<std::size_t>(split)) *
               services_ +
           service;
  }

  std::size_t services_;
  std::vector<Volume> cells_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_NETWORK_VOLUME_H_
