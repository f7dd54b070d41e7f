// SPDX-License-Identifier: GPL-2.0-only
// What a queue costs, and what may happen around it: CPUs, interfaces and
// namespaces that go. Runs inside the test machine, as root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

#include "tests/vm/hostile/fixture.h"

namespace iptrk {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

class Around : public Hostile {};

// --- memory

TEST_F(Around, TakesNoMemoryForQueuesThatAreGone) {
  const std::size_t areas = ModuleAreas();
  for (int i = 0; i < 100; ++i) {
    Device device = Reader(i % 2 ? "gone" : "");
    char* rings = device.MapRings();
    ASSERT_NE(rings, MAP_FAILED);
    EXPECT_GT(ModuleAreas(), areas);
    if (i % 2) {
      ASSERT_EQ(device.Call(IPTRK_DESTROY, nullptr), 0);
    }
    // The mapping goes on holding the file, as in a careless program.
    device.Close();
    munmap(rings, device.ring_bytes());
  }
  EXPECT_EQ(ModuleAreas(), areas);
}

TEST_F(Around, NeverTakesMoreThanItsLimitHoweverManyAskAtOnce) {
  Shell("echo 16 > /sys/module/iptrk/parameters/memory_mib");
  const auto fit = [] {
    std::vector<Device> devices(1);
    while (devices.back().Attach(Request("", 32768)) == 0)
      devices.emplace_back();
    return devices.size() - 1;
  };
  const std::size_t room = fit();
  EXPECT_THAT(room, AllOf(Ge(1u), Le(4u)));  // 4 MiB and tables on two CPUs
  std::atomic<std::size_t> most{0}, now{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        Device device;
        if (device.Attach(Request("", 32768)) != 0) continue;
        const std::size_t mine = ++now;
        std::size_t seen = most;
        while (mine > seen && !most.compare_exchange_weak(seen, mine)) {
        }
        usleep(1000);
        --now;
      }
    });
  for (std::thread& asker : askers) asker.join();
  EXPECT_GE(most, 1u);
  EXPECT_LE(most, room);
  EXPECT_EQ(fit(), room);  // nothing of it stays charged
  Shell("echo 2048 > /sys/module/iptrk/parameters/memory_mib");
}

// A control group of its own, which may have `limit` bytes.
class ControlGroup {
 public:
  explicit ControlGroup(const std::string& limit) {
    Shell(
        "mkdir -p /run/cgroup && (mountpoint -q /run/cgroup || "
        "mount -t cgroup2 none /run/cgroup) && "
        "echo +memory > /run/cgroup/cgroup.subtree_control && "
        "mkdir -p /run/cgroup/small && "
        "echo " +
        limit + " > /run/cgroup/small/memory.max");
  }
  ~ControlGroup() { rmdir("/run/cgroup/small"); }
  static bool Enter() {
    return WriteFile("/run/cgroup/small/cgroup.procs", "0");
  }
  static std::uint64_t Current() {
    return std::stoull(ReadFile("/run/cgroup/small/memory.current"));
  }
};

bool KernelHasControlGroups() {
  return ReadFile("/proc/cgroups").find("memory") != std::string::npos;
}

// Before 5.11 what is charged could not be mapped, so rings are not.
bool KernelChargesRings() {
  int major = 0, minor = 0;
  std::sscanf(ReadFile("/proc/sys/kernel/osrelease").c_str(), "%d.%d", &major,
              &minor);
  return std::pair(major, minor) >= std::pair(5, 11);
}

TEST_F(Around, ChargesAQueueToWhoAsksForIt) {
  if (!KernelHasControlGroups()) GTEST_SKIP() << "no memory control groups";
  const ControlGroup group("100M");
  EXPECT_EQ(
      InChild([] {
        if (!ControlGroup::Enter()) return 99;
        const std::uint64_t before = ControlGroup::Current();
        Device device;
        if (device.Attach(Request("", 65536)) != 0) return 98;
        // Its pages can be mapped all the same.
        if (device.MapRings() == MAP_FAILED) return 97;
        const std::uint64_t charged = ControlGroup::Current() - before;
        return charged >= device.ring_bytes() || !KernelChargesRings() ? 0 : 96;
      }),
      0);
}

TEST_F(Around, RefusesAQueueTooBigForItsControlGroupAndKillsNobody) {
  if (!KernelHasControlGroups()) GTEST_SKIP() << "no memory control groups";
  if (!KernelChargesRings()) GTEST_SKIP() << "this kernel can't charge rings";
  const ControlGroup group("20M");
  EXPECT_EQ(InChild([] {
              if (!ControlGroup::Enter()) return 99;
              Device device;
              return device.Attach(Request("", 1u << 19));  // 32 MiB a CPU
            }),
            ENOMEM);
  EXPECT_EQ(FieldOf("/run/cgroup/small/memory.events", "oom_kill"), 0u);
  StillWorks();
}

// --- what happens around a queue

