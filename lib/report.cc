// SPDX-License-Identifier: GPL-2.0-only
#include "lib/report.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <map>
#include <thread>

#include "lib/ledger_reader.h"
#include "lib/ledger_sum.h"

namespace iptrk {
namespace {

constexpr std::size_t kWorthAThread = 16;  // customers

// The customer's rows put to the slots that the ledger has.
std::vector<BillSlot> SlotsOf(const LedgerReader& ledger,
                              const BillRequest& request,
                              const std::vector<TotalSlot>& totals) {
  const std::vector<CustomerSlot> rows =
      ledger.Customer(request.customer, request.span.from, request.span.to);
  std::vector<BillSlot> slots;
  slots.reserve(totals.size());
  auto row = rows.begin();
  for (const TotalSlot& total : totals) {
    // A row and its total are written together.
    BillSlot slot{total.end, std::min(total.covered, kLedgerSlot), {}};
    if (row != rows.end() && row->end == total.end)
      slot.volume = (row++)->volume;
    slots.push_back(slot);
  }
  return slots;
}

Bill MakeBill(const BillRequest& request, std::vector<BillSlot> slots,
              const BillOptions& options) {
  Bill bill;
  bill.request = request;
  bill.expected = static_cast<std::size_t>(
      (request.span.to - request.span.from) / kLedgerSlot);
  std::vector<Sample> samples;
  samples.reserve(slots.size());
  for (const BillSlot& slot : slots) {
    Add(bill.volume, slot.volume);
    bill.covered += slot.covered;
    if (slot.covered > 0)
      samples.push_back(
          {slot.end, slot.volume.in.bytes, slot.volume.out.bytes});
  }
  bill.seen = samples.size();
  bill.billable = bill.seen > 0 &&
                  (options.allow_gaps || bill.Coverage() >= kLeastCoverage);
  for (const Convention convention : kEveryConvention)
    if (options.every_convention || convention == request.convention)
      bill.percentiles.emplace_back(convention,
                                    FindPercentile(samples, convention));
  if (options.slots) bill.slots = std::move(slots);
  return bill;
}

// A part of the bills. Totals and rows are of one snapshot.
std::vector<Bill> MakePart(const std::string& path,
                           std::span<const BillRequest> requests,
                           const BillOptions& options) {
  const LedgerReader ledger(path);
  std::map<TimeSpan, std::vector<TotalSlot>> totals;  // most share a zone
  std::vector<Bill> bills;
  for (const BillRequest& request : requests) {
    const auto [at, is_new] = totals.try_emplace(request.span);
    if (is_new) at->second = ledger.Totals(request.span.from, request.span.to);
    bills.push_back(
        MakeBill(request, SlotsOf(ledger, request, at->second), options));
    for (const TotalSlot& total : at->second)
      bills.back().unattributed += total.volume.unattributed;
  }
  return bills;
}

}  // namespace

double Bill::Coverage() const {
  const std::int64_t seconds = request.span.to - request.span.from;
  if (seconds <= 0) return 0;
  return static_cast<double>(covered) / static_cast<double>(seconds);
}

std::vector<Bill> MakeBills(const std::string& ledger,
                            std::span<const BillRequest> requests,
                            const BillOptions& options) {
  const std::size_t parts =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                              requests.size() / kWorthAThread + 1);
  std::vector<std::future<std::vector<Bill>>> futures;
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t from = requests.size() * i / parts;
    const std::size_t to = requests.size() * (i + 1) / parts;
    futures.push_back(std::async(
        parts == 1 ? std::launch::deferred : std::launch::async, MakePart,
        ledger, requests.subspan(from, to - from), options));
  }
  std::vector<Bill> bills;
  for (auto& future : futures)
    std::ranges::move(future.get(), std::back_inserter(bills));
  return bills;
}

}  // namespace iptrk
