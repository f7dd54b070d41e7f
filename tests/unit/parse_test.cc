// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/parse.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
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

// `count` destination options headers, then `last`.
Bytes Chain(int count, std::uint8_t last, const Bytes& payload) {
  Bytes chain;
  for (int i = 1; i <= count; ++i)
    chain =
        chain + Bytes{i < count ? std::uint8_t{60} : last, 0, 1, 4, 0, 0, 0, 0};
  return chain + payload;
}

TEST(Parse, ReadsThroughEightExtensionHeadersAndNoMore) {
  const Parsed eight = Parse(kIpv6, Ipv6(60, Chain(8, 6, kTcp)));
  EXPECT_EQ(eight.record.protocol, 6);
  EXPECT_EQ(eight.record.dport, 80);
  EXPECT_EQ(eight.record.flags, IPTRK_IPV6);
  EXPECT_EQ(eight.payload, 40u + 8 * 8 + 20);
  const Parsed nine = Parse(kIpv6, Ipv6(60, Chain(9, 6, kTcp)));
  EXPECT_EQ(nine.record.dport, 0);
  EXPECT_EQ(nine.record.flags, IPTRK_IPV6 | IPTRK_MALFORMED);
}

TEST(Parse, SkipsTheOptionsOfIpv4) {
  Bytes packet = Ipv4(6, Bytes{1, 1, 1, 0} + kTcp);
  packet[0] = 0x46;
  const Parsed parsed = Parse(kIpv4, packet);
  EXPECT_EQ(parsed.record.dport, 80);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV4);
  EXPECT_EQ(parsed.payload, 24u + 20);
}

TEST(Parse, CallsIpv4OptionsBeyondThePacketMalformed) {
  Bytes packet = Ipv4(6, kTcp);
  packet[0] = 0x4f;
  const Parsed parsed = Parse(kIpv4, packet);
  EXPECT_EQ(parsed.Src(), "44.1.2.3");
  EXPECT_EQ(parsed.record.dport, 0);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV4 | IPTRK_MALFORMED);
}

TEST(Parse, CallsALengthThatCannotBeMalformed) {
  Bytes packet = Ipv4(6, kTcp);
  packet[3] = 10;  // shorter than its own header
  EXPECT_EQ(Parse(kIpv4, packet).record.flags, IPTRK_IPV4 | IPTRK_MALFORMED);
  packet[3] = 200;  // longer than the frame; what is there is read
  const Parsed longer = Parse(kIpv4, packet);
  EXPECT_EQ(longer.record.flags, IPTRK_IPV4 | IPTRK_MALFORMED);
  EXPECT_EQ(longer.record.dport, 80);
  Bytes six = Ipv6(6, kTcp);
  six[4] = 200;
  EXPECT_EQ(Parse(kIpv6, six).record.flags, IPTRK_IPV6 | IPTRK_MALFORMED);
}

TEST(Parse, ReadsBehindTheAuthenticationHeader) {
  Bytes header(24);
  header[0] = 17;
  header[1] = 4;
  const Parsed parsed = Parse(kIpv6, Ipv6(51, header + kUdp));
  EXPECT_EQ(parsed.record.protocol, 17);
  EXPECT_EQ(parsed.record.dport, 40000);
  // Of IPv4 it is a protocol, as in the header's own field.
  EXPECT_EQ(Parse(kIpv4, Ipv4(51, header + kUdp)).record.protocol, 51);
}

TEST(Parse, TakesAnAtomicFragmentForAWholePacket) {
  const Bytes atomic = {6, 0, 0, 0, 0, 0, 0, 1};
  const Parsed whole = Parse(kIpv6, Ipv6(44, atomic + kTcp));
  EXPECT_EQ(whole.record.flags, IPTRK_IPV6);
  EXPECT_EQ(whole.record.dport, 80);
  const Bytes first = {6, 0, 0, 1, 0, 0, 0, 1};
  const Parsed part = Parse(kIpv6, Ipv6(44, first + kTcp));
  EXPECT_EQ(part.record.flags, IPTRK_IPV6 | IPTRK_FRAGMENT);
  EXPECT_EQ(part.record.dport, 80);
}

