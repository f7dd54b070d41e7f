// SPDX-License-Identifier: GPL-2.0-only
// Every call with every of its steps failing: allocations of objects, of pages,
// and copies to and from us. For a kernel with fault injection only.
//
// The nth step that could fail does (/proc/thread-self/fail-nth), for n = 1, 2
// and so on until a call gets through. What must hold: a clean error or none,
// and afterwards a device that works. Leaks and worse the kernel reports.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "lib/books.h"
#include "tests/vm/device/file.h"
#include "tests/vm/device/lab.h"

namespace iptrk {
namespace {

// Arms the failure of this thread's nth step; disarmed when it goes.
class Fault {
 public:
  explicit Fault(int nth)
      : file_(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)) {
    if (file_ < 0) throw std::runtime_error("this kernel can't fail on demand");
    if (!Write(nth)) throw std::runtime_error("can't arm a failure");
  }
  ~Fault() {
    // Writing is a step that may fail, and that then has disarmed it.
    while (!Write(0)) continue;
    close(file_);
  }
  // Whether the step came. If not, looking may be the step.
  bool Hit() {
    char text[16];
    return pread(file_, text, sizeof text, 0) > 0 && text[0] == '0';
  }

 private:
  bool Write(int nth) {
    const std::string text = std::to_string(nth);
    return pwrite(file_, text.data(), text.size(), 0) ==
           static_cast<ssize_t>(text.size());
  }
  int file_;
};

// What a step of ours may end a call with.
const testing::Matcher<int> kOurErrors =
    testing::AnyOf(0, ENOMEM, EFAULT, ENOBUFS);

// Calls `call`, which returns 0 or an errno, with its nth step failing. Returns
// whether there was one.
template <typename Call, typename Then>
bool FailStep(int nth, Call&& call, Then&& then,
              const testing::Matcher<int>& errors = kOurErrors) {
  int error;
  bool hit;
  {
    Fault fault(nth);
    error = call();
    hit = fault.Hit();
  }
  if (hit) {
    EXPECT_THAT(error, errors) << "step " << nth;
  } else {
    EXPECT_EQ(error, 0) << "with no step failing";
  }
  then(error);
  return hit;
}

constexpr int kMost = 1 << 15;

// With its first step failing, or that numbered `first`, then the next, and so
// on. `then(error)` checks and undoes what it did. Returns how many steps
// there are.
template <typename Call, typename Then>
int FailEachStep(Call&& call, Then&& then, int first = 1) {
  for (int nth = first; nth < kMost; ++nth)
    if (!FailStep(nth, call, then) || testing::Test::HasFailure())
      return nth - 1;
  ADD_FAILURE() << "no end after " << kMost << " steps";
  return kMost;
}

// The same with the last steps only: of a call into which ours comes last.
// Those before are others', whose errors are their own: pktgen's is ENODEV.
template <typename Call, typename Then>
int FailLastSteps(int count, Call&& call, Then&& then) {
  int low = 0, high = 64;  // there is a step `low`, and none `high`
  while (high < kMost && FailStep(high, call, then, testing::_)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (FailStep(middle, call, then, testing::_) ? low : high) = middle;
  }
  return FailEachStep(call, then, std::max(1, low - count));
}

const iptrk_watch kNothing = WatchArgument({"nothing"});

// A frame sent now is counted, so the device still works.
void ExpectCountsAFrame() {
  File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"right0"})), 0);
  Sender("left0").Send(UdpFrame());
  EXPECT_EQ(file.Interface("right0").received.recorded.packets, 1u);
}

class FaultTest : public testing::Test {
 protected:
  Pair pair_;
};

