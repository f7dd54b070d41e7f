// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_backlog.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "lib/ledger_sum.h"

namespace iptrk {

void LedgerBacklog::Push(LedgerEntry entry) {
  hosts_ += entry.hosts.size();
  // The latest ones are all that is wanted of them.
  if (!entry.baselines.empty())
    for (LedgerEntry& earlier : entries_) earlier.baselines.clear();
  entries_.push_back(std::move(entry));
  Bound();
}

void LedgerBacklog::PushMark(LedgerPosition mark) {
  marks_.push_back(std::move(mark));
  if (marks_.size() > limits_.books)
    marks_[marks_.size() - limits_.books - 1].books = {};
  if (marks_.size() <= limits_.marks) return;
  marks_.pop_front();
  ++losses_.dropped_marks;
}

void LedgerBacklog::PushIncident(LedgerIncident incident) {
  std::string id = incident.id;
  incidents_.insert_or_assign(std::move(id), std::move(incident));
  if (incidents_.size() <= limits_.incidents) return;
  incidents_.erase(incidents_.begin());
  ++losses_.dropped_incidents;
}

void LedgerBacklog::Take(LedgerBacklog& later) {
  for (LedgerEntry& entry : later.entries_) Push(std::move(entry));
  for (LedgerPosition& mark : later.marks_) PushMark(std::move(mark));
  for (auto& [id, incident] : later.incidents_)
    PushIncident(std::move(incident));
  later.entries_.clear();
  later.hosts_ = 0;
  later.ClearMarksAndIncidents();
}

std::vector<LedgerEntry> LedgerBacklog::Front(std::size_t most) const {
  const std::size_t count = std::min(most, entries_.size());
  return {entries_.begin(),
          entries_.begin() + static_cast<std::ptrdiff_t>(count)};
}

void LedgerBacklog::PopEntries(std::size_t count) {
  for (; count > 0; --count) {
    hosts_ -= entries_.front().hosts.size();
    entries_.pop_front();
  }
}

std::vector<LedgerPosition> LedgerBacklog::marks() const {
  return {marks_.begin(), marks_.end()};
}

std::vector<LedgerIncident> LedgerBacklog::incidents() const {
  std::vector<LedgerIncident> incidents;
  for (const auto& [id, incident] : incidents_) incidents.push_back(incident);
  return incidents;
}

void LedgerBacklog::ClearMarksAndIncidents() {
  marks_.clear();
  incidents_.clear();
}

void LedgerBacklog::Bound() {
  const auto many = [&] { return entries_.size() > limits_.entries; };
  const auto large = [&] { return hosts_ > limits_.hosts; };
  while ((many() || large()) && MergeIntervals()) {
  }
  while (large() && MoveHosts(kHour)) {
  }
  while (large() && MoveHosts(std::numeric_limits<std::int64_t>::max())) {
  }
  while (many()) MergeSlots();
}

// The oldest two intervals of one slot; false when no slot has two.
bool LedgerBacklog::MergeIntervals() {
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i)
    if (SlotEnd(entries_[i].end) == SlotEnd(entries_[i + 1].end)) {
      Merge(i);
      ++losses_.merged_intervals;
      return true;
    }
  return false;
}

// The oldest hosts whose next entry is of the same `within_seconds`.
bool LedgerBacklog::MoveHosts(std::int64_t within_seconds) {
  const auto unit = [&](const LedgerEntry& entry) {
    return (SlotEnd(entry.end) - kLedgerSlot) / within_seconds;
  };
  for (std::size_t i = 0; i + 1 < entries_.size(); ++i) {
    LedgerEntry& entry = entries_[i];
    LedgerEntry& next = entries_[i + 1];
    if (entry.hosts.empty() || unit(entry) != unit(next)) continue;
    hosts_ -= entry.hosts.size() + next.hosts.size();
    SortHosts(entry.hosts);
    SortHosts(next.hosts);
    AddHosts(next.hosts, entry.hosts);
    entry.hosts = {};
    hosts_ += next.hosts.size();
    ++losses_.moved_hosts;
    return true;
  }
  return false;
}

void LedgerBacklog::MergeSlots() {
  Merge(0);
  entries_.front().covered = 0;
  ++losses_.merged_slots;
}

void LedgerBacklog::Merge(std::size_t i) {
  LedgerEntry& entry = entries_[i + 1];
  hosts_ -= entries_[i].hosts.size() + entry.hosts.size();
  AddEarlier(entry, entries_[i]);
  hosts_ += entry.hosts.size();
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
}

}  // namespace iptrk
