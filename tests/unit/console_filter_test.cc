// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "tests/unit/records.h"
#include "tools/console/filter.h"

namespace iptrk::console {
namespace {

const std::vector<std::string> kServices = {"web", "dns", "other-tcp"};

bool Shows(const std::string& filter, const Packet& packet,
           Verdict verdict = {Direction::kIn, {}, 0}) {
  return Filter(filter, kServices).Matches(Record(packet), verdict);
}

// The word a filter's error points at.
std::string Fault(const std::string& filter) {
  try {
    const Filter parsed(filter, kServices);
  } catch (const FilterError& error) {
    return filter.substr(error.at, error.length);
  }
  return "no error";
}

const Packet kWeb = {.src = "192.0.2.7", .dst = "10.1.0.80"};

TEST(ConsoleFilter, ShowsEverythingWhenEmpty) {
  EXPECT_TRUE(Shows("", kWeb));
  EXPECT_TRUE(Shows("  ", kWeb));
}

TEST(ConsoleFilter, ChoosesBySideOfAnAddress) {
  EXPECT_TRUE(Shows("host 10.1.0.80", kWeb));
  EXPECT_TRUE(Shows("192.0.2.7", kWeb));
  EXPECT_TRUE(Shows("src host 192.0.2.7", kWeb));
  EXPECT_FALSE(Shows("dst host 192.0.2.7", kWeb));
  EXPECT_TRUE(Shows("dst net 10.1.0.0/24", kWeb));
  EXPECT_FALSE(Shows("net 10.2.0.0/24", kWeb));
  const Packet six = {.src = "2001:db8::7", .dst = "2001:db8:1::80"};
  EXPECT_TRUE(Shows("src net 2001:db8::/64", six));
  EXPECT_FALSE(Shows("ip", six));
  EXPECT_TRUE(Shows("ip6", six));
}

TEST(ConsoleFilter, ChoosesByPortAndProtocol) {
  EXPECT_TRUE(Shows("port 80", kWeb));
  EXPECT_TRUE(Shows("dst port 80", kWeb));
  EXPECT_FALSE(Shows("src port 80", kWeb));
  EXPECT_TRUE(Shows("port 70-90", kWeb));
  EXPECT_FALSE(Shows("port 81-90", kWeb));
  EXPECT_TRUE(Shows("tcp", kWeb));
  EXPECT_TRUE(Shows("proto 6", kWeb));
  EXPECT_FALSE(Shows("udp", kWeb));
  Packet icmp = kWeb;
  icmp.protocol = IPPROTO_ICMP;
  icmp.dport = 0;
  icmp.sport = 8;
  EXPECT_FALSE(Shows("port 8", icmp)) << "an ICMP type is no port";
}

TEST(ConsoleFilter, ChoosesByDirectionAndService) {
  EXPECT_TRUE(Shows("in", kWeb));
  EXPECT_FALSE(Shows("out", kWeb));
  EXPECT_TRUE(Shows("martian", kWeb, {Direction::kMartian, {}, 0}));
  EXPECT_TRUE(Shows("service web", kWeb));
  EXPECT_FALSE(Shows("service dns", kWeb));
}

TEST(ConsoleFilter, BindsAndCloserThanOr) {
  EXPECT_TRUE(Shows("tcp or udp and port 9", kWeb));
  EXPECT_FALSE(Shows("(tcp or udp) and port 9", kWeb));
  EXPECT_FALSE(Shows("not tcp", kWeb));
  EXPECT_TRUE(Shows("not (udp or port 9)", kWeb));
  EXPECT_TRUE(Shows("!udp tcp port 80", kWeb));
  EXPECT_FALSE(Shows("not tcp or udp", kWeb));
}

TEST(ConsoleFilter, PointsAtTheWordThatIsWrong) {
  EXPECT_EQ(Fault("tcp and prot 80"), "prot");
  EXPECT_EQ(Fault("host 10.1.0.256"), "10.1.0.256");
  EXPECT_EQ(Fault("net 10.1.0.1/24"), "10.1.0.1/24");
  EXPECT_EQ(Fault("port http"), "http");
  EXPECT_EQ(Fault("port 65536"), "65536");
  EXPECT_EQ(Fault("port 25-20"), "25-20");
  EXPECT_EQ(Fault("service mail"), "mail");
  EXPECT_EQ(Fault("tcp)"), ")");
  EXPECT_EQ(Fault("(tcp"), "");
  EXPECT_EQ(Fault("tcp and"), "");
  EXPECT_EQ(Fault(std::string(1000, '(')), "(");
}

TEST(ConsoleFilter, DrawsTheErrorBelowTheWord) {
  try {
    const Filter filter("tcp and prot 80", kServices);
    FAIL();
  } catch (const FilterError& error) {
    EXPECT_EQ(error.Pointing("tcp and prot 80").substr(0, 29),
              "tcp and prot 80\n        ^^^^\n");
  }
}

}  // namespace
}  // namespace iptrk::console
