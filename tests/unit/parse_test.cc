// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/parse.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "lib/address.h"

namespace iptrk {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Parsed {
  iptrk_record record{};
  std::uint32_t payload = 0;

  std::string Src() const { return Address::FromBytes(record.src).ToString(); }
  std::string Dst() const { return Address::FromBytes(record.dst).ToString(); }
};

Parsed Parse(std::uint16_t ethertype, const Bytes& bytes,
             std::size_t captured = SIZE_MAX) {
  // A copy of exactly what may be read, so that a sanitizer sees any more.
  const Bytes readable(
      bytes.begin(),
      bytes.begin() + static_cast<long>(std::min(captured, bytes.size())));
  Parsed parsed;
  parsed.record.l2_len = 14;
  const iptrk_frame frame{readable.data(),
                          static_cast<std::uint32_t>(readable.size()),
                          static_cast<std::uint32_t>(bytes.size()), ethertype};
  parsed.payload = iptrk_parse(&frame, &parsed.record);
  return parsed;
}

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100;

Bytes Ipv4(std::uint8_t protocol, const Bytes& payload,
           std::uint16_t fragment = 0) {
  const std::size_t total = 20 + payload.size();
  return Bytes{0x45,
               0,
               static_cast<std::uint8_t>(total >> 8),
               static_cast<std::uint8_t>(total),
               0,
               0,
               static_cast<std::uint8_t>(fragment >> 8),
               static_cast<std::uint8_t>(fragment),
               64,
               protocol,
               0,
               0,
               44,
               1,
               2,
               3,
               10,
               1,
               0,
               80} +
         payload;
}

Bytes Ipv6(std::uint8_t next, const Bytes& payload) {
  Bytes header(40);
  header[0] = 0x60;
  header[4] = static_cast<std::uint8_t>(payload.size() >> 8);
  header[5] = static_cast<std::uint8_t>(payload.size());
  header[6] = next;
  header[8] = 0x26;
  header[23] = 1;
  header[24] = 0x20;
  header[39] = 2;
  return header + payload;
}

const Bytes kTcp = {0x9c, 0x40, 0,    80,   0, 0, 0, 0, 0, 0,
                    0,    0,    0x50, 0x12, 0, 0, 0, 0, 0, 0};
const Bytes kUdp = {0, 53, 0x9c, 0x40, 0, 8, 0, 0};

TEST(Parse, ReadsTcpOverIpv4) {
  const Parsed parsed = Parse(kIpv4, Ipv4(6, kTcp));
  EXPECT_EQ(parsed.Src(), "44.1.2.3");
  EXPECT_EQ(parsed.Dst(), "10.1.0.80");
  EXPECT_EQ(parsed.record.sport, 40000);
  EXPECT_EQ(parsed.record.dport, 80);
  EXPECT_EQ(parsed.record.tcp_flags, 0x12);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV4);
  EXPECT_EQ(parsed.payload, 40u);
}

TEST(Parse, ReadsUdpBehindIpv6ExtensionHeaders) {
  const Bytes hop_by_hop = {60, 0, 0, 0, 0, 0, 0, 0};
  const Bytes options = {17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Parsed parsed = Parse(kIpv6, Ipv6(0, hop_by_hop + options + kUdp));
  EXPECT_EQ(parsed.record.protocol, 17);
  EXPECT_EQ(parsed.record.sport, 53);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV6);
  EXPECT_EQ(parsed.payload, 40u + 8 + 16 + 8);
}

TEST(Parse, ReadsThroughTwoVlanTags) {
  const Bytes tags = {0x00, 0x0a, 0x81, 0x00, 0x00, 0x14, 0x08, 0x00};
  const Parsed parsed = Parse(0x88a8, tags + Ipv4(6, kTcp));
  EXPECT_EQ(parsed.record.vlan, 10);
  EXPECT_EQ(parsed.record.dport, 80);
  EXPECT_EQ(parsed.record.ethertype, kIpv4);
  EXPECT_EQ(parsed.record.l2_len, 22);
  EXPECT_TRUE(parsed.record.flags & IPTRK_TAGGED);
}

TEST(Parse, TakesNoPortsFromALaterFragment) {
  const Parsed first = Parse(kIpv4, Ipv4(6, kTcp, 0x2000));
  EXPECT_EQ(first.record.dport, 80);
  EXPECT_TRUE(first.record.flags & IPTRK_FRAGMENT);
  EXPECT_FALSE(first.record.flags & IPTRK_FRAGMENT_LATER);
  const Parsed later = Parse(kIpv4, Ipv4(6, kTcp, 0x2001));
  EXPECT_EQ(later.record.dport, 0);
  EXPECT_TRUE(later.record.flags & IPTRK_FRAGMENT_LATER);
  const Bytes fragment = {6, 0, 0x00, 0x08, 0, 0, 0, 1};
  const Parsed v6 = Parse(kIpv6, Ipv6(44, fragment + kTcp));
  EXPECT_EQ(v6.record.protocol, 6);
  EXPECT_EQ(v6.record.dport, 0);
  EXPECT_TRUE(v6.record.flags & IPTRK_FRAGMENT_LATER);
}

TEST(Parse, TellsMalformedFromTruncated) {
  const Bytes packet = Ipv4(6, kTcp);
  EXPECT_EQ(Parse(kIpv4, packet, 30).record.flags,
            IPTRK_IPV4 | IPTRK_TRUNCATED);
  const Bytes cut(packet.begin(), packet.begin() + 30);
  EXPECT_TRUE(Parse(kIpv4, cut).record.flags & IPTRK_MALFORMED);
  Bytes version = packet;
  version[0] = 0x55;
  EXPECT_EQ(Parse(kIpv4, version).record.flags, IPTRK_MALFORMED);
}

TEST(Parse, ReadsNoPortsOutOfEthernetPadding) {
  // 4 bytes of payload said, and 22 bytes of padding that look like more.
  Bytes packet = Ipv4(6, Bytes{0x9c, 0x40});
  packet.resize(46, 0xff);
  const Parsed parsed = Parse(kIpv4, packet);
  EXPECT_EQ(parsed.record.dport, 0);
  EXPECT_TRUE(parsed.record.flags & IPTRK_MALFORMED);
}

TEST(Parse, AcceptsTheZeroLengthOfBigTcp) {
  Bytes packet = Ipv4(6, kTcp);
  packet[2] = packet[3] = 0;
  EXPECT_EQ(Parse(kIpv4, packet).record.flags, IPTRK_IPV4);
}

TEST(Parse, GivesUpOnEndlessExtensionHeaders) {
  Bytes chain;
  for (int i = 0; i < 100; ++i) chain = chain + Bytes{0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(Parse(kIpv6, Ipv6(0, chain)).record.flags & IPTRK_MALFORMED);
}

TEST(Parse, NamesFramesWithALengthFieldAsTheKernelDoes) {
  EXPECT_EQ(Parse(38, Bytes(38)).record.ethertype, 4);
  EXPECT_EQ(Parse(0x0806, Bytes(28)).record.ethertype, 0x0806);
}

TEST(Parse, ReadsNothingBeyondWhatWasCaptured) {
  std::mt19937 random(7);
  const std::vector<std::uint16_t> types = {kIpv4, kIpv6, kVlan, 0x88a8};
  for (int i = 0; i < 200000; ++i) {
    Bytes bytes(random() % 120);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty() && random() % 4) bytes[0] = random() % 2 ? 0x45 : 0x60;
    Parse(types[random() % types.size()], bytes, random() % 130);
  }
}

}  // namespace
}  // namespace iptrk
