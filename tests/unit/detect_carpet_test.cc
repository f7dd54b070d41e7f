// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_carpet.h"

#include <gmock/gmock.h>

#include "tests/unit/detect_fixture.h"

namespace iptrk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DetectCarpetTest : public DetectFixture {
 protected:
  // 1000 packets/s to each of twenty hosts of 10.2.0.0/24.
  void Carpet(int seconds) {
    for (int second = 0; second < seconds; ++second) {
      for (int i = 0; i < 20; ++i) {
        Packet packet = Flood(1000);
        packet.dst = "10.2.0." + std::to_string(100 + i);
        Send(packet);
      }
      EndSecond();
    }
  }
  static Network Of(const char* name, const char* prefix) {
    return {name, {Prefix::Parse(prefix).value()}};
  }
};

TEST_F(DetectCarpetTest, KeepsTheNetworkThatIsFloodedWhenThoseBeforeItGo) {
  config_.networks = {Of("a", "10.1.0.0/24"), Of("b", "10.2.0.0/24")};
  Begin(config_);
  Carpet(4);
  EXPECT_THAT(Told(), ElementsAre("carpet in 10.2.0.0/24"));
  config_.networks = {Of("b", "10.2.0.0/24"), Of("c", "10.3.0.0/24")};
  account_->Reconfigure(config_, [&](Host& host) { detector_->Forget(host); });
  detector_->Reconfigure(config_);
  const auto open = detector_->Open();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].network, "b");
}

TEST_F(DetectCarpetTest, EndsWhenItsNetworkIsNotOursAnyMore) {
  config_.networks = {Of("a", "10.1.0.0/24"), Of("b", "10.2.0.0/24")};
  Begin(config_);
  Carpet(4);
  config_.networks.pop_back();
  account_->Reconfigure(config_, [&](Host& host) { detector_->Forget(host); });
  detector_->Reconfigure(config_);
  Send(Flood(1), 80);
  EXPECT_THAT(Told(), ElementsAre("carpet in 10.2.0.0/24",
                                  "cleared carpet in 10.2.0.0/24"));
}

TEST(DetectLimits, AreTheCommonOnesOfANetworkThatIsGone) {
  Config config;
  config.detect[IncidentKind::kPackets].limit = 1234;
  const DetectLimits limits(config);
  EXPECT_EQ(limits.Of(IncidentKind::kPackets, Address(), 7, 7), 1234);
}

TEST_F(DetectCarpetTest, IsFoundThoughTheFirstHostsOfThePrefixAreAllowed) {
  config_.networks = {Of("b", "10.2.0.0/24")};
  config_.detect[IncidentKind::kCarpet].allow = {
      Prefix::Parse("10.2.0.0/28").value()};
  Begin(config_);
  Carpet(4);
  EXPECT_THAT(Told(), ElementsAre("carpet in 10.2.0.0/24"));
  config_.detect[IncidentKind::kCarpet].allow = {
      Prefix::Parse("10.2.0.0/24").value()};
  Begin(config_);
  Carpet(4);
  EXPECT_THAT(Told(), IsEmpty());
}

// There is no room for the flooded prefix then.
TEST(CarpetWatch, BlamesNoOtherPrefixWhenThereAreTooMany) {
  CarpetWatch watch;
  const DetectLimits limits{Config()};
  std::vector<Incident> changes;
  const auto take = [&](std::uint32_t address, std::uint64_t packets) {
    Host host;
    host.address = Address::FromIpv4(address);
    watch.TakeHost(host, {}, {Volume{packets * 100, packets}, Volume{}}, 0,
                   limits);
  };
  for (std::uint64_t second = 1; second <= 4; ++second) {
    for (std::uint32_t i = 0; i < 65536; ++i) take(0x0a000001 + (i << 8), 0);
    for (std::uint32_t i = 0; i < 20; ++i) take(0x2c000001 + i, 1000);
    watch.EndSecond(second * kSecond, limits, {}, PeerPrivacy::kFull, changes);
  }
  EXPECT_THAT(changes, IsEmpty());
}

}  // namespace
}  // namespace iptrk
