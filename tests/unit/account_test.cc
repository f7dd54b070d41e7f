// SPDX-License-Identifier: GPL-2.0-only
#include "lib/account.h"

#include <gtest/gtest.h>

#include "tests/unit/records.h"

namespace iptrk {
namespace {

class AccountTest : public testing::Test {
 protected:
  static Config Lan() {
    Config config;
    config.networks = {{"lan", {Prefix::Parse("10.1.0.0/24").value()}},
                       {"servers", {Prefix::Parse("10.2.0.0/24").value()}}};
    return config;
  }
  void Take(const Packet& packet) { account_.Take(Record(packet)); }
  const Host& HostOf(const char* address) {
    const Host* found = nullptr;
    account_.hosts().ForEach([&](const Host& host) {
      if (host.address == Address::Parse(address)) found = &host;
    });
    static const Host none;
    if (found) return *found;
    ADD_FAILURE() << address << " is not known";
    return none;
  }
  Volume All(Direction direction) { return account_.all().Of(direction); }

  Account account_{Lan()};
};

TEST_F(AccountTest, SplitsAHostsVolumeByProtocol) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 100});
  Take({.src = "44.1.2.3",
        .dst = "10.1.0.5",
        .protocol = IPPROTO_UDP,
        .bytes = 200});
  Take({.src = "10.1.0.5",
        .dst = "44.1.2.3",
        .protocol = IPPROTO_ICMP,
        .bytes = 300});
  const Host& host = HostOf("10.1.0.5");
  EXPECT_EQ(host.Of(HostKind::kInTcp).bytes, 100u);
  EXPECT_EQ(host.Of(HostKind::kInUdp).bytes, 200u);
  EXPECT_EQ(host.Of(HostKind::kOutOther).bytes, 300u);
  EXPECT_EQ(host.In(), (Volume{300, 2}));
  EXPECT_EQ(host.Out(), (Volume{300, 1}));
}

TEST_F(AccountTest, GivesAnInternalPacketToBothHostsAndOnceToAll) {
  Take({.src = "10.1.0.5", .dst = "10.2.0.6", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").InternalOut(), (Volume{100, 1}));
  EXPECT_EQ(HostOf("10.2.0.6").InternalIn(), (Volume{100, 1}));
  EXPECT_EQ(All(Direction::kInternal), (Volume{100, 1}));
  for (const NetworkVolume& network : account_.networks())
    EXPECT_EQ(network.Total(), (Volume{100, 1}));
}

TEST_F(AccountTest, CountsLinkLocalAndMulticastOfAHostAsInternal) {
  Take({.src = "10.1.0.5", .dst = "224.0.0.251", .bytes = 100});
  Take({.src = "10.1.0.5", .dst = "169.254.1.1", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").InternalOut(), (Volume{200, 2}));
  EXPECT_EQ(HostOf("10.1.0.5").Out(), Volume{});
}

TEST_F(AccountTest, CountsAHostThatTalksToItselfOnBothSides) {
  Take({.src = "10.1.0.5", .dst = "10.1.0.5", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").InternalIn(), (Volume{100, 1}));
  EXPECT_EQ(HostOf("10.1.0.5").InternalOut(), (Volume{100, 1}));
}

TEST_F(AccountTest, CountsAFloodFromBogonSourcesForItsVictim) {
  Take({.src = "127.0.0.1", .dst = "10.1.0.5", .bytes = 60});
  EXPECT_EQ(HostOf("10.1.0.5").In(), (Volume{60, 1}));
  EXPECT_EQ(All(Direction::kMartian), (Volume{60, 1}));
}

TEST_F(AccountTest, PutsEveryPacketInExactlyOneDirection) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 1});
  Take({.src = "10.1.0.5", .dst = "44.1.2.3", .bytes = 2});
  Take({.src = "10.1.0.5", .dst = "10.1.0.6", .bytes = 4});
  Take({.src = "44.1.2.3", .dst = "44.1.2.4", .bytes = 8});
  iptrk_record rest = Record({.src = "0.0.0.0", .dst = "0.0.0.0"});
  rest.flags = IPTRK_MERGED | IPTRK_UNATTRIBUTED;
  rest.bytes = 16;
  account_.Take(rest);
  EXPECT_EQ(account_.all().Total(), (Volume{31, 5}));
  EXPECT_EQ(account_.all().unattributed, (Volume{16, 1}));
}

TEST_F(AccountTest, CountsFramesThatAreNotIpAsMartian) {
  iptrk_record arp{};
  arp.ethertype = 0x0806;
  arp.bytes = 60;
  arp.packets = 1;
  account_.Take(arp);
  EXPECT_EQ(account_.Of(Martian::kNonIp), (Volume{60, 1}));
  EXPECT_EQ(All(Direction::kMartian), (Volume{60, 1}));
  EXPECT_EQ(account_.all().Of(Split::kOther), Volume{});
}

TEST_F(AccountTest, CountsMergedPacketsAsManyAsTheyStandFor) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 6000, .packets = 100});
  EXPECT_EQ(HostOf("10.1.0.5").In(), (Volume{6000, 100}));
}

