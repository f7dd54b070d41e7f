// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_reader.h"

#include <algorithm>

#include "lib/ledger_schema.h"

namespace iptrk {

LedgerReader::LedgerReader(const std::string& path)
    : database_(path, LedgerDatabase::Mode::kRead) {
  CheckLedger(database_);
  // The first read fixes what is seen until the connection ends.
  database_.Execute("BEGIN; SELECT count(*) FROM applied");
}

std::vector<TotalSlot> LedgerReader::Totals(std::int64_t from,
                                            std::int64_t to) const {
  std::vector<TotalSlot> slots;
  LedgerStatement query = database_.Prepare(
      "SELECT * FROM total WHERE slot > ? AND slot <= ? ORDER BY slot");
  query.Query(from, to);
  while (query.Next())
    slots.push_back({query.Integer(0),
                     static_cast<int>(query.Integer(1)),
                     static_cast<int>(query.Integer(2)),
                     {query.VolumeAt(3), query.VolumeAt(5), query.VolumeAt(7),
                      query.VolumeAt(9), query.VolumeAt(11), query.VolumeAt(13),
                      query.VolumeAt(15), query.VolumeAt(17)}});
  return slots;
}

std::vector<std::string> LedgerReader::Customers() const {
  std::vector<std::string> names;
  LedgerStatement query =
      database_.Prepare("SELECT name FROM customer ORDER BY name");
  while (query.Next()) names.push_back(query.Text(0));
  return names;
}

std::vector<CustomerSlot> LedgerReader::Customer(const std::string& name,
                                                 std::int64_t from,
                                                 std::int64_t to) const {
  std::vector<CustomerSlot> slots;
  constexpr std::int64_t kMostReserved = 1 << 16;
  if (from < to)
    slots.reserve(static_cast<std::size_t>(
        std::min((to - from) / kLedgerSlot + 1, kMostReserved)));
  LedgerStatement query = database_.Prepare(
      "SELECT * FROM customer_slot WHERE customer = "
      "(SELECT id FROM customer WHERE name = ?) "
      "AND slot > ? AND slot <= ? ORDER BY slot");
  query.Query(name, from, to);
  while (query.Next())
    slots.push_back({query.Integer(1),
                     {query.VolumeAt(2), query.VolumeAt(4), query.VolumeAt(6),
                      query.VolumeAt(8)}});
  return slots;
}

std::vector<BooksSlot> LedgerReader::Books(std::int64_t from,
                                           std::int64_t to) const {
  std::vector<BooksSlot> slots;
  LedgerStatement query = database_.Prepare(
      "SELECT books.*, name FROM books JOIN interface ON id = interface "
      "WHERE slot > ? AND slot <= ? ORDER BY slot, name, sent");
  query.Query(from, to);
  while (query.Next())
    slots.push_back({query.Integer(0),
                     {query.Text(15), query.Integer(2) != 0, query.VolumeAt(3),
                      query.VolumeAt(5), query.VolumeAt(7), query.VolumeAt(9),
                      query.VolumeAt(11), query.VolumeAt(13)}});
  return slots;
}

std::vector<LedgerIncident> LedgerReader::Incidents(std::int64_t from,
                                                    std::int64_t to) const {
  std::vector<LedgerIncident> incidents;
  LedgerStatement query = database_.Prepare(
      "SELECT id, kind, subject, start, end, open, json FROM incident "
      "WHERE start < ? AND (open OR end >= ?) ORDER BY start DESC, id");
  query.Query(to, from);
  while (query.Next())
    incidents.push_back({query.Text(0), query.Text(1), query.Text(2),
                         query.Integer(3), query.Integer(4),
                         query.Integer(5) != 0, query.Text(6)});
  return incidents;
}

std::optional<std::int64_t> LedgerReader::LastEnd() const {
  LedgerStatement query = database_.Prepare("SELECT end FROM applied");
  if (!query.Next()) return std::nullopt;
  return query.Integer(0);
}

}  // namespace iptrk
