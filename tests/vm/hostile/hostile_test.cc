// SPDX-License-Identifier: GPL-2.0-only
// What a program may try with /dev/iptrk that nobody should. Runs inside the
// test machine, as root.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <set>
#include <thread>

#include "tests/vm/hostile/fixture.h"

namespace iptrk {
namespace {

using testing::AnyOf;

// --- who may

// The mode is the module's; the group, root's, is as good as any.
TEST_F(Hostile, LetsTheGroupReadWithNoOtherRightThanToAdministerTheNetwork) {
  const auto as_member = [](bool capable) {
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setgroups(0, nullptr) != 0 ||
        setuid(65534) != 0)
      return 99;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct rights[2] = {};
    if (capable)
      rights[0].effective = rights[0].permitted = 1U << CAP_NET_ADMIN;
    if (syscall(SYS_capset, &header, rights) != 0) return 98;
    Device device;
    if (device.file() < 0) return errno;
    if (device.Attach(Request()) != 0) return 97;
    return device.MapCommits() == MAP_FAILED ? 96 : 0;
  };
  EXPECT_EQ(InChild([&] { return as_member(true); }), 0);
  EXPECT_EQ(InChild([&] { return as_member(false); }), EPERM);
}

TEST_F(Hostile, RefusesWhoMayNotAdministerTheNetwork) {
  struct stat before;
  ASSERT_EQ(stat(kDevicePath, &before), 0);
  const auto as_nobody = [] {
    if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
      return 99;
    return Device().file() < 0 ? errno : 0;
  };
  EXPECT_EQ(InChild(as_nobody), EACCES);
  ASSERT_EQ(chmod(kDevicePath, 0666), 0);
  EXPECT_EQ(InChild(as_nobody), EPERM);
  ASSERT_EQ(chmod(kDevicePath, before.st_mode & 0777), 0);
}

TEST_F(Hostile, ShowsTheRootOfAContainerItsOwnNetworkOnly) {
  const auto become_root = [] {
    return WriteFile("/proc/self/setgroups", "deny") &&
           WriteFile("/proc/self/uid_map", "0 0 1") &&
           WriteFile("/proc/self/gid_map", "0 0 1");
  };
  // Root of a user namespace, but in the machine's network.
  EXPECT_EQ(InChild([&] {
              if (unshare(CLONE_NEWUSER) != 0 || !become_root()) return 99;
              return Device().file() < 0 ? errno : 0;
            }),
            EPERM);
  EXPECT_EQ(InChild([&] {
              if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !become_root())
                return 99;
              Device device;
              if (device.file() < 0) return 98;
              if (device.Attach(Request()) != 0) return 97;
              if (device.Watch("*") != 0) return 96;
              // Some kernels give a new network more than lo.
              for (const iptrk_interface& row : Rows(device))
                if (if_nametoindex(row.name) == 0) return 95;
              return 0;
            }),
            0);
}

// --- how often, and how long

TEST_F(Hostile, OpensAThousandTimesAtOnce) {
  rlimit files{2000, 4096};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  std::vector<Device> devices;
  for (int i = 0; i < 1000; ++i) {
    devices.emplace_back();
    ASSERT_GE(devices.back().file(), 0) << i;
  }
  devices.clear();
  StillWorks();
}

TEST_F(Hostile, StaysLoadedWhileAFileIsOpen) {
  Device device;
  EXPECT_EQ(syscall(SYS_delete_module, "iptrk", O_NONBLOCK), -1);
  EXPECT_THAT(errno, AnyOf(EWOULDBLOCK, EBUSY));
  device.Close();
  StillWorks();
}

TEST_F(Hostile, LivesAsLongAsTheLastOfItsFiles) {
  Device device = Reader();
  const int copy = dup(device.file());
  device.Close();
  SendUdp(3);
  std::array<iptrk_record, 8> records{};
  // A child's copy too.
  EXPECT_EQ(InChild([&] {
              return static_cast<int>(read(copy, records.data(), 2 * 64) / 64);
            }),
            2);
  EXPECT_EQ(read(copy, records.data(), sizeof records), 64);
  close(copy);
}

// --- calls that make no sense

