// SPDX-License-Identifier: GPL-2.0-only
// Random calls to /dev/iptrk by several threads, while interfaces, namespaces,
// CPUs and the module itself come and go under traffic: fuzz SECONDS [SEED].
//
// Nothing is expected of any single call but that it returns. What must hold
// is that the kernel has nothing to say, that the module still counts to the
// byte afterwards, and that it goes when asked to;
// tests/vm/hostile-fuzz.test.sh sees to that.
#include <poll.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"

namespace iptrk {
namespace {

constexpr unsigned kWorkers = 4;
constexpr std::size_t kSlots = 6;  // files and mappings that all share

// A range of addresses where only mappings of the device ever are, so that
// whoever writes to one that has gone hits nothing else.
constexpr std::size_t kRange = std::size_t{1} << 30;
struct Mapping {
  char* at = nullptr;
  std::atomic<std::size_t> bytes{0};

  void Reserve(char* from, std::size_t length) {
    void* got = mmap(
        from, length, PROT_NONE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (from ? MAP_FIXED : 0),
        -1, 0);
    if (got == MAP_FAILED) {
      std::perror("fuzz: mmap");
      std::abort();
    }
    if (!from) at = static_cast<char*>(got);
  }
};

std::array<std::atomic<int>, kSlots> files;
std::array<Mapping, kSlots> mappings;
std::atomic<bool> stop{false};
std::atomic<std::uint64_t> calls{0};
std::atomic<unsigned> running{kWorkers};

// A mapping may vanish under the hand that writes to it.
thread_local sigjmp_buf escape;
thread_local volatile sig_atomic_t may_escape = 0;

void OnFault(int number) {
  if (may_escape) siglongjmp(escape, 1);
  std::signal(number, SIG_DFL);
}

class Worker {
 public:
  explicit Worker(std::uint64_t seed) : random_(seed) {}

  void Run() {
    while (!stop) {
      Step();
      ++calls;
    }
  }

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  bool Rarely() { return Below(16) == 0; }

  std::uint64_t Number() {
    static constexpr std::uint64_t kNumbers[] = {
        0,          1,           2,           63,          64,
        65,         255,         1024,        4096,        0x7fffffff,
        0x80000000, 0x80000001u, 0xfffffffeu, 0xffffffffu, 1ull << 32,
        1ull << 62, 1ull << 63,  ~0ull,       ~0ull - 4095};
    switch (Below(3)) {
      case 0:
        return kNumbers[Below(std::size(kNumbers))];
      case 1:
        return std::uint64_t{1} << Below(20);
      default:
        return random_();
    }
  }
  int File() { return files[Below(kSlots)]; }
  Mapping& AnyMapping() { return mappings[Below(kSlots)]; }

  void Open() {
    const std::size_t slot = Below(kSlots);
    const int flags = Rarely() ? O_RDONLY : O_RDWR;
    const int before = files[slot].exchange(
        open(kDevicePath, flags | O_CLOEXEC | (Below(2) ? O_NONBLOCK : 0)));
    if (before >= 0) close(before);
  }
  void Close() {
    const int before = files[Below(kSlots)].exchange(-1);
    if (before >= 0) close(before);
  }

