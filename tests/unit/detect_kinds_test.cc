// SPDX-License-Identifier: GPL-2.0-only
// What each kind of incident needs beside a capture: tests/detection has those.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "lib/detect_traffic.h"
#include "tests/unit/detect_fixture.h"

namespace iptrk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DetectKindsTest : public DetectFixture {};

TEST_F(DetectKindsTest, TellOfAMillionSpoofedSourcesOnceInBoundedMemory) {
  const std::size_t before = mallinfo2().uordblks;
  for (std::uint32_t second = 0; second < 10; ++second) {
    for (std::uint32_t i = 0; i < 100000; ++i) {
      iptrk_record record = Record({.src = "44.0.0.1",
                                    .dst = "10.1.0.80",
                                    .time_ns = now_,
                                    .tcp_flags = kTcpSyn});
      Address::FromIpv4(0x2c000000 + (second * 100000 + i) * 7)
          .ToBytes(record.src);
      account_->Take(record);
    }
    EndSecond();
  }
  EXPECT_LT(mallinfo2().uordblks - before, std::size_t{64} << 20);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].kind, "syn-flood");
  EXPECT_EQ(told_[0].customer, "acme");
  EXPECT_THAT(told_[0].peers, IsEmpty());
  const auto open = detector_->Open();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_GT(open[0].distinct_peers, 100000);
  EXPECT_NEAR(static_cast<double>(open[0].packets), 1e6, 1000);
}

TEST_F(DetectKindsTest, HaveALimitThatRisesWithWhatIsUsual) {
  Send(Flood(25000), 5);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
  Begin(config_);
  Send(Flood(4900), 700);
  Send(Flood(24000), 10);
  EXPECT_THAT(Told(), IsEmpty());
  Send(Flood(60000), 5);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NEAR(told_[0].baseline, 5100, 200);
  EXPECT_NEAR(told_[0].limit, 5 * told_[0].baseline, 1);
  EXPECT_THAT(told_[0].rule, HasSubstr("5 times what is usual"));
  EXPECT_THAT(told_[0].Message(), HasSubstr("usually 5,"));
}

TEST_F(DetectKindsTest, FreezeWhatIsUsualWhileTheyLast) {
  Send(Flood(4900), 700);
  Send(Flood(60000), 600);
  Send(Flood(4900), 200);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80",
                                  "cleared packets in 10.1.0.80"));
  Send(Flood(60000), 5);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_LT(told_[0].baseline, 5500);
}

TEST_F(DetectKindsTest, KnowWhatIsUsualAfterARestart) {
  Send(Flood(4900), 700);
  const std::string saved = detector_->SaveBaselines();
  Begin(config_);
  EXPECT_FALSE(detector_->RestoreBaselines("not what was saved"));
  EXPECT_TRUE(detector_->RestoreBaselines(saved));
  Send(Flood(24000), 10);
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(detector_->SaveBaselines().size(), saved.size());
}

TEST_F(DetectKindsTest, AreFoundThoughMuchWasFoundHarmlessBefore) {
  // A speed test, of a connection that the host answers.
  Packet down = Flood(800);
  down.protocol = IPPROTO_TCP;
  down.tcp_flags = kTcpAck;
  down.bytes = down.packets * 1500;
  Packet up = down;
  std::swap(up.src, up.dst);
  std::swap(up.sport, up.dport);
  up.packets = 400;
  up.bytes = up.packets * 66;
  const auto test = [&] {
    for (int i = 0; i < 20; ++i) {
      for (int part = 0; part < 100; ++part) {
        Send(up);
        Send(down);
      }
      EndSecond();
    }
    ASSERT_THAT(Told(), IsEmpty());
  };
  test();
  // Less than that, but of another protocol: at once.
  Packet udp = Flood(15000);
  udp.protocol = IPPROTO_UDP;
  Send(udp, 4);
  EXPECT_THAT(Told(), ElementsAre("udp-flood in 10.1.0.80"));
  // Of the same kind: when some time has passed.
  Begin(config_);
  test();
  for (int i = 0; i < 300; ++i) EndSecond();
  Send(Flood(25000), 4);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
}

