// SPDX-License-Identifier: GPL-2.0-only
// /dev/iptrk as a reader meets it. Runs inside the test machine, as root.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>

#include "lib/address.h"
#include "lib/books.h"
#include "lib/volume.h"
#include "tests/vm/device/file.h"
#include "tests/vm/device/lab.h"

namespace iptrk {
namespace {

class DeviceTest : public testing::Test {
 protected:
  // A frame is recorded on its sender's CPU. Tests that fill a ring must not
  // be moved to another one half-way.
  DeviceTest() {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof first, &first) != 0)
      throw std::runtime_error("can't stay on CPU 0");
  }
  void SendUdp(int count, std::size_t bytes = 60) {
    for (int i = 0; i < count; ++i)
      left_.Send(UdpFrame(static_cast<std::uint32_t>(i), 53, bytes));
  }
  // Waits for that many frames in all at right0: a busy kernel hands them on
  // some time after they were sent.
  static void Arrived(Queue& queue, std::uint64_t frames) {
    for (int i = 0; i < 1000; ++i) {
      if (Interface(queue, "right0").received.seen.packets >= frames) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "not all frames arrived in 10 s";
  }
  // Private, so that each test begins with nothing.
  Queue Private(std::vector<std::string> interfaces = {"right0"}) {
    return Queue::Read(Named("", std::move(interfaces)));
  }

  Pair pair_;
  Sender left_{"left0"};
};

Volume Sum(const std::vector<iptrk_record>& records) {
  Volume sum;
  for (const iptrk_record& record : records) sum += record;
  return sum;
}

int AttachError(const QueueConfig& config) {
  try {
    Queue::Read(config);
    return 0;
  } catch (const QueueError& error) {
    return error.number;
  }
}

TEST_F(DeviceTest, RecordsEachFrameWithAddressesPortsAndLength) {
  Queue queue = Private();
  left_.Send(UdpFrame(0x010203, 53, 1014));
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  const iptrk_record& record = records[0];
  EXPECT_EQ(Address::FromBytes(record.src).ToString(), "44.1.2.3");
  EXPECT_EQ(Address::FromBytes(record.dst).ToString(), "10.1.0.216");
  EXPECT_EQ(record.sport, 40000);
  EXPECT_EQ(record.dport, 53);
  EXPECT_EQ(record.protocol, IPPROTO_UDP);
  EXPECT_EQ(record.bytes, 1014u);
  EXPECT_EQ(record.packets, 1u);
  EXPECT_EQ(record.l2_len, 14);
  EXPECT_TRUE(record.flags & IPTRK_IPV4);
  EXPECT_FALSE(record.flags & IPTRK_SENT);
}

TEST_F(DeviceTest, TellsSentFromReceived) {
  if (!SeesWhatIsSent()) GTEST_SKIP() << "this kernel has no egress hook";
  Queue queue = Private({"left0"});
  SendUdp(1);
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].flags & IPTRK_SENT);
}

TEST_F(DeviceTest, KeepsTheMacAddressesOfFramesThatAreNotIp) {
  Queue queue = Private();
  auto frame = UdpFrame();
  frame[12] = 0x08;
  frame[13] = 0x06;
  left_.Send(frame);
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].ethertype, 0x0806);
  EXPECT_EQ(records[0].src[5], 2);
  EXPECT_EQ(records[0].dst[5], 1);
  EXPECT_FALSE(records[0].flags & (IPTRK_IPV4 | IPTRK_IPV6));
}

TEST_F(DeviceTest, RecordsAFrameThatHoldsNothing) {
  Queue queue = Private();
  left_.Send({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0});
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].bytes, 14u);
  EXPECT_TRUE(records[0].flags & IPTRK_MALFORMED);
}

TEST_F(DeviceTest, CountsAFrameWithAVlanTagWhole) {
  Queue queue = Private();
  auto frame = UdpFrame();
  const std::uint8_t tag[] = {0x81, 0, 0xe0, 10};
  frame.insert(frame.begin() + 12, std::begin(tag), std::end(tag));
  left_.Send(frame);
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].bytes, 64u);
  EXPECT_EQ(records[0].l2_len, 18);
  EXPECT_EQ(records[0].vlan, 0xe00a);
  EXPECT_EQ(records[0].dport, 53);
}

TEST_F(DeviceTest, SeesFramesToOtherHosts) {
  Queue queue = Private();
  auto frame = UdpFrame();
  frame[5] = 0x77;  // nobody's MAC
  left_.Send(frame);
  const auto records = DrainAll(queue, 1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].flags & IPTRK_PKTTYPE, 3);  // PACKET_OTHERHOST
}