TEST_F(Hostile, SaysThatNothingIsAttached) {
  const Device device;
  iptrk_state state{};
  std::array<char, 64> room{};
  EXPECT_EQ(device.Call(IPTRK_STATE, &state), ENOTCONN);
  EXPECT_EQ(device.Call(IPTRK_DESTROY, nullptr), ENOTCONN);
  EXPECT_EQ(read(device.file(), room.data(), room.size()), -1);
  EXPECT_EQ(errno, ENOTCONN);
  EXPECT_EQ(device.Map(IPTRK_MMAP_RINGS, 4096, PROT_READ), MAP_FAILED);
  EXPECT_EQ(errno, ENOTCONN);
  pollfd poll_for{device.file(), POLLIN, 0};
  EXPECT_EQ(poll(&poll_for, 1, 0), 1);
  EXPECT_TRUE(poll_for.revents & POLLERR);
}

TEST_F(Hostile, RefusesWhatItDoesNotKnow) {
  Device device;
  iptrk_attach request = Request();
  request.flags = 2;
  EXPECT_EQ(device.Attach(request), EINVAL);
  request = Request();
  std::memset(request.name, 'x', sizeof request.name);
  EXPECT_EQ(device.Attach(request), EINVAL);
  request = Request();
  request.watermark = 0;
  EXPECT_EQ(device.Attach(request), EINVAL);
  request.watermark = 2 * kRecords;
  EXPECT_EQ(device.Attach(request), EINVAL);

  ASSERT_EQ(device.Attach(Request()), 0);
  EXPECT_EQ(device.Attach(Request()), EALREADY);
  iptrk_watch watch = Watching("right0");
  watch.count = IPTRK_PATTERNS + 1;
  EXPECT_EQ(device.Call(IPTRK_WATCH, &watch), EINVAL);
  watch = Watching("right0");
  watch.flags = 2;
  EXPECT_EQ(device.Call(IPTRK_WATCH, &watch), EINVAL);
  watch = Watching("right0");
  std::memset(watch.patterns[0], 'x', IPTRK_IFNAME_LEN);
  EXPECT_EQ(device.Call(IPTRK_WATCH, &watch), EINVAL);
  EXPECT_EQ(device.Call(_IO('K', 0x6f), nullptr), ENOTTY);
  EXPECT_EQ(device.Call(_IOWR('K', 0x70, char), nullptr), ENOTTY);
  EXPECT_EQ(write(device.file(), "x", 1), -1);
  EXPECT_EQ(lseek(device.file(), 64, SEEK_SET), -1);
}

TEST_F(Hostile, RefusesPointersThatLeadNowhere) {
  const Device reader = Reader();
  const Device fresh;
  char* page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_EQ(munmap(page + 4096, 4096), 0);
  for (char* bad :
       {static_cast<char*>(nullptr),
        reinterpret_cast<char*>(0xffffffff81000000u),
        reinterpret_cast<char*>(~std::uintptr_t{0} - 7), page + 4096 - 8}) {
    EXPECT_EQ(fresh.Call(IPTRK_ATTACH, bad), EFAULT);
    for (const unsigned long command :
         {IPTRK_WATCH, IPTRK_INTERFACES, IPTRK_STATE})
      EXPECT_EQ(reader.Call(command, bad), EFAULT) << command;
    iptrk_interfaces request{};
    request.rows = reinterpret_cast<std::uintptr_t>(bad);
    request.capacity = 1024;
    EXPECT_EQ(reader.Call(IPTRK_INTERFACES, &request), EFAULT);
    SendUdp(1);
    EXPECT_EQ(read(reader.file(), bad, 64), -1);
    EXPECT_EQ(errno, EFAULT);
  }
  munmap(page, 4096);
}

