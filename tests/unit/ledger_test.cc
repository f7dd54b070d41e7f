// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "lib/ledger_sum.h"
#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

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
            (LedgerPosition{kStart + 60, mark, true}));
}

TEST(Ledger, KeepsTheMarksOfTheLastHourAndOfSlotsThatNoEntryCovers) {
  LedgerFile file;
  Ledger ledger(file.path());
  ledger.Mark({kStart - 3600, {9, {0}}, true});
  ledger.Mark({kStart + 60, {9, {6}}, true});
  ledger.Mark({kStart + 70, {9, {7}}, false});

  ledger.Apply(std::vector{Minute(kStart + 60, 1)});
  EXPECT_THAT(ledger.Marks(),
              ElementsAre(LedgerPosition{kStart + 60, {9, {6}}, true},
                          LedgerPosition{kStart + 70, {9, {7}}, false}));
  ledger.ForgetMarks(kStart + 70);
  EXPECT_THAT(ledger.Marks(),
              ElementsAre(LedgerPosition{kStart + 70, {9, {7}}, false}));
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

TEST(LedgerTest, ForgetsNothingByAClockThatIsYearsAhead) {
  LedgerFile file;
  {
    Ledger ledger(file.path());
    ledger.Apply(std::vector{Minute(kStart + 60, 1000)});
    ledger.Apply(std::vector{Minute(kStart + 20 * 365 * 86400LL, 1000)});
  }
  EXPECT_EQ(file.CustomerIn(), 2000u);
  EXPECT_EQ(file.Read().Totals(kStart, kStart + 300).size(), 1u);
  const HostHistory hosts =
      file.Read().Hosts(*Prefix::Parse("10.1.0.0/24"), kStart, kStart + 300);
  EXPECT_EQ(hosts.hosts.size(), 1u);
}

// Random traffic of a few hosts of both families for `days`, one interval in
// each `every` slots with holes in it, and the sums it must have.
class HostHistoryTest : public ::testing::Test {
 protected:
  void Fill(int days, HostRetention retention = {}, int every = 1) {
    Ledger ledger(file_.path(), {.slots_days = 800, .hosts = retention});
    std::mt19937_64 random(7);
    std::vector<LedgerEntry> entries;
    for (int slot = 1; slot <= days * 288; slot += every) {
      if (random() % 4 == 0) continue;
      LedgerEntry entry;
      entry.end = kStart + slot * 300;
      entry.seconds = entry.covered = 300;
      for (const char* text : {"10.1.0.1", "10.1.0.200", "10.1.1.7",
                               "2001:db8::1", "2001:db8::ffff:0:0:2"}) {
        if (random() % 3 == 0) continue;
        HostEntry host{*Address::Parse(text), {}};
        host.volume.bytes[HostVolume::kInUdp] = random() % 100000 + 1;
        host.volume.packets[HostVolume::kOut] = random() % 100 + 1;
        traffic_[{entry.end, host.address}] = host.volume;
        entry.hosts.insert(entry.hosts.begin(), host);
      }
      entries.push_back(entry);
    }
    ledger.Apply(entries);
  }

  void ExpectExact(const char* prefix_text, std::int64_t from,
                   std::int64_t to) {
    const Prefix prefix = *Prefix::Parse(prefix_text);
    const HostHistory history = file_.Read().Hosts(prefix, from, to);
    std::map<Address, HostVolume> expected;
    for (const auto& [key, volume] : traffic_)
      if (history.from < key.first && key.first <= history.to &&
          prefix.Contains(key.second))
        Add(expected[key.second], volume);
    ASSERT_EQ(history.hosts.size(), expected.size()) << prefix_text;
    auto at = expected.begin();
    for (const HostEntry& host : history.hosts) {
      EXPECT_EQ(host.address, at->first);
      EXPECT_EQ(host.volume.bytes, at->second.bytes);
      EXPECT_EQ(host.volume.packets, (at++)->second.packets);
    }
  }

  LedgerFile file_;
  std::map<std::pair<std::int64_t, Address>, HostVolume> traffic_;
};

TEST_F(HostHistoryTest, IsExactForEveryRangeWithinTwoDays) {
  Fill(2);
  std::mt19937_64 random(8);
  for (int i = 0; i < 40; ++i) {
    const std::int64_t from = kStart + static_cast<int>(random() % 600) * 300;
    const std::int64_t to = from + static_cast<int>(random() % 400) * 300;
    const HostHistory history =
        file_.Read().Hosts(*Prefix::Parse("10.1.0.0/16"), from, to);
    EXPECT_EQ(history.from, from);
    EXPECT_EQ(history.to, to);
    ExpectExact("10.1.0.0/16", from, to);
    ExpectExact("10.1.0.128/25", from, to);
    ExpectExact("2001:db8::/32", from, to);
    ExpectExact("2001:db8::1/128", from, to);
  }
}

TEST_F(HostHistoryTest, CountsNothingTwiceWhenResolutionsMeet) {
  // So short that a week has all of them, and days that are gone.
  Fill(8, {.slots_days = 1, .hours_days = 3, .days_days = 6});
  std::mt19937_64 random(9);
  for (int i = 0; i < 60; ++i) {
    const std::int64_t from = kStart + static_cast<int>(random() % 2400) * 300;
    const std::int64_t to = from + static_cast<int>(random() % 2400) * 300;
    ExpectExact("10.1.0.0/16", from, to);
    ExpectExact("2001:db8::/32", from, to);
  }
  const auto asked = [&](std::int64_t from, std::int64_t to) {
    const auto history =
        file_.Read().Hosts(*Prefix::Parse("10.1.0.0/24"), from, to);
    return std::pair{history.from - kStart, history.to - kStart};
  };
  // Days gone, whole days, whole hours, slots.
  EXPECT_EQ(asked(kStart, kStart + 9 * kDay), (std::pair{kDay, 9 * kDay}));
  EXPECT_EQ(asked(kStart + 2 * kDay + 300, kStart + 3 * kDay + 300),
            (std::pair{2 * kDay, 4 * kDay}));
  EXPECT_EQ(asked(kStart + 5 * kDay + 300, kStart + 6 * kDay + 300),
            (std::pair{5 * kDay, 6 * kDay + kHour}));
  EXPECT_EQ(asked(kStart + 7 * kDay + 300, kStart + 7 * kDay + 900),
            (std::pair{7 * kDay + 300, 7 * kDay + 900}));
}

TEST_F(HostHistoryTest, IsExactForEveryRangeWithinAYear) {
  Fill(500, {}, 37);
  std::mt19937_64 random(10);
  for (int i = 0; i < 60; ++i) {
    const std::int64_t from =
        kStart + static_cast<int>(random() % 144000) * 300;
    const std::int64_t to = from + static_cast<int>(random() % 144000) * 300;
    ExpectExact("10.1.0.0/16", from, to);
    ExpectExact("2001:db8::/32", from, to);
  }
}

TEST_F(HostHistoryTest, IsExactInALedgerThatHadNoThirtyDays) {
  Fill(100, {}, 37);
  LedgerDatabase(file_.path(), LedgerDatabase::Mode::kWrite)
      .Execute(
          "DELETE FROM host_block WHERE resolution = 2592000;"
          "DELETE FROM host_progress WHERE resolution = 2592000;"
          "PRAGMA user_version = 3");
  {
    LedgerEntry entry;
    entry.end = kStart + 101 * kDay;
    Ledger(file_.path()).Apply(std::vector{entry});
  }
  ExpectExact("10.1.0.0/16", kStart, kStart + 100 * kDay);
  ExpectExact("10.1.0.0/16", kStart + 300, kStart + 99 * kDay + 300);
}

TEST(Ledger, SumsUpHostsThatComeAndGo) {
  const auto host = [](const char* address, std::uint64_t bytes) {
    HostEntry entry{*Address::Parse(address), {}};
    entry.volume.bytes[HostVolume::kInTcp] = bytes;
    return entry;
  };
  std::vector<HostEntry> sum = {host("10.1.0.2", 1), host("10.1.0.4", 2)};
  AddHosts(sum, {host("10.1.0.4", 10)});
  AddHosts(sum, {host("10.1.0.1", 20), host("10.1.0.2", 30),
                 host("10.1.0.3", 40), host("10.1.0.9", 50)});
  AddHosts(sum, {});
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const HostEntry& entry : sum)
    found.emplace_back(entry.address.ToString(),
                       entry.volume.bytes[HostVolume::kInTcp]);
  EXPECT_THAT(found, ElementsAre(Pair("10.1.0.1", 20), Pair("10.1.0.2", 31),
                                 Pair("10.1.0.3", 40), Pair("10.1.0.4", 12),
                                 Pair("10.1.0.9", 50)));
}