// First, so that what follows has a module.
TEST(FaultLoadTest, LoadingTheModuleFailsCleanlyAtItsLastSteps) {
  const char* path = std::getenv("IPTRK_MODULE");
  std::ifstream stream(path ? path : "kernel/iptrk.ko", std::ios::binary);
  const std::string module{std::istreambuf_iterator<char>(stream), {}};
  ASSERT_FALSE(module.empty());
  int last = 0;
  const int steps = FailLastSteps(
      200,
      [&] {
        return ErrorOf(
            syscall(SYS_init_module, module.data(), module.size(), ""));
      },
      [&](int error) {
        last = error;
        if (error == 0) {
          ASSERT_EQ(ErrorOf(syscall(SYS_delete_module, "iptrk", 0)), 0);
        }
      });
  EXPECT_GT(steps, 0);
  EXPECT_EQ(last, 0);
  ASSERT_EQ(ErrorOf(syscall(SYS_init_module, module.data(), module.size(), "")),
            0);
}

TEST_F(FaultTest, OpeningFailsCleanlyAtEachStep) {
  int file = -1;
  const int steps =
      FailEachStep([&] { return ErrorOf(file = open(kDevicePath, O_RDWR)); },
                   [&](int error) {
                     if (error == 0) close(file);
                   });
  EXPECT_GT(steps, 0);
  ExpectCountsAFrame();
}

TEST_F(FaultTest, AttachingAPrivateQueueFailsCleanlyAtEachStep) {
  std::optional<File> file(std::in_place);
  iptrk_attach attach = AttachArgument("");
  const int steps =
      FailEachStep([&] { return ErrorOf(ioctl(*file, IPTRK_ATTACH, &attach)); },
                   [&](int) {
                     attach = AttachArgument("");
                     file.emplace();
                   });
  EXPECT_GT(steps, 0);
  ExpectCountsAFrame();
}

TEST_F(FaultTest, AttachingANamedQueueFailsCleanlyAtEachStep) {
  std::optional<File> file(std::in_place);
  iptrk_attach attach = AttachArgument("fault");
  const int steps =
      FailEachStep([&] { return ErrorOf(ioctl(*file, IPTRK_ATTACH, &attach)); },
                   [&](int) {
                     attach = AttachArgument("fault");
                     file.reset();
                     File again("fault");  // nobody holds it
                     ASSERT_EQ(ioctl(again, IPTRK_DESTROY), 0);
                     file.emplace();
                   });
  EXPECT_GT(steps, 0);
  ExpectCountsAFrame();
}

TEST_F(FaultTest, TakingOverAQueueFailsCleanlyAtEachStep) {
  { File make("fault"); }
  std::optional<File> file(std::in_place);
  iptrk_attach attach = AttachArgument("fault");
  const int steps =
      FailEachStep([&] { return ErrorOf(ioctl(*file, IPTRK_ATTACH, &attach)); },
                   [&](int) {
                     attach = AttachArgument("fault");
                     file.emplace();
                   });
  EXPECT_GT(steps, 0);
  file.reset();
  ASSERT_EQ(ioctl(File("fault"), IPTRK_DESTROY), 0);
}

TEST_F(FaultTest, WatchingFailsCleanlyOrSaysWhatItRefused) {
  File file("");
  const iptrk_watch watch = WatchArgument({"left0", "right0"});
  const int steps = FailEachStep(
      [&] { return ErrorOf(ioctl(file, IPTRK_WATCH, &watch)); },
      [&](int error) {
        if (error == 0) {
          EXPECT_EQ(file.Interface("left0").watched +
                        file.Interface("right0").watched + file.State().refused,
                    2u);
        }
        ASSERT_EQ(file.Watch(kNothing), 0);
        EXPECT_EQ(file.Interface("right0").watched, 0u);
      });
  EXPECT_GT(steps, 0);
  ASSERT_EQ(file.Watch(watch), 0);
  Sender("left0").Send(UdpFrame());
  EXPECT_EQ(file.Interface("left0").sent.seen.packets, 1u);
  EXPECT_EQ(file.Interface("right0").received.seen.packets, 1u);
}

