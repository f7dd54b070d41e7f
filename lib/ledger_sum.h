// SPDX-License-Identifier: GPL-2.0-only
// Sums of what the ledger holds: nothing is lost in them but detail.
#ifndef IPTRK_LIB_LEDGER_SUM_H_
#define IPTRK_LIB_LEDGER_SUM_H_

#include <cstdint>
#include <vector>

#include "lib/ledger_entry.h"

namespace iptrk {

// The end of the five-minute slot that holds the interval ending at `end`.
constexpr std::int64_t SlotEnd(std::int64_t end) {
  return (end + kLedgerSlot - 1) / kLedgerSlot * kLedgerSlot;
}

void Add(HostVolume& sum, const HostVolume& more);
void Add(CustomerVolume& sum, const CustomerVolume& more);
void Add(TotalVolume& sum, const TotalVolume& more);
void Add(BooksEntry& sum, const BooksEntry& more);

// Both in ascending order of address without repetition, as is the sum.
// SortHosts() brings a list into it, adding up what is there twice.
void SortHosts(std::vector<HostEntry>& hosts);
void AddHosts(std::vector<HostEntry>& sum, const std::vector<HostEntry>& more);

// Adds the earlier entry to the later one of the same slot, which then stands
// for both.
void AddEarlier(LedgerEntry& entry, const LedgerEntry& earlier);

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_SUM_H_
