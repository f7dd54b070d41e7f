// SPDX-License-Identifier: GPL-2.0-only
// What the console costs: a second of a million records between 64k own hosts
// and a million pairs of peers, then the second's end, then a screen.
//
//   build/tests/bench/reader/console_benchmark
//
// Shares of a core at 1 Mrecord/s are CPU time: items_per_second is how many
// records it could take; per_second the CPU seconds of one second's work.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <random>
#include <vector>

#include "lib/detect_traffic.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr std::size_t kRecords = 1'000'000;

std::vector<iptrk_record> Records() {
  std::mt19937 generator(1);
  const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
  std::vector<iptrk_record> records(kRecords);
  for (iptrk_record& record : records) {
    record.flags = IPTRK_IPV4;
    record.packets = 1;
    record.bytes = 60 + random() % 1400;
    record.protocol = random() % 4 ? 6 : 17;
    record.tcp_flags = kTcpAck;  // as nearly all have
    record.sport = static_cast<std::uint16_t>(1024 + random() % 60000);
    record.dport = random() % 2 ? 443 : 53;
    const std::uint32_t pair = random() % (1u << 20);
    Address::FromIpv4(0x0a000000 + pair % 65536).ToBytes(record.dst);
    Address::FromIpv4(0xc6000000 + pair / 65536).ToBytes(record.src);
  }
  return records;
}

void OneSecond(benchmark::State& state) {
  const auto records = Records();
  Config config;
  config.networks = {{"ours", {*Prefix::Parse("10.0.0.0/16")}}};
  Model model(config);
  View view;
  std::uint64_t now = 1'790'000'000ull * 1'000'000'000;
  const auto take = [&] {
    for (std::size_t i = 0; i < records.size(); i += 64)
      model.Take({&records[i], std::min<std::size_t>(64, records.size() - i)});
    model.TakeStream();
    now += 1'000'000'000;
    return model.EndSecond(now);
  };
  take();
  for (auto _ : state) {
    const auto snapshot = take();
    benchmark::DoNotOptimize(
        Render(view, snapshot.get(), {Health::kLive, "eth0", "", 0}, 200, 60));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(kRecords));
  state.counters["peak_mib"] =
      static_cast<double>(usage.ru_maxrss) / 1024.0 -
      static_cast<double>(kRecords * sizeof(iptrk_record)) / (1 << 20);
}
BENCHMARK(OneSecond)->Unit(benchmark::kMillisecond)->MinTime(4);

}  // namespace
}  // namespace iptrk::console
