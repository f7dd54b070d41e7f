// SPDX-License-Identifier: GPL-2.0-only
#include "lib/address.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "lib/naming.h"
#include "lib/prefix_map.h"

namespace iptrk {
namespace {

TEST(Address, ReadsAndWritesBothFamilies) {
  for (const char* text : {"10.1.0.80", "0.0.0.0", "255.255.255.255",
                           "::", "::1", "2001:db8::1", "fe80::1:2:3"})
    EXPECT_EQ(Address::Parse(text).value().ToString(), text);
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text :
       {"", "10.1.0", "10.1.0.256", "host", "10.1.0.1 ", "1::2::3"})
    EXPECT_FALSE(Address::Parse(text)) << text;
}

TEST(Prefix, RefusesHostBitsAndLengthsOutOfRange) {
  for (const char* text : {"10.1.0.1/24", "10.1.0.0/33", "10.1.0.0/", "/24",
                           "2001:db8::1/64", "::/129", "10.0.0.0/-1"})
    EXPECT_FALSE(Prefix::Parse(text)) << text;
}

TEST(Prefix, KnowsItsFirstAndLastAddress) {
  const Prefix prefix = Prefix::Parse("10.1.0.0/23").value();
  EXPECT_EQ(prefix.Last().ToString(), "10.1.1.255");
  EXPECT_TRUE(prefix.Contains(Address::Parse("10.1.1.255").value()));
  EXPECT_FALSE(prefix.Contains(Address::Parse("10.1.2.0").value()));
  EXPECT_EQ(prefix.ToString(), "10.1.0.0/23");
}

TEST(AddressInstance, IsASafeFileNameThatReadsBack) {
  const Address v6 = Address::Parse("2001:db8::1").value();
  EXPECT_EQ(AddressInstance(v6), "2001_db8__1");
  EXPECT_EQ(AddressOfInstance("2001_db8__1"), v6);
  EXPECT_EQ(AddressOfInstance("10.1.0.80")->ToString(), "10.1.0.80");
}

PrefixMap<int> Map(const std::vector<const char*>& prefixes) {
  std::vector<PrefixMap<int>::Entry> entries;
  for (std::size_t i = 0; i < prefixes.size(); ++i)
    entries.push_back(
        {Prefix::Parse(prefixes[i]).value(), static_cast<int>(i)});
  return {entries, -1};
}

int Find(const PrefixMap<int>& map, const char* address) {
  return map.Find(Address::Parse(address).value());
}

TEST(PrefixMap, FindsTheLongestPrefix) {
  const auto map = Map({"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"});
  EXPECT_EQ(Find(map, "10.2.0.1"), 0);
  EXPECT_EQ(Find(map, "10.1.0.1"), 1);
  EXPECT_EQ(Find(map, "10.1.2.255"), 2);
  EXPECT_EQ(Find(map, "10.1.3.0"), 1);
  EXPECT_EQ(Find(map, "11.0.0.0"), -1);
  EXPECT_EQ(Find(map, "9.255.255.255"), -1);
}

TEST(PrefixMap, KeepsTheFamiliesApart) {
  const auto map = Map({"0.0.0.0/0", "2001:db8::/32"});
  EXPECT_EQ(Find(map, "255.255.255.255"), 0);
  EXPECT_EQ(Find(map, "2001:db8::1"), 1);
  EXPECT_EQ(Find(map, "::1"), -1);
}

TEST(PrefixMap, HoldsAtTheLastAddressOfAll) {
  const auto map = Map({"::/0", "ffff::/16"});
  EXPECT_EQ(Find(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1);
  EXPECT_EQ(Find(map, "fffe::1"), 0);
}

TEST(PrefixMap, AgreesWithASearchOfAllPrefixes) {
  std::mt19937 random(1);
  std::vector<PrefixMap<int>::Entry> entries;
  for (int i = 0; i < 300; ++i) {
    const int length = 96 + 8 + static_cast<int>(random() % 25);
    entries.push_back({Prefix::Of(Address::FromIpv4(static_cast<std::uint32_t>(
                                      0x0a000000 + random() % 0x40000)),
                                  length),
                       i});
  }
  // Of equal prefixes the last one holds.
  std::map<Prefix, int> last;
  for (const auto& entry : entries) last[entry.prefix] = entry.value;
  const PrefixMap<int> map(entries, -1);
  for (int i = 0; i < 20000; ++i) {
    const Address address = Address::FromIpv4(
        static_cast<std::uint32_t>(0x0a000000 + random() % 0x50000));
    int expected = -1, longest = -1;
    for (const auto& [prefix, value] : last)
      if (prefix.length > longest && prefix.Contains(address)) {
        longest = prefix.length;
        expected = value;
      }
    ASSERT_EQ(map.Find(address), expected) << address.ToString();
  }
}

}  // namespace
}  // namespace iptrk
