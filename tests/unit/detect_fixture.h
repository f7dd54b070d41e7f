// SPDX-License-Identifier: GPL-2.0-only
#ifndef IPTRK_TESTS_UNIT_DETECT_FIXTURE_H_
#define IPTRK_TESTS_UNIT_DETECT_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/detect.h"
#include "tests/unit/records.h"

namespace iptrk {

// A detector whose seconds a test makes, and what it told.
class DetectFixture : public testing::Test {
 protected:
  static Config Lan() {
    Config config;
    config.networks = {{"lan", {Prefix::Parse("10.1.0.0/24").value()}}};
    config.customers = {{"acme", {Prefix::Parse("10.1.0.80/32").value()}}};
    return config;
  }
  // With another configuration; nothing is known then.
  void Begin(const Config& config) {
    detector_.reset();
    account_ = std::make_unique<Account>(config);
    detector_ = std::make_unique<Detector>(config, *account_);
  }
  void SetUp() override { Begin(config_); }

  void Send(Packet packet) {
    packet.time_ns = now_;
    account_->Take(Record(packet));
  }
  void EndSecond() {
    now_ += kSecond;
    for (Incident& change : detector_->EndSecond(now_))
      told_.push_back(std::move(change));
  }
  // `seconds` in which `packet`, standing for as many as it says, is sent.
  void Send(const Packet& packet, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      Send(packet);
      EndSecond();
    }
  }
  // What was told since the last call.
  std::vector<std::string> Told() {
    std::vector<std::string> lines;
    for (const Incident& one : told_)
      lines.push_back((one.open ? "" : "cleared ") + one.kind + " " +
                      one.direction + " " + one.subject);
    told_.clear();
    return lines;
  }
  // Unanswered, of one remote.
  static Packet Flood(std::uint32_t packets) {
    return {.src = "44.1.2.66",
            .dst = "10.1.0.80",
            .protocol = IPPROTO_GRE,
            .bytes = packets * 100,
            .packets = packets};
  }

  Config config_ = Lan();
  std::unique_ptr<Account> account_;
  std::unique_ptr<Detector> detector_;
  std::vector<Incident> told_;
  std::uint64_t now_ = 1795000000 * kSecond;
};

}  // namespace iptrk

#endif  // IPTRK_TESTS_UNIT_DETECT_FIXTURE_H_