TEST_F(DeviceTest, KeepsBooksThatEqualTheInterfacesOwnCounters) {
  Queue queue = Private({"left0", "right0"});
  SendUdp(500, 777);
  Arrived(queue, 500);
  for (const auto& [name, sent] :
       {std::pair{"left0", true}, std::pair{"right0", false}}) {
    if (sent && !SeesWhatIsSent()) continue;
    const Balance balance = BalanceOf(Interface(queue, name), sent);
    EXPECT_TRUE(balance.balanced()) << name;
    EXPECT_EQ(balance.nic, (Volume{500 * 777, 500})) << name;
  }
}

TEST_F(DeviceTest, LosesNoByteWhenTheRingIsFull) {
  Queue queue = Private();
  SendUdp(5000, 100);
  Volume total = Sum(DrainAll(queue, 1024));
  EXPECT_EQ(total.packets, 1024u);
  // What was merged comes when there is room again, packet or no packet.
  for (int i = 0; i < 100 && total.packets < 5000; ++i) {
    queue.Commit(queue.Position());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    total += Sum(DrainAll(queue));
  }
  EXPECT_EQ(total, (Volume{5000 * 100, 5000}));
  const iptrk_books books = Interface(queue, "right0").received;
  EXPECT_EQ(books.seen.packets, 5000u);
  EXPECT_EQ(books.recorded.packets + books.merged.packets +
                books.unattributed.packets,
            5000u);
}

TEST_F(DeviceTest, KeepsTheAddressesOfWhatItMerges) {
  Queue queue = Private();
  SendUdp(1024);
  for (int i = 0; i < 1000; ++i) left_.Send(UdpFrame(99, 4444));
  Arrived(queue, 2024);
  DrainAll(queue);
  queue.Commit(queue.Position());
  std::vector<iptrk_record> records;
  for (int i = 0; i < 100 && records.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    records = DrainAll(queue);
  }
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(records[0].flags & IPTRK_MERGED);
  EXPECT_EQ(records[0].packets, 1000u);
  EXPECT_EQ(Address::FromBytes(records[0].src).ToString(), "44.0.0.99");
  EXPECT_EQ(Address::FromBytes(records[0].dst).ToString(), "10.1.0.216");
  EXPECT_EQ(records[0].dport, 4444);
}

