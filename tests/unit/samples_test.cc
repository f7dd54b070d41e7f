// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Address kHost = *Address::Parse("10.1.0.80");
const Prefix kLan = *Prefix::Parse("10.1.0.0/24");

// A slot's entry: `in` bytes of the host.
LedgerEntry Slot(std::int64_t number, std::uint64_t in) {
  LedgerEntry entry = Minute(kStart + number * kLedgerSlot, in);
  entry.seconds = entry.covered = kLedgerSlot;
  if (in == 0) entry.hosts.clear();
  return entry;
}

HostSamples Read(const LedgerFile& file, TimeRange range) {
  return HostSamples(file.Read(), {&kLan, 1}, range, {&kHost, 1},
                     [](Address) { return true; });
}

std::vector<std::uint64_t> In(const std::vector<Sample>& samples) {
  std::vector<std::uint64_t> in;
  for (const Sample& sample : samples) in.push_back(sample.in);
  return in;
}

TEST(Samples, AreTheWholeSlotsOfTheRange) {
  LedgerFile file;
  Ledger(file.path())
      .Apply(
          std::vector{Slot(1, 100), Slot(2, 200), Slot(3, 300), Slot(4, 400)});
  const HostSamples samples = Read(file, {kStart, kStart + 1200});
  EXPECT_THAT(In(samples.OfHost(kHost, {kStart + 300, kStart + 900})),
              ElementsAre(200, 300));
  EXPECT_THAT(In(samples.OfHost(kHost, {kStart + 1, kStart + 899})),
              ElementsAre(200));
  EXPECT_THAT(In(samples.OfAll({kStart, kStart + 1200})),
              ElementsAre(100, 200, 300, 400));
  EXPECT_THAT(
      In(samples.OfHost(*Address::Parse("10.1.0.9"), {0, kStart + 1200})),
      IsEmpty());
}

TEST(Samples, OfASlotWithoutTrafficAreZeroAndOfOneNotAccountedNone) {
  LedgerFile file;
  LedgerEntry unseen = Slot(3, 0);
  unseen.covered = 0;
  Ledger(file.path())
      .Apply(std::vector{Slot(1, 100), Slot(2, 0), unseen, Slot(5, 500)});
  const TimeRange range{kStart, kStart + 1500};
  EXPECT_THAT(In(Read(file, range).OfHost(kHost, range)),
              ElementsAre(100, 0, 500));
}

TEST(Samples, AreNoneWhereSlotsWereForgotten) {
  LedgerFile file;
  Ledger ledger(file.path());
  for (int day = 0; day <= 5; ++day)
    ledger.Apply(std::vector{Slot(day * 288 + 1, 100), Slot(day * 288 + 2, 7)});
  const std::int64_t end = kStart + 5 * kDay + 600;
  const HostSamples samples = Read(file, {kStart, end});
  EXPECT_THAT(samples.OfHost(kHost, {kStart, end}), IsEmpty());
  EXPECT_THAT(In(samples.OfHost(kHost, {end - kDay, end})),
              ElementsAre(100, 7));
}

TEST(Samples, OfOneOfSeveralNetworksLeaveOutWhatIsAnothers) {
  LedgerFile file;
  LedgerEntry entry = Slot(1, 100);
  entry.hosts.push_back({*Address::Parse("10.1.7.1"), entry.hosts[0].volume});
  Ledger(file.path()).Apply(std::vector{entry});
  const std::vector<Network> networks = {
      {"all", {*Prefix::Parse("10.1.0.0/16")}},
      {"lab", {*Prefix::Parse("10.1.7.0/24")}}};
  const TimeRange range{kStart, kStart + 300};
  EXPECT_THAT(In(NetworkSamples(file.Read(), networks, "all", range)),
              ElementsAre(100));
  EXPECT_THAT(In(NetworkSamples(file.Read(), networks, "lab", range)),
              ElementsAre(100));
}

TEST(Samples, TellWhenAHostSentAndWhenItWasSilent) {
  LedgerFile file;
  LedgerEntry internal = Slot(4, 0);  // it sent to its own network alone
  HostEntry host{kHost, {}};
  host.volume.bytes[HostVolume::kInternalOut] = 60;
  internal.hosts = {host};
  LedgerEntry unseen = Slot(6, 0);
  unseen.covered = 0;
  Ledger(file.path())
      .Apply(std::vector{Slot(1, 100), Slot(2, 0), Slot(3, 0), internal,
                         Slot(5, 0), unseen, Slot(7, 0)});
  const TimeRange range{kStart, kStart + 7 * kLedgerSlot};
  const SendRecord record = Read(file, range).RecordOf(kHost, range);
  EXPECT_EQ(record.last, kStart + 4 * kLedgerSlot);
  EXPECT_EQ(record.slots, 6u);
  EXPECT_EQ(record.silent, 4u);
  ASSERT_EQ(record.silences.size(), 3u);  // what was not seen is no silence
  EXPECT_EQ(record.silences[0].start, kStart + kLedgerSlot);
  EXPECT_EQ(record.silences[0].end, kStart + 3 * kLedgerSlot);
}

TEST(Samples, GiveTheLegendThePercentileThatABillHas) {
  std::vector<Sample> samples;
  for (std::uint64_t i = 1; i <= 40; ++i)
    samples.push_back(
        {kStart + static_cast<std::int64_t>(i) * kLedgerSlot, i * 375'000, 0});
  // Of 40 the top two are free: the 38th of 10 kbit/s each.
  const auto rows =
      PercentileRows(samples, {kStart, kStart + 42 * kLedgerSlot});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("bits"), "380000");
  EXPECT_EQ(rows[1].at("bits"), "0");
  EXPECT_THAT(rows[0].at("text"),
              HasSubstr("380 kbit/s   ledger: rank 3 of 40 slots, 2 not seen"));
  EXPECT_THAT(PercentileText(samples),
              HasSubstr("95th percentile in 380 kbit/s"));
  EXPECT_THAT(PercentileRows({}, {0, 0}), IsEmpty());
}

TEST(LedgerHosts, AreVisitedInUnitsAndInFinerOnesWhereTheseAreNotComplete) {
  LedgerFile file;
  Ledger ledger(file.path());
  for (int slot = 1; slot <= 30; ++slot)  // two hours and a half
    ledger.Apply(std::vector{Slot(slot, 10)});
  std::map<std::int64_t, std::uint64_t> ends;
  file.Read().VisitHosts(kLan, kHour, kStart, kStart + 30 * kLedgerSlot,
                         [&](std::int64_t end, const HostEntry& host) {
                           ends[end - kStart] += host.volume.bytes[0];
                         });
  EXPECT_EQ(ends[kHour], 120u);
  EXPECT_EQ(ends[2 * kHour], 120u);
  EXPECT_EQ(ends[2 * kHour + 300], 10u);
  EXPECT_EQ(ends.size(), 8u);
}

}  // namespace
}  // namespace iptrk