  void Attach() {
    static const char* const kNames[] = {"", "", "a", "b", "c"};
    iptrk_attach attach =
        Request(kNames[Below(std::size(kNames))], 64u << Below(6));
    attach.flags = Rarely() ? 1 : 0;
    attach.watermark = 1u << Below(7);
    if (Rarely())
      reinterpret_cast<std::uint32_t*>(&attach)[Below(sizeof attach / 4)] =
          static_cast<std::uint32_t>(Number());
    ioctl(File(), IPTRK_ATTACH, &attach);
  }
  void Watch() {
    static const char* const kPatterns[] = {"*",   "right?", "f[0-9]", "left0",
                                            "[[[", "",       "f1"};
    iptrk_watch watch{};
    watch.count = static_cast<std::uint32_t>(Below(5));
    watch.flags = static_cast<std::uint32_t>(Below(2));
    for (std::size_t i = 0; i < watch.count; ++i)
      std::strcpy(watch.patterns[i], kPatterns[Below(std::size(kPatterns))]);
    if (Rarely())
      reinterpret_cast<std::uint32_t*>(&watch)[Below(sizeof watch / 4)] =
          static_cast<std::uint32_t>(Number());
    ioctl(File(), IPTRK_WATCH, &watch);
  }
  void Own() {
    std::array<iptrk_prefix, 8> prefixes{};
    for (iptrk_prefix& prefix : prefixes)
      for (std::size_t i = 0; i < sizeof prefix; i += 8) {
        const std::uint64_t word = Number();
        std::memcpy(reinterpret_cast<char*>(&prefix) + i, &word,
                    std::min<std::size_t>(8, sizeof prefix - i));
      }
    iptrk_own_prefixes own{};
    own.prefixes = reinterpret_cast<std::uintptr_t>(prefixes.data());
    own.count = static_cast<std::uint32_t>(Below(prefixes.size() + 1));
    if (Rarely()) own.prefixes = reinterpret_cast<std::uintptr_t>(BadPlace());
    if (Rarely()) own.count = static_cast<std::uint32_t>(Number());
    ioctl(File(), IPTRK_OWN, &own);
  }
  void Look() {
    iptrk_interfaces request{};
    // There is room for as many rows as a queue can have.
    request.rows =
        reinterpret_cast<std::uintptr_t>(Below(4) ? room_.data() : BadPlace());
    request.capacity = static_cast<std::uint32_t>(Below(4) ? 4 : Number());
    ioctl(File(), IPTRK_INTERFACES, &request);
    iptrk_state state;
    ioctl(File(), IPTRK_STATE, &state);
  }
  void AnyIoctl() {
    static constexpr unsigned long kCommands[] = {
        IPTRK_ATTACH,  IPTRK_WATCH, IPTRK_INTERFACES, IPTRK_STATE, IPTRK_OWN,
        IPTRK_DESTROY, 0x541b /* FIONREAD */};
    void* place = Below(2) ? static_cast<void*>(room_.data()) : BadPlace();
    const unsigned long command =
        Rarely() ? Number() : kCommands[Below(std::size(kCommands))];
    if (place == room_.data())
      for (std::size_t i = 0; i < 32; ++i) {
        const std::uint64_t word = Number();
        std::memcpy(room_.data() + 8 * i, &word, 8);
      }
    ioctl(File(), command, place);
  }
  void* BadPlace() {
    switch (Below(4)) {
      case 0:
        return nullptr;
      case 1:
        return reinterpret_cast<void*>(Number() | 1ull << 63);
      case 2:
        return AnyMapping().at;
      default:
        return room_.data() + Below(64);
    }
  }

