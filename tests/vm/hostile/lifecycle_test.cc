// SPDX-License-Identifier: GPL-2.0-only
// Loads, attaches, unplugs, closes and unloads under traffic, IPTRK_CYCLES
// times. Runs inside the test machine, with the module not loaded.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdio>
#include <optional>
#include <thread>

#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"

namespace iptrk {
namespace {

int Cycles() {
  const char* wanted = std::getenv("IPTRK_CYCLES");
  return wanted ? std::atoi(wanted) : 200;
}

// Asking for the number of a name makes the kernel look for a module.
bool Exists(const std::string& name) {
  return access(("/sys/class/net/" + name).c_str(), F_OK) == 0;
}

// An `ip` that takes one line after the other: a new one each would be most
// of the time.
class Links {
 public:
  Links() : ip_(popen("ip -force -batch - >/dev/null 2>&1", "w")) {}
  ~Links() { pclose(ip_); }
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  void Do(const std::string& command) {
    std::fprintf(ip_, "%s\n", command.c_str());
    std::fflush(ip_);
  }
  void Make(const std::string& name, const std::string& kind) {
    Do("link add " + name + " type " + kind);
    Do("link set " + name + " up");
    while (!Exists(name)) usleep(500);
  }
  void Remove(const std::string& name) {
    Do("link del " + name);
    while (Exists(name)) usleep(500);
  }

 private:
  FILE* ip_;
};

// Sends through whatever carries the name now, until it is told to stop.
class Flood {
 public:
  Flood(const std::string& name, int cpu)
      : thread_([this, name, cpu] { Run(name, cpu); }) {}
  ~Flood() {
    stop_ = true;
    thread_.join();
  }
  std::uint64_t sent() const { return sent_; }

 private:
  void Run(const std::string& name, int cpu) {
    StayOn(cpu);
    while (!stop_) try {
        if (!Exists(name)) throw std::runtime_error("no " + name);
        Sender sender(name);
        for (std::uint32_t i = 0; !stop_; ++i) {
          sender.Send(UdpFrame(i));
          ++sent_;
          if (i % 32 == 0) usleep(500);
        }
      } catch (const std::exception&) {
        usleep(500);  // not there at the moment
      }
  }

  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::thread thread_;
};

void Load() {
  const int file = open("/run/iptrk.ko", O_RDONLY | O_CLOEXEC);
  const long error = syscall(SYS_finit_module, file, "", 0);
  close(file);
  if (error != 0)
    throw std::runtime_error(std::string("no module: ") + std::strerror(errno));
}

void Unload() {
  if (syscall(SYS_delete_module, "iptrk", O_NONBLOCK) != 0)
    throw std::runtime_error(std::string("can't unload: ") +
                             std::strerror(errno));
}

std::uint64_t KernelMemory() {
  WriteFile("/proc/sys/vm/drop_caches", "3");
  GiveBackFreed();
  return 1024 * (FieldOf("/proc/meminfo", "SUnreclaim") +
                 FieldOf("/proc/meminfo", "VmallocUsed") +
                 FieldOf("/proc/meminfo", "Percpu"));
}

// One life of the module. What happens in which order depends on `number`.
void Cycle(int number, Links& links, std::uint64_t& records) {
  Load();
  std::optional<Device> device(std::in_place);
  const bool named = number % 2;
  if (const int error = device->Attach(Request(named ? "cycle" : "", 256)))
    throw std::runtime_error(std::string("attach: ") + std::strerror(error));
  iptrk_watch watch = Watching("cycle*");
  std::strcpy(watch.patterns[watch.count++], "right0");
  if (const int error = device->Call(IPTRK_WATCH, &watch))
    throw std::runtime_error(std::string("watch: ") + std::strerror(error));
  char* rings = nullptr;
  if (number % 3 == 0) rings = device->MapRings();
  const std::size_t bytes = device->ring_bytes();

  std::optional<std::thread> closer;
  // In the middle of it: closed by another, with whatever is going on.
  if (number % 4 == 1) closer.emplace([&] { device->Close(); });
  // Unplugged while it is watched, and something else comes in its place.
  links.Remove("cycle0");
  links.Make("cycle0", number % 5 == 0 ? "veth peer name cycle1" : "dummy");
  if (closer) closer->join();

  if (number % 4 != 1) {
    iptrk_state state{};
    for (int i = 0; i < 2000 && state.produced == 0; ++i) {
      device->Call(IPTRK_STATE, &state);
      if (state.produced == 0) usleep(500);
    }
    records += state.produced;
  }
  if (rings) munmap(rings, bytes);
  device.reset();
  // Of a named queue the hooks are still there, and full of traffic.
  Unload();
}

TEST(Lifecycle, ComesAndGoesUnderTrafficAndLeavesNothing) {
  const Pair pair;
  Links links;
  links.Make("cycle0", "dummy");
  const Flood steady("left0", 0);
  const Flood unsteady(
      "cycle0", static_cast<int>(std::thread::hardware_concurrency()) - 1);
  const int warm_up = 20, cycles = Cycles();
  std::uint64_t records = 0;
  for (int number = 0; number < warm_up; ++number)
    ASSERT_NO_THROW(Cycle(number, links, records)) << number;
  const std::uint64_t before = KernelMemory();
  for (int number = 0; number < cycles; ++number)
    ASSERT_NO_THROW(Cycle(number, links, records)) << number;
  std::uint64_t after = KernelMemory();
  // What waits for a grace period still counts.
  for (int i = 0; i < 100 && after > before + (1u << 20); ++i) {
    usleep(100000);
    after = KernelMemory();
  }
  EXPECT_LE(after, before + (1u << 20)) << cycles << " cycles";
  EXPECT_GT(records, static_cast<std::uint64_t>(cycles) / 2);
  EXPECT_GT(unsteady.sent(), static_cast<std::uint64_t>(cycles));
  std::printf("%d cycles, %llu records, %llu + %llu frames, %lld bytes more\n",
              cycles, static_cast<unsigned long long>(records),
              static_cast<unsigned long long>(steady.sent()),
              static_cast<unsigned long long>(unsteady.sent()),
              static_cast<long long>(after - before));
}

}  // namespace
}  // namespace iptrk
