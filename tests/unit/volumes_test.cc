// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/volumes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/rrd_fixture.h"

namespace iptrk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Volumes : public ::testing::Test {
 protected:
  fs::path Lan() const { return directory_.path() / "gw1" / "iptrk-lan"; }
  RrdStore Store(const std::string& host = "") const {
    return RrdStore(directory_.path(), host);
  }
  std::vector<AddressVolume> Read(TimeRange range) {
    problems_.clear();
    return ReadHostVolumes(Store(), "lan", range, problems_);
  }

  TemporaryDirectory directory_;
  std::vector<Problem> problems_;
};

TEST_F(Volumes, AreTheExactSumOfTheRowsInTheRange) {
  std::vector<std::vector<double>> rows;
  for (int i = 0; i < 60; ++i)
    rows.push_back({1.0 * i, 2.0 * i, 0, 4.0 * i, 0, 0, 7, 8});
  MakeRrd(Lan() / "iptrk_host-10.1.0.80.rrd", kHostSources, 60, rows);

  const auto hosts = Read({kRrdBegin + 600, kRrdBegin + 1200});

  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].address, *Address::Parse("10.1.0.80"));
  // Rows 10 to 19: their sum is 145.
  EXPECT_THAT(hosts[0].bytes,
              ElementsAre(145 * 60, 290 * 60, 0, 580 * 60, 0, 0, 4200, 4800));
  EXPECT_EQ(hosts[0].known, 600);
  EXPECT_EQ(hosts[0].In(), 435 * 60);
}

TEST_F(Volumes, CountARowForThePartOfItThatLiesInTheRange) {
  MakeHostRrd(Lan(), "10.1.0.80", 10);
  const auto hosts = Read({kRrdBegin + 90, kRrdBegin + 135});
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].bytes[kInTcp], 450);
  EXPECT_EQ(hosts[0].known, 45);
}

TEST_F(Volumes, TellHowMuchOfTheRangeIsKnown) {
  MakeHostRrd(Lan(), "10.1.0.80", 10);  // for one hour
  const auto hosts = Read({kRrdBegin + 1800, kRrdBegin + 5400});
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].bytes[kInTcp], 18000);
  EXPECT_EQ(hosts[0].known, 1800);
}

TEST_F(Volumes, ComeInOrderOfAddressesOfBothFamilies) {
  for (const char* address : {"10.1.0.100", "10.1.0.9", "2001:db8::1"})
    MakeHostRrd(Lan(), address, 1);
  const auto hosts = Read({kRrdBegin, kRrdBegin + 3600});
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_EQ(hosts[0].address.ToString(), "10.1.0.9");
  EXPECT_EQ(hosts[1].address.ToString(), "10.1.0.100");
  EXPECT_EQ(hosts[2].address.ToString(), "2001:db8::1");
  EXPECT_EQ(Within(hosts, *Prefix::Parse("10.1.0.0/25")).size(), 2u);
  EXPECT_EQ(Within(hosts, *Prefix::Parse("10.1.0.0/26")).size(), 1u);
}

TEST_F(Volumes, ReportWhatIsNoRrdOfOursAndReadTheRest) {
  MakeHostRrd(Lan(), "10.1.0.1", 1);
  MakeHostRrd(Lan(), "10.1.0.2", 1);
  fs::resize_file(Lan() / "iptrk_host-10.1.0.2.rrd", 3000);
  std::ofstream(Lan() / "iptrk_host-10.1.0.3.rrd") << "not an RRD";
  std::ofstream(Lan() / "iptrk_host-10.1.0.4.rrd").flush();
  MakeRrd(Lan() / "iptrk_host-10.1.0.5.rrd", kServiceSources, 60, {{1, 2, 3}});
  fs::create_directory(Lan() / "iptrk_host-10.1.0.6.rrd");

  EXPECT_EQ(Read({kRrdBegin, kRrdBegin + 3600}).size(), 1u);

  ASSERT_EQ(problems_.size(), 5u);
  EXPECT_THAT(problems_[0].path, HasSubstr("10.1.0.2.rrd"));
  EXPECT_THAT(problems_[1].what, HasSubstr("is no RRD file"));
  EXPECT_THAT(problems_[3].what, HasSubstr("has no data source 'in_tcp' (it "
                                           "has in, out, internal)"));
}

TEST_F(Volumes, SurviveAFileCutOffOrSpoiltAnywhere) {
  const fs::path file = Lan() / "iptrk_host-10.1.0.1.rrd";
  MakeHostRrd(Lan(), "10.1.0.1", 1, 5);
  const std::string whole = ReadFile(file);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < 400; ++i) {
    std::string spoilt = whole;
    // The header is what librrd takes at its word.
    const std::size_t at = random() % 2000;
    if (i % 2 == 0)
      spoilt.resize(at);
    else
      spoilt[at] = static_cast<char>(random());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << spoilt;
    Read({kRrdBegin, kRrdBegin + 3600});
    Problem problem;
    NewestValue(file, problem);
  }
}

TEST_F(Volumes, FindNetworksServicesAndBooksByTheirNames) {
  MakeRrd(Lan() / "iptrk_network.rrd", kNetworkSources, 10,
          {std::vector<double>(8, 1.0)});
  MakeRrd(Lan() / "iptrk_service-other-tcp.rrd", kServiceSources, 10,
          {{1, 1, 1}});
  const fs::path top = directory_.path() / "gw1";
  MakeRrd(top / "iptrk-all" / "iptrk_network.rrd", kNetworkSources, 10,
          {std::vector<double>(8, 1.0)});
  MakeRrd(top / "iptrk-interface-eth0.7" / "iptrk_books-received.rrd",
          kBooksSources, 10, {std::vector<double>(6, 1.0)});
  const RrdStore store = Store();
  EXPECT_THAT(store.Networks(), ElementsAre("lan"));
  ASSERT_EQ(store.Services("lan").size(), 1u);
  EXPECT_EQ(store.Services("lan")[0].name, "other-tcp");
  ASSERT_EQ(store.Books().size(), 1u);
  EXPECT_EQ(store.Books()[0].interface, "eth0.7");
  EXPECT_EQ(store.Books()[0].direction, "received");
}

TEST_F(Volumes, AreThoseOfTheHostChosenOrUpdatedLast) {
  MakeHostRrd(directory_.path() / "old" / "iptrk-lan", "10.1.0.1", 1);
  MakeHostRrd(directory_.path() / "new" / "iptrk-lan", "10.1.0.2", 1);
  fs::create_directories(directory_.path() / "other" / "cpu-0");
  fs::last_write_time(
      directory_.path() / "old" / "iptrk-lan" / "iptrk_host-10.1.0.1.rrd",
      fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(Store().CollectdHosts(), ElementsAre("new", "old"));
  EXPECT_EQ(Store().collectd_host(), "new");
  EXPECT_EQ(Store("old").Hosts("lan")[0].address.ToString(), "10.1.0.1");
}

TEST_F(Volumes, AreNoneWhereThereIsNoDirectory) {
  const RrdStore store(directory_.path() / "nowhere", "");
  EXPECT_TRUE(store.Networks().empty());
  EXPECT_TRUE(store.Hosts("lan").empty());
  EXPECT_TRUE(store.Books().empty());
}

}  // namespace
}  // namespace iptrk