TEST_F(DeviceTest, CountsAFloodOfNewAddressesBeyondItsTableInOneRecord) {
  Queue queue = Private();
  for (std::uint32_t i = 0; i < 20000; ++i) left_.Send(UdpFrame(i));
  Volume total;
  bool unattributed = false;
  for (int i = 0; i < 200 && total.packets < 20000; ++i) {
    for (const iptrk_record& record : DrainAll(queue)) {
      total += record;
      unattributed |= (record.flags & IPTRK_UNATTRIBUTED) != 0;
    }
    queue.Commit(queue.Position());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(total, (Volume{20000 * 60, 20000}));
  EXPECT_TRUE(unattributed);
}

TEST_F(DeviceTest, KeepsTheVictimOfAFloodOfNewAddresses) {
  Queue queue = Private();
  queue.Own({Network{"lan", {*Prefix::Parse("10.1.0.0/24")}}});
  for (std::uint32_t i = 0; i < 20000; ++i) left_.Send(UdpFrame(i));
  Volume total, victim;
  bool no_remote = false;
  for (int i = 0; i < 200 && total.packets < 20000; ++i) {
    for (const iptrk_record& record : DrainAll(queue)) {
      total += record;
      if (Address::FromBytes(record.dst).ToString() == "10.1.0.216")
        victim += record;
      no_remote |= (record.flags & IPTRK_NO_REMOTE) != 0;
    }
    queue.Commit(queue.Position());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(victim, (Volume{20000 * 60, 20000}));
  EXPECT_TRUE(no_remote);
  EXPECT_EQ(Interface(queue, "right0").received.unattributed.packets, 0u);
}

// A flood on 10.1.0.216 beyond what the table of pairs holds, with these
// prefixes told to be ours: how much of it is in no host's record.
std::uint64_t Unattributed(Sender& sender,
                           const std::vector<std::string>& prefixes) {
  Queue queue = Queue::Read(Named(""));
  Network network{"lan", {}};
  for (const std::string& prefix : prefixes)
    network.prefixes.push_back(*Prefix::Parse(prefix));
  queue.Own({network});
  for (std::uint32_t i = 0; i < 8000; ++i) sender.Send(UdpFrame(i));
  return Interface(queue, "right0").received.unattributed.packets;
}

TEST_F(DeviceTest, FindsItsOwnAddressAmongManyPrefixes) {
  const std::vector<std::string> others = {"2001:db8::/32", "fd00::1/128",
                                           "10.0.0.0/24",   "192.0.2.0/25",
                                           "10.1.0.217/32", "10.1.0.215/32"};
  EXPECT_GT(Unattributed(left_, others), 0u);
  for (const char* prefix : {"10.1.0.216/32", "10.1.0.216/29", "10.1.0.0/16",
                             "10.0.0.0/8", "10.0.0.0/15"}) {
    std::vector<std::string> prefixes = others;
    prefixes.push_back(prefix);
    EXPECT_EQ(Unattributed(left_, prefixes), 0u) << prefix;
    std::reverse(prefixes.begin(), prefixes.end());
    EXPECT_EQ(Unattributed(left_, prefixes), 0u) << prefix;
  }
}

TEST_F(DeviceTest, GoesOnFillingANamedQueueWhoseReaderDied) {
  std::optional<Queue> first = Queue::Read(Named("survivor"));
  SendUdp(10);
  ASSERT_EQ(DrainAll(*first, 10).size(), 10u);
  first->Commit(first->Position());
  SendUdp(5);
  ASSERT_EQ(DrainAll(*first, 5).size(), 5u);  // read, but never committed
  first.reset();
  SendUdp(7);

  Queue second = Queue::Read(Named("survivor"));
  EXPECT_TRUE(second.attach().existed);
  EXPECT_EQ(DrainAll(second, 12).size(), 12u);
}

TEST_F(DeviceTest, HasOneReaderAQueue) {
  Queue reader = Queue::Read(Named("single"));
  EXPECT_EQ(AttachError(Named("single")), EBUSY);
  EXPECT_EQ(AttachError(Named("another")), 0);
}

TEST_F(DeviceTest, GivesEveryReaderItsOwnRecords) {
  Queue one = Private(), two = Private();
  SendUdp(20);
  EXPECT_EQ(DrainAll(one, 20).size(), 20u);
  EXPECT_EQ(DrainAll(two, 20).size(), 20u);
}

TEST_F(DeviceTest, LetsAnObserverSeeTheBooksOfAQueueThatHasAReader) {
  Queue reader = Queue::Read(Named("watched"));
  SendUdp(3);
  const Queue observer = Queue::Observe("watched");
  EXPECT_EQ(Interface(observer, "right0").received.seen.packets, 3u);
  EXPECT_EQ(observer.State().waiting, 3u);
  EXPECT_TRUE(observer.State().reader);
}

TEST_F(DeviceTest, SaysThatAQueueDoesNotExist) {
  try {
    Queue::Observe("nobody");
    FAIL();
  } catch (const QueueError& error) {
    EXPECT_EQ(error.number, ENOENT);
    EXPECT_THAT(error.what(), testing::HasSubstr("no queue 'nobody'"));
  }
}

TEST_F(DeviceTest, RefusesAProgramOfAnotherVersionAndSaysItsOwn) {
  const File file;
  iptrk_attach attach = AttachArgument("");
  attach.abi_version = IPTRK_ABI_VERSION + 1;
  EXPECT_EQ(ErrorOf(ioctl(file, IPTRK_ATTACH, &attach)), EPROTO);
  EXPECT_EQ(attach.abi_version, static_cast<unsigned>(IPTRK_ABI_VERSION));
}

TEST_F(DeviceTest, RefusesSizesThatAreNoPowersOfTwo) {
  QueueConfig config = Named("");
  for (const std::uint32_t records : {0u, 1u, 1000u, 1u << 25, ~0u}) {
    config.records = records;
    EXPECT_EQ(AttachError(config), EINVAL) << records;
  }
}

TEST_F(DeviceTest, RefusesMoreMemoryThanTheModuleMayTake) {
  Shell("echo 1 > /sys/module/iptrk/parameters/memory_mib");
  EXPECT_EQ(AttachError(Named("")), ENOSPC);
  Shell("echo 2048 > /sys/module/iptrk/parameters/memory_mib");
  EXPECT_EQ(AttachError(Named("")), 0);
}

TEST_F(DeviceTest, MapsTheRecordsReadOnly) {
  const File file("");
  const std::size_t bytes = file.rings_bytes();
  EXPECT_EQ(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file,
                 IPTRK_MMAP_RINGS),
            MAP_FAILED);
  void* rings =
      mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, IPTRK_MMAP_RINGS);
  ASSERT_NE(rings, MAP_FAILED);
  EXPECT_EQ(mprotect(rings, bytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(
      mmap(nullptr, bytes / 2, PROT_READ, MAP_SHARED, file, IPTRK_MMAP_RINGS),
      MAP_FAILED);
  munmap(rings, bytes);
}

TEST_F(DeviceTest, TakesALyingCommitForAFullRingAndLosesNothing) {
  Queue queue = Private();
  SendUdp(1024);
  Arrived(queue, 1024);
  Queue::Mark lie = queue.Position();
  for (std::uint64_t& position : lie) position = ~std::uint64_t{0} / 2;
  queue.Commit(lie);
  SendUdp(100);
  Arrived(queue, 1124);
  EXPECT_GT(queue.State().bad_commits, 0u);
  Volume total = Sum(DrainAll(queue));
  for (int i = 0; i < 100 && total.packets < 1124; ++i) {
    queue.Commit(queue.Position());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    total += Sum(DrainAll(queue));
  }
  EXPECT_EQ(total.packets, 1124u);
}

TEST_F(DeviceTest, ServesSimpleClientsByRead) {
  const File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"right?"})), 0);
  std::array<iptrk_record, 8> records{};
  EXPECT_EQ(read(file, records.data(), sizeof records), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(read(file, records.data(), sizeof(iptrk_record) - 1), -1);
  EXPECT_EQ(errno, EINVAL);
  SendUdp(3);
  pollfd poll_for{file, POLLIN, 0};
  std::size_t bytes = 0;
  while (bytes < 3 * sizeof(iptrk_record)) {
    ASSERT_EQ(poll(&poll_for, 1, 10000), 1);
    const ssize_t more =
        read(file, reinterpret_cast<char*>(records.data()) + bytes,
             sizeof records - bytes);
    ASSERT_GT(more, 0);
    bytes += static_cast<std::size_t>(more);
  }
  EXPECT_EQ(bytes, 3 * sizeof(iptrk_record));
  EXPECT_EQ(records[2].src[15], 2);
}

