// SPDX-License-Identifier: GPL-2.0-only
// Packets for tests, as the kernel would have recorded them.
#ifndef IPTRK_TESTS_UNIT_RECORDS_H_
#define IPTRK_TESTS_UNIT_RECORDS_H_

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "kernel/uapi/iptrk.h"
#include "lib/address.h"
#include "lib/seconds.h"

namespace iptrk {

struct Packet {
  std::string src;
  std::string dst;
  std::uint8_t protocol = IPPROTO_TCP;
  std::uint16_t sport = 40000;
  std::uint16_t dport = 80;
  std::uint32_t bytes = 100;
  std::uint32_t packets = 1;
  std::uint64_t time_ns = 0;
  std::uint16_t flags = 0;
  std::uint8_t tcp_flags = 0;
};

inline void PutAddress(const std::string& text, std::uint8_t* bytes) {
  const Address address = Address::Parse(text).value();
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(address.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(address.low >> (56 - 8 * i));
  }
}

inline iptrk_record Record(const Packet& packet) {
  iptrk_record record{};
  record.time_ns = packet.time_ns;
  record.bytes = packet.bytes;
  record.packets = packet.packets;
  record.protocol = packet.protocol;
  record.sport = packet.sport;
  record.dport = packet.dport;
  record.tcp_flags = packet.tcp_flags;
  record.l2_len = 14;
  const bool v6 = packet.src.find(':') != std::string::npos;
  record.flags =
      static_cast<std::uint16_t>(packet.flags | (v6 ? IPTRK_IPV6 : IPTRK_IPV4));
  record.ethertype = v6 ? 0x86dd : 0x0800;
  PutAddress(packet.src, record.src);
  PutAddress(packet.dst, record.dst);
  return record;
}

}  // namespace iptrk

#endif  // IPTRK_TESTS_UNIT_RECORDS_H_
