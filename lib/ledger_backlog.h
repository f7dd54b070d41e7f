// SPDX-License-Identifier: GPL-2.0-only
// What waits to be written to the ledger, in bounded memory.
//
// When too much waits, detail goes and bytes stay, the least valuable detail
// first:
//   1. intervals of the same slot become one: nothing is lost by it;
//   2. an entry's hosts go into the next entry's: a host's bytes are then in
//      a later slot, of the same hour while that is enough;
//   3. the oldest entries become one, whose slot then holds the bytes of
//      several and so is no sample of a rate: it is said to cover nothing.
//
// Thread-compatible.
#ifndef IPTRK_LIB_LEDGER_BACKLOG_H_
#define IPTRK_LIB_LEDGER_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "lib/ledger.h"
#include "lib/ledger_entry.h"

namespace iptrk {

struct BacklogLimits {
  std::size_t entries = 2016;   // a week of slots
  std::size_t hosts = 1 << 19;  // in all entries; about 60 MB
  std::size_t marks = 8640;     // a day of 10 s
  std::size_t books = 360;      // of the latest marks; 83 kB of 300 interfaces
  std::size_t incidents = 10000;
};

// What was given up so far, in the order above.
struct BacklogLosses {
  std::uint64_t merged_intervals = 0;
  std::uint64_t moved_hosts = 0;    // entries that gave up their hosts
  std::uint64_t merged_slots = 0;   // entries that are in a later one
  std::uint64_t dropped_marks = 0;  // the oldest
  std::uint64_t dropped_incidents = 0;
};

class LedgerBacklog {
 public:
  explicit LedgerBacklog(BacklogLimits limits = {}) : limits_(limits) {}

  // Entries come in order. None of these is slow unless a limit is exceeded.
  void Push(LedgerEntry entry);
  void PushMark(LedgerPosition mark);
  void PushIncident(LedgerIncident incident);
  // Everything of a later one, which is empty then but keeps its losses.
  void Take(LedgerBacklog& later);

  // For writing: the oldest `most` entries, or what else there is.
  std::vector<LedgerEntry> Front(std::size_t most) const;
  void PopEntries(std::size_t count);
  std::vector<LedgerPosition> marks() const;
  std::vector<LedgerIncident> incidents() const;
  void ClearMarksAndIncidents();

  bool empty() const {
    return entries_.empty() && marks_.empty() && incidents_.empty();
  }
  std::size_t entries() const { return entries_.size(); }
  std::size_t hosts() const { return hosts_; }
  const BacklogLosses& losses() const { return losses_; }

 private:
  void Bound();
  bool MergeIntervals();
  bool MoveHosts(std::int64_t within_seconds);
  void MergeSlots();
  // Puts the sum of entries i and i + 1 in the place of both.
  void Merge(std::size_t i);

  BacklogLimits limits_;
  std::deque<LedgerEntry> entries_;
  std::size_t hosts_ = 0;  // in entries_
  std::deque<LedgerPosition> marks_;
  std::map<std::string, LedgerIncident> incidents_;  // by id, so by start
  BacklogLosses losses_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_BACKLOG_H_