TEST_F(AccountTest, KeepsKnownHostsWhenASlotIsClearedAndForgetsThemLater) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5"});
  account_.ClearHosts(1 * kSecond);
  Take({.src = "44.1.2.3", .dst = "10.1.0.6"});
  account_.ClearHosts(9 * kSecond);
  EXPECT_EQ(HostOf("10.1.0.5").In(), Volume{});
  account_.Forget(5 * kSecond, [](Host&) {});
  EXPECT_EQ(account_.hosts().size(), 1u);
  Take({.src = "44.1.2.3", .dst = "10.1.0.6"});
  EXPECT_EQ(HostOf("10.1.0.6").In().packets, 1u);
  Take({.src = "44.1.2.3", .dst = "10.1.0.7"});
  EXPECT_EQ(HostOf("10.1.0.7").In().packets, 1u);
}

TEST_F(AccountTest, KeepsThousandsOfHostsApart) {
  Config wide;
  wide.networks = {{"wide",
                    {Prefix::Parse("10.0.0.0/8").value(),
                     Prefix::Parse("2001:db8::/32").value()}}};
  Account account(wide);
  for (std::uint32_t i = 0; i < 50000; ++i) {
    for (const char* first : {"10.0.0.0", "2001:db8::"}) {
      iptrk_record record = Record(
          {.src = first[2] == '.' ? "44.1.2.3" : "2001::1", .dst = first});
      record.dst[13] = static_cast<std::uint8_t>(i >> 16);
      record.dst[14] = static_cast<std::uint8_t>(i >> 8);
      record.dst[15] = static_cast<std::uint8_t>(i);
      record.bytes = i + 1;
      account.Take(record);
    }
  }
  ASSERT_EQ(account.hosts().size(), 100000u);
  account.hosts().ForEach([](const Host& host) {
    ASSERT_EQ(host.In().bytes, (host.address.low & 0xffffff) + 1);
  });
}

TEST_F(AccountTest, TellsOwnFromOthersInEveryCornerOfAPrefix) {
  Config config;
  config.networks = {{"odd",
                      {Prefix::Parse("10.1.0.128/25").value(),
                       Prefix::Parse("192.0.2.7/32").value(),
                       Prefix::Parse("172.16.0.0/12").value(),
                       Prefix::Parse("2001:db8:0:8::/61").value()}}};
  Account account(config);
  const auto hosts = [&](const char* address) {
    const std::size_t before = account.hosts().size();
    account.Take(
        Record({.src = std::string(address).find(':') != std::string::npos
                           ? "2001::1"
                           : "44.1.2.3",
                .dst = address}));
    return account.hosts().size() - before;
  };
  for (const char* ours :
       {"10.1.0.128", "10.1.0.255", "192.0.2.7", "172.16.0.0", "172.31.255.255",
        "2001:db8:0:8::", "2001:db8:0:f:ffff::ffff"})
    EXPECT_EQ(hosts(ours), 1u) << ours;
  for (const char* others :
       {"10.1.0.127", "10.1.1.0", "192.0.2.6", "192.0.2.8", "172.15.255.255",
        "172.32.0.0", "2001:db8:0:7:ffff::", "2001:db8:0:10::"})
    EXPECT_EQ(hosts(others), 0u) << others;
}

