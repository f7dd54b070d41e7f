// SPDX-License-Identifier: GPL-2.0-only
// What every reader of the benchmark does with a packet: two updates in one
// flat table of hosts, so that the readers differ in how they get it only.
#ifndef IPTRK_TESTS_BENCH_HOSTS_H_
#define IPTRK_TESTS_BENCH_HOSTS_H_

#include <cstdint>
#include <cstring>
#include <vector>

class Hosts {
 public:
  Hosts() : hosts_(kSlots) {}

  // Both addresses in network order, as they lie in the packet.
  void Add(std::uint32_t source, std::uint32_t destination,
           std::uint32_t bytes) {
    Host& from = Find(source);
    from.sent_packets++;
    from.sent_bytes += bytes;
    Host& to = Find(destination);
    to.received_packets++;
    to.received_bytes += bytes;
  }

  static std::uint32_t Load(const void* address) {
    std::uint32_t value;
    std::memcpy(&value, address, sizeof value);
    return value;
  }

  std::uint64_t Packets() const {
    std::uint64_t packets = 0;
    for (const Host& host : hosts_) packets += host.sent_packets;
    return packets;
  }

 private:
  // A quarter full with the benchmark's 65,536 sources.
  static constexpr std::uint32_t kBits = 18, kSlots = 1U << kBits;

  struct Host {
    std::uint32_t address = 0;  // 0: free
    std::uint64_t sent_packets = 0, sent_bytes = 0;
    std::uint64_t received_packets = 0, received_bytes = 0;
  };

  Host& Find(std::uint32_t address) {
    std::uint32_t slot = (address * 0x9E3779B1U) >> (32 - kBits);
    while (hosts_[slot].address != address) {
      if (hosts_[slot].address == 0) {
        hosts_[slot].address = address;
        break;
      }
      slot = (slot + 1) & (kSlots - 1);
    }
    return hosts_[slot];
  }

  std::vector<Host> hosts_;
};

#endif  // IPTRK_TESTS_BENCH_HOSTS_H_
