// SPDX-License-Identifier: GPL-2.0-only
// The ledger: what every bill, page and audit is made from. One SQLite file,
// written here and read by LedgerReader, also at the same time.
//
// Threads: thread-compatible; LedgerWriter owns one on a thread of its own.
// Errors: LedgerError; a call that throws has changed nothing.
#ifndef IPTRK_LIB_LEDGER_H_
#define IPTRK_LIB_LEDGER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/ledger_database.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_hosts.h"

namespace iptrk {

struct LedgerRetention {
  int slots_days = 800;  // customers, totals, books, cleared incidents
  HostRetention hosts;
};

// Where a slot of collectd's ended in the queue, or an entry.
struct LedgerPosition {
  std::int64_t end = 0;  // UTC, seconds
  QueueMark mark;
  bool hosts = false;   // a host interval ended there too
  std::string books{};  // of a slot: BooksCount at its end; empty: not known

  friend bool operator==(const LedgerPosition&,
                         const LedgerPosition&) = default;
};

struct LedgerIncident {
  std::string id;  // unique; the same one again replaces what was known
  std::string kind;
  std::string subject;
  std::int64_t start = 0;  // UTC, seconds
  std::int64_t end = 0;    // 0 while open
  bool open = true;
  std::string json;  // all of it, as lib/incident.h writes it
};

class Ledger {
 public:
  // Opens the file or makes it, but never its directory, which may be a mount
  // point that is not mounted yet.
  explicit Ledger(const std::string& path, LedgerRetention retention = {});

  // Adds what the entries, in order, and the others say, in one transaction;
  // durable when it returns. An entry that ends at or before LastApplied() is
  // in here already and is left out, so repeating a call changes nothing.
  // Marks more than an hour before LastApplied() are forgotten.
  void Apply(std::span<const LedgerEntry> entries,
             std::span<const LedgerPosition> marks = {},
             std::span<const LedgerIncident> incidents = {});

  // The end of the last entry that is in here; nothing in a new file.
  std::optional<LedgerPosition> LastApplied() const;
  std::string LastState() const;  // of that entry
  std::string LastBaselines() const;
  std::vector<LedgerIncident> OpenIncidents() const;

  // For a new file in the place of a lost one: what ends at or before the
  // position is left out from now on.
  void BeginAt(const LedgerPosition& position) { SetApplied(position, {}); }

  void Mark(const LedgerPosition& mark);
  std::vector<LedgerPosition> Marks() const;  // not yet forgotten, in order
  void ForgetMarks(std::int64_t before);

  const std::string& path() const { return database_.path(); }

 private:
  void Add(const LedgerEntry& entry);
  void AddCustomers(std::int64_t slot, std::span<const CustomerEntry> entries);
  void AddBooks(std::int64_t slot, std::span<const BooksEntry> entries);
  void Put(const LedgerIncident& incident);
  void Prune(std::int64_t slot);
  void SetApplied(const LedgerPosition& position, const std::string& state);
  void PutMark(const LedgerPosition& mark);

  LedgerDatabase database_;
  LedgerRetention retention_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_H_
