// SPDX-License-Identifier: GPL-2.0-only
// Ledgers and entries for tests.
#ifndef IPTRK_TESTS_UNIT_LEDGER_FIXTURE_H_
#define IPTRK_TESTS_UNIT_LEDGER_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/ledger.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_reader.h"
#include "tools/graph/temporary_directory.h"

namespace iptrk {

// 2026-10-01T00:00:00Z: begins a slot, an hour, a day and a month.
inline constexpr std::int64_t kStart = 1790812800;

// The interval of a minute that ends at `end`, in which `bytes` of one packet
// each went in to 10.1.0.80 of customer "acme", and out at half of that.
inline LedgerEntry Minute(std::int64_t end, std::uint64_t bytes) {
  LedgerEntry entry;
  entry.end = end;
  entry.seconds = 60;
  entry.covered = 60;
  entry.total.in = {bytes, 2};
  entry.total.out = {bytes / 2, 1};
  entry.customers = {{"acme", {{bytes, 2}, {bytes / 2, 1}, {7, 1}, {9, 1}}}};
  HostEntry host{*Address::Parse("10.1.0.80"), {}};
  host.volume.bytes[HostVolume::kInTcp] = bytes;
  host.volume.bytes[HostVolume::kOutTcp] = bytes / 2;
  host.volume.packets[HostVolume::kIn] = 2;
  entry.hosts = {host};
  BooksEntry books;
  books.interface = "eth0";
  books.seen = books.recorded = books.nic = {bytes, 2};
  entry.books = {books};
  entry.mark = {42, {static_cast<std::uint64_t>(end), 7}};
  return entry;
}

class LedgerFile {
 public:
  std::string path() const { return (directory_.path() / "l.sqlite").string(); }
  std::filesystem::path directory() const { return directory_.path(); }
  LedgerReader Read() const { return LedgerReader(path()); }

  // The bytes in of "acme" over all time, as in the rows.
  std::uint64_t CustomerIn() const {
    std::uint64_t sum = 0;
    for (const CustomerSlot& slot : Read().Customer("acme", 0, INT64_MAX))
      sum += slot.volume.in.bytes;
    return sum;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace iptrk

#endif  // IPTRK_TESTS_UNIT_LEDGER_FIXTURE_H_