TEST_F(Around, FollowsAnInterfaceNumberThatIsUsedAgain) {
  Device device;
  ASSERT_EQ(device.Attach(Request()), 0);
  ASSERT_EQ(device.Watch("reuse*"), 0);
  for (const char* name : {"reuse0", "reuse1", "reuse2"}) {
    const std::string text = name;
    Shell("ip link add " + text + " index 77 type dummy && ip link set " +
          text + " up");
    Sender sender(text);
    for (int i = 0; i < 5; ++i) sender.Send(UdpFrame());
    Shell("ip link del " + text);
  }
  const auto rows = Rows(device);
  ASSERT_EQ(rows.size(), 3u);
  for (const iptrk_interface& row : rows) {
    EXPECT_EQ(row.ifindex, 0u);
    EXPECT_EQ(row.sent.seen.packets, 5u) << row.name;
    EXPECT_EQ(row.sent.recorded.packets, 5u) << row.name;
  }
}

TEST_F(Around, LosesNothingWhenACpuGoesAndComes) {
  const std::string online = "/sys/devices/system/cpu/cpu1/online";
  if (!WriteFile(online, "1")) GTEST_SKIP() << "only one CPU";
  Device device = Reader("", 256);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> sent{0};
  std::vector<std::thread> senders;
  for (int i = 0; i < 2; ++i)
    senders.emplace_back([&] {
      // On whichever CPU there is, also the one that comes and goes.
      cpu_set_t all;
      std::memset(&all, 0xff, sizeof all);
      sched_setaffinity(0, sizeof all, &all);
      Sender sender("left0");
      while (!done) {
        sender.Send(UdpFrame(static_cast<std::uint32_t>(sent++)));
        if (sent % 64 == 0) usleep(1000);
      }
    });
  Volume total;
  fcntl(device.file(), F_SETFL, O_NONBLOCK);
  const auto drain = [&] {
    std::array<iptrk_record, 256> records{};
    ssize_t got;
    while ((got = read(device.file(), records.data(), sizeof records)) > 0)
      for (ssize_t i = 0; i < got / 64; ++i)
        total += records[static_cast<std::size_t>(i)];
  };
  for (int round = 0; round < 20; ++round) {
    EXPECT_TRUE(WriteFile(online, "0"));
    if (round % 2) drain();
    EXPECT_TRUE(WriteFile(online, "1"));
  }
  done = true;
  for (std::thread& sender : senders) sender.join();
  // Merged ones come when there is room.
  for (int i = 0; i < 600 && total.packets < sent; ++i) {
    drain();
    usleep(50000);
  }
  EXPECT_EQ(total, (Volume{60 * sent, sent}));
}

TEST_F(Around, LetsANamespaceGoThatAFileReads) {
  Shell("ip netns add gone");
  const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const int gone = open("/run/netns/gone", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(setns(gone, CLONE_NEWNET), 0);
  // So that nobody else sends there.
  Shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
  Shell("ip link add d0 type dummy && ip link set d0 up");
  Device device;
  ASSERT_EQ(device.Attach(Request()), 0);
  ASSERT_EQ(device.Watch("*"), 0);
  Sender("d0").Send(UdpFrame());
  ASSERT_EQ(setns(home, CLONE_NEWNET), 0);
  close(gone);
  close(home);
  Shell("ip netns del gone");
  pollfd poll_for{device.file(), 0, 0};
  EXPECT_EQ(poll(&poll_for, 1, 60000), 1);
  EXPECT_TRUE(poll_for.revents & POLLHUP);
  // What it held can still be read, and then it has an end.
  std::array<iptrk_record, 8> records{};
  EXPECT_EQ(read(device.file(), records.data(), sizeof records), 64);
  EXPECT_EQ(read(device.file(), records.data(), sizeof records), 0);
  EXPECT_EQ(device.Watch("*"), ENODEV);
  for (const iptrk_interface& row : Rows(device)) EXPECT_EQ(row.watched, 0u);
  EXPECT_EQ(device.Call(IPTRK_DESTROY, nullptr), 0);
}

TEST_F(Around, LetsAHundredNamespacesGoWithQueuesOpenInside) {
  const std::size_t areas = ModuleAreas();
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(InChild([&] {
                if (unshare(CLONE_NEWNET) != 0) return 99;
                if (i % 10 == 0) Shell("ip link add d0 type dummy");
                Device open_at_the_end, named;
                if (open_at_the_end.Attach(Request("", 64)) != 0) return 98;
                if (open_at_the_end.Watch("*") != 0) return 97;
                if (named.Attach(Request("left", 64)) != 0) return 96;
                if (named.Watch("*") != 0) return 95;
                if (i % 2) named.Close();
                _exit(0);
              }),
              0)
        << i;
  for (int i = 0; i < 600 && ModuleAreas() > areas; ++i) usleep(100000);
  EXPECT_EQ(ModuleAreas(), areas);
}

}  // namespace
}  // namespace iptrk
