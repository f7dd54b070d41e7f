// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iptrk {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string FirstError(const std::string& text) {
  const ConfigResult result = ParseConfig(text, "iptrk.toml");
  return result.ok() ? "" : result.errors[0].ToString();
}

TEST(Config, HasADefaultForEveryKey) {
  const ConfigResult result = ParseConfig("", "iptrk.toml");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.config.collectd.interval, 10);
  EXPECT_FALSE(result.config.services.empty());
  EXPECT_FALSE(result.config.mail.enabled);
}

TEST(Config, ReadsNetworksOfBothFamilies) {
  const ConfigResult result = ParseConfig(
      "[networks.lan]\nprefixes = [\"10.1.0.0/24\", \"2001:db8:1::/64\"]\n",
      "iptrk.toml");
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.config.networks.size(), 1u);
  EXPECT_EQ(result.config.networks[0].prefixes[1].ToString(),
            "2001:db8:1::/64");
}

TEST(Config, NamesThePlaceTheFaultAndTheRemedy) {
  EXPECT_THAT(
      FirstError("[networks.lan]\nprefixes = [\"10.1.0.0/33\"]\n"),
      AllOf(StartsWith("iptrk.toml:2:13: "),
            HasSubstr("'10.1.0.0/33' is no prefix"), HasSubstr("10.1.0.0/24")));
  EXPECT_THAT(
      FirstError("[queue]\nrecord = 5\n"),
      AllOf(StartsWith("iptrk.toml:2:1: "),
            HasSubstr("queue.record is not a key"), HasSubstr("records")));
  EXPECT_THAT(FirstError("[collectd]\ninterval = 7\n"),
              HasSubstr("must divide 300"));
  EXPECT_THAT(FirstError("[collectd]\nhost_interval = 25\n"),
              AllOf(HasSubstr("multiple of interval"),
                    HasSubstr("one of 10, 20, 30, 50, 60, 100, 150, 300")));
  EXPECT_THAT(FirstError("[queue\n"), StartsWith("iptrk.toml:1:"));
  EXPECT_THAT(FirstError("[queue]\nrecords = 5000\n"), HasSubstr("4096"));
  EXPECT_THAT(FirstError("[networks.all]\nprefixes = [\"10.0.0.0/8\"]\n"),
              HasSubstr("choose another"));
  EXPECT_THAT(FirstError("[networks.\"../x\"]\nprefixes = [\"10.0.0.0/8\"]\n"),
              HasSubstr("can't name a network"));
  EXPECT_THAT(FirstError("[services]\nweb = [\"tcp/99999\"]\n"),
              HasSubstr("'tcp/99999' is no service port"));
  EXPECT_THAT(FirstError("[mail]\nto = [\"a\\nBcc: b\"]\n"),
              HasSubstr("no control characters: 'a\\nBcc: b'"));
  EXPECT_THAT(FirstError("queue = 3\n"), HasSubstr("write [queue]"));
}

TEST(Config, ReportsEveryFaultInOrder) {
  const ConfigResult result = ParseConfig(
      "[mail]\nport = 0\n[queue]\nrecords = \"many\"\n[collectd]\nx = 1\n",
      "iptrk.toml");
  ASSERT_EQ(result.errors.size(), 3u);
  EXPECT_EQ(result.errors[0].line, 2u);
  EXPECT_EQ(result.errors[1].line, 4u);
  EXPECT_EQ(result.errors[2].line, 6u);
}

TEST(Config, SaysThatAFileCanNotBeRead) {
  const ConfigResult result = LoadConfig("/nonexistent/iptrk.toml");
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].ToString(),
            "/nonexistent/iptrk.toml: can't be read: No such file or "
            "directory");
}

}  // namespace
}  // namespace iptrk
