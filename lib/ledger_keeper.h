// SPDX-License-Identifier: GPL-2.0-only
// Makes the ledger's entries from what the collector counted, one a host
// interval, and hands them to the writer.
//
// Thread-compatible: belongs to the collector's thread.
#ifndef IPTRK_LIB_LEDGER_KEEPER_H_
#define IPTRK_LIB_LEDGER_KEEPER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/account.h"
#include "lib/config.h"
#include "lib/incident.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_writer.h"

namespace iptrk {

LedgerIncident LedgerIncidentOf(const Incident& incident);

class LedgerKeeper {
 public:
  // For the queue that was made at `created_ns`; what it delivers is whole from
  // `whole_from_ns` on. `start`: what the writer's file held at first. `writer`
  // must outlive the keeper.
  LedgerKeeper(LedgerWriter& writer, const LedgerStart& start,
               const std::vector<iptrk_interface>& interfaces,
               std::uint64_t created_ns, std::uint64_t whole_from_ns);

  // Adds a slot's networks, before they are cleared.
  void TakeSlot(const Account& account);
  // Ends an interval of `seconds`: the account's hosts are those of it.
  // `baselines`: empty where they stay as they are.
  void EndInterval(const LedgerPosition& mark, int seconds,
                   const Account& account,
                   const std::vector<Customer>& customers,
                   const std::vector<iptrk_interface>& interfaces,
                   std::string baselines);

 private:
  std::vector<BooksEntry> BooksSince(
      const std::vector<iptrk_interface>& interfaces);
  std::string State() const;
  bool Restore(const std::string& state);

  LedgerWriter& writer_;
  std::int64_t whole_from_;
  std::int64_t applied_end_ = 0;  // when we began
  TotalVolume total_;
  std::vector<BooksEntry> counted_;  // at the last entry, since the queue began
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_KEEPER_H_