TEST_F(DeviceTest, ReadsAllThatADestroyedQueueStillHolds) {
  const File file("ends", 64, 0);
  ASSERT_EQ(file.Watch(WatchArgument({"right0"})), 0);
  SendUdp(500);  // most of them wait to enter the ring
  {
    Queue look = Queue::Observe("ends");
    Arrived(look, 500);
  }
  ASSERT_EQ(ioctl(file, IPTRK_DESTROY), 0);
  std::array<iptrk_record, 8> records{};
  std::uint64_t packets = 0;
  for (;;) {
    const ssize_t bytes = read(file, records.data(), sizeof records);
    ASSERT_GE(bytes, 0);
    if (bytes == 0) break;
    for (std::size_t i = 0;
         i * sizeof records[0] < static_cast<std::size_t>(bytes); ++i)
      packets += records[i].packets;
  }
  EXPECT_EQ(packets, 500u);
}

TEST_F(DeviceTest, WakesAtTheWatermarkAndNotBefore) {
  Queue queue = Private();  // an eighth of 1024
  SendUdp(64);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(queue.Wait(200));
  EXPECT_GE(std::chrono::steady_clock::now() - before,
            std::chrono::milliseconds(190));
  std::thread later([&] { SendUdp(400); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(queue.Wait(20000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  later.join();
}

TEST_F(DeviceTest, FollowsAnInterfaceThatComesLaterIsRenamedAndGoes) {
  Queue queue = Private({"late*"});
  EXPECT_TRUE(queue.Interfaces().empty());
  Shell("ip link add late0 type dummy && ip link set late0 up");
  EXPECT_EQ(Interface(queue, "late0").watched, 1u);
  Shell("ip link set late0 down && ip link set late0 name late1");
  EXPECT_EQ(Interface(queue, "late1").watched, 1u);
  Shell("ip link del late1");
  EXPECT_EQ(Interface(queue, "late1").watched, 0u);
  EXPECT_EQ(queue.Interfaces().size(), 1u);
}

TEST_F(DeviceTest, WatchesDevicesWithNothingBelowThemWhenAskedForNone) {
  Shell("ip link add br9 type bridge && ip link set right0 master br9");
  Queue queue = Private(std::vector<std::string>{});
  std::vector<std::string> names;
  for (const iptrk_interface& interface : queue.Interfaces())
    names.push_back(interface.name);
  EXPECT_THAT(names, testing::AllOf(testing::Contains("left0"),
                                    testing::Contains("right0"),
                                    testing::Not(testing::Contains("br9")),
                                    testing::Not(testing::Contains("lo"))));
  Shell("ip link del br9");
}

TEST_F(DeviceTest, SaysGoodbyeToTheReaderOfADestroyedQueue) {
  {
    const File file("doomed");
    EXPECT_EQ(ioctl(file, IPTRK_DESTROY), 0);
    pollfd poll_for{file, POLLIN, 0};
    EXPECT_EQ(poll(&poll_for, 1, 1000), 1);
    EXPECT_TRUE(poll_for.revents & POLLHUP);
  }
  EXPECT_THROW(Queue::Observe("doomed"), QueueError);
}

}  // namespace
}  // namespace iptrk
