// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/space_saving.h"
#include "tests/unit/records.h"

namespace iptrk {
namespace {

// A day in seconds; what happened in each is returned.
class DetectorTest : public testing::Test {
 protected:
  static Config Lan() {
    Config config;
    config.networks = {{"lan", {Prefix::Parse("10.1.0.0/24").value()}}};
    config.detect[IncidentKind::kPackets].limit = 1000;
    return config;
  }
  void Send(const Packet& packet, std::uint32_t times) {
    iptrk_record record = Record(packet);
    record.time_ns = now_;
    for (std::uint32_t i = 0; i < times; ++i) account_.Take(record);
  }
  std::vector<Incident> EndSecond() {
    now_ += kSecond;
    return detector_.EndSecond(now_);
  }
  // `seconds` of `rate` packets/s to 10.1.0.216; the changes meanwhile.
  std::vector<Incident> Flood(int seconds, std::uint32_t rate) {
    std::vector<Incident> changes;
    for (int i = 0; i < seconds; ++i) {
      Send({.src = "44.1.2.66", .dst = "10.1.0.216", .dport = 443}, rate);
      for (Incident& change : EndSecond()) changes.push_back(std::move(change));
    }
    return changes;
  }

  Config config_ = Lan();
  Account account_{config_};
  Detector detector_{config_, account_};
  std::uint64_t now_ = 1795000000 * kSecond;
};

TEST_F(DetectorTest, OpensWithinThreeSecondsOfAFlood) {
  const auto changes = Flood(3, 20000);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].open);
  EXPECT_EQ(changes[0].subject, "10.1.0.216");
  EXPECT_EQ(changes[0].direction, "in");
  EXPECT_EQ(changes[0].network, "lan");
  EXPECT_EQ(changes[0].limit, 1000);
  EXPECT_GT(changes[0].value, 1000);
  EXPECT_EQ(changes[0].peak, 20000);
}

TEST_F(DetectorTest, NamesTheTopPeerAndPort) {
  const auto changes = Flood(4, 5000);
  ASSERT_EQ(changes.size(), 1u);
  ASSERT_EQ(changes[0].peers.size(), 1u);
  EXPECT_EQ(changes[0].peers[0].address, "44.1.2.66");
  EXPECT_DOUBLE_EQ(changes[0].peers[0].share, 1);
  ASSERT_EQ(changes[0].ports.size(), 1u);
  EXPECT_EQ(changes[0].ports[0].port, 443);
}

TEST_F(DetectorTest, StaysQuietBelowTheLimit) {
  EXPECT_TRUE(Flood(120, 990).empty());
}

TEST_F(DetectorTest, StaysQuietInABurstOfASecond) {
  EXPECT_TRUE(Flood(1, 5000).empty());
  EXPECT_TRUE(Flood(60, 10).empty());
}

TEST_F(DetectorTest, ClearsOnceAfterAMinuteOfCalm) {
  Flood(10, 5000);
  EXPECT_TRUE(Flood(59, 0).empty());
  const auto changes = Flood(20, 0);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_FALSE(changes[0].open);
  EXPECT_EQ(changes[0].packets, 50000u);
  EXPECT_GT(changes[0].end_ns, changes[0].start_ns);
  EXPECT_TRUE(Flood(100, 0).empty());
}

TEST_F(DetectorTest, DoesNotClearWhileTheFloodComesBack) {
  Flood(10, 5000);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Flood(40, 0).empty());
    EXPECT_TRUE(Flood(5, 5000).empty());
  }
}

TEST_F(DetectorTest, SaysWhichOwnHostSendsTheFlood) {
  std::vector<Incident> changes;
  for (int i = 0; i < 5; ++i) {
    Send({.src = "10.1.0.80", .dst = "44.1.2.10"}, 5000);
    for (Incident& change : EndSecond()) changes.push_back(std::move(change));
  }
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].subject, "10.1.0.80");
  EXPECT_EQ(changes[0].direction, "out");
}

TEST_F(DetectorTest, ClaimsNoTopPeerInAFloodOfRandomSources) {
  std::vector<Incident> changes;
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 5000; ++i)
      Send({.src = "44." + std::to_string(second) + "." +
                   std::to_string(i / 250) + "." + std::to_string(i % 250),
            .dst = "10.1.0.216"},
           1);
    for (Incident& change : EndSecond()) changes.push_back(std::move(change));
  }
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].peers.empty());
  EXPECT_GT(changes[0].distinct_peers, 2000);
}

// 250 senders in each of four /24, of which none is above 1 %.
class PrivateDetectorTest : public DetectorTest {
 protected:
  Incident FloodUnder(PeerPrivacy privacy) {
    config_.privacy.peers = privacy;
    detector_.Reconfigure(config_);
    std::vector<Incident> changes;
    for (int second = 0; second < 5; ++second) {
      for (int i = 0; i < 5000; ++i)
        Send({.src = "44.1." + std::to_string(i % 4) + "." +
                     std::to_string(i / 4 % 250),
              .dst = "10.1.0.216"},
             1);
      for (Incident& change : EndSecond()) changes.push_back(std::move(change));
    }
    EXPECT_EQ(changes.size(), 1u);
    return changes.empty() ? Incident() : changes[0];
  }
};

TEST_F(PrivateDetectorTest, NamesPrefixesOfPeersWithTheirWholeShare) {
  const Incident incident = FloodUnder(PeerPrivacy::kPrefix);
  ASSERT_EQ(incident.peers.size(), 4u);
  for (const PeerShare& peer : incident.peers) {
    EXPECT_THAT(peer.address, testing::MatchesRegex("44\\.1\\.[0-3]\\.0/24"));
    EXPECT_NEAR(peer.share, 0.25, 0.01);
  }
  EXPECT_GT(incident.distinct_peers, 500);
}

TEST_F(PrivateDetectorTest, NamesNoPeerWhereNoneMayBeKept) {
  const Incident incident = FloodUnder(PeerPrivacy::kNone);
  EXPECT_TRUE(incident.peers.empty());
  EXPECT_GT(incident.distinct_peers, 500);
  EXPECT_EQ(incident.Fields().at("peers"), "[]");
  EXPECT_THAT(incident.Message(), testing::EndsWith(" peers"));
  EXPECT_THAT(incident.Message(), testing::Not(testing::HasSubstr("44.1")));
}

TEST_F(DetectorTest, SaysEverythingInOneLineOfANotification) {
  const auto changes = Flood(4, 31250);
  ASSERT_EQ(changes.size(), 1u);
  const std::string message = changes[0].Message();
  EXPECT_LE(message.size(), 255u);
  for (const char* part :
       {"10.1.0.216", "packets/s", "limit 1,000", "44.1.2.66", "since 20"})
    EXPECT_THAT(message, testing::HasSubstr(part));
}

TEST(SpaceSaving, KeepsEveryKeyAboveItsShare) {
  SpaceSaving<int, 8> top;
  for (int i = 0; i < 10000; ++i) {
    top.Add(1000 + i, 1);
    if (i % 3 == 0) top.Add(7, 1);
  }
  const auto best = top.Top(1);
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0].key, 7);
  EXPECT_GE(best[0].count, 3334u);
  EXPECT_LE(best[0].Certain(), 3334u);
}

}  // namespace
}  // namespace iptrk