TEST(Ledger, ForgetsRowsThatAreTooOld) {
  LedgerFile file;
  Ledger ledger(file.path(), {.slots_days = 3, .hosts = {}});
  for (int day = 1; day <= 10; ++day)
    ledger.Apply(std::vector{Minute(kStart + day * kDay, 100)});

  const std::int64_t oldest = kStart + 10 * kDay - 3 * kDay;
  const auto rows = file.Read().Customer("acme", 0, INT64_MAX);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_GT(rows[0].end, oldest);
  EXPECT_EQ(file.Read().Totals(0, INT64_MAX).size(), 3u);
  EXPECT_EQ(file.Read().Books(0, INT64_MAX).size(), 3u);
}

TEST(Ledger, IsReadAsItWasWhileItIsWritten) {
  LedgerFile file;
  Ledger ledger(file.path());
  ledger.Apply(std::vector{Minute(kStart + 60, 100)});
  const LedgerReader reader(file.path());
  ledger.Apply(std::vector{Minute(kStart + 120, 11)});

  EXPECT_EQ(reader.Customer("acme", 0, INT64_MAX)[0].volume.in.bytes, 100u);
  EXPECT_EQ(reader.LastEnd(), kStart + 60);
  EXPECT_EQ(file.CustomerIn(), 111u);
}

