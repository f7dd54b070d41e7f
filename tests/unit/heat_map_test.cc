// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/heat_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Prefix kLan = *Prefix::Parse("10.1.0.0/24");

// A slot's entry in which 10.1.0.`host` got `bytes` and sent as many.
LedgerEntry Slot(std::int64_t number, int host, std::uint64_t bytes) {
  LedgerEntry entry;
  entry.end = kStart + number * kLedgerSlot;
  entry.seconds = entry.covered = kLedgerSlot;
  HostEntry& traffic = entry.hosts.emplace_back();
  traffic.address =
      Address::FromIpv4(0x0a010000u + static_cast<unsigned>(host));
  traffic.volume.bytes[HostVolume::kInUdp] = bytes;
  traffic.volume.bytes[HostVolume::kOutTcp] = bytes;
  entry.mark = {1, {static_cast<std::uint64_t>(entry.end)}};
  return entry;
}

HeatMap Read(const LedgerFile& file, TimeRange range,
             const Prefix& prefix = kLan) {
  return ReadHeatMap(file.Read(), *MakeHeatAxis(prefix, {}), range,
                     [](Address) { return true; });
}

TEST(HeatMap, HasACellPerAddressAndSlotUpToTheLastOfBoth) {
  LedgerFile file;
  Ledger(file.path())
      .Apply(std::vector{Slot(1, 0, 100), Slot(2, 80, 200), Slot(4, 255, 300)});
  const HeatMap map = Read(file, {kStart, kStart + 4 * kLedgerSlot});
  ASSERT_EQ(map.Columns(), 4u);
  EXPECT_EQ(map.At(0, 0), 200);
  EXPECT_EQ(map.At(80, 1), 400);
  EXPECT_EQ(map.At(255, 3), 600);
  EXPECT_EQ(map.At(80, 0), 0);
  EXPECT_EQ(map.At(80, 2), -1) << "nothing is known of the third slot";
}

TEST(HeatMap, SumsAWideNetworkUpByRow) {
  LedgerFile file;
  LedgerEntry entry = Slot(1, 7, 100);
  entry.hosts.push_back(Slot(1, 9, 50).hosts[0]);
  Ledger(file.path()).Apply(std::vector{entry});
  const HeatMap map =
      Read(file, {kStart, kStart + kLedgerSlot}, *Prefix::Parse("10.1.0.0/16"));
  ASSERT_EQ(map.axis.bars, 256u);
  EXPECT_EQ(map.At(0, 0), 300);
}

TEST(HeatMap, HasHoursWhereAPictureHasNoRoomForSlots) {
  LedgerFile file;
  Ledger ledger(file.path());
  for (int slot = 1; slot <= 24; ++slot)
    ledger.Apply(std::vector{Slot(slot, 7, 10)});
  const HeatMap map = Read(file, {kStart - 7 * kDay, kStart + 2 * kHour + 600});
  EXPECT_EQ(map.step, kHour);
  ASSERT_EQ(map.range.end, kStart + 2 * kHour) << "the third is not over";
  EXPECT_EQ(map.At(7, map.Columns() - 1), 240);
  EXPECT_EQ(map.At(7, map.Columns() - 2), 240);
  EXPECT_EQ(map.At(7, map.Columns() - 3), -1);
}

TEST(HeatMap, DrawsEachCellInTheColourOfItsRate) {
  LedgerFile file;
  // In and out together 16 Mbit/s twice, then 16 kbit/s.
  Ledger(file.path())
      .Apply(std::vector{Slot(1, 80, 300'000'000), Slot(2, 80, 300'000'000),
                         Slot(3, 80, 300'000)});
  const HeatMap map = Read(file, {kStart, kStart + 4 * kLedgerSlot});
  const std::string svg = HeatSvg(map, "<title>", "until now");
  EXPECT_THAT(svg, HasSubstr("<path class=\"l7\" d=\"M0 80h2\"/>"));
  EXPECT_THAT(svg, HasSubstr("<path class=\"l1\" d=\"M2 80h1\"/>"));
  EXPECT_THAT(svg, HasSubstr("≥ 10 Mbit/s"));
  EXPECT_THAT(svg, HasSubstr("≥ 10 kbit/s"));
  EXPECT_THAT(svg, HasSubstr("<path class=\"unknown\" d=\"M3 0h1M3 1h1"));
  EXPECT_THAT(svg, Not(HasSubstr("<title>")));
  EXPECT_THAT(svg, HasSubstr(">10.1.0.248<"));
}

TEST(HeatMap, OfIpv6HasARowForWhoeverIsThere) {
  LedgerFile file;
  LedgerEntry entry = Slot(1, 7, 100);
  entry.hosts[0].address = *Address::Parse("2001:db8::7");
  Ledger(file.path()).Apply(std::vector{entry});
  const Prefix prefix = *Prefix::Parse("2001:db8::/64");
  TimeRange range{kStart, kStart + kLedgerSlot};
  const auto who = ReadLedgerVolumes(file.Read(), prefix, range);
  const auto axis = MakeHeatAxis(prefix, who);
  ASSERT_TRUE(axis);
  const HeatMap map =
      ReadHeatMap(file.Read(), *axis, range, [](Address) { return true; });
  ASSERT_EQ(map.bytes.size(), 1u);
  EXPECT_EQ(map.At(0, 0), 200);
  EXPECT_FALSE(MakeHeatAxis(prefix, {}));
}

}  // namespace
}  // namespace iptrk
