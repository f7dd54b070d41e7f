// SPDX-License-Identifier: GPL-2.0-only
// A reader that stands still under the worst flood, and two CPUs at once.
// Runs inside the test machine, as root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "lib/address.h"
#include "lib/config.h"
#include "lib/volume.h"
#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"
#include "tests/vm/hostile/pktgen.h"

namespace iptrk {
namespace {

// Whatever the queue holds and will hold once there is room, to `sink`.
template <typename Sink>
void DrainToTheEnd(Queue& queue, Sink&& sink) {
  // Tables are emptied by a timer; an idle machine needs two looks.
  for (int idle = 0, rounds = 0; idle < 10 && rounds < 3000; ++rounds) {
    const std::size_t taken = queue.Drain(~std::uint64_t{0}, sink);
    queue.Commit(queue.Position());
    const bool waits = queue.State().merge_waiting != 0;
    idle = taken == 0 && !waits ? idle + 1 : 0;
    if (taken == 0) usleep(20000);
  }
}

Volume operator+(const Volume& sum, const iptrk_volume& volume) {
  return sum + Volume{volume.bytes, volume.packets};
}

// Flooded through both CPUs for ten seconds while nobody reads: one victim
// from 65,536 sources, and a bystander from as many.
class Stall : public testing::Test {
 protected:
  static constexpr char kVictim[] = "10.1.0.216";
  static constexpr char kBystander[] = "198.51.100.7";

  static void SetUpTestSuite() {
    pair_.emplace();
    QueueConfig config;
    config.name = "";
    config.interfaces = {"right0"};
    // 1 MiB in all.
    config.records = (1u << 20) / 64 / std::thread::hardware_concurrency();
    Queue queue = Queue::Read(config);
    const auto victim = Prefix::Parse("10.1.0.0/24");
    queue.Own({Network{"lan", {*victim}}});

    Pktgen pktgen;
    const std::vector<std::string> sources = {
        "src_min 44.1.0.0", "src_max 44.1.255.255", "flag IPSRC_RND",
        "xmit_mode netif_receive"};
    auto settings = sources;
    settings.insert(settings.end(),
                    {"dst 10.1.0.216", "udp_dst_min 53", "udp_dst_max 53"});
    pktgen.Add(0, "right0", settings);
    settings = sources;
    settings.insert(settings.end(), {"dst 198.51.100.7", "pkt_size 1000"});
    pktgen.Add(std::thread::hardware_concurrency() - 1, "right0", settings);

    pktgen.Start();
    sleep(1);  // whatever the first packets need
    areas_before_ = ModuleAreas();
    memory_before_ = Memory();
    sleep(10);
    memory_after_ = Memory();
    areas_after_ = ModuleAreas();
    pktgen.Stop();
    state_ = queue.State();
    const std::uint64_t frames[] = {
        pktgen.Sent("right0", 0),
        pktgen.Sent("right0", std::thread::hardware_concurrency() - 1)};
    sent_[kVictim] = {60 * frames[0], frames[0]};
    sent_[kBystander] = {1000 * frames[1], frames[1]};
    books_ = Interface(queue, "right0").received;
    DrainToTheEnd(queue, [](const iptrk_record& record) {
      total_ += record;
      by_destination_[record.flags & IPTRK_UNATTRIBUTED
                          ? "nobody"
                          : Address::FromBytes(record.dst).ToString()] +=
          record;
      if (record.flags & IPTRK_UNATTRIBUTED) return;
      if (record.flags & IPTRK_MERGED) merged_ += record;
    });
  }
  static void TearDownTestSuite() { pair_.reset(); }

  // What the kernel holds for itself, in bytes.
  static std::uint64_t Memory() {
    GiveBackFreed();
    return 1024 * (FieldOf("/proc/meminfo", "Slab") +
                   FieldOf("/proc/meminfo", "VmallocUsed"));
  }

