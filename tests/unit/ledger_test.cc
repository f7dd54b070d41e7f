// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "lib/ledger_sum.h"
#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What it says when it can't be opened or written.
template <typename Call>
LedgerError ErrorOf(Call&& call) {
  try {
    call();
  } catch (const LedgerError& error) {
    return error;
  }
  return {LedgerFault::kOther, "no error"};
}

TEST(Ledger, SumsTheIntervalsOfASlot) {
  LedgerFile file;
  Ledger ledger(file.path());

  ledger.Apply(std::vector{Minute(kStart + 60, 1000), Minute(kStart + 120, 10),
                           Minute(kStart + 300, 4)});
  ledger.Apply(std::vector{Minute(kStart + 360, 6)});

  const auto slots = file.Read().Customer("acme", kStart, kStart + 600);
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_EQ(slots[0].end, kStart + 300);
  EXPECT_EQ(slots[0].volume.in, (Volume{1014, 6}));
  EXPECT_EQ(slots[0].volume.out, (Volume{507, 3}));
  EXPECT_EQ(slots[0].volume.internal_in, (Volume{21, 3}));
  EXPECT_EQ(slots[0].volume.internal_out, (Volume{27, 3}));
  EXPECT_EQ(slots[1].end, kStart + 600);
  EXPECT_EQ(slots[1].volume.in, (Volume{6, 2}));
  const auto totals = file.Read().Totals(kStart, kStart + 600);
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0].seconds, 180);
  EXPECT_EQ(totals[0].covered, 180);
  EXPECT_EQ(totals[0].volume.in, (Volume{1014, 6}));
  const auto books = file.Read().Books(kStart, kStart + 600);
  ASSERT_EQ(books.size(), 2u);
  EXPECT_EQ(books[0].books.interface, "eth0");
  EXPECT_EQ(books[0].books.seen, (Volume{1014, 6}));
}

TEST(Ledger, LeavesOutWhatItHasAlready) {
  LedgerFile file;
  Ledger ledger(file.path());
  const std::vector entries{Minute(kStart + 60, 1000),
                            Minute(kStart + 120, 10)};

  ledger.Apply(entries);
  ledger.Apply(entries);
  ledger.Apply(std::vector{entries[1], Minute(kStart + 180, 1)});

  EXPECT_EQ(file.CustomerIn(), 1011u);
  const HostHistory hosts =
      file.Read().Hosts(*Prefix::Parse("10.1.0.0/24"), kStart, kStart + 300);
  ASSERT_EQ(hosts.hosts.size(), 1u);
  EXPECT_EQ(hosts.hosts[0].volume.bytes[HostVolume::kInTcp], 1011u);
}

TEST(Ledger, RemembersWhereTheQueueWasAfterTheLastEntry) {
  LedgerFile file;
  {
    Ledger ledger(file.path());
    EXPECT_FALSE(ledger.LastApplied().has_value());
    ledger.Apply(std::vector{Minute(kStart + 60, 1)});
  }
  const QueueMark mark{42, {static_cast<std::uint64_t>(kStart + 60), 7}};
  EXPECT_EQ(Ledger(file.path()).LastApplied(),
            (LedgerPosition{kStart + 60, mark}));
}

TEST(Ledger, KeepsTheMarksOfSlotsThatNoEntryCovers) {
  LedgerFile file;
  Ledger ledger(file.path());
  for (int i = 1; i <= 7; ++i)
    ledger.Mark(kStart + i * 10, {9, {static_cast<std::uint64_t>(i)}});

  ledger.Apply(std::vector{Minute(kStart + 60, 1)});
  EXPECT_THAT(ledger.Marks(),
              ElementsAre(LedgerPosition{kStart + 60, {9, {6}}},
                          LedgerPosition{kStart + 70, {9, {7}}}));
  ledger.ForgetMarks(kStart + 70);
  EXPECT_THAT(ledger.Marks(),
              ElementsAre(LedgerPosition{kStart + 70, {9, {7}}}));
}

TEST(Ledger, ReplacesAnIncidentByItsLaterState) {
  LedgerFile file;
  Ledger ledger(file.path());
  const LedgerIncident open{"i1", "packets", "10.1.0.80", kStart,
                            0,    true,      "{\"a\":1}"};
  LedgerIncident cleared = open;
  cleared.open = false;
  cleared.end = kStart + 30;
  cleared.json = "{\"a\":2}";

  ledger.Apply({}, {}, std::vector{open});
  ASSERT_EQ(file.Read().Incidents(kStart + 1000, kStart + 2000).size(), 1u);
  ledger.Apply({}, {}, std::vector{cleared});

  const auto incidents = file.Read().Incidents(kStart, kStart + 60);
  ASSERT_EQ(incidents.size(), 1u);
  EXPECT_EQ(incidents[0].end, kStart + 30);
  EXPECT_FALSE(incidents[0].open);
  EXPECT_EQ(incidents[0].json, "{\"a\":2}");
  EXPECT_THAT(file.Read().Incidents(kStart + 1000, kStart + 2000), IsEmpty());
}

}  // namespace
}  // namespace iptrk
