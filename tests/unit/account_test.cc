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
  void Take(const Packet& packet) { TakeRecord(Record(packet)); }
  void TakeRecord(const iptrk_record& record) {
    account_.Take(record, classifier_.Classify(record));
  }
  const Host& HostOf(const char* address) {
    for (const Host& host : account_.hosts().hosts())
      if (host.address == Address::Parse(address)) return host;
    ADD_FAILURE() << address << " is not known";
    static const Host none;
    return none;
  }
  Volume All(Direction direction) {
    return account_.all().direction[static_cast<std::size_t>(direction)];
  }

  Classifier classifier_{Lan()};
  Account account_{classifier_, 2};
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
  EXPECT_EQ(host.in[0], (Volume{100, 1}));
  EXPECT_EQ(host.in[1], (Volume{200, 1}));
  EXPECT_EQ(host.out[2], (Volume{300, 1}));
}

TEST_F(AccountTest, GivesAnInternalPacketToBothHostsAndOnceToAll) {
  Take({.src = "10.1.0.5", .dst = "10.2.0.6", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").internal_out, (Volume{100, 1}));
  EXPECT_EQ(HostOf("10.2.0.6").internal_in, (Volume{100, 1}));
  EXPECT_EQ(All(Direction::kInternal), (Volume{100, 1}));
  for (const NetworkVolume& network : account_.networks())
    EXPECT_EQ(network.Total(), (Volume{100, 1}));
}

TEST_F(AccountTest, CountsLinkLocalAndMulticastOfAHostAsInternal) {
  Take({.src = "10.1.0.5", .dst = "224.0.0.251", .bytes = 100});
  Take({.src = "10.1.0.5", .dst = "169.254.1.1", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").internal_out, (Volume{200, 2}));
  EXPECT_EQ(HostOf("10.1.0.5").Out(), Volume{});
}

TEST_F(AccountTest, CountsAHostThatTalksToItselfOnBothSides) {
  Take({.src = "10.1.0.5", .dst = "10.1.0.5", .bytes = 100});
  EXPECT_EQ(HostOf("10.1.0.5").internal_in, (Volume{100, 1}));
  EXPECT_EQ(HostOf("10.1.0.5").internal_out, (Volume{100, 1}));
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
  TakeRecord(rest);
  EXPECT_EQ(account_.all().Total(), (Volume{31, 5}));
  EXPECT_EQ(account_.all().unattributed, (Volume{16, 1}));
}

TEST_F(AccountTest, CountsMergedPacketsAsManyAsTheyStandFor) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .bytes = 6000, .packets = 100});
  EXPECT_EQ(HostOf("10.1.0.5").In(), (Volume{6000, 100}));
}

TEST_F(AccountTest, KeepsKnownHostsWhenASlotIsClearedAndForgetsThemLater) {
  Take({.src = "44.1.2.3", .dst = "10.1.0.5", .time_ns = 1 * kSecond});
  Take({.src = "44.1.2.3", .dst = "10.1.0.6", .time_ns = 9 * kSecond});
  account_.ClearHosts();
  EXPECT_EQ(HostOf("10.1.0.5").In(), Volume{});
  account_.Forget(5 * kSecond);
  EXPECT_EQ(account_.hosts().hosts().size(), 1u);
  Take({.src = "44.1.2.3", .dst = "10.1.0.6", .time_ns = 9 * kSecond});
  EXPECT_EQ(HostOf("10.1.0.6").In().packets, 1u);
}

TEST_F(AccountTest, KeepsThousandsOfHostsApart) {
  Config wide;
  wide.networks = {{"wide", {Prefix::Parse("10.0.0.0/8").value()}}};
  const Classifier classifier(wide);
  Account account(classifier, 1);
  for (std::uint32_t i = 0; i < 50000; ++i) {
    iptrk_record record = Record({.src = "44.1.2.3", .dst = "10.0.0.0"});
    record.dst[13] = static_cast<std::uint8_t>(i >> 16);
    record.dst[14] = static_cast<std::uint8_t>(i >> 8);
    record.dst[15] = static_cast<std::uint8_t>(i);
    record.bytes = i + 1;
    account.Take(record, classifier.Classify(record));
  }
  ASSERT_EQ(account.hosts().hosts().size(), 50000u);
  for (const Host& host : account.hosts().hosts())
    ASSERT_EQ(host.In().bytes, (host.address.Ipv4() & 0xffffff) + 1);
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

}  // namespace
}  // namespace iptrk
