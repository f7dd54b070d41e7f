// SPDX-License-Identifier: GPL-2.0-only
#include "lib/host_block.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lib/ledger_sum.h"

namespace iptrk {
namespace {

HostEntry RandomHost(Address address, std::mt19937_64& random) {
  HostEntry host{address, {}};
  for (std::uint64_t& bytes : host.volume.bytes)
    if (random() % 2) bytes = random() >> random() % 64;
  for (std::uint64_t& packets : host.volume.packets)
    if (random() % 2) packets = random() >> random() % 64;
  return host;
}

void ExpectSame(const std::vector<HostEntry>& a,
                const std::vector<HostEntry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].address, b[i].address);
    EXPECT_EQ(a[i].volume.bytes, b[i].volume.bytes);
    EXPECT_EQ(a[i].volume.packets, b[i].volume.packets);
  }
}

TEST(HostBlock, GivesBackEveryCounterOfEveryHost) {
  std::mt19937_64 random(1);
  for (const char* text : {"10.1.2.0", "255.255.255.0", "0.0.0.0",
                           "2001:db8::", "ffff:ffff:ffff:ffff::", "::"}) {
    const Address first = *Address::Parse(text);
    for (const int count : {0, 1, 2, 100}) {
      std::vector<HostEntry> hosts;
      for (int i = 0; i < count; ++i) {
        Address address = first;
        address.low |= first.IsIpv4() ? random() & 0xff : random();
        hosts.push_back(RandomHost(address, random));
      }
      SortHosts(hosts);
      const auto decoded = DecodeHosts(BlockKey(first), EncodeHosts(hosts));
      ASSERT_TRUE(decoded.has_value()) << text;
      ExpectSame(*decoded, hosts);
    }
  }
}

TEST(HostBlock, KeepsTheGreatestCounts) {
  HostEntry host{*Address::Parse("10.1.2.255"), {}};
  host.volume.bytes.fill(std::numeric_limits<std::uint64_t>::max());
  const std::vector hosts{host};
  const auto decoded = DecodeHosts(BlockKey(host.address), EncodeHosts(hosts));
  ASSERT_TRUE(decoded.has_value());
  ExpectSame(*decoded, hosts);
}

TEST(HostBlock, IsASlash24OrASlash64) {
  EXPECT_EQ(BlockPrefix(BlockKey(*Address::Parse("10.1.2.3")))->ToString(),
            "10.1.2.0/24");
  EXPECT_EQ(
      BlockPrefix(BlockKey(*Address::Parse("2001:db8:0:7::1")))->ToString(),
      "2001:db8:0:7::/64");
  EXPECT_FALSE(BlockPrefix("four").has_value());
}

TEST(HostBlock, TakesNoDamageForHosts) {
  std::mt19937_64 random(2);
  std::vector<HostEntry> hosts;
  for (std::uint32_t i = 0; i < 50; ++i)
    hosts.push_back(RandomHost(Address::FromIpv4(0x0a010200u + i), random));
  const std::string key = BlockKey(hosts[0].address);
  const std::string value = EncodeHosts(hosts);

  for (std::size_t length = 0; length < value.size(); ++length)
    EXPECT_FALSE(DecodeHosts(key, value.substr(0, length)).has_value());
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = value;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    // zlib's check sum sees it; some bits of its header mean nothing.
    if (const auto decoded = DecodeHosts(key, damaged))
      ExpectSame(*decoded, hosts);
  }
}

}  // namespace
}  // namespace iptrk
