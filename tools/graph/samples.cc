// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/graph/drawing.h"
#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

std::int64_t WholeSlots(TimeRange range) {
  return range.end / kLedgerSlot -
         (range.start + kLedgerSlot - 1) / kLedgerSlot;
}

}  // namespace

HostSamples::HostSamples(const LedgerReader& ledger,
                         std::span<const Prefix> prefixes, TimeRange range,
                         std::span<const Address> hosts,
                         const std::function<bool(Address)>& counts) {
  const std::int64_t from =
      std::max<std::int64_t>(range.start / kLedgerSlot * kLedgerSlot,
                             ledger.HostsKeptFrom(kLedgerSlot));
  const auto index = [&](std::int64_t end) {
    return static_cast<std::size_t>((end - from) / kLedgerSlot - 1);
  };
  for (const TotalSlot& slot : ledger.Totals(from, range.end)) {
    all_.resize(index(slot.end) + 1);
    all_.back().accounted = slot.covered > 0;
  }
  if (all_.empty()) return;
  begin_ = from;
  for (const Address host : hosts) hosts_[host] = all_;
  const HostSink sink = [&](std::int64_t end, const HostEntry& entry) {
    if (index(end) >= all_.size() || !counts(entry.address)) return;
    const auto& bytes = entry.volume.bytes;
    const auto add = [&](Slot& slot) {
      slot.in += bytes[kInTcp] + bytes[kInUdp] + bytes[kInOther];
      const std::uint64_t out =
          bytes[kOutTcp] + bytes[kOutUdp] + bytes[kOutOther];
      slot.out += out;
      slot.sent |= out + bytes[kInternalOut] > 0;
    };
    add(all_[index(end)]);
    const auto host = hosts_.find(entry.address);
    if (host != hosts_.end()) add(host->second[index(end)]);
  };
  for (const Prefix& prefix : prefixes) {
    const auto holds = [&](const Prefix& other) {
      return other.length < prefix.length && other.Contains(prefix.first);
    };
    if (std::ranges::none_of(prefixes, holds))
      ledger.VisitHosts(prefix, kLedgerSlot, from, range.end, sink);
  }
}

std::vector<Sample> HostSamples::OfHost(Address host, TimeRange range) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? std::vector<Sample>{}
                               : Of(found->second, range);
}

std::vector<Sample> HostSamples::Of(std::span<const Slot> slots,
                                    TimeRange range) const {
  std::vector<Sample> samples;
  if (begin_ == 0 || range.start + kLedgerSlot <= begin_) return samples;
  std::int64_t end = begin_;
  for (const Slot& slot : slots) {
    end += kLedgerSlot;
    if (slot.accounted && end - kLedgerSlot >= range.start && end <= range.end)
      samples.push_back({end, slot.in, slot.out});
  }
  return samples;
}

SendRecord HostSamples::RecordOf(Address host, TimeRange range) const {
  SendRecord record;
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return record;
  std::int64_t end = begin_;
  bool silent = false;  // the slot before
  for (const Slot& slot : found->second) {
    end += kLedgerSlot;
    const bool counts = slot.accounted && end - kLedgerSlot >= range.start;
    if (counts) ++record.slots;
    if (counts && slot.sent) record.last = end;
    if (!counts || slot.sent) {
      silent = false;
      continue;
    }
    ++record.silent;
    if (!silent) record.silences.push_back({end - kLedgerSlot, end});
    record.silences.back().end = end;
    silent = true;
  }
  return record;
}

std::vector<Sample> TotalSamples(const LedgerReader& ledger, TimeRange range) {
  std::vector<Sample> samples;
  for (const TotalSlot& slot :
       ledger.Totals(range.start + kLedgerSlot - 1, range.end))
    if (slot.covered > 0)
      samples.push_back(
          {slot.end, slot.volume.in.bytes, slot.volume.out.bytes});
  return samples;
}

bool IsOnly(std::span<const Network> networks, const std::string& name) {
  return networks.size() == 1 && networks.front().name == name;
}

std::vector<Sample> NetworkSamples(const LedgerReader& ledger,
                                   std::span<const Network> networks,
                                   const std::string& name, TimeRange range) {
  if (IsOnly(networks, name)) return TotalSamples(ledger, range);
  const auto network = std::ranges::find(networks, name, &Network::name);
  if (network == networks.end()) return {};
  const auto taken = TakenByOthers(networks, name, network->prefixes);
  return HostSamples(ledger, network->prefixes, range, {},
                     [&](Address address) { return !Holds(taken, address); })
      .OfAll(range);
}

std::vector<TemplateRow> PercentileRows(std::span<const Sample> samples,
                                        TimeRange range) {
  std::vector<TemplateRow> rows;
  for (const Convention convention :
       {Convention::kP95In, Convention::kP95Out}) {
    const auto found = FindPercentile(samples, convention);
    if (!found) continue;
    const bool in = convention == Convention::kP95In;
    const double bits = found->BitsPerSecond();
    const auto expected = static_cast<std::size_t>(WholeSlots(range));
    rows.push_back(
        {{"bits", fmt::format("{:.0f}", in ? bits : 0 - bits)},
         {"label", in ? "95th pct. in " : "95th pct. out"},
         {"text", fmt::format("{:>12}   ledger: rank {} of {} slots{}",
                              HumanBits(bits), found->rank, found->samples,
                              found->samples < expected
                                  ? fmt::format(", {} not seen",
                                                expected - found->samples)
                                  : "")}});
  }
  return rows;
}

std::string PercentileText(std::span<const Sample> samples) {
  const auto in = FindPercentile(samples, Convention::kP95In);
  const auto out = FindPercentile(samples, Convention::kP95Out);
  return in && out ? fmt::format(", 95th percentile in {}, out {}",
                                 HumanBits(in->BitsPerSecond()),
                                 HumanBits(out->BitsPerSecond()))
                   : "";
}

}  // namespace iptrk
