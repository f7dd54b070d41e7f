// SPDX-License-Identifier: GPL-2.0-only
#include "lib/replay.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lib/detect_traffic.h"
#include "lib/steady_clock.h"
#include "tests/unit/records.h"

namespace iptrk {
namespace {

Config Lan(double limit) {
  Config config;
  config.networks = {{"lan", {Prefix::Parse("10.1.0.0/24").value()}}};
  config.detect[IncidentKind::kPackets].limit = limit;
  return config;
}

constexpr std::uint64_t kStart = 1700000000 * kSecond;

TEST(Replay, AddsUpToTheCapturesOwnTotals) {
  Replay replay(Lan(1e9));
  replay.Take(Record(
      {.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 1, .time_ns = kStart}));
  replay.Take(Record(
      {.src = "44.1.2.3", .dst = "44.1.2.4", .bytes = 2, .time_ns = kStart}));
  iptrk_record arp{};
  arp.time_ns = kStart;
  arp.bytes = 4;
  arp.packets = 1;
  replay.Take(arp);
  replay.Finish();
  const nlohmann::json json = replay.ToJson();
  EXPECT_EQ(json["packets"], 3);
  EXPECT_EQ(json["bytes"], 7);
  EXPECT_EQ(json["directions"]["in"]["bytes"], 1);
  EXPECT_EQ(json["directions"]["martian"]["bytes"], 2);
  EXPECT_EQ(json["directions"]["nonip"]["bytes"], 4);
  EXPECT_EQ(json["hosts"][0]["address"], "10.1.0.5");
}

TEST(Replay, ListsHostsByWhatTheyExchangedWithAnyone) {
  Replay replay(Lan(1e9));
  const auto take = [&](const char* src, const char* dst, std::uint32_t bytes) {
    replay.Take(
        Record({.src = src, .dst = dst, .bytes = bytes, .time_ns = kStart}));
  };
  take("44.1.2.3", "10.1.0.9", 100);
  take("10.1.0.8", "10.1.0.7", 3000);
  take("10.1.0.9", "44.1.2.3", 100);
  replay.Finish();
  std::vector<std::string> hosts;
  for (const Host* host : replay.HostsByBytes())
    hosts.push_back(host->address.ToString());
  EXPECT_EQ(hosts,
            (std::vector<std::string>{"10.1.0.7", "10.1.0.8", "10.1.0.9"}));
}

void Flood(Replay& replay) {
  for (int i = 0; i < 10000; ++i)
    replay.Take(Record(
        {.src = "44.1.2.66",
         .dst = "10.1.0.216",
         .time_ns = kStart + static_cast<std::uint64_t>(i) * kSecond / 1000}));
}

TEST(Replay, SaysSinceWhenAScanIsOfTheFirstSecond) {
  Replay replay(Lan(1e9));
  for (std::uint16_t port = 1; port <= 300; ++port)
    replay.Take(Record({.src = "44.1.2.66",
                        .dst = "10.1.0.80",
                        .dport = port,
                        .time_ns = kStart,
                        .tcp_flags = kTcpSyn}));
  replay.Finish();
  ASSERT_EQ(replay.incidents().size(), 1u);
  EXPECT_EQ(replay.incidents()[0].kind, "port-scan");
  EXPECT_EQ(replay.incidents()[0].start_ns, kStart);
}

TEST(Replay, ReportsAnIncidentStillOpenAtTheEnd) {
  Replay replay(Lan(100));
  Flood(replay);
  replay.Finish();
  ASSERT_EQ(replay.incidents().size(), 1u);
  EXPECT_TRUE(replay.incidents()[0].open);
  EXPECT_EQ(replay.incidents()[0].packets, 10000u);
}

TEST(Replay, ReportsAClearedIncidentOnce) {
  Replay replay(Lan(100));
  Flood(replay);
  replay.Take(Record({.src = "44.1.2.3",
                      .dst = "10.1.0.5",
                      .time_ns = kStart + 300 * kSecond}));
  replay.Finish();
  ASSERT_EQ(replay.incidents().size(), 1u);
  EXPECT_FALSE(replay.incidents()[0].open);
}

TEST(Replay, SkipsTheDaysBetweenTwoCaptures) {
  Replay replay(Lan(100));
  Flood(replay);
  replay.Take(Record({.src = "44.1.2.3",
                      .dst = "10.1.0.5",
                      .time_ns = kStart + 86400 * 365 * kSecond}));
  replay.Finish();
  ASSERT_EQ(replay.incidents().size(), 1u);
  EXPECT_FALSE(replay.incidents()[0].open);
}

TEST(Replay, IsTheSameEachTime) {
  Replay first(Lan(100)), second(Lan(100));
  Flood(first);
  Flood(second);
  first.Finish();
  second.Finish();
  EXPECT_EQ(first.ToJson(), second.ToJson());
}

TEST(SteadyClock, GoesOnWhenTheSystemClockIsSetBack) {
  SteadyClock clock;
  EXPECT_EQ(clock.Now(1000, 10), 1000u);
  EXPECT_EQ(clock.Now(400, 20), 1010u);
  EXPECT_EQ(clock.AheadNs(), 610u);
  EXPECT_EQ(clock.Now(2000, 30), 2000u);
  EXPECT_EQ(clock.AheadNs(), 0u);
}

TEST(SteadyClock, GoesOnWhereAnEarlierProcessWasAhead) {
  SteadyClock clock;
  EXPECT_EQ(clock.Now(1000, 10), 1000u);
  clock.ContinueFrom(500);
  EXPECT_EQ(clock.AheadNs(), 0u);
  clock.ContinueFrom(4600);
  EXPECT_EQ(clock.AheadNs(), 3600u);
  EXPECT_EQ(clock.Now(1100, 110), 4690u);
}

TEST(SteadyClock, LetsTheSystemClockCatchUp) {
  SteadyClock clock;
  clock.Now(100'000, 1000);
  std::uint64_t before = clock.Now(90'000, 2000);
  EXPECT_EQ(before, 101'000u);
  for (std::uint64_t gone = 1000; gone <= 200'000; gone += 1000) {
    const std::uint64_t now = clock.Now(90'000 + gone, 2000 + gone);
    EXPECT_GE(now, before + 900);
    before = now;
  }
  EXPECT_EQ(clock.AheadNs(), 0u);
}

}  // namespace
}  // namespace iptrk
