// SPDX-License-Identifier: GPL-2.0-only
#include "lib/queue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace iptrk {
namespace {

constexpr std::uint32_t kWatermarks = 8;  // wake at an eighth of a ring

std::string Explain(const std::string& name, int number) {
  switch (number) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return fmt::format(
          "{} is not there: the iptrk module is not loaded; run: modprobe "
          "iptrk",
          kDevicePath);
    case EACCES:
    case EPERM:
      return fmt::format(
          "{} may not be opened: be root, or have CAP_NET_ADMIN and be in "
          "group iptrk",
          kDevicePath);
    case EBUSY:
      return fmt::format(
          "queue '{}' has a reader already; stop it, or choose another "
          "queue.name",
          name);
    case ENOSPC:
      return "the queues would take more memory than the module's parameter "
             "memory_mib allows; lower queue.records or raise it";
    default:
      return fmt::format("{}: {}", kDevicePath,
                         std::generic_category().message(number));
  }
}

int OpenDevice() {
  const int file = open(kDevicePath, O_RDWR | O_CLOEXEC);
  if (file < 0) throw QueueError(errno, Explain("", errno));
  return file;
}

iptrk_attach Attach(int file, const std::string& name, std::uint32_t records,
                    std::uint32_t flags) {
  iptrk_attach attach{};
  attach.abi_version = IPTRK_ABI_VERSION;
  attach.flags = flags;
  attach.records = records;
  attach.watermark = std::max(1u, records / kWatermarks);
  name.copy(attach.name, sizeof attach.name - 1);
  if (ioctl(file, IPTRK_ATTACH, &attach) == 0) return attach;
  const int number = errno;
  close(file);
  if (number == EPROTO)
    throw QueueError(
        number,
        fmt::format("the iptrk module speaks version {} and this program {}: "
                    "install both from the same release, then reload the "
                    "module",
                    attach.abi_version, IPTRK_ABI_VERSION));
  if (number == ENOENT)
    throw QueueError(number,
                     fmt::format("there is no queue '{}': collectd has not yet "
                                 "started with the iptrk plugin",
                                 name));
  throw QueueError(number, Explain(name, number));
}

}  // namespace

Queue Queue::Read(const QueueConfig& config) {
  const int file = OpenDevice();
  Queue queue(file, Attach(file, config.name, config.records, 0));
  queue.Map();
  queue.Watch(config);
  return queue;
}

Queue Queue::Observe(const std::string& name) {
  const int file = OpenDevice();
  return {file, Attach(file, name, 0, IPTRK_ATTACH_OBSERVE)};
}

Queue::Queue(Queue&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      attach_(other.attach_),
      rings_(std::exchange(other.rings_, nullptr)),
      commits_(std::exchange(other.commits_, nullptr)),
      page_bytes_(other.page_bytes_),
      read_(std::move(other.read_)) {}

Queue::~Queue() {
  if (rings_) munmap(rings_, attach_.cpus * attach_.ring_stride);
  if (commits_) munmap(commits_, attach_.commit_bytes);
  if (file_ >= 0) close(file_);
}

void Queue::Map() {
  page_bytes_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* commits = mmap(nullptr, attach_.commit_bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED, file_, IPTRK_MMAP_COMMIT);
  if (commits == MAP_FAILED) throw QueueError(errno, Explain("", errno));
  commits_ = static_cast<iptrk_commit*>(commits);
  void* rings = mmap(nullptr, attach_.cpus * attach_.ring_stride, PROT_READ,
                     MAP_SHARED, file_, IPTRK_MMAP_RINGS);
  if (rings == MAP_FAILED) throw QueueError(errno, Explain("", errno));
  rings_ = static_cast<char*>(rings);
  for (std::size_t cpu = 0; cpu < attach_.cpus; ++cpu)
    read_.push_back(commits_[cpu].committed);
}

void Queue::Watch(const QueueConfig& config) {
  iptrk_watch watch{};
  watch.flags = config.promiscuous ? IPTRK_WATCH_PROMISCUOUS : 0;
  watch.count = static_cast<std::uint32_t>(
      std::min<std::size_t>(config.interfaces.size(), IPTRK_PATTERNS));
  for (std::size_t i = 0; i < watch.count; ++i)
    config.interfaces[i].copy(watch.patterns[i], IPTRK_IFNAME_LEN - 1);
  if (ioctl(file_, IPTRK_WATCH, &watch) != 0)
    throw QueueError(errno, Explain("", errno));
}

void Queue::Own(const std::vector<Network>& networks) {
  std::vector<iptrk_prefix> prefixes;
  for (const Network& network : networks)
    for (const Prefix& prefix : network.prefixes) {
      iptrk_prefix own{};
      prefix.first.ToBytes(own.address);
      own.length = static_cast<std::uint8_t>(prefix.length);
      prefixes.push_back(own);
    }
  // More than the kernel takes: it merges those beyond without an address.
  iptrk_own_prefixes own{};
  own.prefixes = reinterpret_cast<std::uintptr_t>(prefixes.data());
  own.count = static_cast<std::uint32_t>(
      std::min<std::size_t>(prefixes.size(), IPTRK_OWN_MAX));
  if (ioctl(file_, IPTRK_OWN, &own) != 0)
    throw QueueError(errno, Explain("", errno));
}

bool Queue::Wait(int timeout_ms) {
  pollfd poll_for{file_, POLLIN, 0};
  poll(&poll_for, 1, timeout_ms);
  return !(poll_for.revents & (POLLHUP | POLLERR | POLLNVAL));
}

std::uint64_t Queue::OldestTime() const {
  std::uint64_t oldest = 0;
  for (std::size_t cpu = 0; cpu < read_.size(); ++cpu) {
    if (read_[cpu] == Head(cpu)) continue;
    const std::uint64_t time = At(cpu, read_[cpu]).time_ns;
    if (oldest == 0 || time < oldest) oldest = time;
  }
  return oldest;
}

void Queue::Commit(const Mark& mark) {
  for (std::size_t cpu = 0; cpu < mark.size(); ++cpu)
    // Pairs with the load-acquire in iptrk_ring_refresh().
    std::atomic_ref(commits_[cpu].committed)
        .store(mark[cpu], std::memory_order_release);
}

double Queue::Fill() const {
  std::uint64_t fullest = 0;
  for (std::size_t cpu = 0; cpu < read_.size(); ++cpu)
    fullest =
        std::max<std::uint64_t>(fullest, Head(cpu) - commits_[cpu].committed);
  return static_cast<double>(fullest) / attach_.records;
}

std::vector<iptrk_interface> Queue::Interfaces() const {
  std::vector<iptrk_interface> rows(64);
  for (;;) {
    iptrk_interfaces request{};
    request.rows = reinterpret_cast<std::uintptr_t>(rows.data());
    request.capacity = static_cast<std::uint32_t>(rows.size());
    if (ioctl(file_, IPTRK_INTERFACES, &request) != 0)
      throw QueueError(errno, Explain("", errno));
    const bool all = request.count <= rows.size();
    rows.resize(request.count);
    if (all) return rows;
  }
}

iptrk_state Queue::State() const {
  iptrk_state state{};
  if (ioctl(file_, IPTRK_STATE, &state) != 0)
    throw QueueError(errno, Explain("", errno));
  return state;
}

}  // namespace iptrk
