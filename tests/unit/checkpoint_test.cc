// SPDX-License-Identifier: GPL-2.0-only
#include "lib/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/records.h"
#include "tools/graph/temporary_directory.h"

namespace iptrk {
namespace {

Config OurConfig() {
  Config config;
  config.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}}};
  config.customers.resize(1);
  config.customers[0].name = "acme";
  config.customers[0].prefixes = {*Prefix::Parse("10.1.0.80/32")};
  return config;
}

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() : account_(OurConfig()) {
    account_.Take(Record({"44.1.2.66", "10.1.0.80"}));
    account_.Take(Record({"10.1.0.81", "44.1.2.66"}));
    account_.Take(Record({"10.1.0.81", "10.1.0.80"}));
    account_.Take(Record({"44.1.2.66", "44.1.2.67"}));
    checkpoint_ = {.mark = {17, {1, UINT64_MAX}},
                   .second_end = 5,
                   .slot_begin = 4,
                   .hosts_begin = 3,
                   .whole_from = 2,
                   .records = 1,
                   .total = {},
                   .books = "[]",
                   .names = "lan\n\n",
                   .sums = account_.Sums()};
    checkpoint_.total.in = {1, 2};
    checkpoint_.total.unattributed = {3, 4};
  }
  std::string Path() const { return directory_.path() / "a.checkpoint"; }

  TemporaryDirectory directory_;
  Account account_;
  Checkpoint checkpoint_;
};

TEST_F(CheckpointTest, IsReadByTheNextReaderAsItWasWritten) {
  const CheckpointFile file(Path());
  ASSERT_TRUE(file.Write(Checkpoint{}));
  ASSERT_TRUE(file.Write(checkpoint_));
  const auto read = file.Read();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->mark, checkpoint_.mark);
  EXPECT_EQ(read->second_end, 5u);
  EXPECT_EQ(read->slot_begin, 4u);
  EXPECT_EQ(read->hosts_begin, 3u);
  EXPECT_EQ(read->whole_from, 2u);
  EXPECT_EQ(read->records, 1u);
  EXPECT_EQ(read->total.in, (Volume{1, 2}));
  EXPECT_EQ(read->total.unattributed, (Volume{3, 4}));
  EXPECT_EQ(read->books, "[]");
  EXPECT_EQ(read->names, "lan\n\n");

  Account next(OurConfig());
  next.Resume(read->sums, true);
  EXPECT_EQ(next.all().Total(), account_.all().Total());
  EXPECT_EQ(next.martian(), account_.martian());
  EXPECT_EQ(next.networks()[0].cells(), account_.networks()[0].cells());
  ASSERT_EQ(next.hosts().size(), 2u);
  next.hosts().ForEach([&](const Host& host) {
    bool found = false;
    account_.hosts().ForEach([&](const Host& other) {
      if (other.address != host.address) return;
      found = true;
      EXPECT_EQ(host.volume, other.volume);
      EXPECT_EQ(host.peers.Count(), other.peers.Count());
      EXPECT_EQ(host.customer, other.customer);
    });
    EXPECT_TRUE(found) << host.address.ToString();
    EXPECT_FALSE(host.announced);
  });
  // And counts on.
  next.Take(Record({"44.1.2.66", "10.1.0.80"}));
  account_.Take(Record({"44.1.2.66", "10.1.0.80"}));
  EXPECT_EQ(next.all().Total(), account_.all().Total());
  EXPECT_EQ(next.hosts().size(), 2u);
}

TEST_F(CheckpointTest, KeepsOfAnotherConfigurationTheHostsThatAreStillOurs) {
  Config other = OurConfig();
  other.networks = {{"new", {*Prefix::Parse("10.1.0.80/32")}}};
  Account next(other);
  next.Resume(account_.Sums(), false);
  EXPECT_EQ(next.hosts().size(), 1u);
  EXPECT_EQ(next.all().Total(), Volume{});
}

TEST_F(CheckpointTest, IsNoneWhenAnyOfItIsMissing) {
  const CheckpointFile file(Path());
  EXPECT_FALSE(file.Read());
  ASSERT_TRUE(file.Write(checkpoint_));
  std::ifstream in(Path(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::ofstream(Path(), std::ios::binary) << whole.substr(0, length);
    ASSERT_FALSE(file.Read()) << length;
  }
  std::ofstream(Path(), std::ios::binary) << whole;
  EXPECT_TRUE(file.Read());
  file.Remove();
  EXPECT_FALSE(file.Read());
}

TEST_F(CheckpointTest, SurvivesAnyByteThatIsWrong) {
  const CheckpointFile file(Path());
  ASSERT_TRUE(file.Write(checkpoint_));
  std::ifstream in(Path(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(~wrong[at]);
    std::ofstream(Path(), std::ios::binary) << wrong;
    if (const auto read = file.Read())
      Account(OurConfig()).Resume(read->sums, false);
  }
}

TEST_F(CheckpointTest, GoesOnOnlyFromWhereTheQueueWasReadOrLater) {
  EXPECT_TRUE(checkpoint_.mark.Follows({17, {1, UINT64_MAX}}));
  EXPECT_TRUE(checkpoint_.mark.Follows({17, {0, 5}}));
  EXPECT_FALSE(checkpoint_.mark.Follows({17, {2, 5}}));
  EXPECT_FALSE(checkpoint_.mark.Follows({18, {1, 5}}));
  EXPECT_FALSE(checkpoint_.mark.Follows({17, {1}}));
}

TEST_F(CheckpointTest, SaysWhenItCannotBeWritten) {
  EXPECT_FALSE(CheckpointFile("/proc/none/a").Write(checkpoint_));
}

}  // namespace
}  // namespace iptrk