  void Map() {
    // What the queue really has, else it would hardly ever fit.
    iptrk_state state{};
    const int file = File();
    if (ioctl(file, IPTRK_STATE, &state) != 0) return;
    const std::size_t rings =
        state.cpus * (4096 + std::max<std::size_t>(4096, 64ul * state.records));
    const bool commit = Below(2);
    std::size_t bytes = commit ? 4096 : rings;
    std::uint64_t offset = commit ? IPTRK_MMAP_COMMIT : IPTRK_MMAP_RINGS;
    int protection = commit || Rarely() ? PROT_READ | PROT_WRITE : PROT_READ;
    if (Rarely()) bytes = 4096 * (1 + Number() % (kRange / 4096));
    if (Rarely()) offset = Number() & ~4095ul;
    if (Rarely()) protection = static_cast<int>(Below(8));
    Mapping& mapping = AnyMapping();
    int flags = Rarely() ? MAP_PRIVATE : MAP_SHARED;
    if (Rarely()) flags |= MAP_POPULATE;
    mapping.bytes = bytes;
    if (mmap(mapping.at, bytes, protection, flags | MAP_FIXED, file,
             static_cast<off_t>(offset)) == MAP_FAILED)
      mapping.Reserve(mapping.at, bytes);
  }
  void Bend() {
    Mapping& mapping = AnyMapping();
    char* at = mapping.at;
    const std::size_t bytes = mapping.bytes;
    if (bytes == 0) return;
    char* page = at + (Below(bytes) & ~4095ul);
    switch (Below(6)) {
      case 0:
        mprotect(page, 4096, static_cast<int>(Below(8)));
        break;
      case 1:
        mapping.Reserve(page, 4096);  // which cuts it in two
        break;
      case 2:
        if (bytes > 4096 &&
            mremap(at, bytes, Below(2) ? 4096 : 2 * bytes, 0) == at)
          mapping.Reserve(at + 4096, bytes - 4096);
        break;
      case 3:
        madvise(page, 4096, static_cast<int>(Below(26)));
        break;
      case 4:
        msync(page, 4096, MS_SYNC);
        break;
      default:
        mlock(page, 4096);
    }
  }
  void Commit() {
    char* at = AnyMapping().at;
    auto* commit = reinterpret_cast<iptrk_commit*>(at) + Below(2);
    may_escape = 1;
    if (sigsetjmp(escape, 1) == 0) {
      auto* committed =
          reinterpret_cast<volatile std::uint64_t*>(&commit->committed);
      switch (Below(4)) {
        case 0:
          *committed = Number();
          break;
        case 1:
          *committed = *committed + Below(128);
          break;
        case 2:
          *committed = *committed - Below(128);
          break;
        default:
          (void)*committed;
      }
    }
    may_escape = 0;
  }
  void Read() {
    // Files without O_NONBLOCK wait up to a record's coming; a signal of the
    // main thread ends that.
    const int file = File();
    if (Rarely()) {
      iovec pieces[2] = {{room_.data(), Below(200)},
                         {room_.data() + 256, Below(5000)}};
      if (fcntl(file, F_GETFL) & O_NONBLOCK) readv(file, pieces, 2);
      return;
    }
    void* place = Rarely() ? BadPlace() : room_.data();
    if (Rarely() || fcntl(file, F_GETFL) & O_NONBLOCK)
      if (read(file, place, 1 + Below(room_.size() / 2)) < 0) return;
  }
  void Poll() {
    std::vector<pollfd> poll_for;
    for (const auto& file : files)
      poll_for.push_back({file, static_cast<short>(Number()), 0});
    poll(poll_for.data(), poll_for.size(), static_cast<int>(Below(3)));
  }
  void Odd() {
    const int file = File();
    switch (Below(6)) {
      case 0:
        if (write(file, room_.data(), Below(64)) < 0) return;
        break;
      case 1:
        lseek(file, static_cast<off_t>(Number()), SEEK_SET);
        break;
      case 2:
        if (pread(file, room_.data(), 64, 0) < 0) return;
        break;
      case 3: {
        const int copy = dup(file);
        sched_yield();
        if (copy >= 0) close(copy);
        break;
      }
      case 4:
        fcntl(file, F_SETFL, Below(2) ? O_NONBLOCK : 0);
        break;
      default:
        ftruncate(file, 0) == 0 ? sched_yield() : 0;
    }
  }

  void Step() {
    switch (Below(20)) {
      case 0:
      case 1:
        return Open();
      case 2:
        return Close();
      case 3:
      case 4:
      case 5:
        return Attach();
      case 6:
      case 7:
        return Watch();
      case 8:
        return Own();
      case 9:
        return Look();
      case 10:
      case 11:
        return AnyIoctl();
      case 12:
        return Map();
      case 13:
        return Bend();
      case 14:
      case 15:
      case 16:
        return Commit();
      case 17:
        return Read();
      case 18:
        return Poll();
      default:
        return Odd();
    }
  }

  std::mt19937_64 random_;
  // Large enough for every row of IPTRK_INTERFACES behind its middle.
  std::vector<char> room_ = std::vector<char>(1u << 20);
};

// What goes on around them. Each name is one of those the workers watch.
class Surroundings {
 public:
  explicit Surroundings(std::uint64_t seed) : random_(seed) {
    ip_ = popen("ip -force -batch - >/dev/null 2>&1", "w");
    // What it has not done yet is little, so that it ends soon after us.
    fcntl(fileno(ip_), F_SETPIPE_SZ, 4096);
  }
  ~Surroundings() { pclose(ip_); }

  void Step() {
    const std::string name = "f" + std::to_string(random_() % 4);
    switch (random_() % 9) {
      case 0:
      case 1:
        return Do("link add " + name + " type dummy\nlink set " + name + " up");
      case 2:
        return Do("link add " + name + " type veth peer name " + name +
                  "p\nlink set " + name + " up\nlink set " + name + "p up");
      case 3:
      case 4:
        return Do("link del " + name);
      case 5:
        return Do("link set " + name + " down\nlink set " + name + " name f" +
                  std::to_string(random_() % 4) + "\n");
      case 6:
        return Do("link add br9 type bridge\nlink set " + name +
                  " master br9\nlink del br9");
      case 7:
        ++namespaces;
        return Namespace(name);
      default:
        break;
    }
    if (random_() % 2)
      WriteFile("/sys/devices/system/cpu/cpu1/online",
                random_() % 2 ? "1" : "0");
  }
  // With luck nobody has it open; then it comes back at once.
  void Reload() {
    if (syscall(SYS_delete_module, "iptrk", O_NONBLOCK) == 0) {
      ++reloads;
      const int file = open("/run/iptrk.ko", O_RDONLY | O_CLOEXEC);
      if (syscall(SYS_finit_module, file, "memory_mib=64", 0) != 0)
        throw std::runtime_error("the module does not come back");
      close(file);
    }
  }
  void AllCpus() { WriteFile("/sys/devices/system/cpu/cpu1/online", "1"); }