TEST_F(Hostile, AnswersEveryFieldAtItsExtremes) {
  constexpr std::uint32_t kExtremes[] = {
      0,           1,           2,           63,          64,
      65535,       65536,       0x7ffffffeu, 0x7fffffffu, 0x80000000u,
      0x80000001u, 0xfffffffeu, 0xffffffffu};
  Shell("echo 16 > /sys/module/iptrk/parameters/memory_mib");
  const auto known = AnyOf(0, EINVAL, EPROTO, ENOSPC, ENOENT, ENOMEM, EFAULT);
  for (std::size_t field = 0; field < sizeof(iptrk_attach) / 4; ++field)
    for (const std::uint32_t value : kExtremes) {
      Device device;
      iptrk_attach request = Request();
      std::memcpy(reinterpret_cast<char*>(&request) + 4 * field, &value, 4);
      const int error = device.Attach(request);
      EXPECT_THAT(error, known) << field << ' ' << value;
      if (error == 0) {
        EXPECT_EQ(device.Call(IPTRK_DESTROY, nullptr), 0);
      }
    }
  const Device device = Reader();
  // Rows have 4 GiB of addresses for themselves: half an address at its
  // extremes must not lead into our own memory.
  constexpr std::size_t kRows = 256;
  void* const rows =
      mmap(reinterpret_cast<void*>(std::uintptr_t{1} << 40),
           kRows * sizeof(iptrk_interface), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_NE(rows, MAP_FAILED);
  for (std::size_t field = 0; field < 10; ++field)
    for (const std::uint32_t value : kExtremes) {
      iptrk_watch watch = Watching("right0");
      std::memcpy(reinterpret_cast<char*>(&watch) + 4 * field, &value, 4);
      EXPECT_THAT(device.Call(IPTRK_WATCH, &watch), known) << field;
      iptrk_interfaces request{};
      request.rows = reinterpret_cast<std::uintptr_t>(rows);
      request.capacity = kRows;
      if (field < 4) {
        std::memcpy(reinterpret_cast<char*>(&request) + 4 * field, &value, 4);
        // More room than rows is fine; only what there is gets written.
        EXPECT_THAT(device.Call(IPTRK_INTERFACES, &request), known) << field;
      }
    }
  munmap(rows, kRows * sizeof(iptrk_interface));
  Shell("echo 2048 > /sys/module/iptrk/parameters/memory_mib");
  StillWorks();
}

TEST_F(Hostile, LetsAnObserverLookAndNoMore) {
  const Device reader = Reader("looked-at");
  Device observer;
  iptrk_attach request = Request("looked-at");
  request.flags = IPTRK_ATTACH_OBSERVE;
  ASSERT_EQ(observer.Attach(request), 0);
  std::array<char, 64> room{};
  EXPECT_EQ(observer.Watch("*"), EPERM);
  EXPECT_EQ(observer.Call(IPTRK_DESTROY, nullptr), EBUSY);
  EXPECT_EQ(observer.MapRings(), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(observer.MapCommits(), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(read(observer.file(), room.data(), room.size()), -1);
  EXPECT_EQ(errno, EPERM);
  pollfd poll_for{observer.file(), POLLIN, 0};
  EXPECT_EQ(poll(&poll_for, 1, 0), 1);
  EXPECT_TRUE(poll_for.revents & POLLERR);
  EXPECT_EQ(reader.Call(IPTRK_DESTROY, nullptr), 0);
}

// One layout for both: every 64-bit word is where either compiler puts it.
static_assert(sizeof(iptrk_attach) % 8 == 0 && sizeof(iptrk_state) % 8 == 0);
static_assert(offsetof(iptrk_attach, ring_stride) % 8 == 0);
static_assert(offsetof(iptrk_state, created_ns) % 8 == 0);
static_assert(offsetof(iptrk_interface, received) % 8 == 0);
static_assert(offsetof(iptrk_interfaces, rows) % 8 == 0);

#ifdef __x86_64__
// The system call as a 32-bit program makes it.
int Call32(int file, unsigned long command, void* argument) {
  int result;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(54), "b"(file), "c"(command), "d"(argument)
               : "memory", "r8", "r9", "r10", "r11");
  return -result;
}

TEST_F(Hostile, SpeaksWithThirtyTwoBitPrograms) {
  if (InChild([] { return Call32(-1, 0, nullptr); }) != EBADF)
    GTEST_SKIP() << "this kernel runs no 32-bit programs";
  void* low = mmap(nullptr, 65536, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  ASSERT_NE(low, MAP_FAILED);
  const Device device;
  auto* attach = new (low) iptrk_attach(Request());
  ASSERT_EQ(Call32(device.file(), IPTRK_ATTACH, attach), 0);
  EXPECT_EQ(attach->records, kRecords);
  EXPECT_GT(attach->ring_stride, kRecords * 64);
  auto* watch = new (low) iptrk_watch(Watching("right0"));
  EXPECT_EQ(Call32(device.file(), IPTRK_WATCH, watch), 0);
  SendUdp(5);
  auto* request = new (low) iptrk_interfaces{};
  auto* rows = reinterpret_cast<iptrk_interface*>(request + 1);
  request->rows = reinterpret_cast<std::uintptr_t>(rows);
  request->capacity = 4;
  EXPECT_EQ(Call32(device.file(), IPTRK_INTERFACES, request), 0);
  EXPECT_EQ(request->count, 1u);
  EXPECT_STREQ(rows->name, "right0");
  EXPECT_EQ(rows->received.seen.packets, 5u);
  auto* state = new (low) iptrk_state{};
  EXPECT_EQ(Call32(device.file(), IPTRK_STATE, state), 0);
  EXPECT_EQ(state->produced, 5u);
  EXPECT_EQ(Call32(device.file(), IPTRK_STATE, nullptr), EFAULT);
  munmap(low, 65536);
}
#endif

// --- the mapping

TEST_F(Hostile, MapsNothingButTheTwoAreasWhole) {
  const Device device = Reader();
  const std::size_t rings = device.ring_bytes();
  const std::size_t commits = device.attach().commit_bytes;
  const auto error_of = [&](std::uint64_t offset, std::size_t length,
                            int protection, int flags = MAP_SHARED) {
    return device.Map(offset, length, protection, flags) == MAP_FAILED ? errno
                                                                       : 0;
  };
  constexpr int kWrite = PROT_READ | PROT_WRITE;
  EXPECT_EQ(error_of(IPTRK_MMAP_RINGS, rings, kWrite), EPERM);
  EXPECT_EQ(error_of(IPTRK_MMAP_RINGS, rings, PROT_READ | PROT_EXEC), EPERM);
  EXPECT_EQ(error_of(IPTRK_MMAP_COMMIT, commits, kWrite | PROT_EXEC), EPERM);
  EXPECT_EQ(error_of(IPTRK_MMAP_RINGS, rings, PROT_READ, MAP_PRIVATE), EINVAL);
  EXPECT_EQ(error_of(IPTRK_MMAP_COMMIT, commits, kWrite, MAP_PRIVATE), EINVAL);
  for (const std::size_t length : {rings / 2, rings - 4096, rings + 4096})
    EXPECT_EQ(error_of(IPTRK_MMAP_RINGS, length, PROT_READ), EINVAL);
  for (const std::size_t length : {commits + 4096, std::size_t{1} << 30})
    EXPECT_EQ(error_of(IPTRK_MMAP_COMMIT, length, kWrite), EINVAL);
  for (const unsigned long long offset :
       {IPTRK_MMAP_COMMIT + 4096, IPTRK_MMAP_RINGS + 4096,
        IPTRK_MMAP_RINGS - 4096, 1ULL << 62})
    EXPECT_THAT(error_of(offset, rings, PROT_READ), AnyOf(EINVAL, EOVERFLOW));
  // Who opened it to read only may not commit.
  Device reader(O_RDONLY);
  ASSERT_EQ(reader.Attach(Request()), 0);
  EXPECT_EQ(reader.MapCommits(), MAP_FAILED);
}

TEST_F(Hostile, KeepsTheRecordsReadOnlyAgainstEveryTrick) {
  const Device device = Reader();
  SendUdp(10);
  char* rings = device.MapRings();
  ASSERT_NE(rings, MAP_FAILED);
  const std::size_t bytes = device.ring_bytes();
  EXPECT_EQ(mprotect(rings, bytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(mprotect(rings, bytes, PROT_READ | PROT_EXEC), -1);
  EXPECT_EQ(mprotect(rings, 4096, PROT_WRITE), -1);
  // A debugger's way, which other read-only memory gives in to.
  const int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  EXPECT_EQ(pwrite(memory, "\xff", 1, reinterpret_cast<off_t>(rings)), -1);
  close(memory);
  // The kernel's own hand.
  EXPECT_EQ(read(device.file(), rings, 64), -1);
  EXPECT_EQ(errno, EFAULT);
  EXPECT_EQ(InChild([&] {
              *const_cast<volatile char*>(rings) = 1;
              return 0;
            }),
            128 + SIGSEGV);
  EXPECT_EQ(reinterpret_cast<iptrk_head*>(rings)->head, 10u);
  munmap(rings, bytes);
}

TEST_F(Hostile, SurvivesAMappingThatIsCutMovedAndOverlaid) {
  Device device = Reader();
  char* rings = device.MapRings();
  ASSERT_NE(rings, MAP_FAILED);
  const std::size_t bytes = device.ring_bytes();
  EXPECT_EQ(mremap(rings, bytes, 2 * bytes, MREMAP_MAYMOVE), MAP_FAILED);
  EXPECT_EQ(mremap(rings, 0, bytes, MREMAP_MAYMOVE), MAP_FAILED);
  // A page out of the middle, and one replaced by another's.
  EXPECT_EQ(munmap(rings + 8192, 4096), 0);
  EXPECT_NE(mmap(rings + 16384, 4096, PROT_READ,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
            MAP_FAILED);
  char* head = static_cast<char*>(
      mmap(nullptr, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_EQ(mremap(rings, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, head),
            head);
  SendUdp(10);
  EXPECT_EQ(reinterpret_cast<iptrk_head*>(head)->head, 10u);
  // Given back to the system, a page is gone, and only its reader sees that.
  EXPECT_EQ(madvise(head, 4096, MADV_DONTNEED), 0);
  EXPECT_EQ(InChild([&] {
              return static_cast<int>(*const_cast<volatile char*>(head));
            }),
            128 + SIGSEGV);  // a child has none of it
  iptrk_commit* commits = device.MapCommits();
  ASSERT_NE(commits, MAP_FAILED);
  // The mapping outlives the file descriptor.
  device.Close();
  SendUdp(10);
  commits[0].committed = 20;
  munmap(commits, 4096);
  munmap(head, 8192);
  munmap(rings, bytes);
  StillWorks();
}

TEST_F(Hostile, GivesNoMappingToAChild) {
  const Device device = Reader();
  char* rings = device.MapRings();
  iptrk_commit* commits = device.MapCommits();
  ASSERT_NE(rings, MAP_FAILED);
  EXPECT_EQ(InChild([&] { return int{*const_cast<volatile char*>(rings)}; }),
            128 + SIGSEGV);
  EXPECT_EQ(InChild([&] {
              const_cast<volatile iptrk_commit*>(commits)->committed = 1;
              return 0;
            }),
            128 + SIGSEGV);
  munmap(rings, device.ring_bytes());
  munmap(commits, device.attach().commit_bytes);
}

// --- committed positions

TEST_F(Hostile, TakesAnyCommittedPositionWhileItIsFlooded) {
  const Device device = Reader();
  auto* commits = device.MapCommits();
  ASSERT_NE(commits, MAP_FAILED);
  const auto tell = [&](std::uint64_t position) {
    std::atomic_ref(commits[0].committed)
        .store(position, std::memory_order_release);
  };
  iptrk_state state{};
  std::uint64_t random = 88172645463325252u;
  int sent = 0;
  for (int round = 0; round < 400; ++round) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    ASSERT_EQ(device.Call(IPTRK_STATE, &state), 0);
    const std::uint64_t head = state.produced;
    const std::uint64_t lies[] = {0,
                                  ~std::uint64_t{0},
                                  head,
                                  head + 1,
                                  head - kRecords,
                                  head - kRecords - 1,
                                  head + (std::uint64_t{1} << 63),
                                  random,
                                  head - random % (2 * kRecords)};
    tell(lies[static_cast<std::size_t>(round) % std::size(lies)]);
    SendUdp(30);
    sent += 30;
  }
  // A busy kernel hands the last of them on some time after they were sent.
  auto rows = Rows(device);
  for (int i = 0; i < 1000 && rows.size() == 1 &&
                  rows[0].received.seen.packets < static_cast<unsigned>(sent);
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    rows = Rows(device);
  }
  ASSERT_EQ(rows.size(), 1u);
  const iptrk_books& books = rows[0].received;
  EXPECT_EQ(books.seen.packets, static_cast<unsigned>(sent));
  EXPECT_EQ(books.recorded.packets + books.merged.packets +
                books.unattributed.packets + books.elsewhere.packets,
            books.seen.packets);
  EXPECT_GT(state.bad_commits, 0u);
  munmap(commits, device.attach().commit_bytes);
}

TEST_F(Hostile, LetsAReaderWhosePositionLiesBeKilled) {
  EXPECT_EQ(InChild([] {
              const Device device = Reader();
              iptrk_commit* commits = device.MapCommits();
              if (commits == MAP_FAILED) return 99;
              commits[0].committed = 1000;  // of none
              alarm(2);                     // whose default is to kill
              std::array<iptrk_record, 8> records{};
              while (read(device.file(), records.data(), sizeof records) <= 0) {
              }
              return 0;
            }),
            128 + SIGALRM);
}

// --- read() and poll()

TEST_F(Hostile, ReadsWholeRecordsOnly) {
  const Device device = Reader();
  SendUdp(4);
  std::array<char, 4 * 64> room{};
  for (const std::size_t length : {0u, 1u, 63u}) {
    EXPECT_EQ(read(device.file(), room.data(), length), -1) << length;
    EXPECT_EQ(errno, EINVAL);
  }
  EXPECT_EQ(read(device.file(), room.data(), 127), 64);
  EXPECT_EQ(read(device.file(), room.data(), room.size()), 3 * 64);
}

TEST_F(Hostile, GivesEachRecordToOneOfTwoThreadsThatRead) {
  const Device device = Reader();
  constexpr std::size_t kFrames = 3000;
  std::array<std::multiset<std::uint32_t>, 2> seen;
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> readers;
  for (auto& mine : seen)
    readers.emplace_back([&] {
      std::array<iptrk_record, 7> records{};
      fcntl(device.file(), F_SETFL, O_NONBLOCK);
      while (total < kFrames) {
        const ssize_t got = read(device.file(), records.data(), sizeof records);
        for (ssize_t i = 0; i < got / 64; ++i) {
          const auto& src = records[static_cast<std::size_t>(i)].src;
          mine.insert(static_cast<unsigned>(src[14]) << 8 | src[15]);
        }
        if (got > 0)
          total += static_cast<std::size_t>(got) / 64;
        else
          usleep(1000);
      }
    });
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    left_.Send(UdpFrame(i));
    if (i % 500 == 499) usleep(20000);
  }
  for (std::thread& reader : readers) reader.join();
  std::multiset<std::uint32_t> all = seen[0];
  all.insert(seen[1].begin(), seen[1].end());
  EXPECT_EQ(all.size(), kFrames);
  EXPECT_EQ(std::set<std::uint32_t>(all.begin(), all.end()).size(), kFrames);
}

TEST_F(Hostile, IsInterruptedByASignal) {
  const Device device = Reader();
  struct sigaction action {};
  action.sa_handler = [](int) {};
  struct sigaction before {};
  ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
  itimerval often{{0, 200000}, {0, 200000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
  pollfd poll_for{device.file(), POLLIN, 0};
  EXPECT_EQ(poll(&poll_for, 1, 60000), -1);
  EXPECT_EQ(errno, EINTR);
  std::array<iptrk_record, 8> records{};
  EXPECT_EQ(read(device.file(), records.data(), sizeof records), -1);
  EXPECT_EQ(errno, EINTR);
  often = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  sigaction(SIGALRM, &before, nullptr);
}

TEST_F(Hostile, WakesAReaderWhoLookedHalfWay) {
  // The watermark is the whole ring: what poll() has seen of it must not keep
  // it asleep when the rest comes.
  const Device device = Reader();
  ASSERT_NE(device.MapRings(), MAP_FAILED);
  iptrk_commit* commits = device.MapCommits();
  pollfd poll_for{device.file(), POLLIN, 0};
  SendUdp(kRecords);
  EXPECT_EQ(poll(&poll_for, 1, 0), 1);
  EXPECT_EQ(poll(&poll_for, 1, 0), 0);  // said once
  commits[0].committed = kRecords;
  SendUdp(kRecords / 2);
  EXPECT_EQ(poll(&poll_for, 1, 0), 0);
  commits[0].committed = kRecords + kRecords / 2;
  std::thread later([&] {
    usleep(200000);
    SendUdp(kRecords / 2);
  });
  EXPECT_EQ(poll(&poll_for, 1, 60000), 1);
  later.join();
}

}  // namespace
}  // namespace iptrk
