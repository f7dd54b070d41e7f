// SPDX-License-Identifier: GPL-2.0-only
#include "lib/classify.h"

#include <gtest/gtest.h>

#include <cstring>

#include "lib/host_index.h"
#include "tests/unit/records.h"

namespace iptrk {
namespace {

Config TwoNetworks() {
  Config config;
  config.networks = {{"lan",
                      {Prefix::Parse("10.1.0.0/24").value(),
                       Prefix::Parse("2001:db8:1::/64").value()}},
                     {"servers", {Prefix::Parse("10.2.0.0/24").value()}}};
  return config;
}

class ClassifierTest : public testing::Test {
 protected:
  Verdict Of(const Packet& packet) { return OfRecord(Record(packet)); }
  Verdict OfRecord(const iptrk_record& record) {
    return classifier_.Classify(record, NetworkOf(record.src),
                                NetworkOf(record.dst));
  }
  int NetworkOf(const std::uint8_t* address) {
    return index_.FindNetwork(Address::FromBytes(address));
  }
  Direction DirectionOf(const char* src, const char* dst) {
    return Of({.src = src, .dst = dst}).direction;
  }
  Martian MartianOf(const char* src, const char* dst) {
    const Verdict verdict = Of({.src = src, .dst = dst});
    EXPECT_EQ(verdict.direction, Direction::kMartian) << src << " " << dst;
    return verdict.martian;
  }
  std::string ServiceOf(const Packet& packet) {
    return classifier_
        .ServiceNames()[static_cast<std::size_t>(Of(packet).service)];
  }

  Classifier classifier_{TwoNetworks()};
  HostIndex index_{TwoNetworks().networks};
};

TEST_F(ClassifierTest, TellsInOutAndInternal) {
  EXPECT_EQ(DirectionOf("44.1.2.3", "10.1.0.5"), Direction::kIn);
  EXPECT_EQ(DirectionOf("10.1.0.5", "44.1.2.3"), Direction::kOut);
  EXPECT_EQ(DirectionOf("10.1.0.5", "10.2.0.6"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("2001:db8:1::5", "2600::1"), Direction::kOut);
}

TEST_F(ClassifierTest, CountsOwnBroadcastMulticastAndLinkLocalAsInternal) {
  EXPECT_EQ(DirectionOf("10.1.0.5", "255.255.255.255"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("10.1.0.5", "224.0.0.251"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("0.0.0.0", "255.255.255.255"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("::", "ff02::1:ff00:5"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("fe80::1", "fe80::2"), Direction::kInternal);
  EXPECT_EQ(DirectionOf("fe80::1", "2001:db8:1::5"), Direction::kInternal);
}

TEST_F(ClassifierTest, NamesTheKindOfAMartian) {
  EXPECT_EQ(MartianOf("127.0.0.1", "10.1.0.5"), Martian::kBogon);
  EXPECT_EQ(MartianOf("240.1.2.3", "10.1.0.5"), Martian::kBogon);
  EXPECT_EQ(MartianOf("224.0.0.1", "10.1.0.5"), Martian::kBogon);
  EXPECT_EQ(MartianOf("44.1.2.3", "44.1.2.4"), Martian::kForeign);
  EXPECT_EQ(MartianOf("44.1.2.3", "224.0.0.5"), Martian::kForeign);
}

TEST_F(ClassifierTest, TellsSpoofedSourcesByTheSideTheyCameFrom) {
  Config config = TwoNetworks();
  config.queue.inside = {"lan*"};
  config.queue.outside = {"wan0"};
  Classifier classifier(config);
  std::vector<iptrk_interface> rows(3);
  std::strcpy(rows[0].name, "wan0");
  std::strcpy(rows[1].name, "lan1");
  std::strcpy(rows[2].name, "other");
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i].index = i;
  classifier.SetInterfaces(rows);
  const auto spoofed = [&](const char* src, const char* dst, std::uint16_t row,
                           std::uint16_t flags = 0) {
    iptrk_record record = Record({.src = src, .dst = dst, .flags = flags});
    record.interface = row;
    const Verdict verdict = classifier.Classify(record, NetworkOf(record.src),
                                                NetworkOf(record.dst));
    return verdict.direction == Direction::kMartian &&
           verdict.martian == Martian::kSpoofed;
  };
  EXPECT_TRUE(spoofed("10.1.0.5", "10.2.0.6", 0));  // ours, from outside
  EXPECT_TRUE(spoofed("10.1.0.5", "44.1.2.3", 0));
  EXPECT_TRUE(spoofed("44.1.2.3", "44.1.2.4", 1));  // foreign, from inside
  EXPECT_TRUE(spoofed("44.1.2.3", "10.1.0.5", 1));
  EXPECT_FALSE(spoofed("44.1.2.3", "10.1.0.5", 0));
  EXPECT_FALSE(spoofed("10.1.0.5", "44.1.2.3", 1));
  EXPECT_FALSE(spoofed("fe80::1", "ff02::1", 1));
  EXPECT_FALSE(spoofed("10.1.0.5", "44.1.2.3", 2));
  EXPECT_FALSE(spoofed("10.1.0.5", "44.1.2.3", 0, IPTRK_SENT));
}

TEST_F(ClassifierTest, LetsTheOwnHostsPortDecideTheService) {
  // Our mail server is asked from a client that happens to use port 53.
  EXPECT_EQ(
      ServiceOf(
          {.src = "44.1.2.3", .dst = "10.1.0.5", .sport = 53, .dport = 25}),
      "mail");
  EXPECT_EQ(
      ServiceOf(
          {.src = "10.1.0.5", .dst = "44.1.2.3", .sport = 25, .dport = 53}),
      "mail");
  EXPECT_EQ(
      ServiceOf(
          {.src = "10.1.0.5", .dst = "44.1.2.3", .sport = 40000, .dport = 443}),
      "web");
}

TEST_F(ClassifierTest, PutsTheRestByProtocol) {
  EXPECT_EQ(ServiceOf({.src = "10.1.0.5", .dst = "44.1.2.3", .dport = 9999}),
            "other-tcp");
  EXPECT_EQ(ServiceOf({.src = "10.1.0.5",
                       .dst = "44.1.2.3",
                       .protocol = IPPROTO_UDP,
                       .dport = 9999}),
            "other-udp");
  EXPECT_EQ(
      ServiceOf(
          {.src = "10.1.0.5", .dst = "44.1.2.3", .protocol = IPPROTO_GRE}),
      "other");
  EXPECT_EQ(ServiceOf({.src = "10.1.0.5",
                       .dst = "44.1.2.3",
                       .protocol = IPPROTO_ICMP,
                       .sport = 8,
                       .dport = 0}),
            "icmp");
}

TEST_F(ClassifierTest, TakesNoPortsFromALaterFragment) {
  EXPECT_EQ(ServiceOf({.src = "10.1.0.5",
                       .dst = "44.1.2.3",
                       .dport = 80,
                       .flags = IPTRK_FRAGMENT | IPTRK_FRAGMENT_LATER}),
            "other-tcp");
}

}  // namespace
}  // namespace iptrk
