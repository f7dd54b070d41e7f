// SPDX-License-Identifier: GPL-2.0-only
// Fills a queue in a file (queue_file.h) as the module would:
// stand_in_feed FILE RECORDS HOSTS PER_SECOND SECONDS
//
// So many datagrams a second, to each of the addresses from 10.64.0.0 on in its
// turn. Makes the file when it is not there, and goes on where it was
// otherwise. Prints the frames that came in, and those for which the ring had
// no room.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/stand_in/queue_file.h"

namespace iptrk::stand_in {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kTick = 4'000'000;

std::uint64_t Now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void* Map(int file, std::size_t bytes, off_t offset) {
  void* mapped =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset);
  if (mapped == MAP_FAILED) {
    std::perror("mmap");
    std::exit(1);
  }
  return mapped;
}

void PutAddress(std::uint8_t (&to)[16], std::uint32_t address) {
  to[10] = to[11] = 0xff;
  for (int i = 0; i < 4; ++i)
    to[12 + i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
}

iptrk_record Datagram(std::uint32_t host) {
  iptrk_record record{};
  record.bytes = kFrameBytes;
  record.packets = 1;
  PutAddress(record.src, 0x2c010242);  // 44.1.2.66
  PutAddress(record.dst, 0x0a400000 + host);
  record.ethertype = 0x0800;
  record.sport = record.dport = 9;
  record.flags = IPTRK_IPV4;
  record.protocol = 17;
  record.l2_len = 14;
  return record;
}

int Feed(const char* path, std::uint32_t records, std::uint32_t hosts,
         std::uint64_t rate, std::uint64_t seconds) {
  const int file = open(path, O_RDWR | O_CREAT, 0600);
  const std::uint64_t ring_bytes = RingBytes(records);
  if (file < 0 ||
      ftruncate(file, static_cast<off_t>(IPTRK_MMAP_RINGS + ring_bytes)) != 0) {
    std::perror(path);
    return 1;
  }
  auto* commit = static_cast<iptrk_commit*>(Map(file, kPage, 0));
  auto* info = static_cast<Info*>(Map(file, kPage, kInfo));
  auto* head = static_cast<iptrk_head*>(
      Map(file, ring_bytes, static_cast<off_t>(IPTRK_MMAP_RINGS)));
  auto* ring =
      reinterpret_cast<iptrk_record*>(reinterpret_cast<char*>(head) + kPage);
  if (info->created_ns == 0) *info = {Now(), records};

  const std::uint64_t begin = Now();
  const std::uint64_t wanted = rate * seconds;
  std::uint64_t came = 0;
  std::uint64_t no_room = 0;
  while (came + no_room < wanted) {
    const timespec tick = {0, static_cast<long>(kTick)};
    nanosleep(&tick, nullptr);
    const std::uint64_t now = Now();
    const std::uint64_t ms = (now - begin) / kTick * kTick / (kSecond / 1000);
    const std::uint64_t due = std::min(wanted, ms * rate / 1000);
    while (came + no_room < due) {
      const std::uint64_t position = head->head;
      const std::uint64_t done =
          std::atomic_ref(commit->committed).load(std::memory_order_acquire);
      if (position - done >= records) {
        ++no_room;
        continue;
      }
      iptrk_record record =
          Datagram(static_cast<std::uint32_t>((came + no_room) % hosts));
      record.time_ns = now;
      ring[position & (records - 1)] = record;
      std::atomic_ref(head->head)
          .store(position + 1, std::memory_order_release);
      ++came;
    }
  }
  std::printf("%llu %llu\n", static_cast<unsigned long long>(came),
              static_cast<unsigned long long>(no_room));
  return 0;
}

}  // namespace
}  // namespace iptrk::stand_in

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(
        stderr, "usage: stand_in_feed FILE RECORDS HOSTS PER_SECOND SECONDS\n");
    return 2;
  }
  return iptrk::stand_in::Feed(argv[1],
                               static_cast<std::uint32_t>(std::stoul(argv[2])),
                               static_cast<std::uint32_t>(std::stoul(argv[3])),
                               std::stoull(argv[4]), std::stoull(argv[5]));
}