TEST(Parse, AcceptsTheZeroLengthOfAJumbogram) {
  const Bytes jumbo = {6, 0, 0xc2, 4, 0, 1, 0x11, 0x70};
  Bytes packet = Ipv6(0, jumbo + kTcp);
  packet.resize(40 + 0x11170);
  packet[4] = packet[5] = 0;
  const Parsed parsed = Parse(kIpv6, packet, 128);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV6);
  EXPECT_EQ(parsed.record.dport, 80);
  EXPECT_EQ(parsed.payload, 40u + 8 + 20);
  Bytes big_tcp = Ipv6(6, kTcp);
  big_tcp[4] = big_tcp[5] = 0;
  EXPECT_EQ(Parse(kIpv6, big_tcp).record.dport, 80);
}

TEST(Parse, ReadsOnlyTheOuterHeadersOfATunnel) {
  const Bytes inner = Ipv4(6, kTcp);
  const Bytes gre = {0, 0, 0x08, 0};
  const Bytes vxlan = {0x9c, 0x40, 0x12, 0xb5, 0, 8, 0, 0, 8, 0, 0, 0};
  for (const auto& [protocol, payload] :
       {std::pair<std::uint8_t, Bytes>{47, gre + inner},
        {4, inner},
        {41, Ipv6(6, kTcp)},
        {50, inner}}) {
    for (const Parsed& parsed : {Parse(kIpv4, Ipv4(protocol, payload)),
                                 Parse(kIpv6, Ipv6(protocol, payload))}) {
      EXPECT_EQ(parsed.record.protocol, protocol);
      EXPECT_EQ(parsed.record.sport, 0);
      EXPECT_EQ(parsed.record.dport, 0);
      EXPECT_FALSE(parsed.record.flags & IPTRK_MALFORMED);
      EXPECT_EQ(parsed.payload, 0u);
    }
  }
  EXPECT_EQ(Parse(kIpv4, Ipv4(17, vxlan + inner)).record.dport, 4789);
}

TEST(Parse, RecordsLabelsAndSessionsAsNotIp) {
  // Of PPPoE the frames of ppp0 are the ones that carry addresses, and
  // nothing tells the two interfaces' packets to be the same.
  const Bytes label = {0, 1, 0x01, 64};
  const Bytes session = {0x11, 0, 0, 1, 0, 42, 0, 0x21};
  for (const auto& [type, header] :
       {std::pair<std::uint16_t, Bytes>{0x8847, label}, {0x8864, session}}) {
    const Parsed parsed = Parse(type, header + Ipv4(6, kTcp));
    EXPECT_EQ(parsed.record.ethertype, type);
    EXPECT_EQ(parsed.record.flags, 0);
    EXPECT_EQ(parsed.Src(), "::");
    EXPECT_EQ(parsed.record.l2_len, 14);
  }
}

TEST(Parse, ReadsTwoTagsAndNotAThird) {
  const Bytes tags = {0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x08, 0};
  const Parsed parsed = Parse(0x88a8, tags + Ipv4(6, kTcp));
  EXPECT_EQ(parsed.record.ethertype, kVlan);
  EXPECT_EQ(parsed.record.vlan, 1);
  EXPECT_EQ(parsed.record.l2_len, 22);
  EXPECT_EQ(parsed.record.flags, IPTRK_TAGGED);
}

TEST(Parse, KeepsTheTagThatHardwareTookOff) {
  const Bytes inner = {0, 20, 0x08, 0};
  iptrk_record record{};
  record.flags = IPTRK_TAGGED;
  record.vlan = 10;
  record.l2_len = 18;
  const Bytes bytes = inner + Ipv4(6, kTcp);
  const iptrk_frame frame{bytes.data(),
                          static_cast<std::uint32_t>(bytes.size()),
                          static_cast<std::uint32_t>(bytes.size()), kVlan};
  iptrk_parse(&frame, &record);
  EXPECT_EQ(record.vlan, 10);
  EXPECT_EQ(record.l2_len, 22);
  EXPECT_EQ(record.dport, 80);
}