TEST_F(FaultTest, SayingWhatIsOwnFailsCleanlyAtEachStep) {
  File file("");
  std::vector<iptrk_prefix> prefixes(300);  // more than one page
  for (iptrk_prefix& prefix : prefixes) prefix.length = 128;
  iptrk_own_prefixes own{};
  own.prefixes = reinterpret_cast<std::uintptr_t>(prefixes.data());
  own.count = static_cast<std::uint32_t>(prefixes.size());
  const int steps = FailEachStep(
      [&] { return ErrorOf(ioctl(file, IPTRK_OWN, &own)); }, [](int) {});
  EXPECT_GT(steps, 0);
}

// A bridge sends through one port what it received through another.
TEST_F(FaultTest, WatchingCountsAForwardedFrameOnceWhateverFailed) {
  Shell(
      "ip link add bridge0 type bridge mcast_snooping 0 forward_delay 0 && "
      "ip link add near0 type veth peer name far0 && "
      "for name in bridge0 near0 far0; do "
      "sysctl -qw net.ipv6.conf.$name.disable_ipv6=1 && "
      "ip link set $name up || exit 1; done; "
      "ip link set right0 master bridge0 && ip link set near0 master bridge0");
  File file("");
  Sender left("left0");
  std::vector<std::uint8_t> frame = UdpFrame();
  std::fill_n(frame.begin(), 6, std::uint8_t{0xff});
  const iptrk_watch watch = WatchArgument({"right0", "near0"});
  const int steps = FailEachStep(
      [&] { return ErrorOf(ioctl(file, IPTRK_WATCH, &watch)); },
      [&](int error) {
        const bool both =
            file.Interface("right0").watched && file.Interface("near0").watched;
        const auto before = file.Interface("near0").sent;
        left.Send(frame);
        const auto after = file.Interface("near0").sent;
        if (error == 0 && both) {
          EXPECT_EQ(after.seen.packets, before.seen.packets + 1);
          EXPECT_EQ(after.elsewhere.packets, before.elsewhere.packets + 1);
        }
        ASSERT_EQ(file.Watch(kNothing), 0);
      });
  Shell("ip link del bridge0 && ip link del near0");
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, MappingTheCommitPagesFailsCleanlyAtEachStep) {
  File file("");
  void* memory = MAP_FAILED;
  const int steps = FailEachStep(
      [&] {
        memory = mmap(nullptr, file.commit_bytes(), PROT_READ | PROT_WRITE,
                      MAP_SHARED, file, IPTRK_MMAP_COMMIT);
        return memory == MAP_FAILED ? errno : 0;
      },
      [&](int error) {
        if (error == 0) munmap(memory, file.commit_bytes());
      });
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, MappingTheRingsFailsCleanlyAtEachStep) {
  File file("");
  void* memory = MAP_FAILED;
  const int steps = FailEachStep(
      [&] {
        memory = mmap(nullptr, file.rings_bytes(), PROT_READ, MAP_SHARED, file,
                      static_cast<off_t>(IPTRK_MMAP_RINGS));
        return memory == MAP_FAILED ? errno : 0;
      },
      [&](int error) {
        if (error == 0) munmap(memory, file.rings_bytes());
      });
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, AskingForInterfacesFailsCleanlyAtEachStep) {
  File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"*"})), 0);
  iptrk_interface rows[16];
  const int steps = FailEachStep(
      [&] {
        iptrk_interfaces argument{};
        argument.rows = reinterpret_cast<std::uintptr_t>(rows);
        argument.capacity = 16;
        return ErrorOf(ioctl(file, IPTRK_INTERFACES, &argument));
      },
      [](int) {});
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, AskingForTheStateFailsCleanlyAtEachStep) {
  File file("");
  iptrk_state state;
  const int steps = FailEachStep(
      [&] { return ErrorOf(ioctl(file, IPTRK_STATE, &state)); }, [](int) {});
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, ReadingLosesNothingWhateverFailed) {
  File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"right0"})), 0);
  Sender left("left0");
  iptrk_record records[16];
  std::size_t read_records = 0, sent = 0;
  const auto call = [&] {
    const ssize_t n = read(file, records, sizeof records);
    if (n > 0) read_records += static_cast<std::size_t>(n) / sizeof *records;
    return ErrorOf(n);
  };
  const auto send = [&](int) {
    for (int i = 0; i < 4; ++i, ++sent) left.Send(UdpFrame());
  };
  send(0);
  EXPECT_GT(FailEachStep(call, send), 0);
  while (call() == 0) continue;
  EXPECT_EQ(read_records, sent);
}

