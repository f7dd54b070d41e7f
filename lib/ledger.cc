// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger.h"

#include <fmt/format.h>

#include <cstring>
#include <initializer_list>
#include <string_view>

#include "lib/ledger_schema.h"
#include "lib/ledger_sum.h"

namespace iptrk {
namespace {

// Whoever gives records back late needs the ends of slots that are in here.
constexpr std::int64_t kMarksKept = 3600;

// An upsert that adds: the table's key columns, then the counters as they
// follow in it.
std::string AddSql(const char* table, std::initializer_list<const char*> keys,
                   std::initializer_list<const char*> counters,
                   std::initializer_list<const char*> volumes) {
  std::string columns, values, conflict, sums;
  const auto column = [&](const std::string& name, bool is_key) {
    const char* comma = columns.empty() ? "" : ", ";
    columns += comma + name;
    values += std::string(comma) + "?";
    if (is_key)
      conflict += comma + name;
    else
      sums += fmt::format("{}{} = {} + excluded.{}", sums.empty() ? "" : ", ",
                          name, name, name);
  };
  for (const char* name : keys) column(name, true);
  for (const char* name : counters) column(name, false);
  for (const std::string name : volumes) {
    column(name + "_bytes", false);
    column(name + "_packets", false);
  }
  return fmt::format(
      "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
      table, columns, values, conflict, sums);
}

std::string PositionsToBlob(const std::vector<std::uint64_t>& positions) {
  return {reinterpret_cast<const char*>(positions.data()),
          positions.size() * sizeof positions[0]};
}

// Of the columns end or slot, created_ns, positions, hosts, books.
LedgerPosition ReadPosition(const LedgerStatement& row) {
  LedgerPosition position{row.Integer(0),
                          {row.Unsigned(1), {}},
                          row.Integer(3) != 0,
                          std::string(row.Text(4))};
  const std::string_view blob = row.Blob(2);
  position.mark.positions.resize(blob.size() / sizeof(std::uint64_t));
  if (!blob.empty())
    std::memcpy(position.mark.positions.data(), blob.data(),
                position.mark.positions.size() * sizeof(std::uint64_t));
  return position;
}

// The ids of names in a table of them; new names get one.
class NameIds {
 public:
  NameIds(const LedgerDatabase& database, const char* table)
      : insert_(database.Prepare(
            fmt::format("INSERT OR IGNORE INTO {} (name) VALUES (?)", table)
                .c_str())),
        query_(database.Prepare(
            fmt::format("SELECT id FROM {} WHERE name = ?", table).c_str())) {}

  std::int64_t Of(const std::string& name) {
    for (;;) {
      query_.Query(name);
      if (query_.Next()) {
        const std::int64_t id = query_.Integer(0);
        query_.Reset();
        return id;
      }
      insert_.Run(name);
    }
  }

