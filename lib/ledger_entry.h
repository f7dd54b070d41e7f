// SPDX-License-Identifier: GPL-2.0-only
// What one host interval adds to the ledger: plain values.
//
// An interval is [end - seconds, end) of UTC, its length divides 300 s, and it
// lies in one five-minute slot. The collector makes one entry an interval, in
// order; together they hold every byte that the queue delivered.
#ifndef IPTRK_LIB_LEDGER_ENTRY_H_
#define IPTRK_LIB_LEDGER_ENTRY_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/address.h"
#include "lib/volume.h"

namespace iptrk {

inline constexpr int kLedgerSlot = 300;  // seconds

// How far a queue was read: positions are of that queue alone.
struct QueueMark {
  std::uint64_t created_ns = 0;          // which queue; see iptrk_attach
  std::vector<std::uint64_t> positions;  // of each ring

  bool SameQueue(const QueueMark& other) const {
    return created_ns == other.created_ns &&
           positions.size() == other.positions.size();
  }
  // Whether that queue is at `here`, or comes to be here: no ring is behind.
  bool Follows(const QueueMark& here) const {
    return SameQueue(here) &&
           std::equal(here.positions.begin(), here.positions.end(),
                      positions.begin(), std::less_equal{});
  }
  friend bool operator==(const QueueMark&, const QueueMark&) = default;
};

// Bytes in the order of the data sources of iptrk_host.
struct HostVolume {
  static constexpr std::size_t kInTcp = 0, kInUdp = 1, kInOther = 2,
                               kOutTcp = 3, kOutUdp = 4, kOutOther = 5,
                               kInternalIn = 6, kInternalOut = 7,
                               kByteKinds = 8;
  static constexpr std::size_t kIn = 0, kOut = 1, kInInternal = 2,
                               kOutInternal = 3, kPacketKinds = 4;

  std::array<std::uint64_t, kByteKinds> bytes{};
  std::array<std::uint64_t, kPacketKinds> packets{};
};

struct HostEntry {
  Address address;  // or the first one of the prefix it is rolled up to
  HostVolume volume;
};

// A customer's traffic, seen from the customer. Internal: to and from other
// addresses of ours, his own among them.
struct CustomerVolume {
  Volume in, out, internal_in, internal_out;
};

struct CustomerEntry {
  std::string name;
  CustomerVolume volume;
};

// Every packet is in exactly one of these.
struct TotalVolume {
  Volume in, out, internal;
  Volume bogon, spoofed, foreign, nonip;  // martian
  Volume unattributed;
};

// What an interface's books gained in the interval.
struct BooksEntry {
  std::string interface;
  bool sent = false;
  Volume nic;  // its own counter, as frames on the wire
  Volume seen, recorded, merged, unattributed, elsewhere;
};

struct LedgerEntry {
  std::int64_t end = 0;  // UTC, seconds
  int seconds = 0;       // length of the interval
  int covered = 0;       // seconds of it from which nothing is missing
  TotalVolume total;
  std::vector<CustomerEntry> customers;  // those with traffic
  std::vector<HostEntry> hosts;          // those with traffic
  std::vector<BooksEntry> books;
  QueueMark mark;  // at its end
  // What its maker wants to know again after a restart.
  std::string state;
  // What is usual of each host (lib/detect_baseline.h); empty: as before.
  std::string baselines;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_ENTRY_H_
