// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_quiet.h"

#include <gmock/gmock.h>

#include "lib/detect_traffic.h"
#include "tests/unit/detect_fixture.h"

namespace iptrk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DetectQuietTest : public DetectFixture {
 protected:
  void SetUp() override {
    config_.detect[IncidentKind::kSilent].limit = 20;
    config_.detect[IncidentKind::kSilent].learn = 60;
    Begin(config_);
  }
  static Packet To(int host) {
    return {.src = "44.1.2.66",
            .dst = "10.1.0." + std::to_string(host),
            .tcp_flags = kTcpAck};
  }
  static Packet From(int host) {
    Packet packet = To(host);
    std::swap(packet.src, packet.dst);
    return packet;
  }
  void Restart(std::int64_t seconds_later) {
    const std::string saved = detector_->SaveBaselines();
    now_ += static_cast<std::uint64_t>(seconds_later) * kSecond;
    Begin(config_);
    ASSERT_TRUE(detector_->RestoreBaselines(saved));
  }
  // Six hosts send every second.
  void SixSend() {
    for (int second = 0; second < 70; ++second) {
      for (int host = 1; host <= 6; ++host) Send(From(host));
      EndSecond();
    }
  }
};

TEST_F(DetectQuietTest, CallsNobodySilentForTheTimeThatIptrkDidNotRun) {
  Send(From(80), 700);
  Restart(3600);
  Send(To(80), 19);
  EXPECT_THAT(Told(), IsEmpty());
  Send(To(80), 5);
  EXPECT_THAT(Told(), ElementsAre("silent out 10.1.0.80"));
}

TEST_F(DetectQuietTest, CallsNobodySilentWhenTheClockWasAheadBefore) {
  Send(From(80), 700);
  Restart(-86400);
  Send(To(80), 19);
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(DetectQuietTest, EndsTheSilenceOfWhomNobodyWantsToKnowAnyMore) {
  Send(From(80), 700);
  Send(To(80), 30);
  EXPECT_THAT(Told(), ElementsAre("silent out 10.1.0.80"));
  config_.detect[IncidentKind::kSilent].allow = {
      Prefix::Parse("10.1.0.80/32").value()};
  detector_->Reconfigure(config_);
  Send(To(80), 2);
  EXPECT_THAT(Told(), ElementsAre("cleared silent out 10.1.0.80"));
}

TEST_F(DetectQuietTest, LearnsNoSilenceFromTheTimeThatIptrkDidNotRun) {
  HostUsual usual;
  usual.Sends(100, 99);
  usual.Sends(101, 99);
  usual.Sends(5000, 4999);
  EXPECT_EQ(usual.UsualSilence(), 1);
  usual.Sends(5100, 4999);
  EXPECT_GT(usual.UsualSilence(), 100);
}

TEST_F(DetectQuietTest, CallsNoMirrorLostWhenAnOfficeGoesHome) {
  SixSend();
  Send(From(1), 120);
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(DetectQuietTest, CallsTheMirrorLostWhenThoseWhoAreSentToAreNotSeen) {
  SixSend();
  const std::uint64_t stopped_ns = now_;
  for (int second = 0; second < 30; ++second) {
    for (int host = 1; host <= 6; ++host) Send(To(host));
    Send(From(1), 1);
  }
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].kind, "mirror-lost");
  EXPECT_EQ(told_[0].start_ns, stopped_ns);
  EXPECT_EQ(told_[0].value, 21);
}

TEST_F(DetectQuietTest, StillCallsALostMirrorLostWhenTheFileChanges) {
  config_.detect[IncidentKind::kMirrorLost].learn = 60;
  Begin(config_);
  for (int second = 0; second < 70; ++second) {
    for (int host = 1; host <= 6; ++host)
      for (int i = 0; i < 5; ++i) Send(From(host));
    EndSecond();
  }
  while (told_.empty() && detector_->Open().empty()) EndSecond();
  EXPECT_THAT(Told(), ElementsAre("mirror-lost in lan"));
  config_.networks.insert(config_.networks.begin(),
                          {"before", {Prefix::Parse("10.9.0.0/24").value()}});
  account_->Reconfigure(config_, [](Host&) {});
  detector_->Reconfigure(config_);
  for (int second = 0; second < 90; ++second) EndSecond();
  EXPECT_THAT(Told(), IsEmpty());
  ASSERT_EQ(detector_->Open().size(), 1u);
  EXPECT_EQ(detector_->Open()[0].subject, "lan");
}

TEST_F(DetectQuietTest, EndsASilenceUnderTheNameOfItsCustomer) {
  config_.customers = {{"globex", {Prefix::Parse("10.1.0.80/32").value()}}};
  Begin(config_);
  Send(From(80), 700);
  Send(To(80), 30);
  EXPECT_THAT(Told(), ElementsAre("silent out 10.1.0.80"));
  config_.customers.insert(config_.customers.begin(),
                           {"beta", {Prefix::Parse("10.1.0.9/32").value()}});
  account_->Reconfigure(config_, [](Host&) {});
  detector_->Reconfigure(config_);
  Send(From(80), 2);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].customer, "globex");
}

}  // namespace
}  // namespace iptrk
