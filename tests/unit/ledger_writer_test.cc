// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A writer that retries fast, and what it told.
class Writer {
 public:
  explicit Writer(const std::string& path, BacklogLimits limits = {})
      : writer_(
            [&] {
              LedgerWriterOptions options;
              options.path = path;
              options.limits = limits;
              options.first_retry = options.longest_retry = milliseconds(20);
              options.patience = milliseconds(300);
              return options;
            }(),
            [this](LedgerEvent event, const std::string& text) {
              const std::lock_guard lock(mutex_);
              events_.push_back(event);
              texts_.push_back(text);
            }) {}

  LedgerWriter* operator->() { return &writer_; }

  std::vector<LedgerEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  std::string texts() const {
    const std::lock_guard lock(mutex_);
    return std::accumulate(texts_.begin(), texts_.end(), std::string(),
                           [](auto a, auto& b) { return a + b + "\n"; });
  }

  template <typename Condition>
  bool Eventually(Condition condition) const {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  bool HasProblem() {
    return Eventually([&] { return !writer_.State().problem.empty(); });
  }
  bool HasApplied(std::int64_t end) {
    return Eventually([&] { return writer_.AppliedEnd() >= end; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<LedgerEvent> events_;
  std::vector<std::string> texts_;
  LedgerWriter writer_;  // last: it tells from the start
};

// Pushes `count` minutes from kStart + `after` minutes on; each has as many
// bytes as its number says, from 1 on. Returns the end of the last.
std::int64_t PushMinutes(LedgerWriter& writer, int count, int after = 0) {
  for (int i = after + 1; i <= after + count; ++i)
    writer.Push(Minute(kStart + i * 60, static_cast<std::uint64_t>(i)));
  return kStart + (after + count) * 60;
}
std::uint64_t SumTo(std::uint64_t n) { return n * (n + 1) / 2; }

TEST(LedgerWriter, WritesWhatIsPushedAndSaysHowFarItIsDurable) {
  LedgerFile file;
  Writer writer(file.path());
  ASSERT_TRUE(writer->WaitForStart(milliseconds(5000)).has_value());
  EXPECT_EQ(writer->AppliedEnd(), 0);

  const std::int64_t end = PushMinutes(*writer.operator->(), 7);
  writer->PushMark({end + 10, {42, {8}}, false});

  EXPECT_TRUE(writer.HasApplied(end));
  EXPECT_EQ(writer->Applied()->mark, Minute(end, 0).mark);
  EXPECT_EQ(file.CustomerIn(), SumTo(7));
  writer->Stop();
  EXPECT_THAT(writer.events(), IsEmpty());
  EXPECT_THAT(Ledger(file.path()).Marks(),
              ElementsAre(LedgerPosition{end + 10, {42, {8}}, false}));
}

TEST(LedgerWriter, SaysWhereTheLastOneEnded) {
  LedgerFile file;
  Ledger(file.path()).Apply(std::vector{Minute(kStart + 60, 5)});
  Ledger(file.path()).Mark({kStart + 70, {42, {9}}, false});

  Writer writer(file.path());
  const auto start = writer->WaitForStart(milliseconds(5000));

  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->applied->end, kStart + 60);
  EXPECT_EQ(start->marks.size(), 1u);
  EXPECT_EQ(writer->AppliedEnd(), kStart + 60);
}

TEST(LedgerWriter, WritesAtTheEndWhatStillWaits) {
  LedgerFile file;
  {
    Writer writer(file.path());
    PushMinutes(*writer.operator->(), 100);
  }
  EXPECT_EQ(file.CustomerIn(), SumTo(100));
}

TEST(LedgerWriter, KeepsWhatItCantWriteUntilTheDirectoryIsThere) {
  LedgerFile file;
  const std::string path = (file.directory() / "later/l.sqlite").string();
  Writer writer(path);
  ASSERT_TRUE(writer.HasProblem());
  EXPECT_FALSE(writer->WaitForStart(milliseconds(5000)).has_value());
  const std::int64_t end = PushMinutes(*writer.operator->(), 30);
  EXPECT_EQ(writer->AppliedEnd(), 0);

  fs::create_directory(file.directory() / "later");

  EXPECT_TRUE(writer.HasApplied(end));
  writer->Stop();
  EXPECT_THAT(writer.events(),
              ElementsAre(LedgerEvent::kProblem, LedgerEvent::kMended));
  EXPECT_THAT(writer.texts(), HasSubstr("its directory does not exist; make "
                                        "it: mkdir -p "));
  EXPECT_GT(writer->State().failures, 0u);
  EXPECT_EQ(LedgerReader(path).Customer("acme", 0, INT64_MAX).size(), 6u);
}

TEST(LedgerWriter, NoticesThatItsFileWasTakenAway) {
  LedgerFile file;
  Writer writer(file.path());
  ASSERT_TRUE(writer.HasApplied(PushMinutes(*writer.operator->(), 5)));

  const fs::path away = file.directory().string() + "-away";
  fs::rename(file.directory(), away);
  const std::int64_t end = PushMinutes(*writer.operator->(), 5, 5);
  ASSERT_TRUE(writer.HasProblem());
  fs::rename(away, file.directory());

  EXPECT_TRUE(writer.HasApplied(end));
  EXPECT_EQ(file.CustomerIn(), SumTo(10));
}

TEST(LedgerWriter, WaitsForWhoHasTheFileLocked) {
  LedgerFile file;
  Ledger(file.path()).Apply(std::vector{Minute(kStart, 0)});
  LedgerDatabase other(file.path(), LedgerDatabase::Mode::kWrite);
  other.Execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  Writer writer(file.path());
  const std::int64_t end = PushMinutes(*writer.operator->(), 30);
  ASSERT_TRUE(writer.HasProblem());
  EXPECT_THAT(writer.texts(), HasSubstr("locked by another program; end what "
                                        "holds it: fuser -v"));

  other.Execute(
      "ROLLBACK; PRAGMA locking_mode = NORMAL; "
      "SELECT count(*) FROM mark");

  EXPECT_TRUE(writer.HasApplied(end));
  EXPECT_EQ(file.CustomerIn(), SumTo(30));
}

TEST(LedgerWriter, MovesADamagedFileAsideAndBeginsAnew) {
  LedgerFile file;
  std::ofstream(file.path()) << std::string(10000, 'x');
  Writer writer(file.path());
  const std::int64_t end = PushMinutes(*writer.operator->(), 30);

  EXPECT_TRUE(writer.HasApplied(end));
  EXPECT_EQ(file.CustomerIn(), SumTo(30));
  EXPECT_THAT(writer.events(), ElementsAre(LedgerEvent::kBegunAnew));
  EXPECT_THAT(writer.texts(), HasSubstr("damaged; moved to"));
}

// All pages but the first overwritten, so that opening goes well.
void Damage(const std::string& path) {
  fs::remove(path + "-wal");  // its pages would stand in for those
  const auto size = static_cast<std::size_t>(fs::file_size(path));
  std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(4096);
  out << std::string(size - 4096, '\x5a');
}

TEST(LedgerWriter, LosesNothingThatWaitsWhenTheDamageShowsInWriting) {
  LedgerFile file;
  Writer writer(file.path());
  std::int64_t end = PushMinutes(*writer.operator->(), 20);
  ASSERT_TRUE(writer.HasApplied(end));
  writer->Stop();
  Damage(file.path());

  Writer next(file.path());
  // The one before was written to the old file, and is not counted again.
  end = PushMinutes(*next.operator->(), 10, 20);

  ASSERT_TRUE(next.HasApplied(end)) << next.texts();
  EXPECT_EQ(file.CustomerIn(), SumTo(30) - SumTo(20));
  EXPECT_THAT(next.events(), ElementsAre(LedgerEvent::kBegunAnew));
  int aside = 0;
  for (const auto& entry : fs::directory_iterator(file.directory()))
    aside += entry.path().string().find(".corrupt-") != std::string::npos &&
             entry.path().string().find("-wal") == std::string::npos;
  EXPECT_EQ(aside, 1);
}

TEST(LedgerWriter, GivesUpAtTheEndWithoutWaitingForLong) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<LedgerEvent> events;
  {
    Writer writer("/nonexistent/l.sqlite");
    PushMinutes(*writer.operator->(), 3);
    ASSERT_TRUE(writer.HasProblem());
    writer->Stop();
    events = writer.events();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(3000));
  EXPECT_THAT(events,
              ElementsAre(LedgerEvent::kProblem, LedgerEvent::kGivenUp));
}

TEST(LedgerWriter, KeepsEveryByteInBoundedMemory) {
  LedgerFile file;
  const std::string path = (file.directory() / "later/l.sqlite").string();
  BacklogLimits limits;
  limits.entries = 4;
  Writer writer(path, limits);
  ASSERT_TRUE(writer.HasProblem());

  const std::int64_t end = PushMinutes(*writer.operator->(), 60);
  writer.Eventually([&] { return writer->State().entries_waiting <= 4; });
  EXPECT_LE(writer->State().entries_waiting, 8u);  // there are two lists
  EXPECT_GT(writer->State().losses.merged_intervals, 0u);
  EXPECT_GT(writer->State().losses.merged_slots, 0u);
  fs::create_directory(file.directory() / "later");

  ASSERT_TRUE(writer.HasApplied(end));
  std::uint64_t sum = 0;
  for (const auto& slot : LedgerReader(path).Customer("acme", 0, INT64_MAX))
    sum += slot.volume.in.bytes;
  EXPECT_EQ(sum, SumTo(60));
}

// Runs `body` with a file system of its own of `size` bytes at `directory`,
// in a mount namespace that goes with the thread. False: that takes root.
bool WithFileSystem(const fs::path& directory, const char* size,
                    const std::function<void()>& body) {
  bool mounted = false;
  std::thread([&] {
    const std::string options = std::string("size=") + size;
    mounted =
        unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("none", directory.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (mounted) body();
  }).join();
  return mounted;
}

TEST(LedgerWriter, LosesNoByteToAFullDisk) {
  LedgerFile file;
  const bool ran = WithFileSystem(file.directory(), "400k", [&] {
    Writer writer(file.path());
    std::int64_t end = PushMinutes(*writer.operator->(), 5);
    ASSERT_TRUE(writer.HasApplied(end));
    const std::string filler = (file.directory() / "filler").string();
    std::ofstream(filler) << std::string(1 << 20, 'x');
    int minutes = 5;
    while (writer->State().problem.empty() && minutes < 5000) {
      end = PushMinutes(*writer.operator->(), 10, minutes);
      minutes += 10;
      // Not more than there will be room for.
      ASSERT_TRUE(writer.Eventually([&] {
        return writer->AppliedEnd() >= end || !writer->State().problem.empty();
      }));
    }
    EXPECT_THAT(writer->State().problem, HasSubstr("no space left; free some"));

    fs::remove(filler);

    ASSERT_TRUE(writer.HasApplied(end)) << writer.texts();
    EXPECT_EQ(file.CustomerIn(), SumTo(static_cast<std::uint64_t>(minutes)));
    writer->Stop();
    EXPECT_THAT(writer.events(),
                ElementsAre(LedgerEvent::kProblem, LedgerEvent::kMended));
  });
  if (!ran) GTEST_SKIP() << "mounting a file system takes root";
}

TEST(LedgerWriter, LosesNoByteToAReadOnlyDisk) {
  LedgerFile file;
  const bool ran = WithFileSystem(file.directory(), "4m", [&] {
    const std::string directory = file.directory().string();
    { Ledger ledger(file.path()); }
    ASSERT_EQ(mount("none", directory.c_str(), nullptr, MS_REMOUNT | MS_RDONLY,
                    nullptr),
              0);
    Writer writer(file.path());
    const std::int64_t end = PushMinutes(*writer.operator->(), 20);
    ASSERT_TRUE(writer.HasProblem());
    EXPECT_THAT(writer->State().problem, HasSubstr("can't be written"));
    EXPECT_THAT(writer->State().problem, HasSubstr("mount it read-write"));

    ASSERT_EQ(mount("none", directory.c_str(), nullptr, MS_REMOUNT, nullptr),
              0);

    ASSERT_TRUE(writer.HasApplied(end)) << writer.texts();
    EXPECT_EQ(file.CustomerIn(), SumTo(20));
  });
  if (!ran) GTEST_SKIP() << "mounting a file system takes root";
}

TEST(LedgerWriter, PushesWithoutWaitingWhileTheDiskIsLocked) {
  LedgerFile file;
  Ledger(file.path()).Apply(std::vector{Minute(kStart, 0)});
  LedgerDatabase other(file.path(), LedgerDatabase::Mode::kWrite);
  other.Execute("BEGIN EXCLUSIVE");
  Writer writer(file.path());
  const auto begin = std::chrono::steady_clock::now();
  PushMinutes(*writer.operator->(), 1000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(500));
}

// A bytes-in sum of all hosts in the entries.
std::uint64_t HostBytes(const std::vector<LedgerEntry>& entries) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : entries)
    for (const HostEntry& host : entry.hosts)
      sum += host.volume.bytes[HostVolume::kInTcp];
  return sum;
}

TEST(LedgerBacklog, MergesIntervalsOfASlotFirstAndLosesNothingByIt) {
  BacklogLimits limits;
  limits.entries = 2;
  LedgerBacklog backlog(limits);
  for (int i = 1; i <= 10; ++i)
    backlog.Push(Minute(kStart + i * 60, static_cast<std::uint64_t>(i)));

  const auto entries = backlog.Front(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].end, kStart + 300);
  EXPECT_EQ(entries[0].covered, 300);
  EXPECT_EQ(entries[0].customers[0].volume.in.bytes, SumTo(5));
  EXPECT_EQ(entries[0].books[0].seen.bytes, SumTo(5));
  EXPECT_EQ(entries[0].mark, Minute(kStart + 300, 0).mark);
  EXPECT_EQ(entries[1].total.in.bytes, SumTo(10) - SumTo(5));
  EXPECT_EQ(HostBytes(entries), SumTo(10));
  EXPECT_EQ(backlog.losses().merged_intervals, 8u);
  EXPECT_EQ(backlog.losses().merged_slots, 0u);
}