TEST_F(AccountTest, RollsIpv6HostsUpToTheNetworksPrefixLength) {
  Config config;
  config.networks = {
      {"v6", {Prefix::Parse("2001:db8::/32").value()}, /*ipv6_prefix=*/64}};
  Account account(config);
  account.Take(Record({.src = "2001::1", .dst = "2001:db8:0:1::1"}));
  account.Take(Record({.src = "2001::1", .dst = "2001:db8:0:1::2"}));
  account.Take(Record({.src = "2001::1", .dst = "2001:db8:0:2::1"}));
  EXPECT_EQ(account.hosts().size(), 2u);
  account.hosts().ForEach([](const Host& host) {
    EXPECT_EQ(host.address.low, 0u);
    EXPECT_EQ(host.In().packets,
              host.address.high & 0xff ? 3u - (host.address.high & 3) : 0u);
  });
}

TEST_F(AccountTest, GoesOnWithOtherNetworksAndKeepsWhatItCounted) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 100});
  Take({.src = "44.1.2.3", .dst = "10.2.0.6", .bytes = 200});
  account_.hosts().ForEach([](Host& host) { host.announced = true; });
  Config config;
  config.networks = {{"all", {Prefix::Parse("10.0.0.0/15").value()}}};
  config.customers = {{"five", {Prefix::Parse("10.1.0.5/32").value()}}};
  std::vector<std::string> gone;
  account_.Reconfigure(config, [&](const Host& host) {
    gone.push_back(host.address.ToString());
  });
  EXPECT_EQ(gone, std::vector<std::string>{"10.2.0.6"});
  EXPECT_EQ(HostOf("10.1.0.5").In().bytes, 100u);
  EXPECT_EQ(HostOf("10.1.0.5").customer, 0);
  EXPECT_FALSE(HostOf("10.1.0.5").announced) << "it has RRDs of a new name";
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 1});
  EXPECT_EQ(HostOf("10.1.0.5").In().bytes, 101u);
}

TEST(PeerSketch, EstimatesWithinItsStatedError) {
  for (const int distinct : {1, 10, 100, 1000, 100000}) {
    PeerSketch sketch;
    for (int i = 0; i < distinct; ++i)
      for (int again = 0; again < 2; ++again)
        sketch.Add(
            Address::FromIpv4(0x2c000000u + static_cast<std::uint32_t>(i)));
    // Three standard errors of 13 %, and one peer of rounding.
    EXPECT_NEAR(sketch.Count(), distinct, 0.39 * distinct + 1);
  }
}

TEST(AccountOfNestedNetworks, HasTheWiderOneWhereverItIsNamed) {
  for (const bool wide_first : {false, true}) {
    Config config;
    config.networks = {{"dmz", {Prefix::Parse("10.1.5.0/24").value()}},
                       {"lan", {Prefix::Parse("10.1.0.0/16").value()}}};
    if (wide_first) std::swap(config.networks[0], config.networks[1]);
    Account account(config);
    account.Take(Record({.src = "44.1.2.3", .dst = "10.1.9.7"}));
    account.Take(Record({.src = "44.1.2.3", .dst = "10.1.5.7"}));
    EXPECT_EQ(account.all().Of(Direction::kIn), (Volume{200, 2})) << wide_first;
    for (const Volume& volume : account.martian())
      EXPECT_EQ(volume, Volume{}) << wide_first;
  }
}

// One IPv6 packet with an IPv4 host's address in it would have made a second
// host of that address.
TEST_F(AccountTest, TakesAMappedAddressInIpv6ForABogon) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5"});
  Packet odd{.src = "2001:db8::1", .dst = "10.1.0.5"};
  iptrk_record record = Record(odd);
  account_.Take(record);
  Take({.src = "44.1.2.3", .dst = "10.1.0.5"});
  EXPECT_EQ(HostOf("10.1.0.5").In(), (Volume{200, 2}));
  EXPECT_EQ(account_.hosts().size(), 1u);
  EXPECT_EQ(account_.martian()[static_cast<std::size_t>(Martian::kBogon)],
            (Volume{100, 1}));
}

}  // namespace
}  // namespace iptrk
