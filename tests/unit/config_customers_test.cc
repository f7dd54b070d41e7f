// SPDX-License-Identifier: GPL-2.0-only
// [networks.NAME], [customers.NAME] and [services]: what is counted, as what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/config.h"

namespace iptrk {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kLan[] =
    "[networks.lan]\n"
    "prefixes = [\"10.1.0.0/16\", \"2001:db8:1::/48\"]\n"
    "ipv6_prefix = 64\n";

std::vector<std::string> Errors(const std::string& text) {
  std::vector<std::string> lines;
  for (const ConfigError& error : ParseConfig(text, "iptrk.toml").errors)
    lines.push_back(error.ToString());
  return lines;
}

std::vector<std::string> Warnings(const std::string& text) {
  const ConfigResult result = ParseConfig(text, "iptrk.toml");
  EXPECT_THAT(Errors(text), IsEmpty());
  std::vector<std::string> lines;
  for (const ConfigError& warning : result.warnings)
    lines.push_back(warning.ToString());
  return lines;
}

TEST(ConfigCustomers, HavePrefixesAZoneAndAConvention) {
  const ConfigResult result = ParseConfig(
      std::string(kLan) +
          "[customers.zeta]\n"
          "prefixes = [\"10.1.7.0/24\"]\n"
          "[customers.acme]\n"
          "prefixes = [\"10.1.7.80/32\", \"2001:db8:1:7::/64\", \"10.0.0.0/8\"]"
          "\n"
          "timezone = \"Europe/Berlin\"\n"
          "convention = \"p95-of-sum\"\n",
      "iptrk.toml");
  ASSERT_TRUE(result.ok()) << result.errors[0].ToString();
  ASSERT_EQ(result.config.customers.size(), 2u);
  const Customer& acme = result.config.customers[0];
  EXPECT_EQ(acme.name, "acme");
  EXPECT_EQ(acme.prefixes.size(), 3u);
  EXPECT_EQ(acme.prefixes[1].ToString(), "2001:db8:1:7::/64");
  EXPECT_EQ(acme.timezone, "Europe/Berlin");
  EXPECT_EQ(acme.convention, "p95-of-sum");
  const Customer& zeta = result.config.customers[1];
  EXPECT_EQ(zeta.timezone, "UTC");
  EXPECT_EQ(zeta.convention, "max-of-p95");
  EXPECT_EQ(result.config.networks[0].ipv6_prefix, 64);
}

TEST(ConfigCustomers, NeverShareAPrefix) {
  EXPECT_THAT(Errors("[customers.a]\nprefixes = [\"10.1.0.0/24\"]\n"
                     "[customers.b]\nprefixes = [\"10.1.0.0/25\", "
                     "\"10.1.0.0/24\"]\n"),
              ElementsAre(AllOf(StartsWith("iptrk.toml:4:28: "),
                                HasSubstr("10.1.0.0/24 is in customer a"),
                                HasSubstr("can't be in b too"))));
  EXPECT_THAT(Errors("[customers.a]\nprefixes = [\"::/0\", \"::/0\"]\n"),
              ElementsAre(HasSubstr("in customer a twice")));
}

TEST(ConfigCustomers, LieInANetworkWhenThereAreAny) {
  EXPECT_THAT(Errors(std::string(kLan) +
                     "[customers.a]\nprefixes = [\"10.2.0.0/24\"]\n"),
              ElementsAre(AllOf(StartsWith("iptrk.toml:5:13: "),
                                HasSubstr("10.2.0.0/24 lies in no network"),
                                HasSubstr("the networks are lan"))));
  EXPECT_THAT(Errors("[customers.a]\nprefixes = [\"10.2.0.0/24\"]\n"),
              IsEmpty());
}

// What is found in a network is no fault of the customers in it.
TEST(ConfigCustomers, AreNotBlamedForAFaultOfTheirNetwork) {
  EXPECT_THAT(Errors("[networks.lan]\nprefixes = [\"10.2.0.0/33\"]\n"
                     "[customers.a]\nprefixes = [\"10.2.0.0/24\"]\n"),
              ElementsAre(HasSubstr("'10.2.0.0/33' is no prefix")));
}

TEST(ConfigCustomers, HaveNoPrefixSmallerThanAnIpv6HostOfTheirNetwork) {
  EXPECT_THAT(
      Errors(std::string(kLan) +
             "[customers.a]\nprefixes = [\"2001:db8:1:7::1/128\"]\n"),
      ElementsAre(AllOf(StartsWith("iptrk.toml:5:13: "),
                        HasSubstr("smaller than one IPv6 host of network lan"),
                        HasSubstr("/64"))));
  EXPECT_THAT(Errors("[networks.lan]\nprefixes = [\"2001:db8:1:7::/64\"]\n"
                     "ipv6_prefix = 56\n"),
              ElementsAre(AllOf(StartsWith("iptrk.toml:2:13: "),
                                HasSubstr("ipv6_prefix = 64"))));
}

TEST(ConfigCustomers, HaveAZoneThatExists) {
  for (const char* zone : {"Europe/Berln", "", "localtime", "/etc/localtime",
                           "../zoneinfo/UTC", "Europe/Berlin\\n", "Europe"})
    EXPECT_THAT(Errors(std::string("[customers.a]\nprefixes = [\"::/0\"]\n"
                                   "timezone = \"") +
                       zone + "\"\n"),
                ElementsAre(StartsWith("iptrk.toml:3:12: ")))
        << zone;
  EXPECT_THAT(Errors("[customers.a]\nprefixes = [\"::/0\"]\n"
                     "timezone = \"Europe/Berln\"\n"),
              ElementsAre(HasSubstr("such as \"Europe/Berlin\"")));
  for (const char* zone :
       {"UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"})
    EXPECT_THAT(Errors(std::string("[customers.a]\nprefixes = [\"::/0\"]\n"
                                   "timezone = \"") +
                       zone + "\"\n"),
                IsEmpty());
}

TEST(ConfigCustomers, HaveAConventionByName) {
  EXPECT_THAT(Errors("[customers.a]\nprefixes = [\"::/0\"]\n"
                     "convention = \"p95-of-mx\"\n"),
              ElementsAre(AllOf(HasSubstr("\"p95-of-sum\""),
                                HasSubstr("not \"p95-of-mx\""),
                                HasSubstr("did you mean \"p95-of-max\"?"))));
}

TEST(ConfigNetworks, SayWhatIsWrongWithAPrefix) {
  EXPECT_THAT(Errors("[networks.lan]\nprefixes = [\"10.1.0.5/24\"]\n"),
              ElementsAre(HasSubstr("did you mean 10.1.0.0/24?")));
  EXPECT_THAT(Errors("[networks.lan]\nprefixes = [\"2001:db8::1/64\"]\n"),
              ElementsAre(HasSubstr("did you mean 2001:db8::/64?")));
  EXPECT_THAT(Errors("[networks.lan]\nprefixes = \"10.1.0.0/24\"\n"),
              ElementsAre(HasSubstr("a list such as [\"10.1.0.0/24\"]")));
  EXPECT_THAT(Errors("[networks.lan]\n"),
              ElementsAre(HasSubstr("network lan has no prefixes")));
  EXPECT_THAT(Errors("[networks]\nlan = [\"10.1.0.0/24\"]\n"),
              ElementsAre(HasSubstr("write [networks.lan]")));
  EXPECT_THAT(Errors("[networks.a]\nprefixes = [\"10.1.0.0/24\"]\n"
                     "[networks.b]\nprefixes = [\"10.1.0.0/24\"]\n"),
              ElementsAre(HasSubstr("10.1.0.0/24 is in network a already")));
}

// Its addresses would be those of the other one's host, and billed as that.
TEST(ConfigNetworks, AreNoPartOfAnIpv6HostOfAnother) {
  const std::string pool =
      "[networks.pool]\nprefixes = [\"2001:db8::/40\"]\nipv6_prefix = 56\n";
  EXPECT_THAT(Errors(pool + "[networks.servers]\n"
                            "prefixes = [\"2001:db8::/64\", "
                            "\"2001:db8:0:100::/56\"]\n"),
              ElementsAre(AllOf(StartsWith("iptrk.toml:5:13: "),
                                HasSubstr("2001:db8::/64 is smaller than one "
                                          "IPv6 host of network pool"),
                                HasSubstr("ipv6_prefix = 64 there"))));
}

TEST(ConfigNetworks, WarnOfOneInsideAnother) {
  EXPECT_THAT(Warnings("[networks.lan]\nprefixes = [\"10.0.0.0/8\"]\n"
                       "[networks.dmz]\nprefixes = [\"10.1.0.0/24\"]\n"),
              ElementsAre(AllOf(StartsWith("iptrk.toml:4:13: "),
                                HasSubstr("10.0.0.0/8 of network lan"),
                                HasSubstr("counts for network dmz alone"))));
}

TEST(ConfigServices, HaveEveryPortOnce) {
  EXPECT_THAT(Errors("[services]\nweb = [\"tcp/80\"]\nhttp = [\"tcp/80\"]\n"),
              ElementsAre(AllOf(HasSubstr("'tcp/80' is in the services http "
                                          "and web"))));
  EXPECT_THAT(Errors("[services]\nweb = [\"tcp/80\", \"6/80\"]\n"),
              ElementsAre(HasSubstr("'6/80' is in web twice")));
  EXPECT_THAT(Errors("[services]\nweb = []\n"),
              ElementsAre(HasSubstr("service web has no ports")));
  EXPECT_THAT(Errors("[services]\nother-tcp = [\"tcp\"]\n"),
              ElementsAre(HasSubstr("choose another name")));
  // A port is more than its protocol.
  EXPECT_THAT(Errors("[services]\nrest = [\"tcp\"]\nweb = [\"tcp/80\"]\n"),
              IsEmpty());
  EXPECT_THAT(Warnings("[services]\n"),
              ElementsAre(HasSubstr("every port counts as other")));
}

}  // namespace
}  // namespace iptrk
