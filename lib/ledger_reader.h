// SPDX-License-Identifier: GPL-2.0-only
// What the ledger holds, for bills and pages.
//
// A reader sees the ledger as it was when the reader was made, however much
// is written meanwhile; keep it no longer than reading takes, since the file's
// log can't be shortened until then.
//
// Times are UTC seconds; a range [from, to) has the slots that end in
// (from, to]. Rows come in order of time.
// Threads: thread-compatible. Errors: LedgerError.
#ifndef IPTRK_LIB_LEDGER_READER_H_
#define IPTRK_LIB_LEDGER_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/ledger.h"
#include "lib/ledger_database.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_hosts.h"

namespace iptrk {

struct TotalSlot {
  std::int64_t end = 0;
  int seconds = 0;  // accounted, of 300
  int covered = 0;  // from which nothing is missing
  TotalVolume volume;
};

struct CustomerSlot {
  std::int64_t end = 0;
  CustomerVolume volume;
};

struct BooksSlot {
  std::int64_t end = 0;
  BooksEntry books;
};

class LedgerReader {
 public:
  explicit LedgerReader(const std::string& path);

  std::vector<TotalSlot> Totals(std::int64_t from, std::int64_t to) const;
  // Everyone who ever had traffic, in order of name.
  std::vector<std::string> Customers() const;
  // A slot without traffic of his has no row: see Totals() for whether it was
  // accounted at all.
  std::vector<CustomerSlot> Customer(const std::string& name, std::int64_t from,
                                     std::int64_t to) const;
  std::vector<BooksSlot> Books(std::int64_t from, std::int64_t to) const;
  // `prefix` is of one family.
  HostHistory Hosts(const Prefix& prefix, std::int64_t from,
                    std::int64_t to) const {
    return ReadHosts(database_, prefix, from, to);
  }
  // See lib/ledger_hosts.h.
  void VisitHosts(const Prefix& prefix, std::int64_t step, std::int64_t from,
                  std::int64_t to, const HostSink& sink) const {
    iptrk::VisitHosts(database_, prefix, step, from, to, sink);
  }
  std::int64_t HostsKeptFrom(std::int64_t step) const {
    return iptrk::HostsKeptFrom(database_, step);
  }
  // Those that were open at some time in the range, the latest first.
  std::vector<LedgerIncident> Incidents(std::int64_t from,
                                        std::int64_t to) const;
  // The end of the last interval that is in here.
  std::optional<std::int64_t> LastEnd() const;

 private:
  LedgerDatabase database_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_READER_H_