TEST(Ledger, RefusesTheFileOfANewerVersionAndThatOfAnotherProgram) {
  LedgerFile file;
  { Ledger ledger(file.path()); }
  LedgerDatabase(file.path(), LedgerDatabase::Mode::kWrite)
      .Execute("PRAGMA user_version = 999");
  for (const auto& open : std::vector<std::function<void()>>{
           [&] { Ledger{file.path()}; }, [&] { LedgerReader{file.path()}; }}) {
    const LedgerError error = ErrorOf(open);
    EXPECT_EQ(error.fault, LedgerFault::kForeign);
    EXPECT_THAT(error.what(), HasSubstr("written by a newer iptrk"));
  }

  const std::string other = file.path() + ".other";
  LedgerDatabase(other, LedgerDatabase::Mode::kWrite)
      .Execute("CREATE TABLE theirs (a)");
  const LedgerError error = ErrorOf([&] { Ledger{other}; });
  EXPECT_EQ(error.fault, LedgerFault::kForeign);
  EXPECT_THAT(error.what(), HasSubstr("of another program"));
}

TEST(Ledger, SaysWhichFileAndWhatMendsIt) {
  LedgerFile file;
  const LedgerError missing = ErrorOf([] { Ledger{"/nonexistent/l.sqlite"}; });
  EXPECT_EQ(missing.fault, LedgerFault::kMissing);
  EXPECT_STREQ(missing.what(),
               "/nonexistent/l.sqlite: its directory does not exist; make it: "
               "mkdir -p /nonexistent");
  std::ofstream(file.path()) << std::string(5000, 'x');
  const LedgerError corrupt = ErrorOf([&] { LedgerReader{file.path()}; });
  EXPECT_EQ(corrupt.fault, LedgerFault::kCorrupt);
  EXPECT_THAT(corrupt.what(), HasSubstr(file.path() + ": damaged"));
}

// Writes minutes until it is killed; says on `out` which one is durable.
[[noreturn]] void WriteUntilKilled(const std::string& path, int out) {
  Ledger ledger(path);
  const auto applied = ledger.LastApplied();
  std::int64_t end = applied ? applied->end : kStart;
  for (;;) {
    // What a reader of the queue does: it repeats what it isn't sure of.
    ledger.Apply(std::vector{Minute(end, 1000), Minute(end + 60, 1000)});
    end += 60;
    if (write(out, &end, sizeof end) != sizeof end) _exit(1);
  }
}

TEST(Ledger, LosesAndRepeatsNothingWhenKilledAtAnyMoment) {
  LedgerFile file;
  std::mt19937 random(3);
  std::int64_t durable = kStart;
  for (int life = 0; life < 10; ++life) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) WriteUntilKilled(file.path(), ends[1]);
    close(ends[1]);
    // At least one entry, then some time in a later transaction.
    ASSERT_EQ(read(ends[0], &durable, sizeof durable),
              static_cast<ssize_t>(sizeof durable));
    usleep(static_cast<useconds_t>(random() % 20000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &durable, sizeof durable) == sizeof durable) {
    }
    close(ends[0]);

    const auto applied = Ledger(file.path()).LastApplied();
    ASSERT_TRUE(applied.has_value());
    EXPECT_GE(applied->end, durable);
    const auto minutes = static_cast<std::uint64_t>(applied->end - kStart) / 60;
    // The first entry ends at kStart itself.
    EXPECT_EQ(file.CustomerIn(), (minutes + 1) * 1000);
  }
}

}  // namespace
}  // namespace iptrk
