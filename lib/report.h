// SPDX-License-Identifier: GPL-2.0-only
// Bills from the ledger: per customer the volume of a range of time, and the
// 95th percentile with all that is needed to check it.
//
// A sample is a five-minute slot of UTC from which at least a second was
// accounted. A slot that was accounted and has no traffic of the customer's
// is a sample of 0; a slot that was not is no sample. It is never filled, but
// said: samples expected and seen, and the coverage.
#ifndef IPTRK_LIB_REPORT_H_
#define IPTRK_LIB_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/civil_month.h"
#include "lib/ledger_entry.h"
#include "lib/percentile.h"

namespace iptrk {

struct BillRequest {
  std::string customer;
  bool configured = true;  // or only known to the ledger
  std::string timezone = "UTC";
  Convention convention = Convention::kMaxOfP95;
  std::string period;  // how it was asked for: "2026-10"
  TimeSpan span;       // whole slots
};

struct BillOptions {
  bool every_convention = false;
  bool slots = false;  // Bill::slots
  bool allow_gaps = false;
};

// Below this coverage a percentile is not billed unless gaps are allowed.
inline constexpr double kLeastCoverage = 0.99;

struct BillSlot {
  std::int64_t end = 0;
  int covered = 0;  // seconds from which nothing is missing; 0: no sample
  CustomerVolume volume;
};

struct Bill {
  BillRequest request;
  CustomerVolume volume;  // of every slot, samples or not
  // Of everybody: bytes of which not even the address is known.
  Volume unattributed;
  std::size_t expected = 0;  // samples, were everything seen
  std::size_t seen = 0;
  std::int64_t covered = 0;  // seconds
  bool billable = false;
  // The agreed convention, or all of them. Nothing without samples.
  std::vector<std::pair<Convention, std::optional<Percentile>>> percentiles;
  std::vector<BillSlot> slots;  // every one the ledger has

  // Share of the range from which nothing is missing, 0 to 1.
  double Coverage() const;
};

// In the order of the requests, made on several threads when they are many.
// Throws LedgerError.
std::vector<Bill> MakeBills(const std::string& ledger,
                            std::span<const BillRequest> requests,
                            const BillOptions& options);

}  // namespace iptrk

#endif  // IPTRK_LIB_REPORT_H_
