// SPDX-License-Identifier: GPL-2.0-only
// The reader's way of a record: drained, both sides looked up, classified, its
// service found, networks and both hosts updated; against the least that could
// be done, two updates of a flat table, and against std::unordered_map. In the
// whole path the rules look on, too: a SYN in 16 TCP records, and all UDP but
// QUIC's, is theirs to see.
//
//   build/tests/bench/reader/reader_benchmark --benchmark_repetitions=7
//     --benchmark_enable_random_interleaving=true
//
// Time is for a record; the ratios hold within one run only. Arguments: the
// number of own hosts, of which each record has two, uniformly chosen.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <unordered_map>
#include <vector>

#include "lib/account.h"
#include "lib/detect.h"
#include "lib/detect_traffic.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::size_t kRecords = std::size_t{1} << 20;  // 64 MiB, as a ring
constexpr std::uint32_t kFirst = 0x0a000000;            // 10.0.0.0/8 is ours

Config Ours() {
  Config config;
  config.networks = {{"ours", {*Prefix::Parse("10.0.0.0/8")}}};
  return config;
}

void PutIpv4(std::uint32_t address, std::uint8_t* to) {
  Address::FromIpv4(address).ToBytes(to);
}

std::vector<iptrk_record> Records(std::uint32_t hosts) {
  std::mt19937 generator(1);
  const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
  std::vector<iptrk_record> records(kRecords);
  std::uint32_t i = 0;
  for (iptrk_record& record : records) {
    record.flags = IPTRK_IPV4;
    record.ethertype = 0x0800;
    record.packets = 1;
    record.bytes = 60 + random() % 1400;
    record.protocol = random() % 4 ? IPPROTO_TCP : IPPROTO_UDP;
    // One in 16 opens a connection.
    if (record.protocol == IPPROTO_TCP)
      record.tcp_flags = i++ % 16 ? kTcpAck : kTcpSyn;
    record.sport = static_cast<std::uint16_t>(1024 + random() % 60000);
    record.dport = random() % 2 ? 443 : 53;
    PutIpv4(kFirst + random() % hosts, record.src);
    PutIpv4(kFirst + random() % hosts, record.dst);
  }
  return records;
}

// As Queue::Drain() does it: pieces whose times were looked at.
template <typename Sink>
void Drain(const std::vector<iptrk_record>& records, Sink sink) {
  constexpr std::size_t kPiece = 64;
  for (std::size_t i = 0; i < records.size(); i += kPiece) {
    std::size_t count = 0;
    while (count < kPiece && records[i + count].time_ns < 1) ++count;
    sink(std::span(&records[i], count));
  }
}

void SetHosts(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(kRecords));
  state.counters["per_record"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(kRecords),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Both sides, service, slot and hosts, without detection.
void Accounting(benchmark::State& state) {
  const auto records = Records(static_cast<std::uint32_t>(state.range(0)));
  const Config config = Ours();
  Account account(config);
  account.Take(records);
  for (auto _ : state)
    Drain(records,
          [&](std::span<const iptrk_record> piece) { account.Take(piece); });
  SetHosts(state);
}

void WholePath(benchmark::State& state) {
  const auto records = Records(static_cast<std::uint32_t>(state.range(0)));
  const Config config = Ours();
  Account account(config);
  Detector detector(config, account);  // every rule in force
  account.Take(records);
  detector.EndSecond(kSecond);
  std::uint64_t end_ns = kSecond;
  for (auto _ : state) {
    Drain(records,
          [&](std::span<const iptrk_record> piece) { account.Take(piece); });
    // A second of a million packets; its end is measured below.
    state.PauseTiming();
    detector.EndSecond(end_ns += kSecond);
    state.ResumeTiming();
  }
  SetHosts(state);
}

// What the end of a second costs, in which every host had traffic.
void SecondsEnd(benchmark::State& state) {
  const auto records = Records(static_cast<std::uint32_t>(state.range(0)));
  const Config config = Ours();
  Account account(config);
  Detector detector(config, account);
  account.Take(records);
  std::uint64_t end_ns = kSecond;
  for (auto _ : state) detector.EndSecond(end_ns += kSecond);
}

struct FlatHost {
  Address address;
  std::uint64_t bytes_in = 0, packets_in = 0, bytes_out = 0, packets_out = 0;
};
static_assert(sizeof(FlatHost) == 48);

// Open addressing, a quarter full.
void TwoFlatUpdates(benchmark::State& state) {
  const auto hosts = static_cast<std::uint32_t>(state.range(0));
  const auto records = Records(hosts);
  std::vector<FlatHost> table(std::size_t{4} * std::bit_ceil(hosts));
  const std::size_t mask = table.size() - 1;
  const auto find = [&](const std::uint8_t* bytes) -> FlatHost& {
    const Address address = Address::FromBytes(bytes);
    std::size_t i = HashAddress(address, 1) & mask;
    while (table[i].address != address && table[i].address != Address{})
      i = (i + 1) & mask;
    table[i].address = address;
    return table[i];
  };
  for (auto _ : state)
    for (const iptrk_record& record : records) {
      FlatHost& src = find(record.src);
      src.bytes_out += record.bytes;
      src.packets_out += record.packets;
      FlatHost& dst = find(record.dst);
      dst.bytes_in += record.bytes;
      dst.packets_in += record.packets;
    }
  SetHosts(state);
}

struct AddressHash {
  std::size_t operator()(Address a) const { return HashAddress(a, 1); }
};

// The same path with the map that everybody has.
void UnorderedMap(benchmark::State& state) {
  const auto records = Records(static_cast<std::uint32_t>(state.range(0)));
  const Config config = Ours();
  const HostIndex networks(config.networks);
  const Classifier classifier(config);
  NetworkVolume all(classifier.services()), ours(classifier.services());
  std::unordered_map<Address, Host, AddressHash> hosts;
  const auto update = [&](Address address, bool received,
                          const iptrk_record& record) {
    hosts[address].Of(received ? HostKind::kInternalIn
                               : HostKind::kInternalOut) += record;
  };
  const auto take = [&](const iptrk_record& record) {
    const Address src = Address::FromBytes(record.src);
    const Address dst = Address::FromBytes(record.dst);
    const int src_network = networks.FindNetwork(src);
    const int dst_network = networks.FindNetwork(dst);
    const Verdict verdict =
        classifier.Classify(record, src_network, dst_network);
    const Split split = SplitOf(record.protocol);
    all[all.Cell(verdict, split)] += record;
    ours[ours.Cell(verdict, split)] += record;
    if (dst_network >= 0) update(dst, true, record);
    if (src_network >= 0) update(src, false, record);
  };
  for (const iptrk_record& record : records) take(record);
  for (auto _ : state)
    Drain(records, [&](std::span<const iptrk_record> piece) {
      for (const iptrk_record& record : piece) take(record);
    });
  SetHosts(state);
}

#define IPTRK_BENCHMARK(name) \
  BENCHMARK(name)->Arg(65536)->Arg(1000000)->Unit(benchmark::kMillisecond)
IPTRK_BENCHMARK(TwoFlatUpdates);
IPTRK_BENCHMARK(Accounting);
IPTRK_BENCHMARK(WholePath);
IPTRK_BENCHMARK(UnorderedMap);
IPTRK_BENCHMARK(SecondsEnd);

}  // namespace
}  // namespace iptrk
