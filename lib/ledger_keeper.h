// SPDX-License-Identifier: GPL-2.0-only
// Makes the ledger's entries from what the collector counted, one a host
// interval, and hands them to the writer.
//
// Thread-compatible: belongs to the collector's thread.
#ifndef IPTRK_LIB_LEDGER_KEEPER_H_
#define IPTRK_LIB_LEDGER_KEEPER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/account.h"
#include "lib/books_count.h"
#include "lib/config.h"
#include "lib/incident.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_writer.h"

namespace iptrk {

LedgerIncident LedgerIncidentOf(const Incident& incident);

class LedgerKeeper {
 public:
  // For the queue that was made at `created_ns`; what it delivers is whole from
  // `whole_from_ns` on. `books`: how they stand. `start`: what the writer's
  // file held at first. `writer` must outlive the keeper.
  LedgerKeeper(LedgerWriter& writer, const LedgerStart& start,
               const BooksCount& books, std::uint64_t created_ns,
               std::uint64_t whole_from_ns);

  // Adds a slot's networks, before they are cleared: Account::all() and
  // Account::martian().
  void TakeSlot(const NetworkVolume& all,
                const std::array<Volume, kMartians>& martian);
  // Of the open interval, and to go on from there.
  const TotalVolume& total() const { return total_; }
  std::uint64_t whole_from_ns() const { return whole_from_ns_; }
  void Resume(const TotalVolume& total) { total_ = total; }
  // Ends an interval of `seconds`: the account's hosts are those of it, and the
  // mark has the text of `books`.
  // `baselines`: empty where they stay as they are.
  void EndInterval(const LedgerPosition& mark, int seconds,
                   const Account& account,
                   const std::vector<Customer>& customers,
                   const BooksCount& books, std::string baselines);

 private:
  LedgerWriter& writer_;
  std::uint64_t whole_from_ns_;
  std::int64_t applied_end_ = 0;  // when we began
  TotalVolume total_;
  BooksCount counted_;  // at the last entry
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_KEEPER_H_