TEST_F(FaultTest, PollingFailsCleanlyAtEachStep) {
  File file("");
  pollfd poll_file{file, POLLIN, 0};
  const int steps =
      FailEachStep([&] { return ErrorOf(poll(&poll_file, 1, 0)); }, [](int) {});
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, ADeviceThatAppearsIsWatchedOrRefused) {
  File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"fault*"})), 0);
  int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  const int steps = FailEachStep(
      [&] {
        ifreq request{};
        std::strcpy(request.ifr_name, "fault0");
        request.ifr_flags = IFF_TAP | IFF_NO_PI;
        const int error = ErrorOf(ioctl(tun, TUNSETIFF, &request));
        return error == EINVAL ? ENOMEM : error;  // Linux's own word for it
      },
      [&](int error) {
        if (error == 0) {
          EXPECT_EQ(file.Interface("fault0").watched + file.State().refused,
                    1u);
        }
        close(tun);
        tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        EXPECT_EQ(file.Interface("fault0").watched, 0u);
      });
  close(tun);
  EXPECT_GT(steps, 0);
}

TEST_F(FaultTest, ADeviceThatIsRenamedIsWatchedOrRefused) {
  File file("");
  ASSERT_EQ(file.Watch(WatchArgument({"fault*"})), 0);
  Shell("ip link add plain0 type dummy");
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto rename = [&](const char* from, const char* to) {
    ifreq request{};
    std::strcpy(request.ifr_name, from);
    std::strcpy(request.ifr_newname, to);
    return ErrorOf(ioctl(control, SIOCSIFNAME, &request));
  };
  // Linux may leave half of a rename in sysfs, and then the old name can have
  // no other, and nobody the new one. An error of its answer, the last step,
  // comes after the deed.
  std::string name;
  const int steps = FailEachStep(
      [&, n = 0]() mutable {
        name = "fault" + std::to_string(n++);
        return rename("plain0", name.c_str());
      },
      [&](int error) {
        if (error == 0) {
          EXPECT_EQ(file.Interface(name).watched + file.State().refused, 1u);
          ASSERT_EQ(rename(name.c_str(), "plain0"), 0);
        } else {
          Shell("ip link del plain0 || ip link del " + name +
                "; ip link add plain0 type dummy");
        }
        EXPECT_EQ(file.Interface(name).watched, 0u);
      });
  close(control);
  Shell("ip link del plain0");
  EXPECT_GT(steps, 0);
}

// In a thread of its own, which takes the namespace with it.
TEST_F(FaultTest, ANamespaceIsMadeCleanlyOrNotAtItsLastSteps) {
  std::thread([] {
    const int steps = FailLastSteps(
        20, [] { return ErrorOf(unshare(CLONE_NEWNET)); }, [](int) {});
    EXPECT_GT(steps, 0);
  }).join();
  ExpectCountsAFrame();
}

TEST_F(FaultTest, ANamespaceMayGoWithWhateverAFailureLeftInIt) {
  std::optional<File> file;
  int steps = 0;
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    Shell("ip link add fault0 type dummy && ip link add fault1 type dummy");
    // Once: without its own end, the queue is left to the namespace's.
    file.emplace("left behind");
    const iptrk_watch watch = WatchArgument({"fault*"});
    steps =
        FailEachStep([&] { return ErrorOf(ioctl(*file, IPTRK_WATCH, &watch)); },
                     [&](int) { (void)file->Watch(kNothing); });
    EXPECT_EQ(file->Watch(watch), 0);
    file.reset();
  }).join();
  EXPECT_GT(steps, 0);
  ExpectCountsAFrame();
}

}  // namespace
}  // namespace iptrk
