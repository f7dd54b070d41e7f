// SPDX-License-Identifier: GPL-2.0-only
// The ledger's history of hosts: five minutes, hours, days of UTC, and thirty
// days since 1970-01-01 each, without which a year took seconds to add up.
//
// Traffic is added to five-minute slots only. An hour is summed up from its
// slots when it is over, a day from its hours and thirty days from their days,
// so that nothing is ever in one resolution and not in the next coarser one
// when that is complete.
#ifndef IPTRK_LIB_LEDGER_HOSTS_H_
#define IPTRK_LIB_LEDGER_HOSTS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "lib/address.h"
#include "lib/ledger_database.h"
#include "lib/ledger_entry.h"

namespace iptrk {

inline constexpr std::int64_t kHour = 3600;
inline constexpr std::int64_t kDay = 86400;
inline constexpr std::int64_t kThirtyDays = 30 * kDay;

struct HostRetention {
  int slots_days = 2;  // five-minute slots
  int hours_days = 62;
  int days_days = 400;  // days, and thirty days that begin after that
};

// Within a transaction of the caller: `slot` is where traffic goes next, and
// never goes back. Sums up what is over by then and forgets what is too old.
void AdvanceHosts(LedgerDatabase& database, std::int64_t slot,
                  const HostRetention& retention);

// Within the same: adds traffic to the slot. Sorts `hosts`.
void AddHostsToSlot(LedgerDatabase& database, std::int64_t slot,
                    std::vector<HostEntry>& hosts);

// What hosts had in [from, to). Where only a coarser resolution is left it
// has whole hours or days, and is of a range that is longer than asked for;
// what was forgotten altogether is not in the range.
struct HostHistory {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::vector<HostEntry> hosts;  // with traffic, in order of address
};
HostHistory ReadHosts(const LedgerDatabase& database, const Prefix& prefix,
                      std::int64_t from, std::int64_t to);

// Calls `sink` with the traffic of each host in each unit that ends in
// (from, to], and that end; in no order. Units are of `step` (300, kHour or
// kDay), and of the next finer resolution where those are not complete yet.
// `from` is a multiple of `step`. What was forgotten is not there: see
// HostsKeptFrom().
using HostSink = std::function<void(std::int64_t end, const HostEntry& host)>;
void VisitHosts(const LedgerDatabase& database, const Prefix& prefix,
                std::int64_t step, std::int64_t from, std::int64_t to,
                const HostSink& sink);

// Since when everything is kept in units of `step`.
std::int64_t HostsKeptFrom(const LedgerDatabase& database, std::int64_t step);

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_HOSTS_H_