TEST(Parse, TellsARuntFromACutOne) {
  for (const std::uint16_t type : {kIpv4, kIpv6, kVlan}) {
    EXPECT_EQ(Parse(type, Bytes{}).record.flags, IPTRK_MALFORMED);
    EXPECT_EQ(Parse(type, Bytes(60), 3).record.flags, IPTRK_TRUNCATED);
  }
}

TEST(Parse, BelievesNoVersionOtherThanTheEthertypes) {
  EXPECT_EQ(Parse(kIpv4, Ipv6(6, kTcp)).record.flags, IPTRK_MALFORMED);
  EXPECT_EQ(Parse(kIpv6, Ipv4(6, kTcp + kTcp)).record.flags, IPTRK_MALFORMED);
}

TEST(Parse, KeepsThePortsOfATcpHeaderThatLiesAboutItsLength) {
  Bytes tcp = kTcp;
  tcp[12] = 0x40;  // four words
  const Parsed shorter = Parse(kIpv4, Ipv4(6, tcp));
  EXPECT_EQ(shorter.record.flags, IPTRK_IPV4 | IPTRK_MALFORMED);
  EXPECT_EQ(shorter.record.dport, 80);
  EXPECT_EQ(shorter.record.tcp_flags, 0x12);
  EXPECT_EQ(shorter.payload, 0u);
  tcp[12] = 0xf0;  // beyond the packet
  const Parsed longer = Parse(kIpv4, Ipv4(6, tcp));
  EXPECT_EQ(longer.record.dport, 80);
  EXPECT_EQ(longer.payload, 0u);
}

TEST(Parse, TakesTheSizeOfUdpFromIpAlone) {
  for (const std::uint8_t length :
       {std::uint8_t{0}, std::uint8_t{7}, std::uint8_t{200}}) {
    Bytes udp = kUdp;
    udp[5] = length;
    const Parsed parsed = Parse(kIpv4, Ipv4(17, udp));
    EXPECT_EQ(parsed.record.flags, IPTRK_IPV4);
    EXPECT_EQ(parsed.record.sport, 53);
    EXPECT_EQ(parsed.payload, 28u);
  }
}

TEST(Parse, ReadsThePortsOfAllThatHaveThem) {
  for (const int number : {6, 17, 33, 132, 136}) {
    const auto protocol = static_cast<std::uint8_t>(number);
    const Parsed parsed = Parse(kIpv6, Ipv6(protocol, kTcp));
    EXPECT_EQ(parsed.record.sport, 40000) << number;
    EXPECT_EQ(parsed.record.dport, 80) << number;
  }
  const Parsed igmp = Parse(kIpv4, Ipv4(2, kTcp));
  EXPECT_EQ(igmp.record.dport, 0);
}

TEST(Parse, PutsTypeAndCodeOfIcmpWherePortsWouldBe) {
  const Bytes unreachable = {3, 1, 0, 0, 0, 0, 0, 0};
  const Parsed four = Parse(kIpv4, Ipv4(1, unreachable + Ipv4(6, kTcp)));
  EXPECT_EQ(four.record.sport, 3);
  EXPECT_EQ(four.record.dport, 1);
  EXPECT_EQ(four.Dst(), "10.1.0.80");
  const Parsed six = Parse(kIpv6, Ipv6(58, Bytes{128, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(six.record.sport, 128);
  EXPECT_EQ(six.payload, 48u);
}

TEST(Parse, KeepsThePortsOfACapturedStub) {
  const Parsed parsed = Parse(kIpv4, Ipv4(6, kTcp), 24);
  EXPECT_EQ(parsed.record.dport, 80);
  EXPECT_EQ(parsed.record.tcp_flags, 0);
  EXPECT_EQ(parsed.record.flags, IPTRK_IPV4 | IPTRK_TRUNCATED);
}

TEST(Parse, NamesALengthBehindATagAsWell) {
  const Parsed parsed = Parse(kVlan, Bytes{0, 7, 0, 38} + Bytes(38));
  EXPECT_EQ(parsed.record.ethertype, 4);
  EXPECT_EQ(parsed.record.l2_len, 18);
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
