// SPDX-License-Identifier: GPL-2.0-only
// A reader that knows what comes: check_iptrk RECORDS INTERFACE [twice]
//
// Each of pktgen's threads sends from a network of its own, 44.0.0.0/8 and up;
// its packet number n comes from that network's nth address, goes to
// 198.0.0.0/16's nth and has 4000 + n % 50000 as its source port, so that parts
// of two packets in one record cannot hide. Reads without a pause until
// SIGTERM, then prints what was wrong. With `twice` it looks at every 1000th
// record twice, which must be found.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "lib/queue.h"
#include "polling.h"

namespace {

std::uint32_t Ipv4(const std::uint8_t* mapped) {
  return iptrk::Address::FromBytes(mapped).Ipv4();
}

class Check {
 public:
  void Add(const iptrk_record& record) {
    if (record.flags & IPTRK_MERGED) {
      merged_ += record.packets;
      return;
    }
    const std::uint32_t source = Ipv4(record.src);
    const std::uint32_t n = source & 0xFFFFFF;
    Stream& stream = streams_[(source >> 24) % streams_.size()];
    if (Ipv4(record.dst) != (198U << 24 | (n & 0xFFFF)) ||
        record.sport != 4000 + n % 50000 || record.dport != 9 ||
        record.protocol != 17 || record.packets != 1 || record.bytes != 60 ||
        record.ethertype != 0x0800)
      torn_++;
    if (n < stream.next || record.time_ns < stream.time_ns) disorder_++;
    if (n > stream.next) gaps_ += n - stream.next;
    stream = {n + 1, std::max<std::uint64_t>(stream.time_ns, record.time_ns)};
    read_++;
  }

  void Report() const {
    std::printf("read=%llu merged_read=%llu gaps=%llu disorder=%llu torn=%llu ",
                read_, merged_, gaps_, disorder_, torn_);
  }

 private:
  struct Stream {
    std::uint32_t next = 1;  // pktgen counts before it sends
    std::uint64_t time_ns = 0;
  };

  std::array<Stream, 4> streams_{};
  unsigned long long read_ = 0, merged_ = 0, gaps_ = 0, disorder_ = 0,
                     torn_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool twice = argc > 3;
  const Polling polling;
  iptrk::QueueConfig config;
  config.name.clear();
  config.records =
      static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 0));
  config.interfaces = {argv[2]};
  try {
    iptrk::Queue queue = iptrk::Queue::Read(config);
    Check check;
    unsigned long long number = 0;
    Polling::Ready();
    bool more = true;
    while (more) {
      more = !Polling::Ended();
      queue.Drain(std::numeric_limits<std::uint64_t>::max(),
                  [&](const iptrk_record& record) {
                    check.Add(record);
                    if (++number % 1000 == 0 && twice) check.Add(record);
                  });
      queue.Commit(queue.Position());
    }
    check.Report();
    iptrk_volume seen{}, recorded{}, merged{};
    for (const iptrk_interface& interface : queue.Interfaces()) {
      seen.packets += interface.received.seen.packets;
      recorded.packets += interface.received.recorded.packets;
      merged.packets += interface.received.merged.packets +
                        interface.received.unattributed.packets;
    }
    std::printf("seen=%llu recorded=%llu merged=%llu\n", seen.packets,
                recorded.packets, merged.packets);
  } catch (const iptrk::QueueError& error) {
    std::fprintf(stderr, "check_iptrk: %s\n", error.what());
    return 1;
  }
  return 0;
}
