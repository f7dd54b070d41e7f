// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/unit/records.h"
#include "tools/console/model.h"

namespace iptrk::console {
namespace {

// A console that shows the peers of 10.1.0.80.
class ConsoleModelTest : public testing::Test {
 protected:
  ConsoleModelTest() : model_(Lan()) {
    model_.SetDetail(Address::Parse("10.1.0.80"));
  }
  static Config Lan() {
    Config config;
    config.networks = {{"lan", {Prefix::Parse("10.1.0.0/24").value()}}};
    return config;
  }
  void Send(const std::string& from, std::uint32_t bytes) {
    const std::vector records = {Record({.src = from,
                                         .dst = "10.1.0.80",
                                         .protocol = IPPROTO_UDP,
                                         .bytes = bytes,
                                         .time_ns = now_})};
    model_.Take(records);
  }
  // What each peer sent in this second.
  std::map<std::string, std::uint64_t> EndSecond() {
    now_ += kSecond;
    std::map<std::string, std::uint64_t> bytes;
    const auto snapshot = model_.EndSecond(now_);
    for (const PeerRow& row : snapshot->detail.peers)
      bytes[row.address.ToString()] = row.in_now.bytes;
    return bytes;
  }

  Model model_;
  std::uint64_t now_ = 1795000000 * kSecond;
};

TEST_F(ConsoleModelTest, ShowsWhatANewPeerSendsInItsFirstSecond) {
  Send("44.1.2.1", 1000);
  EXPECT_EQ(EndSecond()["44.1.2.1"], 0u) << "when it began is not known";
  Send("44.1.2.1", 300);
  Send("44.1.2.2", 70000);
  auto bytes = EndSecond();
  EXPECT_EQ(bytes["44.1.2.1"], 300u);
  EXPECT_EQ(bytes["44.1.2.2"], 70000u);
  EXPECT_EQ(EndSecond()["44.1.2.2"], 0u);
}

TEST_F(ConsoleModelTest, ShowsTheFirstPeersOfAHostThatHadNone) {
  EndSecond();
  Send("44.1.2.1", 1000);
  EXPECT_EQ(EndSecond()["44.1.2.1"], 1000u);
}

}  // namespace
}  // namespace iptrk::console