TEST(LedgerBacklog, KnowsTheBooksOfTheLatestMarksOnly) {
  BacklogLimits limits;
  limits.books = 2;
  LedgerBacklog backlog(limits);
  for (int i = 1; i <= 5; ++i)
    backlog.PushMark({.end = kStart + i * 10, .mark = {}, .books = "[]"});
  std::vector<std::string> books;
  for (const LedgerPosition& mark : backlog.marks())
    books.push_back(mark.books);
  EXPECT_THAT(books, ElementsAre("", "", "", "[]", "[]"));
}

TEST(LedgerBacklog, MovesHostsBeforeItTouchesWhatIsBilled) {
  BacklogLimits limits;
  limits.hosts = 3;
  LedgerBacklog backlog(limits);
  for (int slot = 1; slot <= 20; ++slot)
    backlog.Push(Minute(kStart + slot * 300, static_cast<std::uint64_t>(slot)));

  const auto entries = backlog.Front(100);
  ASSERT_EQ(entries.size(), 20u);
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(entries[i].customers[0].volume.in.bytes, i + 1);
  EXPECT_EQ(HostBytes(entries), SumTo(20));
  // Each hour still has its own.
  EXPECT_EQ(HostBytes({entries.begin(), entries.begin() + 12}), SumTo(12));
  EXPECT_LE(backlog.hosts(), 3u);
}

