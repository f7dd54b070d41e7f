// SPDX-License-Identifier: GPL-2.0-only
// Bytes (layer 2, on the wire, without FCS) and packets, always together.
#ifndef IPTRK_LIB_VOLUME_H_
#define IPTRK_LIB_VOLUME_H_

#include <cstdint>

#include "kernel/uapi/iptrk.h"

namespace iptrk {

struct Volume {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;

  Volume& operator+=(const iptrk_record& record) {
    bytes += record.bytes;
    packets += record.packets;
    return *this;
  }
  Volume& operator+=(const Volume& other) {
    bytes += other.bytes;
    packets += other.packets;
    return *this;
  }
  friend Volume operator+(Volume a, const Volume& b) { return a += b; }
  friend bool operator==(const Volume&, const Volume&) = default;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_VOLUME_H_