  static inline std::optional<Pair> pair_;
  static inline std::map<std::string, Volume> sent_, by_destination_;
  static inline Volume total_, merged_;
  static inline iptrk_books books_;
  static inline iptrk_state state_;
  static inline std::uint64_t memory_before_, memory_after_;
  static inline std::size_t areas_before_, areas_after_;
};

TEST_F(Stall, SeesEveryByteOfTheFlood) {
  EXPECT_GT(books_.seen.packets, 0u);
  EXPECT_EQ(Volume{} + books_.seen, sent_[kVictim] + sent_[kBystander]);
  EXPECT_EQ(state_.bad_commits, 0u);
  // It was a flood, and nothing was read: each ring is full.
  EXPECT_EQ(state_.waiting, (1u << 20) / 64);
}

TEST_F(Stall, PutsEachByteIntoOneClass) {
  const Volume classes = Volume{} + books_.recorded + books_.merged +
                         books_.unattributed + books_.elsewhere;
  EXPECT_EQ(Volume{} + books_.seen, classes);
  EXPECT_GT(books_.recorded.packets, 0u);
  EXPECT_GT(books_.merged.packets, 0u);
  EXPECT_GT(books_.unattributed.packets, 0u);
}

TEST_F(Stall, GivesTheReaderEveryByteInTheEnd) {
  EXPECT_EQ(total_, Volume{} + books_.seen);
  EXPECT_EQ(merged_, Volume{} + books_.merged);
  EXPECT_EQ(by_destination_["nobody"], Volume{} + books_.unattributed);
}

TEST_F(Stall, KeepsTheVictimsOwnBytesExact) {
  EXPECT_EQ(by_destination_[kVictim], sent_[kVictim]);
}

TEST_F(Stall, NeedsNoMemoryForIt) {
  EXPECT_EQ(areas_after_, areas_before_);
  // The machine breathes a little by itself.
  EXPECT_LE(memory_after_, memory_before_ + (1u << 20));
}

// Frames that are numbered, from both CPUs into a queue read meanwhile: each
// thread of pktgen counts its source addresses up and round.
TEST(TwoCpus, KeepOrderAndTearNoRecord) {
  const unsigned cpus = std::thread::hardware_concurrency();
  if (cpus < 2) GTEST_SKIP() << "only one CPU";
  constexpr std::uint32_t kSources = 50021, kFrames = 150000;
  const Pair pair;
  QueueConfig config;
  config.name = "";
  config.interfaces = {"right0"};
  config.records = 1u << 16;  // goes round twice
  Queue queue = Queue::Read(config);

  Pktgen pktgen;
  for (unsigned cpu = 0; cpu < 2; ++cpu) {
    const std::string net = std::to_string(10 + cpu);
    const std::string port = std::to_string(5000 + cpu);
    pktgen.Add(
        cpu, "right0",
        {"count " + std::to_string(kFrames), "delay 40000",
         "xmit_mode netif_receive", "src_min " + net + ".0.0.0",
         // 50021 - 1 = 195 * 256 + 100
         "src_max " + net + ".0.195.100", "dst 10.1.0.216",
         "udp_src_min " + port, "udp_src_max " + port, "udp_dst_min " + port,
         "udp_dst_max " + port, "pkt_size " + std::to_string(100 + cpu)});
  }
  struct Stream {
    std::uint64_t frames = 0, wrong_order = 0, torn = 0, back_in_time = 0;
    std::uint32_t last = 0;
    std::uint64_t last_ns = 0;
  };
  std::array<Stream, 2> streams;
  std::uint64_t strangers = 0;
  const Address victim = *Address::Parse("10.1.0.216");
  const auto check = [&](const iptrk_record& record) {
    const unsigned cpu = record.src[12] - 10u;
    if (cpu > 1) {
      ++strangers;
      return;
    }
    Stream& stream = streams[cpu];
    const std::uint32_t number = static_cast<std::uint32_t>(
        record.src[13] << 16 | record.src[14] << 8 | record.src[15]);
    stream.torn += record.bytes != 100 + cpu || record.packets != 1 ||
                   record.sport != 5000 + cpu || record.dport != 5000 + cpu ||
                   record.protocol != IPPROTO_UDP ||
                   !(Address::FromBytes(record.dst) == victim);
    if (stream.frames > 0)
      stream.wrong_order += number != (stream.last + 1) % kSources;
    stream.back_in_time += record.time_ns < stream.last_ns;
    stream.last = number;
    stream.last_ns = record.time_ns;
    ++stream.frames;
  };
  pktgen.Start();
  // Busy, so that the reader is in the very line the kernel writes.
  while (pktgen.Running()) {
    queue.Drain(~std::uint64_t{0}, check);
    queue.Commit(queue.Position());
  }
  pktgen.Wait();
  DrainToTheEnd(queue, check);

  const iptrk_books books = Interface(queue, "right0").received;
  EXPECT_EQ(strangers, 0u);
  if (books.recorded.packets == books.seen.packets) {
    for (const Stream& stream : streams) {
      EXPECT_EQ(stream.frames, kFrames);
      EXPECT_EQ(stream.torn, 0u);
      EXPECT_EQ(stream.wrong_order, 0u);
      EXPECT_EQ(stream.back_in_time, 0u);
    }
  } else {
    FAIL() << "the reader was too slow: " << books.recorded.packets << " of "
           << books.seen.packets << " recorded";
  }
}

}  // namespace
}  // namespace iptrk
