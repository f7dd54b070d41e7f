// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/network_volumes.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/ledger_sum.h"
#include "lib/naming.h"

namespace iptrk {
namespace {

void ReadFromLedger(SiteContext& context, NetworkView& network) {
  network.as_of = context.ledger_end;
  const auto slots = context.ledger->Totals(
      network.as_of - kSpans.back().length, SlotEnd(network.as_of));
  const auto taken =
      TakenByOthers(context.options.networks, network.name, network.prefixes);
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    SpanVolumes& span = network.spans[i];
    span.range = {network.as_of - kSpans[i].length, network.as_of};
    if (context.first_known > span.range.start)
      span.range.start = std::min(context.first_known, network.as_of - 300);
    double covered = 0;
    for (const TotalSlot& slot : slots)
      if (slot.end > span.range.start) covered += slot.covered;
    span.known = covered / static_cast<double>(kSpans[i].length);
    TimeRange longest = span.range;
    for (const Prefix& prefix : network.prefixes) {
      TimeRange range = span.range;
      const auto found = ReadLedgerVolumes(*context.ledger, prefix, range);
      longest.start = std::min(longest.start, range.start);
      span.volumes.insert(span.volumes.end(), found.begin(), found.end());
    }
    span.range.start = longest.start;
    auto& volumes = span.volumes;
    std::ranges::sort(volumes, {}, &AddressVolume::address);
    volumes.erase(std::unique(volumes.begin(), volumes.end(),
                              [](const auto& a, const auto& b) {
                                return a.address == b.address;
                              }),
                  volumes.end());
    if (!taken.empty())
      std::erase_if(volumes, [&](const AddressVolume& v) {
        return Holds(taken, v.address);
      });
  }
}

// Slots of the last day and what pictures may lag behind.
void ReadSamples(const SiteContext& context, NetworkView& network) {
  const auto taken =
      TakenByOthers(context.options.networks, network.name, network.prefixes);
  std::vector<Address> hosts;
  for (const auto& [address, page] : network.pages) hosts.push_back(address);
  network.samples =
      HostSamples(*context.ledger, network.prefixes,
                  {network.as_of - kDay - kHour, network.as_of}, hosts,
                  [&](Address address) { return !Holds(taken, address); });
}

void ReadFromRrds(SiteContext& context, NetworkView& network) {
  std::vector<std::filesystem::path> files;
  if (const auto file = context.store.NetworkFile(network.name))
    files.push_back(*file);
  for (const HostRrd& host : network.hosts) files.push_back(host.path);
  for (const auto& file : files) {
    Problem problem;
    // A host's file that can't be read is told by ReadHostVolumes below.
    if (const auto newest = NewestValue(file, problem))
      network.as_of = std::max(network.as_of, *newest);
    else if (network.hosts.empty())
      context.problems.push_back(problem);
  }
  if (network.as_of == 0) return;
  for (std::size_t i = 0; i < kSpans.size(); ++i) {
    SpanVolumes& span = network.spans[i];
    span.range = LastRange(context, network.as_of, kSpans[i].length);
    std::vector<Problem> told_already;
    span.volumes = ReadHostVolumes(context.store, network.name, span.range,
                                   i == 0 ? context.problems : told_already);
    for (const AddressVolume& v : span.volumes)
      span.known =
          std::max(span.known, v.known / static_cast<double>(kSpans[i].length));
  }
}

void ChoosePages(NetworkView& network) {
  std::vector<AddressVolume> order = network.spans[kDaySpan].volumes;
  const auto more = [](const auto& a, const auto& b) {
    return TotalOf(a) > TotalOf(b);
  };
  if (order.size() > kMaxHostPages) {
    std::partial_sort(order.begin(), order.begin() + kMaxHostPages, order.end(),
                      more);
    order.resize(kMaxHostPages);
  }
  const std::string part = FileNamePart(network.name);
  const auto add = [&](Address address) {
    if (network.pages.size() < kMaxHostPages)
      network.pages[address] =
          fmt::format("host-{}-{}.html", part, AddressInstance(address));
  };
  for (const AddressVolume& v : order) add(v.address);
  // The silent ones too: theirs is the record of their silence.
  for (const AddressVolume& v : network.spans.back().volumes) add(v.address);

  struct Block {
    Address first;
    double total = 0;
  };
  std::vector<Block> blocks;
  const bool wide = std::ranges::any_of(network.prefixes, [](const Prefix& p) {
    return p.IsIpv4() && p.length < kBlock;
  });
  if (!wide) return;
  for (const AddressVolume& v : network.spans.back().volumes) {
    if (!v.address.IsIpv4()) continue;
    const Address first = Prefix::Of(v.address, kBlock).first;
    if (blocks.empty() || blocks.back().first != first)
      blocks.push_back({first, 0});
    blocks.back().total += TotalOf(v);
  }
  if (blocks.size() > kMaxBlocks) {
    std::ranges::sort(blocks, std::greater(), &Block::total);
    blocks.resize(kMaxBlocks);
  }
  for (const Block& block : blocks)
    network.blocks[block.first] = fmt::format(
        "block-{}-{}.html", part, FileNamePart(block.first.ToString()));
}

}  // namespace

NetworkView ReadNetwork(SiteContext& context, const std::string& name) {
  NetworkView network;
  network.name = name;
  network.prefixes = PrefixesOf(name, context.options.networks, context.store);
  network.hosts = context.store.Hosts(name);
  if (context.ledger)
    ReadFromLedger(context, network);
  else
    ReadFromRrds(context, network);
  if (network.as_of == 0) return network;
  for (std::size_t i = 0; i < kSpans.size(); ++i)
    network.spans[i].shown =
        i == 0 || ShowsMore(context, network.as_of, kSpans[i - 1].length);
  ChoosePages(network);
  if (context.ledger) ReadSamples(context, network);
  return network;
}

}  // namespace iptrk
