// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_hosts.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "lib/host_block.h"
#include "lib/ledger_sum.h"

namespace iptrk {
namespace {

constexpr std::int64_t Floor(std::int64_t time, std::int64_t step) {
  return time / step * step;
}
constexpr std::int64_t Ceil(std::int64_t time, std::int64_t step) {
  return Floor(time + step - 1, step);
}

// The coarsest first: a multiple of the next.
constexpr std::array<std::int64_t, 4> kResolutions{kThirtyDays, kDay, kHour,
                                                   kLedgerSlot};

struct Progress {
  std::int64_t rolled = 0;
  std::int64_t pruned = 0;
};

Progress ProgressOf(const LedgerDatabase& database, std::int64_t resolution) {
  LedgerStatement query = database.Prepare(
      "SELECT rolled, pruned FROM host_progress WHERE resolution = ?");
  query.Query(resolution);
  if (!query.Next()) database.FailCorrupt("host_progress lacks a row");
  const Progress progress{query.Integer(0), query.Integer(1)};
  return progress;
}

std::vector<HostEntry> Decode(const LedgerDatabase& database,
                              std::string_view key, std::string_view value) {
  auto hosts = DecodeHosts(key, value);
  if (!hosts) database.FailCorrupt("a block of hosts");
  return std::move(*hosts);
}

// Sums up the blocks of `fine` in (end - coarse, end] as those of `coarse`.
void RollUp(LedgerDatabase& database, std::int64_t fine, std::int64_t coarse,
            std::int64_t end) {
  LedgerStatement query = database.Prepare(
      "SELECT block, hosts FROM host_block WHERE resolution = ? AND slot > ? "
      "AND slot <= ? ORDER BY block");
  LedgerStatement insert =
      database.Prepare("INSERT INTO host_block VALUES (?, ?, ?, ?)");
  std::string key;
  std::vector<HostEntry> sum;
  const auto store = [&] {
    if (!sum.empty())
      insert.Run(coarse, end, std::string_view(key),
                 std::string_view(EncodeHosts(sum)));
    sum.clear();
  };
  query.Query(fine, end - coarse, end);
  while (query.Next()) {
    const std::string_view block = query.Blob(0);
    if (block != key) {
      store();
      key = block;
    }
    AddHosts(sum, Decode(database, block, query.Blob(1)));
  }
  store();
}

// Everything of `coarse` that is over when `start` begins.
void RollUpTo(LedgerDatabase& database, std::int64_t fine, std::int64_t coarse,
              std::int64_t start) {
  const std::int64_t target = Floor(start, coarse);
  std::int64_t rolled = ProgressOf(database, coarse).rolled;
  if (rolled >= target) return;
  LedgerStatement next = database.Prepare(
      "SELECT min(slot) FROM host_block WHERE resolution = ? AND slot > ?");
  for (;;) {
    next.Query(fine, rolled);
    const std::int64_t slot = next.Next() ? next.Integer(0) : 0;
    if (slot == 0 || slot > target) break;
    rolled = Ceil(slot, coarse);
    RollUp(database, fine, coarse, rolled);
  }
  database.Prepare("UPDATE host_progress SET rolled = ? WHERE resolution = ?")
      .Run(target, coarse);
}

// Whole units of the next coarser resolution only, so that what is left in
// this one begins where such a unit does.
void Prune(LedgerDatabase& database, std::int64_t resolution,
           std::int64_t before, std::int64_t unit) {
  const std::int64_t target = Floor(before, unit);
  if (ProgressOf(database, resolution).pruned >= target) return;
  database.Prepare("DELETE FROM host_block WHERE resolution = ? AND slot <= ?")
      .Run(resolution, target);
  database.Prepare("UPDATE host_progress SET pruned = ? WHERE resolution = ?")
      .Run(target, resolution);
}

// The hosts of a prefix, block by block.
class PrefixBlocks {
 public:
  PrefixBlocks(const LedgerDatabase& database, const Prefix& prefix)
      : database_(database),
        prefix_(prefix),
        first_(BlockKey(prefix.first)),
        last_(BlockKey(prefix.Last())),
        narrow_(first_ == last_),
        query_(database.Prepare(
            "SELECT block, hosts, slot FROM host_block WHERE resolution = ? "
            "AND slot > ? AND slot <= ? AND block >= ? AND block <= ? AND "
            "length(block) = ?")) {}

  // Those of one resolution that end in (from, to], as `sink(end, hosts)`.
  template <typename Sink>
  void Each(std::int64_t resolution, std::int64_t from, std::int64_t to,
            Sink&& sink) {
    if (from >= to) return;
    query_.Query(resolution, from, to, std::string_view(first_),
                 std::string_view(last_), first_.size());
    while (query_.Next()) {
      auto hosts = Decode(database_, query_.Blob(0), query_.Blob(1));
      if (narrow_)
        std::erase_if(hosts, [this](const HostEntry& host) {
          return !prefix_.Contains(host.address);
        });
      if (!hosts.empty()) sink(query_.Integer(2), hosts);
    }
  }

 private:
  const LedgerDatabase& database_;
  const Prefix prefix_;
  const std::string first_;
  const std::string last_;
  const bool narrow_;  // a block may hold others
  LedgerStatement query_;
};

// Adds what ended in (from, to] of the prefix. Takes memory for what is asked
// for, not times the number of slots.
class PrefixSum {
 public:
  PrefixSum(const LedgerDatabase& database, const Prefix& prefix)
      : database_(database), blocks_(database, prefix) {}