 private:
  LedgerStatement insert_;
  LedgerStatement query_;
};

}  // namespace

Ledger::Ledger(const std::string& path, LedgerRetention retention)
    : database_(path, LedgerDatabase::Mode::kWrite), retention_(retention) {
  PrepareLedger(database_);
}

void Ledger::Apply(std::span<const LedgerEntry> entries,
                   std::span<const LedgerPosition> marks,
                   std::span<const LedgerIncident> incidents) {
  database_.CheckInPlace();
  LedgerTransaction transaction(database_);
  for (const LedgerPosition& mark : marks) PutMark(mark);
  const auto applied = LastApplied();
  std::int64_t end = applied ? applied->end : 0;
  const std::int64_t before = end;
  for (const LedgerEntry& entry : entries) {
    if (entry.end <= end) continue;
    Add(entry);
    end = entry.end;
    SetApplied({entry.end, entry.mark, true}, entry.state);
  }
  if (end != before) {
    ForgetMarks(end - kMarksKept);
    // No more than two days at once: a clock that is wrong by years forgets
    // little.
    if (before / kDay != end / kDay)
      Prune(SlotEnd(std::min(end, before + 2 * kDay)));
  }
  for (const LedgerIncident& incident : incidents) Put(incident);
  transaction.Commit();
}

void Ledger::Add(const LedgerEntry& entry) {
  static const std::string add_total =
      AddSql("total", {"slot"}, {"seconds", "covered"},
             {"in", "out", "internal", "bogon", "spoofed", "foreign", "nonip",
              "unattributed"});
  const std::int64_t slot = SlotEnd(entry.end);
  const TotalVolume& total = entry.total;
  database_.Prepare(add_total.c_str())
      .Run(slot, entry.seconds, entry.covered, total.in, total.out,
           total.internal, total.bogon, total.spoofed, total.foreign,
           total.nonip, total.unattributed);
  AddCustomers(slot, entry.customers);
  AddBooks(slot, entry.books);
  if (!entry.baselines.empty())
    database_.Prepare("INSERT OR REPLACE INTO baseline VALUES (1, ?)")
        .Run(std::string_view(entry.baselines));
  AdvanceHosts(database_, slot, retention_.hosts);
  std::vector<HostEntry> hosts = entry.hosts;
  AddHostsToSlot(database_, slot, hosts);
}

void Ledger::AddCustomers(std::int64_t slot,
                          std::span<const CustomerEntry> entries) {
  static const std::string add =
      AddSql("customer_slot", {"customer", "slot"}, {},
             {"in", "out", "internal_in", "internal_out"});
  NameIds ids(database_, "customer");
  LedgerStatement statement = database_.Prepare(add.c_str());
  for (const auto& [name, volume] : entries)
    statement.Run(ids.Of(name), slot, volume.in, volume.out, volume.internal_in,
                  volume.internal_out);
}

void Ledger::AddBooks(std::int64_t slot, std::span<const BooksEntry> entries) {
  static const std::string add = AddSql(
      "books", {"slot", "interface", "sent"}, {},
      {"nic", "seen", "recorded", "merged", "unattributed", "elsewhere"});
  NameIds ids(database_, "interface");
  LedgerStatement statement = database_.Prepare(add.c_str());
  for (const BooksEntry& books : entries)
    statement.Run(slot, ids.Of(books.interface), books.sent, books.nic,
                  books.seen, books.recorded, books.merged, books.unattributed,
                  books.elsewhere);
}

void Ledger::Put(const LedgerIncident& incident) {
  database_
      .Prepare("INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?, ?, ?)")
      .Run(incident.id, incident.kind, incident.subject, incident.start,
           incident.end, incident.open, incident.json);
}

void Ledger::Prune(std::int64_t slot) {
  const std::int64_t before = slot - retention_.slots_days * kDay;
  database_.Prepare("DELETE FROM total WHERE slot <= ?").Run(before);
  database_.Prepare("DELETE FROM books WHERE slot <= ?").Run(before);
  database_.Prepare("DELETE FROM incident WHERE start <= ? AND NOT open")
      .Run(before);
  std::vector<std::int64_t> customers;
  LedgerStatement query = database_.Prepare("SELECT id FROM customer");
  while (query.Next()) customers.push_back(query.Integer(0));
  LedgerStatement forget = database_.Prepare(
      "DELETE FROM customer_slot WHERE customer = ? AND slot <= ?");
  for (const std::int64_t id : customers) forget.Run(id, before);
}

std::optional<LedgerPosition> Ledger::LastApplied() const {
  LedgerStatement query = database_.Prepare(
      "SELECT end, created_ns, positions, 1, '' FROM applied");
  if (!query.Next()) return std::nullopt;
  return ReadPosition(query);
}

std::string Ledger::LastState() const {
  LedgerStatement query = database_.Prepare("SELECT state FROM applied");
  return query.Next() ? std::string(query.Text(0)) : std::string();
}

std::string Ledger::LastBaselines() const {
  LedgerStatement query = database_.Prepare("SELECT learnt FROM baseline");
  return query.Next() ? std::string(query.Blob(0)) : std::string();
}

std::vector<LedgerIncident> Ledger::OpenIncidents() const {
  std::vector<LedgerIncident> incidents;
  LedgerStatement query = database_.Prepare(
      "SELECT id, kind, subject, start, end, json FROM incident WHERE open");
  while (query.Next())
    incidents.push_back({query.Text(0), query.Text(1), query.Text(2),
                         query.Integer(3), query.Integer(4), true,
                         query.Text(5)});
  return incidents;
}

void Ledger::SetApplied(const LedgerPosition& position,
                        const std::string& state) {
  database_.Prepare("INSERT OR REPLACE INTO applied VALUES (1, ?, ?, ?, ?)")
      .Run(position.end, position.mark.created_ns,
           std::string_view(PositionsToBlob(position.mark.positions)), state);
}

void Ledger::PutMark(const LedgerPosition& mark) {
  database_.Prepare("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?, ?)")
      .Run(mark.end, mark.mark.created_ns,
           std::string_view(PositionsToBlob(mark.mark.positions)),
           std::int64_t{mark.hosts}, mark.books);
}

void Ledger::Mark(const LedgerPosition& mark) {
  database_.CheckInPlace();
  PutMark(mark);
}

std::vector<LedgerPosition> Ledger::Marks() const {
  std::vector<LedgerPosition> marks;
  LedgerStatement query = database_.Prepare(
      "SELECT slot, created_ns, positions, hosts, books FROM mark "
      "ORDER BY slot");
  while (query.Next()) marks.push_back(ReadPosition(query));
  return marks;
}

void Ledger::ForgetMarks(std::int64_t before) {
  database_.Prepare("DELETE FROM mark WHERE slot < ?").Run(before);
}

}  // namespace iptrk
