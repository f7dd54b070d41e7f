// SPDX-License-Identifier: GPL-2.0-only
// To be preloaded: /dev/iptrk is the file $IPTRK_STAND_IN (queue_file.h).
//
// mmap() is the file's own. poll() never says that there is something; readers
// ask at the end of their timeout. One reader a process, whose clock is ahead
// by $IPTRK_CLOCK_AHEAD seconds.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "tests/stand_in/queue_file.h"

namespace {

using iptrk::stand_in::Info;

std::atomic<int> g_reader = -1;

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

template <typename T>
T ReadAt(int file, off_t offset) {
  T value{};
  if (pread(file, &value, sizeof value, offset) !=
      static_cast<ssize_t>(sizeof value))
    std::abort();
  return value;
}

std::uint64_t Head(int file) {
  return ReadAt<iptrk_head>(file, IPTRK_MMAP_RINGS).head;
}

int Attach(int file, iptrk_attach& attach) {
  const auto info = ReadAt<Info>(file, iptrk::stand_in::kInfo);
  attach.records = info.records;
  attach.cpus = 1;
  attach.existed = 1;
  attach.ring_stride = iptrk::stand_in::RingBytes(info.records);
  attach.commit_bytes = iptrk::stand_in::kPage;
  attach.created_ns = info.created_ns;
  if (!(attach.flags & IPTRK_ATTACH_OBSERVE)) g_reader = file;
  return 0;
}

int Interfaces(int file, iptrk_interfaces& request) {
  request.count = 1;
  if (request.capacity < 1) return 0;
  iptrk_interface row{};
  std::strcpy(row.name, "wan0");
  row.ifindex = 2;
  row.watched = 1;
  row.received.seen.packets = Head(file);
  row.received.seen.bytes =
      row.received.seen.packets * iptrk::stand_in::kFrameBytes;
  row.received.recorded = row.received.buffers = row.received.nic =
      row.received.seen;
  *reinterpret_cast<iptrk_interface*>(request.rows) = row;
  return 0;
}

int State(int file, iptrk_state& state) {
  const auto info = ReadAt<Info>(file, iptrk::stand_in::kInfo);
  state = {};
  std::strcpy(state.name, "iptrk");
  state.records = info.records;
  state.cpus = 1;
  state.reader = 1;
  state.created_ns = info.created_ns;
  const auto committed = ReadAt<iptrk_commit>(file, 0).committed;
  state.produced = Head(file);
  state.waiting = state.fullest = state.produced - committed;
  return 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  if (std::strcmp(path, "/dev/iptrk") == 0)
    path = std::getenv("IPTRK_STAND_IN");
  return Next<int(const char*, int, ...)>("open")(path, flags, mode);
}
int open64(const char*, int, ...) __attribute__((alias("open")));

int ioctl(int file, unsigned long command, ...) {
  va_list more;
  va_start(more, command);
  void* argument = va_arg(more, void*);
  va_end(more);
  switch (command) {
    case IPTRK_ATTACH:
      return Attach(file, *static_cast<iptrk_attach*>(argument));
    case IPTRK_INTERFACES:
      return Interfaces(file, *static_cast<iptrk_interfaces*>(argument));
    case IPTRK_STATE:
      return State(file, *static_cast<iptrk_state*>(argument));
    case IPTRK_WATCH:
    case IPTRK_OWN:
      return 0;
    default:
      return Next<int(int, unsigned long, ...)>("ioctl")(file, command,
                                                         argument);
  }
}

// Its declaration says that it only writes to them.
int Poll(pollfd* files, nfds_t count, int timeout_ms) __asm__("poll");
int Poll(pollfd* files, nfds_t count, int timeout_ms) {
  if (count != 1 || files->fd < 0 || files->fd != g_reader)
    return Next<int(pollfd*, nfds_t, int)>("poll")(files, count, timeout_ms);
  usleep(static_cast<useconds_t>(std::clamp(timeout_ms, 1, 1000)) * 1000);
  files->revents = 0;
  return 0;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const char* const ahead = std::getenv("IPTRK_CLOCK_AHEAD");
  const long error = syscall(SYS_clock_gettime, clock, time);
  if (error == 0 && ahead != nullptr && clock == CLOCK_REALTIME)
    time->tv_sec += std::atol(ahead);
  return static_cast<int>(error);
}

}  // extern "C"