  // Units of a resolution where they are complete, around them finer ones.
  void Take(std::int64_t from, std::int64_t to, std::size_t level = 0) {
    const std::int64_t step = kResolutions[level];
    if (step == kLedgerSlot) return TakeUnits(step, from, to);
    const std::int64_t rolled = ProgressOf(database_, step).rolled;
    const std::int64_t first = std::min(Ceil(from, step), to);
    const std::int64_t last =
        std::max(first, std::min(Floor(to, step), rolled));
    Take(from, first, level + 1);
    TakeUnits(step, first, last);
    Take(last, to, level + 1);
  }

  std::vector<HostEntry> Hosts() && {
    std::vector<HostEntry> hosts;
    for (const auto& [key, block] : sums_)
      hosts.insert(hosts.end(), block.begin(), block.end());
    return hosts;
  }

 private:
  void TakeUnits(std::int64_t resolution, std::int64_t from, std::int64_t to) {
    blocks_.Each(resolution, from, to,
                 [this](std::int64_t, const std::vector<HostEntry>& hosts) {
                   AddHosts(sums_[BlockKey(hosts.front().address)], hosts);
                 });
  }

  const LedgerDatabase& database_;
  PrefixBlocks blocks_;
  std::map<std::string, std::vector<HostEntry>> sums_;  // sorts as addresses do
};

}  // namespace

void AdvanceHosts(LedgerDatabase& database, std::int64_t slot,
                  const HostRetention& retention) {
  const std::int64_t start = slot - kLedgerSlot;
  const std::int64_t before = ProgressOf(database, kHour).rolled;
  if (before >= Floor(start, kHour)) return;
  RollUpTo(database, kLedgerSlot, kHour, start);
  RollUpTo(database, kHour, kDay, start);
  RollUpTo(database, kDay, kThirtyDays, start);
  // No more than two days at once: a clock that is wrong by years forgets
  // little.
  const std::int64_t known = std::min(start, before + 2 * kDay);
  Prune(database, kLedgerSlot, known - retention.slots_days * kDay, kHour);
  Prune(database, kHour, known - retention.hours_days * kDay, kDay);
  Prune(database, kDay, known - retention.days_days * kDay, kDay);
  Prune(database, kThirtyDays, known - retention.days_days * kDay, kThirtyDays);
}

void AddHostsToSlot(LedgerDatabase& database, std::int64_t slot,
                    std::vector<HostEntry>& hosts) {
  SortHosts(hosts);
  LedgerStatement query = database.Prepare(
      "SELECT hosts FROM host_block WHERE resolution = 300 AND slot = ? AND "
      "block = ?");
  LedgerStatement replace = database.Prepare(
      "INSERT OR REPLACE INTO host_block VALUES (300, ?, ?, "
      "?)");
  for (auto begin = hosts.begin(); begin != hosts.end();) {
    const std::string key = BlockKey(begin->address);
    const Prefix prefix = *BlockPrefix(key);
    const auto end = std::find_if_not(begin, hosts.end(), [&](const auto& h) {
      return prefix.Contains(h.address);
    });
    std::vector<HostEntry> sum(begin, end);
    query.Query(slot, std::string_view(key));
    while (query.Next()) AddHosts(sum, Decode(database, key, query.Blob(0)));
    replace.Run(slot, std::string_view(key),
                std::string_view(EncodeHosts(sum)));
    begin = end;
  }
}

HostHistory ReadHosts(const LedgerDatabase& database, const Prefix& prefix,
                      std::int64_t from, std::int64_t to) {
  const Progress slots = ProgressOf(database, kLedgerSlot);
  const Progress hours = ProgressOf(database, kHour);
  const Progress days = ProgressOf(database, kDay);
  from = std::max(Floor(from, kLedgerSlot), days.pruned);
  to = Ceil(to, kLedgerSlot);
  // Whole units where nothing finer is left. Pruning ends at whole ones, so
  // each of these lies on one side of it.
  if (from < slots.pruned) from = Floor(from, kHour);
  if (from < hours.pruned) from = Floor(from, kDay);
  if (to <= slots.pruned) to = Ceil(to, kHour);
  if (to <= hours.pruned) to = Ceil(to, kDay);
  from = std::min(from, to);

  PrefixSum sum(database, prefix);
  sum.Take(from, to);
  return {from, to, std::move(sum).Hosts()};
}

void VisitHosts(const LedgerDatabase& database, const Prefix& prefix,
                std::int64_t step, std::int64_t from, std::int64_t to,
                const HostSink& sink) {
  PrefixBlocks blocks(database, prefix);
  const auto each = [&sink](std::int64_t end,
                            const std::vector<HostEntry>& hosts) {
    for (const HostEntry& host : hosts) sink(end, host);
  };
  for (const std::int64_t resolution : {kDay, kHour}) {
    if (resolution > step) continue;
    const std::int64_t complete = std::min(
        Floor(to, resolution), ProgressOf(database, resolution).rolled);
    blocks.Each(resolution, from, complete, each);
    from = std::max(from, complete);
  }
  blocks.Each(kLedgerSlot, from, to, each);
}

std::int64_t HostsKeptFrom(const LedgerDatabase& database, std::int64_t step) {
  return ProgressOf(database, step).pruned;
}

}  // namespace iptrk
