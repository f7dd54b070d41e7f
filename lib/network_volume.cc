// SPDX-License-Identifier: GPL-2.0-only
#include "lib/network_volume.h"

namespace iptrk {

Volume NetworkVolume::Of(Direction direction) const {
  Volume sum = direction == Direction::kMartian ? nonip : Volume{};
  for (int split = 0; split < kSplits; ++split)
    for (std::size_t service = 0; service < services_; ++service)
      sum += cells_[Cell(direction, static_cast<Split>(split), service)];
  return sum;
}

Volume NetworkVolume::Of(Split split) const {
  Volume sum;
  for (int direction = 0; direction < kDirections; ++direction)
    for (std::size_t service = 0; service < services_; ++service)
      sum += cells_[Cell(static_cast<Direction>(direction), split, service)];
  return sum;
}

Volume NetworkVolume::Of(Direction direction, std::size_t service) const {
  Volume sum;
  for (int split = 0; split < kSplits; ++split)
    sum += cells_[Cell(direction, static_cast<Split>(split), service)];
  return sum;
}

ServiceVolume NetworkVolume::Service(std::size_t index) const {
  ServiceVolume sum;
  for (int i = 0; i < kSplits; ++i) {
    const auto split = static_cast<Split>(i);
    sum.in += cells_[Cell(Direction::kIn, split, index)];
    sum.out += cells_[Cell(Direction::kOut, split, index)];
    sum.internal += cells_[Cell(Direction::kInternal, split, index)];
  }
  return sum;
}

Volume NetworkVolume::Total() const {
  Volume total = nonip + unattributed;
  for (const Volume& cell : cells_) total += cell;
  return total;
}

void NetworkVolume::Clear() {
  nonip = {};
  unattributed = {};
  std::fill(cells_.begin(), cells_.end(), Volume{});
}

}  // namespace iptrk
