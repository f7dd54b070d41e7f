// SPDX-License-Identifier: GPL-2.0-only
// /dev/iptrk without lib/queue.h's good manners, for tests that have none.
#ifndef IPTRK_TESTS_VM_HOSTILE_DEVICE_H_
#define IPTRK_TESTS_VM_HOSTILE_DEVICE_H_

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "lib/queue.h"

namespace iptrk {

inline constexpr std::uint32_t kRecords = 1024;

inline iptrk_attach Request(const std::string& name = "",
                            std::uint32_t records = kRecords) {
  iptrk_attach attach{};
  attach.abi_version = IPTRK_ABI_VERSION;
  attach.records = attach.watermark = records;
  name.copy(attach.name, sizeof attach.name - 1);
  return attach;
}

inline iptrk_watch Watching(const std::string& pattern) {
  iptrk_watch watch{};
  watch.count = 1;
  pattern.copy(watch.patterns[0], IPTRK_IFNAME_LEN - 1);
  return watch;
}

// An open file of the device, or what is left of the attempt.
class Device {
 public:
  explicit Device(int flags = O_RDWR)
      : file_(open(kDevicePath, flags | O_CLOEXEC)) {}
  Device(Device&& other) noexcept
      : file_(std::exchange(other.file_, -1)), attach_(other.attach_) {}
  Device& operator=(Device&&) = delete;
  ~Device() { Close(); }

  void Close() {
    if (file_ >= 0) close(std::exchange(file_, -1));
  }
  int file() const { return file_; }
  const iptrk_attach& attach() const { return attach_; }
  std::size_t ring_bytes() const { return attach_.cpus * attach_.ring_stride; }

  // 0, or errno, like all below.
  int Attach(const iptrk_attach& request) {
    attach_ = request;
    return Call(IPTRK_ATTACH, &attach_);
  }
  int Watch(const std::string& pattern) {
    iptrk_watch watch = Watching(pattern);
    return Call(IPTRK_WATCH, &watch);
  }
  int Call(unsigned long command, void* argument) const {
    return ioctl(file_, command, argument) < 0 ? errno : 0;
  }
  // MAP_FAILED, or the mapping.
  char* Map(std::uint64_t offset, std::size_t length, int protection,
            int flags = MAP_SHARED) const {
    return static_cast<char*>(mmap(nullptr, length, protection, flags, file_,
                                   static_cast<off_t>(offset)));
  }
  char* MapRings() const {
    return Map(IPTRK_MMAP_RINGS, ring_bytes(), PROT_READ);
  }
  iptrk_commit* MapCommits() const {
    return reinterpret_cast<iptrk_commit*>(
        Map(IPTRK_MMAP_COMMIT, attach_.commit_bytes, PROT_READ | PROT_WRITE));
  }

 private:
  int file_;
  iptrk_attach attach_{};
};

// What `body` returns in a process of its own, or 128 + the signal it died
// of. An exception is 125.
inline int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 125;
    try {
      status = body();
    } catch (const std::exception& error) {
      dprintf(2, "%s\n", error.what());
    }
    _exit(status);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    throw std::runtime_error("no child");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline bool WriteFile(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = write(file, text.data(), text.size()) ==
                    static_cast<ssize_t>(text.size());
  close(file);
  return done;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A line "NAME: VALUE kB" or "NAME VALUE" of such a file.
inline std::uint64_t FieldOf(const std::string& path, const std::string& name) {
  std::istringstream text(ReadFile(path));
  std::string word;
  while (text >> word)
    if (word == name || word == name + ":") {
      std::uint64_t value = 0;
      text >> value;
      return value;
    }
  throw std::runtime_error("no " + name + " in " + path);
}

inline void StayOn(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(cpu), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0)
    throw std::runtime_error("can't stay on CPU " + std::to_string(cpu));
}

// What is freed goes back. A kernel with KASAN holds some megabytes of it, to
// catch whoever uses it still.
inline void GiveBackFreed() {
  for (const auto& cache :
       std::filesystem::directory_iterator("/sys/kernel/slab"))
    WriteFile(cache.path().string() + "/shrink", "1");
}

// The module's own memory: what it has of the kernel's virtual areas.
inline std::size_t ModuleAreas() {
  std::istringstream areas(ReadFile("/proc/vmallocinfo"));
  std::size_t count = 0;
  for (std::string line; std::getline(areas, line);)
    // The module's text is an area too, of the loader's.
    count += line.find(" iptrk_") != std::string::npos;
  return count;
}

}  // namespace iptrk

#endif  // IPTRK_TESTS_VM_HOSTILE_DEVICE_H_