TEST_F(DetectKindsTest, AreNoneOfTheFastestDownload) {
  Packet down = Flood(10000);
  down.protocol = IPPROTO_TCP;
  down.tcp_flags = kTcpAck;
  Packet up = down;
  std::swap(up.src, up.dst);
  std::swap(up.sport, up.dport);
  for (int second = 0; second < 10; ++second) {
    for (int part = 0; part < 100; ++part) {
      Send(up);
      Send(down);
    }
    EndSecond();
  }
  for (int second = 0; second < 20; ++second) EndSecond();
  EXPECT_THAT(Told(), IsEmpty());
  // Nor of one that is over before anybody looks at it.
  Begin(config_);
  for (int part = 0; part < 100; ++part) {
    Send(up);
    Send(down);
  }
  for (int second = 0; second < 20; ++second) EndSecond();
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(DetectKindsTest, HaveLimitsOfANetworkACustomerAndAHost) {
  config_.networks[0].detect = {{IncidentKind::kPackets, {}, 1000.0}};
  Begin(config_);
  Send(Flood(3000), 8);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
  config_.customers[0].detect = {{IncidentKind::kPackets, {}, 4000.0}};
  Begin(config_);
  Send(Flood(3000), 8);
  EXPECT_THAT(Told(), IsEmpty());
  config_.detect[IncidentKind::kPackets].hosts = {
      {Prefix::Parse("10.1.0.80").value(), 2000}};
  Begin(config_);
  Send(Flood(3000), 8);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
  config_.detect[IncidentKind::kPackets].hosts.clear();
  config_.customers[0].detect = {{IncidentKind::kPackets, false, {}}};
  Begin(config_);
  Send(Flood(4900), 8);
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(DetectKindsTest, LeaveOutWhoIsAllowed) {
  for (const char* allowed : {"44.1.0.0/16", "10.1.0.80"}) {
    config_ = Lan();
    for (const IncidentKind kind :
         {IncidentKind::kPackets, IncidentKind::kHammering})
      config_.detect[kind].allow = {Prefix::Parse(allowed).value()};
    Begin(config_);
    Send(Flood(50000), 10);
    EXPECT_THAT(Told(), IsEmpty()) << allowed;
  }
}

TEST_F(DetectKindsTest, AreNotTheAnswersOfAFlood) {
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 2000; ++i) {
      const std::string source =
          "44.2." + std::to_string(i % 200) + "." + std::to_string(second + 1);
      Send({.src = source, .dst = "10.1.0.80", .tcp_flags = kTcpSyn});
      Send({.src = "10.1.0.80",
            .dst = source,
            .packets = 20,
            .tcp_flags = kTcpRst | kTcpAck});
    }
    EndSecond();
  }
  EXPECT_THAT(Told(), ElementsAre("syn-flood in 10.1.0.80"));
}

TEST_F(DetectKindsTest, CountWhatIsAnsweredWhereASysopWantsIt) {
  config_.detect[IncidentKind::kPackets].answered = true;
  const auto download = [&] {
    for (int i = 0; i < 10; ++i) {
      Send({.src = "10.1.0.80",
            .dst = "44.1.2.66",
            .packets = 3000,
            .tcp_flags = kTcpAck});
      Send({.src = "44.1.2.66",
            .dst = "10.1.0.80",
            .packets = 60000,
            .tcp_flags = kTcpAck});
      EndSecond();
    }
  };
  download();
  EXPECT_THAT(Told(), IsEmpty());
  Begin(config_);
  download();
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
}

