// SPDX-License-Identifier: GPL-2.0-only
// What the console shows of one second: made by Model, drawn by the screens.
//
// A plain value; shared between the reader's thread and the screen's as const.
// Volumes are layer-2 bytes and packets. `now` is of the second that ended at
// `end_ns`, `minute` of the last `minute_seconds`, `total` of all `seconds`
// since the start.
#ifndef IPTRK_TOOLS_CONSOLE_SNAPSHOT_H_
#define IPTRK_TOOLS_CONSOLE_SNAPSHOT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/classify.h"
#include "lib/config.h"
#include "lib/host.h"
#include "lib/incident.h"

namespace iptrk::console {

inline constexpr std::size_t kHistory = 60;  // seconds

enum class Period : std::uint8_t { kNow, kMinute, kTotal };
inline constexpr std::size_t kPeriods = 3;
inline constexpr std::array<const char*, kPeriods> kPeriodNames = {
    "now", "1 min", "since start"};

// A service in all directions, or the sum of all.
struct PanelRow {
  std::string name;
  // By Period, then Direction.
  std::array<std::array<Volume, kDirections>, kPeriods> volume{};
  // By Direction; of each second, the newest last.
  std::array<std::array<Volume, kHistory>, kDirections> history{};
};

using HostVolumes = std::array<Volume, kHostKinds>;  // by HostKind

struct HostRow {
  Address address;
  std::int16_t network = -1;                      // of Snapshot::networks
  bool others = false;                            // hosts without a row
  std::array<HostVolumes, kPeriods> volume = {};  // by Period
  std::uint64_t peers = 0;                        // estimate, since the start
};

// Whom the open host talks with. From the host's side: `in` is received by it.
struct PeerRow {
  Address address;
  Volume in_now, out_now;
  Volume in, out;               // since the start
  std::uint16_t own_port = 0;   // of the first packet
  std::uint16_t peer_port = 0;  // likewise
  std::uint8_t protocol = 0;    // likewise
  std::uint8_t tcp_flags = 0;   // of all packets, or-ed
  std::int16_t service = 0;     // of the first packet
};

struct HostDetail {
  Address address;
  std::vector<PeerRow> peers;  // in no order
  // Since the start, of those that found no room among the peers.
  Volume in_rest, out_rest;
};

struct Snapshot {
  std::uint64_t end_ns = 0;     // of the second; 0: none has ended yet
  std::uint64_t seconds = 0;    // since the start, or since the filter changed
  unsigned minute_seconds = 0;  // at most 60
  std::string filter;           // "": everything
  std::vector<std::string> services;
  std::vector<std::string> networks;
  std::vector<Network> prefixes;                // of the networks
  std::vector<PanelRow> panel;                  // by service, then "non-IP"
  std::array<Volume, kPeriods> unattributed{};  // of no direction
  std::array<std::array<Volume, kMartians>, kPeriods> martians{};
  std::vector<HostRow> hosts;  // in order of their numbers; own ones
  HostDetail detail;           // of the host that was opened
  bool has_detail = false;
  std::vector<Incident> incidents;          // open; see Model::Finish()
  std::vector<iptrk_interface> interfaces;  // none in a replay
  double fill = 0;                          // of the fullest ring, 0 to 1
  std::uint64_t merged = 0;   // packets since the start, in merged records
  std::uint64_t evicted = 0;  // peers that had to make room

  Volume Of(Period period, Direction direction) const {
    Volume sum;
    for (const PanelRow& row : panel)
      sum += row.volume[static_cast<std::size_t>(period)]
                       [static_cast<std::size_t>(direction)];
    return sum;
  }
  Volume Total(Period period) const {
    Volume sum = unattributed[static_cast<std::size_t>(period)];
    for (int i = 0; i < kDirections; ++i)
      sum += Of(period, static_cast<Direction>(i));
    return sum;
  }
  // How long a period is, never 0.
  double Seconds(Period period) const {
    if (period == Period::kNow) return 1;
    const auto length = static_cast<double>(
        period == Period::kMinute ? minute_seconds : seconds);
    return length > 0 ? length : 1;
  }
};

// A packet as the stream shows it.
struct StreamLine {
  iptrk_record record;
  Verdict verdict;
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_SNAPSHOT_H_
