// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_schema.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>

namespace iptrk {
namespace {

constexpr std::int64_t kApplicationId = 0x69707472;  // "iptr"

// One step a version; a step is never changed once it was released.
constexpr const char* kSteps[] = {
    R"(
CREATE TABLE total (          -- everything, per five minutes
  slot INTEGER PRIMARY KEY,
  seconds INTEGER NOT NULL,   -- accounted, of 300
  covered INTEGER NOT NULL,   -- from which nothing is missing
  in_bytes INTEGER NOT NULL, in_packets INTEGER NOT NULL,
  out_bytes INTEGER NOT NULL, out_packets INTEGER NOT NULL,
  internal_bytes INTEGER NOT NULL, internal_packets INTEGER NOT NULL,
  bogon_bytes INTEGER NOT NULL, bogon_packets INTEGER NOT NULL,
  spoofed_bytes INTEGER NOT NULL, spoofed_packets INTEGER NOT NULL,
  foreign_bytes INTEGER NOT NULL, foreign_packets INTEGER NOT NULL,
  nonip_bytes INTEGER NOT NULL, nonip_packets INTEGER NOT NULL,
  unattributed_bytes INTEGER NOT NULL, unattributed_packets INTEGER NOT NULL
);
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- A row is small and a bill reads one customer's in order: the key is the
-- table.
CREATE TABLE customer_slot (  -- only slots with traffic of his
  customer INTEGER NOT NULL REFERENCES customer,
  slot INTEGER NOT NULL,
  in_bytes INTEGER NOT NULL, in_packets INTEGER NOT NULL,
  out_bytes INTEGER NOT NULL, out_packets INTEGER NOT NULL,
  internal_in_bytes INTEGER NOT NULL, internal_in_packets INTEGER NOT NULL,
  internal_out_bytes INTEGER NOT NULL, internal_out_packets INTEGER NOT NULL,
  PRIMARY KEY (customer, slot)
) WITHOUT ROWID;
CREATE TABLE interface (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE books (
  slot INTEGER NOT NULL,
  interface INTEGER NOT NULL REFERENCES interface,
  sent INTEGER NOT NULL,
  nic_bytes INTEGER NOT NULL, nic_packets INTEGER NOT NULL,
  seen_bytes INTEGER NOT NULL, seen_packets INTEGER NOT NULL,
  recorded_bytes INTEGER NOT NULL, recorded_packets INTEGER NOT NULL,
  merged_bytes INTEGER NOT NULL, merged_packets INTEGER NOT NULL,
  unattributed_bytes INTEGER NOT NULL, unattributed_packets INTEGER NOT NULL,
  elsewhere_bytes INTEGER NOT NULL, elsewhere_packets INTEGER NOT NULL,
  PRIMARY KEY (slot, interface, sent)
) WITHOUT ROWID;
-- With a rowid, since a row beyond a quarter of a page would take a page of
-- its own without.
CREATE TABLE host_block (
  resolution INTEGER NOT NULL,  -- seconds: lib/ledger_hosts.h
  slot INTEGER NOT NULL,
  block BLOB NOT NULL,          -- lib/host_block.h
  hosts BLOB NOT NULL,
  PRIMARY KEY (resolution, slot, block)
);
CREATE TABLE host_progress (
  resolution INTEGER PRIMARY KEY,
  rolled INTEGER NOT NULL,      -- complete in this resolution up to here
  pruned INTEGER NOT NULL       -- gone from this resolution up to here
);
INSERT INTO host_progress VALUES (300, 0, 0), (3600, 0, 0), (86400, 0, 0);
CREATE TABLE incident (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,         -- 0 while open
  open INTEGER NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX incident_start ON incident (start);
CREATE TABLE mark (             -- how far the queue was read at a slot's end
  slot INTEGER PRIMARY KEY,
  created_ns INTEGER NOT NULL,
  positions BLOB NOT NULL,      -- 64-bit integers of this machine
  hosts INTEGER NOT NULL        -- whether a host interval ended there too
);
CREATE TABLE applied (          -- the end of the last entry that is in here
  one INTEGER PRIMARY KEY CHECK (one = 1),
  end INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  positions BLOB NOT NULL,
  state TEXT NOT NULL           -- LedgerEntry::state
);
)",
    R"(
CREATE TABLE silence (          -- what nobody wants to be told of
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,           -- '*': every
  subject TEXT NOT NULL,        -- '*', a prefix for all in it, or itself
  network TEXT NOT NULL,        -- '*': every
  until INTEGER NOT NULL,
  made INTEGER NOT NULL,
  who TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE TABLE baseline (         -- what is usual of each host
  one INTEGER PRIMARY KEY CHECK (one = 1),
  learnt BLOB NOT NULL          -- LedgerEntry::baselines
);
CREATE TABLE acknowledgement (  -- incidents that somebody has taken on
  incident TEXT NOT NULL PRIMARY KEY,
  made INTEGER NOT NULL,
  who TEXT NOT NULL,
  note TEXT NOT NULL
);
)",
    R"(
ALTER TABLE mark                -- LedgerPosition::books
  ADD COLUMN books TEXT NOT NULL DEFAULT '';
)",
    R"(
INSERT INTO host_progress VALUES (2592000, 0, 0);
)"};
constexpr std::int64_t kVersion = std::size(kSteps);

std::int64_t CheckedVersion(const LedgerDatabase& database) {
  const std::int64_t version = database.Pragma("user_version");
  const bool ours = database.Pragma("application_id") == kApplicationId;
  if (ours && version > kVersion)
    throw LedgerError(
        LedgerFault::kForeign,
        fmt::format("{}: written by a newer iptrk (version {} of the ledger, "
                    "this one knows {}); install that iptrk again",
                    database.path(), version, kVersion));
  if (!ours && (version != 0 || database.Pragma("schema_version") != 0))
    throw LedgerError(
        LedgerFault::kForeign,
        fmt::format("{}: a database of another program, no ledger; give "
                    "another path",
                    database.path()));
  return version;
}

}  // namespace

void PrepareLedger(LedgerDatabase& database) {
  if (CheckedVersion(database) == kVersion) return;
  LedgerTransaction transaction(database);
  // Once more, now that nobody else can be making it.
  for (std::int64_t i = CheckedVersion(database); i < kVersion; ++i)
    database.Execute(kSteps[i]);
  database.Execute(fmt::format("PRAGMA application_id = {};"
                               "PRAGMA user_version = {}",
                               kApplicationId, kVersion)
                       .c_str());
  transaction.Commit();
}

void CheckLedger(const LedgerDatabase& database) {
  const std::int64_t version = CheckedVersion(database);
  if (version == kVersion) return;
  throw LedgerError(
      LedgerFault::kForeign,
      version == 0
          ? fmt::format("{}: holds no ledger yet", database.path())
          : fmt::format("{}: written by an older iptrk (version {} of the "
                        "ledger, this one reads {}); start the new collectd "
                        "plugin, it brings the file up to date",
                        database.path(), version, kVersion));
}

}  // namespace iptrk