TEST_F(DetectKindsTest, SayWhenAScanBecomesMuchWorse) {
  for (std::uint16_t port = 1; port <= 300; ++port) {
    Send({.src = "44.1.2.66",
          .dst = "10.1.0.80",
          .dport = port,
          .tcp_flags = kTcpSyn});
    if (port % 30 == 0) EndSecond();
  }
  ASSERT_THAT(told_.size(), 2u);
  EXPECT_EQ(told_[0].severity, IncidentSeverity::kWarning);
  EXPECT_EQ(told_[1].severity, IncidentSeverity::kFailure);
  EXPECT_EQ(told_[0].id, told_[1].id);
  EXPECT_EQ(told_[1].Fields().at("severity"), "failure");
}

TEST_F(DetectKindsTest, KeepNoAddressOfAScannerWhereNoneMayBeKept) {
  config_.privacy.peers = PeerPrivacy::kNone;
  Begin(config_);
  for (std::uint16_t port = 1; port <= 30; ++port)
    Send({.src = "44.1.2.66",
          .dst = "10.1.0.80",
          .dport = port,
          .tcp_flags = kTcpSyn});
  EndSecond();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(ToJson(told_[0]).dump(), testing::Not(HasSubstr("44.1")));
}

TEST_F(DetectKindsTest, SaySoWhenTheBooksOfAnInterfaceDoNotClose) {
  iptrk_interface eth0{};
  std::strcpy(eth0.name, "eth0");
  eth0.watched = 1;
  const auto slot = [&](std::uint64_t recorded, std::uint64_t unattributed,
                        std::uint64_t unseen) {
    const iptrk_interface before = eth0;
    iptrk_books& books = eth0.received;
    const auto add = [](iptrk_volume& volume, std::uint64_t packets) {
      volume.packets += packets;
      volume.bytes += packets * 100;
    };
    add(books.recorded, recorded);
    add(books.unattributed, unattributed);
    add(books.seen, recorded + unattributed);
    add(books.nic, recorded + unattributed + unseen);
    now_ += 10 * kSecond;
    for (Incident& change : detector_->EndBooks(now_, 10, {before}, {eth0}))
      told_.push_back(std::move(change));
  };
  for (int i = 0; i < 5; ++i) slot(10000, 0, 100);
  EXPECT_THAT(Told(), IsEmpty());
  slot(10000, 7, 0);
  EXPECT_THAT(Told(), ElementsAre("books in eth0"));
  for (int i = 0; i < 6; ++i) slot(10000, 0, 0);
  EXPECT_THAT(Told(), ElementsAre("cleared books in eth0"));
  for (int i = 0; i < 3; ++i) slot(10000, 0, 1000);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(told_[0].rule, HasSubstr("more than 5 % of the interface's"));
  told_.clear();
  config_.detect[IncidentKind::kBooks].enabled = false;
  detector_->Reconfigure(config_);
  slot(10000, 0, 1000);
  EXPECT_THAT(Told(), ElementsAre("cleared books in eth0"));
}

TEST_F(DetectKindsTest, KeepNothingOfAddressesThatNobodyHas) {
  Packet own = Flood(10);
  std::swap(own.src, own.dst);
  const auto learn = [&](bool dark) {
    Begin(config_);
    for (int second = 0; second < 700; ++second) {
      if (dark && second % 10 == 0)
        Send({.src = "44.1.2.66", .dst = "10.1.0.81"});
      Send(own, 1);
    }
    return detector_->SaveBaselines();
  };
  const std::string saved = learn(true);
  EXPECT_EQ(saved.size(), learn(false).size());
  EXPECT_GT(saved.size(), sizeof(std::uint32_t));
  // Nor of who is not seen for a month.
  Begin(config_);
  EXPECT_TRUE(detector_->RestoreBaselines(saved));
  now_ += 31 * 86400 * kSecond;
  EndSecond();
  EXPECT_EQ(detector_->SaveBaselines().size(), sizeof(std::uint32_t));
}

