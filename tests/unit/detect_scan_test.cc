// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_scan.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "lib/detect_traffic.h"
#include "tests/unit/detect_fixture.h"

namespace iptrk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class DetectScanTest : public DetectFixture {
 protected:
  void Scan(const std::string& src, const std::string& dst = "10.1.0.80") {
    for (std::uint16_t port = 1; port <= 25; ++port)
      Send({.src = src, .dst = dst, .dport = port, .tcp_flags = kTcpSyn});
  }
  // Of UDP, from one remote to a hundred ports, for six seconds.
  void FloodPorts(std::uint32_t packets_per_second, std::uint32_t bytes) {
    for (int second = 0; second < 6; ++second) {
      for (std::uint16_t port = 1; port <= 100; ++port) {
        Packet packet = Flood(packets_per_second / 100);
        packet.protocol = IPPROTO_UDP;
        packet.dport = port;
        packet.bytes = packet.packets * bytes;
        Send(packet);
      }
      EndSecond();
    }
  }
};

TEST_F(DetectScanTest, HidesNoFloodOfOneSourceToManyPorts) {
  FloodPorts(200000, 100);
  EXPECT_THAT(Told(), UnorderedElementsAre("port-scan in 44.1.2.66",
                                           "udp-flood in 10.1.0.80"));
}

TEST_F(DetectScanTest, HidesNoVolume) {
  config_.detect[IncidentKind::kVolume].limit = 5e7;
  Begin(config_);
  FloodPorts(9000, 1400);
  EXPECT_THAT(Told(), UnorderedElementsAre("port-scan in 44.1.2.66",
                                           "volume in 10.1.0.80"));
}

TEST_F(DetectScanTest, IsNoneAmongOthersThatAMirrorShows) {
  Scan("44.1.2.66", "44.9.9.9");
  EndSecond();
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(DetectScanTest, IsToldOfAtMost256RemotesAtOnce) {
  for (int i = 0; i < 300; ++i) {
    Scan("44.1." + std::to_string(i / 100) + "." + std::to_string(i % 100));
    if (i % 5 == 4) EndSecond();
  }
  EXPECT_EQ(Told().size(), 256u);
  const auto open = detector_->Open();
  EXPECT_EQ(open.size(), 256u);
  EXPECT_THAT(open[0].rule, HasSubstr("; 44 more scan"));
}

// Nine remotes of one group of places, which is of eight.
TEST_F(DetectScanTest, StaysOpenUntilItIsCleared) {
  const auto group = [](Address address) {
    return HashAddress(address, 7) * 0x9e3779b97f4a7c15u >> 40 & 511;
  };
  std::vector<Address> remotes;
  for (std::uint32_t i = 1; remotes.size() < 9; ++i)
    if (const Address one = Address::FromIpv4(0x2c000000 + i); group(one) == 1)
      remotes.push_back(one);
  for (const Address& remote : remotes) {
    Scan(remote.ToString());
    EndSecond();
  }
  EXPECT_EQ(Told().size(), detector_->Open().size());
}

class ScanTableTest : public testing::Test {
 protected:
  void Take(const iptrk_record& record) {
    table_.Take(record, {kNoNetwork, 0, nullptr}, kSecond, PeerPrivacy::kFull,
                baselines_);
  }
  Baselines baselines_;
  ScanTable table_;
};

TEST_F(ScanTableTest, FindsAScannerThoughTheWorldSendsAnswersToNobody) {
  iptrk_record answer = Record(
      {.src = "44.0.0.1", .dst = "10.1.0.80", .tcp_flags = kTcpSyn | kTcpAck});
  for (std::uint32_t i = 0; i < 5000000; ++i) {
    Address::FromIpv4(0x2c000000 + i).ToBytes(answer.src);
    Take(answer);
  }
  for (std::uint16_t port = 1; port <= 28; ++port)
    Take(Record({.src = "45.1.2.66",
                 .dst = "10.1.0.80",
                 .dport = port,
                 .tcp_flags = kTcpSyn}));
  std::vector<Incident> changes;
  table_.EndSecond(2 * kSecond, DetectLimits{Config()}, {}, PeerPrivacy::kFull,
                   changes);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].value, 28);
}

}  // namespace
}  // namespace iptrk
