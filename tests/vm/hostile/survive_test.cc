// SPDX-License-Identifier: GPL-2.0-only
// A reader that is killed again and again. Runs inside the test machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <optional>
#include <random>

#include "lib/volume.h"
#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"
#include "tests/vm/hostile/pktgen.h"

namespace iptrk {
namespace {

constexpr char kLedger[] = "/run/survivor.ledger";

// What the reader knows for sure: everything up to `mark` is in `total`.
struct Entry {
  std::array<std::uint64_t, 16> mark{};
  Volume total;
};

// A reader that writes down what it has before it gives it back, as the
// plugin does with its ledger. It survives whatever happens in between.
class Survivor {
 public:
  Survivor() : ledger_(open(kLedger, O_RDWR | O_CREAT | O_APPEND, 0600)) {
    const off_t size = lseek(ledger_, 0, SEEK_END);
    const off_t entries = size / static_cast<off_t>(sizeof(Entry));
    if (entries > 0 &&
        pread(ledger_, &entry_, sizeof entry_,
              (entries - 1) * static_cast<off_t>(sizeof(Entry))) !=
            static_cast<ssize_t>(sizeof entry_))
      throw std::runtime_error("no ledger");
    queue_.emplace(Queue::Read(Config()));
    if (entries > 0 && queue_->Position() != Mark()) {
      // Written down, but died before it gave that back: do so now, and
      // begin behind it.
      ++repeats_;
      queue_->Commit(Mark());
      queue_.reset();
      queue_.emplace(Queue::Read(Config()));
    }
  }
  ~Survivor() { close(ledger_); }
  Survivor(const Survivor&) = delete;
  Survivor& operator=(const Survivor&) = delete;

  void Drain() {
    drained_ = queue_->Drain(
        ~std::uint64_t{0},
        [this](const iptrk_record& record) { entry_.total += record; });
  }
  void WriteDown() {
    const Queue::Mark mark = queue_->Position();
    std::copy(mark.begin(), mark.end(), entry_.mark.begin());
    if (write(ledger_, &entry_, sizeof entry_) !=
        static_cast<ssize_t>(sizeof entry_))
      throw std::runtime_error("the ledger is full");
  }
  void GiveBack() { queue_->Commit(queue_->Position()); }

  Queue& queue() { return *queue_; }
  const Volume& total() const { return entry_.total; }
  std::size_t drained() const { return drained_; }
  int repeats() const { return repeats_; }

 private:
  static QueueConfig Config() {
    // Small, so that it overflows while its reader is dead.
    QueueConfig config = Named("survivor");
    config.records = 4096;
    return config;
  }
  Queue::Mark Mark() const {
    const std::size_t cpus = queue_->Position().size();
    return {entry_.mark.begin(),
            entry_.mark.begin() + static_cast<std::ptrdiff_t>(cpus)};
  }

  int ledger_;
  Entry entry_;
  std::optional<Queue> queue_;
  std::size_t drained_ = 0;
  int repeats_ = 0;
};

enum class Death { kAnywhere, kBeforeWriting, kAfterWriting };

// Exits only by force.
[[noreturn]] void ReadUntilKilled(Death death) {
  try {
    Survivor survivor;
    for (int round = 0;; ++round) {
      survivor.Drain();
      if (round == 2 && death == Death::kBeforeWriting) raise(SIGKILL);
      usleep(500);  // where a kill shall find it now and then
      survivor.WriteDown();
      if (round == 2 && death == Death::kAfterWriting) raise(SIGKILL);
      usleep(500);
      survivor.GiveBack();
      survivor.queue().Wait(20);
    }
  } catch (const std::exception& error) {
    dprintf(2, "%s\n", error.what());
  }
  _exit(1);
}

Volume InterfaceReceived(const std::string& name) {
  const std::string path = "/sys/class/net/" + name + "/statistics/rx_";
  return {std::stoull(ReadFile(path + "bytes")),
          std::stoull(ReadFile(path + "packets"))};
}

// Nobody reads until the ring is full, however slow the machine is.
void WaitUntilMerging() {
  const Queue observer = Queue::Observe("survivor");
  for (int i = 0; i < 600 && observer.State().merge_waiting == 0; ++i)
    usleep(100000);
}

TEST(Survivor, CountsWhatTheInterfaceCountsThoughKilledTwentyTimes) {
  const Pair pair;
  unlink(kLedger);
  { const Survivor first; }  // the queue is there before the first frame
  Pktgen pktgen;
  for (const unsigned cpu : {0u, std::thread::hardware_concurrency() - 1})
    pktgen.Add(cpu, "left0",
               {"delay 30000", "dst 10.1.0.216", "src_min 44.1.0.0",
                "src_max 44.1.255.255", "flag IPSRC_RND", "min_pkt_size 60",
                "max_pkt_size 1400"});
  pktgen.Start();

  std::mt19937 random(20);
  std::uniform_int_distribution<useconds_t> life_us(100000, 900000);
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    const Death death = kill_number == 3   ? Death::kBeforeWriting
                        : kill_number == 6 ? Death::kAfterWriting
                                           : Death::kAnywhere;
    const pid_t reader = fork();
    if (reader == 0) ReadUntilKilled(death);
    ASSERT_GT(reader, 0);
    if (death == Death::kAnywhere) {
      usleep(life_us(random));
      ASSERT_EQ(kill(reader, SIGKILL), 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(reader, &status, 0), reader);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    if (kill_number % 5 == 4) WaitUntilMerging();
    if (kill_number == 6) {
      // This one is told apart from the others: it must not count twice.
      const Survivor next;
      EXPECT_EQ(next.repeats(), 1);
    }
  }
  pktgen.Stop();

  Survivor last;
  for (int idle = 0, round = 0; idle < 10 && round < 3000; ++round) {
    last.Drain();
    last.WriteDown();
    last.GiveBack();
    idle = last.drained() == 0 && last.queue().State().merge_waiting == 0
               ? idle + 1
               : 0;
    usleep(20000);
  }
  const iptrk_books books = Interface(last.queue(), "right0").received;
  EXPECT_EQ(last.total(), InterfaceReceived("right0"));
  EXPECT_EQ(last.total(), (Volume{books.seen.bytes, books.seen.packets}));
  // While nobody read, the ring was full.
  EXPECT_GT(books.merged.packets + books.unattributed.packets, 0u);
  EXPECT_EQ(last.queue().State().bad_commits, 0u);
}

}  // namespace
}  // namespace iptrk