TEST_F(DetectKindsTest, KnowWhatIsUsualOfUdpApart) {
  Send(Flood(4900), 700);
  Packet udp = Flood(15000);
  udp.protocol = IPPROTO_UDP;
  Send(udp, 5);
  EXPECT_THAT(Told(), ElementsAre("udp-flood in 10.1.0.80"));
}

TEST_F(DetectKindsTest, AreToldOnceWhenTheyAreFailuresFromTheBegin) {
  Send(Flood(25000), 5);
  Send(Flood(900000), 10);
  EXPECT_THAT(Told(), ElementsAre("packets in 10.1.0.80"));
}

TEST_F(DetectKindsTest, BeginAnewWithTheSecondAfterTheyCleared) {
  Alarm alarm;
  std::uint64_t end_ns = now_;
  const auto second = [&](double figure) {
    end_ns += kSecond;
    alarm.Take(figure, 100, 0, {}, end_ns);
    return alarm.Decide(false, false, end_ns);
  };
  const auto until = [&](double figure, Alarm::Change change) {
    for (int i = 0; i < 100; ++i)
      if (second(figure) == change) return true;
    return false;
  };
  ASSERT_TRUE(until(500, Alarm::Change::kOpened));
  ASSERT_TRUE(until(0, Alarm::Change::kCleared));
  const std::uint64_t cleared_ns = end_ns;
  ASSERT_TRUE(until(500, Alarm::Change::kOpened));
  Incident incident;
  alarm.FillIn(incident);
  EXPECT_EQ(incident.start_ns, cleared_ns);
}

TEST_F(DetectKindsTest, OfMartiansBeginWhenTheyRise) {
  Packet martian = Flood(1);
  martian.src = "127.0.0.1";
  for (int i = 0; i < 20; ++i) {
    Send(martian, 1);
    for (int second = 0; second < 49; ++second) EndSecond();
  }
  const std::uint64_t rose_ns = now_;
  martian.packets = 20;
  Send(martian, 6);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].kind, "martian");
  EXPECT_GE(told_[0].start_ns, rose_ns);
  EXPECT_LE(told_[0].packets, 120u);
  ASSERT_EQ(told_[0].peers.size(), 1u);
  EXPECT_EQ(told_[0].peers[0].packets, told_[0].packets);
  told_.clear();
  config_.detect[IncidentKind::kMartian].enabled = false;
  detector_->Reconfigure(config_);
  Send(martian, 2);
  EXPECT_THAT(Told(), ElementsAre("cleared martian in bogon"));
}

TEST_F(DetectKindsTest, AccuseNobodyOfWhatHeSentLongBefore) {
  const Packet monitor = {.src = "44.9.9.9",
                          .dst = "10.1.0.80",
                          .protocol = IPPROTO_ICMP,
                          .sport = 8,
                          .packets = 200};
  Send(monitor, 3600);
  ASSERT_THAT(Told(), IsEmpty());
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 2000; ++i)
      Send({.src = "44." + std::to_string(second) + "." +
                   std::to_string(i / 250) + "." + std::to_string(i % 250),
            .dst = "10.1.0.80",
            .tcp_flags = kTcpSyn});
    Send(monitor);
    EndSecond();
  }
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].kind, "syn-flood");
  for (const auto& peer : told_[0].peers) EXPECT_LT(peer.share, 0.9);
}

TEST_F(DetectKindsTest, HaveEveryFieldOfANotification) {
  Send(Flood(50000), 4);
  ASSERT_EQ(told_.size(), 1u);
  const auto fields = told_[0].Fields();
  for (const char* name :
       {"incident", "kind",          "subject",     "network",
        "customer", "direction",     "severity",    "state",
        "start",    "opened",        "rule",        "unit",
        "value",    "limit",         "window",      "baseline",
        "peak",     "total_packets", "total_bytes", "distinct_peers",
        "peers",    "ports"})
    EXPECT_TRUE(fields.contains(name)) << name;
  EXPECT_LE(told_[0].Message().size(), 255u);
}

}  // namespace
}  // namespace iptrk