  int namespaces = 0, reloads = 0;

 private:
  void Do(const std::string& lines) {
    std::fprintf(ip_, "%s\n", lines.c_str());
    std::fflush(ip_);
  }
  // One that ends with a queue open, and a device inside that came from here.
  void Namespace(const std::string& name) {
    Do("netns add fuzz\nlink set " + name + " netns fuzz");
    const pid_t child = fork();
    if (child == 0) {
      if (unshare(CLONE_NEWNET) != 0) _exit(1);
      const int file = open(kDevicePath, O_RDWR | O_CLOEXEC);
      iptrk_attach attach = Request(random_() % 2 ? "inside" : "", 64);
      ioctl(file, IPTRK_ATTACH, &attach);
      iptrk_watch watch = Watching("*");
      ioctl(file, IPTRK_WATCH, &watch);
      _exit(0);
    }
    if (child > 0) waitpid(child, nullptr, 0);
    Do("netns del fuzz");
  }

  std::mt19937_64 random_;
  FILE* ip_;
};

void Send() {
  while (!stop) try {
      // One that always is there, and one that comes and goes.
      Sender steady("left0"), other("f1");
      for (std::uint32_t i = 0; !stop; ++i) {
        steady.Send(UdpFrame(i));
        other.Send(UdpFrame(i, 53, 60 + i % 1000));
        if (i % 16 == 0) usleep(500);
      }
    } catch (const std::exception&) {
      try {
        Sender steady("left0");
        for (std::uint32_t i = 0; i < 64; ++i) steady.Send(UdpFrame(i));
      } catch (const std::exception&) {
      }
      usleep(1000);
    }
}

int Run(int seconds, std::uint64_t seed) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const int number : {SIGSEGV, SIGBUS}) {
    struct sigaction action {};
    action.sa_handler = OnFault;
    action.sa_flags = SA_NODEFER;
    sigaction(number, &action, nullptr);
  }
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  for (auto& file : files) file = -1;
  for (Mapping& mapping : mappings) mapping.Reserve(nullptr, kRange);

  const Pair pair;
  Surroundings surroundings(seed);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kWorkers; ++i)
    threads.emplace_back([seed, i] {
      Worker(seed + i + 1).Run();
      --running;
    });
  std::thread sender(Send);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::mt19937_64 random(seed);
  while (std::chrono::steady_clock::now() < end) {
    surroundings.Step();
    usleep(static_cast<useconds_t>(random() % 20000));
    pthread_kill(threads[random() % kWorkers].native_handle(), SIGUSR1);
    // A moment without files is what the module can be unloaded in.
    if (random() % 32 == 0)
      for (int attempt = 0; attempt < 10; ++attempt) {
        for (auto& file : files)
          if (const int before = file.exchange(-1); before >= 0) close(before);
        for (Mapping& mapping : mappings) mapping.Reserve(mapping.at, kRange);
        surroundings.Reload();
      }
  }
  stop = true;
  // One may sit in a read() that waits for ever.
  while (running > 0) {
    for (std::thread& thread : threads)
      pthread_kill(thread.native_handle(), SIGUSR1);
    usleep(10000);
  }
  for (std::thread& thread : threads) thread.join();
  sender.join();
  surroundings.AllCpus();
  std::printf("%llu calls, %d namespaces, %d reloads\n",
              static_cast<unsigned long long>(calls.load()),
              surroundings.namespaces, surroundings.reloads);
  return 0;
}

}  // namespace
}  // namespace iptrk

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 30;
  const std::uint64_t seed =
      argc > 2 ? std::strtoull(argv[2], nullptr, 0) : std::random_device()();
  try {
    return iptrk::Run(seconds, seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz: %s\n", error.what());
    return 1;
  }
}