TEST(LedgerBacklog, SaysThatASlotWithTheBytesOfSeveralIsNoSample) {
  BacklogLimits limits;
  limits.entries = 2;
  LedgerBacklog backlog(limits);
  for (int slot = 1; slot <= 4; ++slot)
    backlog.Push(Minute(kStart + slot * 300, static_cast<std::uint64_t>(slot)));

  const auto entries = backlog.Front(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].total.in.bytes, 1u + 2 + 3);
  EXPECT_EQ(entries[0].covered, 0);
  EXPECT_EQ(entries[1].covered, 60);
  EXPECT_EQ(backlog.losses().merged_slots, 2u);
}

TEST(LedgerBacklog, KeepsTheLatestStateOfAnIncidentAndTheNewestMarks) {
  BacklogLimits limits;
  limits.marks = 2;
  LedgerBacklog backlog(limits);
  for (int i = 1; i <= 3; ++i) backlog.PushMark({i, {}, false});
  LedgerIncident incident;
  incident.id = "a";
  backlog.PushIncident(incident);
  incident.open = false;
  backlog.PushIncident(incident);

  EXPECT_THAT(backlog.marks(), ElementsAre(LedgerPosition{2, {}, false},
                                           LedgerPosition{3, {}, false}));
  ASSERT_EQ(backlog.incidents().size(), 1u);
  EXPECT_FALSE(backlog.incidents()[0].open);
  EXPECT_EQ(backlog.losses().dropped_marks, 1u);
}

}  // namespace
}  // namespace iptrk
