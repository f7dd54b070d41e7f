// SPDX-License-Identifier: GPL-2.0-only
// The books of an interface: what the device counted against what we saw.
#ifndef IPTRK_LIB_BOOKS_H_
#define IPTRK_LIB_BOOKS_H_

#include "kernel/uapi/iptrk.h"
#include "lib/volume.h"

namespace iptrk {

// One interface and direction, in the device's own convention.
struct Balance {
  Volume nic;       // what the device counted
  Volume expected;  // what we saw, counted as this kind of device counts
  // nic - expected; negative: seen, but not counted by the device (dropped
  // behind our hook). Named "unseen": XDP, tc, pktgen and offloads pass by.
  std::int64_t unseen_bytes = 0;
  std::int64_t unseen_packets = 0;
  // seen == recorded + merged + unattributed + elsewhere
  bool closed = false;
  bool balanced() const {
    return closed && unseen_bytes == 0 && unseen_packets == 0;
  }
};

Balance BalanceOf(const iptrk_interface& interface, bool sent);

// The device's own count, as if it counted frames on the wire like we do: what
// is more than seen is what passed unseen, whatever its kind.
Volume NicOnWire(const iptrk_interface& interface, bool sent);

}  // namespace iptrk

#endif  // IPTRK_LIB_BOOKS_H_
