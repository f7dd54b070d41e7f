// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config.h"

#include <fmt/format.h>
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
  EXPECT_THAT(FirstError("[nosuch]\n"),
              HasSubstr("there are queue, collectd, networks, customers, "
                        "services, detect, mail, ledger, pages, privacy"));
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

TEST(Config, HasNoMoreInterfacesAndNetworksThanCanBe) {
  std::string names;
  for (int i = 0; i < 65; ++i) names += fmt::format("\"vlan{}\", ", i);
  EXPECT_THAT(FirstError("[queue]\ninterfaces = [" + names + "]\n"),
              AllOf(StartsWith("iptrk.toml:2:"), HasSubstr("64 at most")));
  std::string networks;
  for (int i = 0; i < 4096; ++i)
    networks += fmt::format("[networks.n{}]\nprefixes = [\"10.{}.{}.0/24\"]\n",
                            i, i / 256, i % 256);
  EXPECT_THAT(FirstError(networks), HasSubstr("one network more"));
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

// Each is refused with what to write instead, in a sysop's words.
TEST(Config, RephrasesWhatIsNotToml) {
  const std::pair<const char*, const char*> cases[] = {
      {"[mail]\ntls = starttls\n",
       "2:7: 'starttls' is no value; text must be in quotes: \"starttls\""},
      {"[queue]\npromiscuous = True\n",
       "2:15: 'True' is no value; write true or false in small letters"},
      {"[networks.lan]\nprefixes = [10.1.0.0/24]\n",
       "'10.1.0.0/24' is no number; text must be in quotes"},
      {"[pages]\ntitle = \"x\n", "2:11: the quote at the end of this text"},
      {"[pages]\ntitle = \"x", "2:11: the quote at the end of this text"},
      {"[pages]\ntitle = \"a\x01b\"\n", "2:11: there is a control character"},
      {"[pages]\ntitle = \"a\xff\"\n", ": this character is not UTF-8"},
      {"[pages]\ntitle = \"a\\d\"\n", "a backslash has a meaning here"},
      {"[queue\n", "1:7: ] is missing; a section is written [name]"},
      {"[mail]\n\n[\nqueue]\n", "3:1: a section begins with [ and its name"},
      {"[[[queue]]]\n", "1:1: a section begins with [ and its name"},
      {"[mail]\n[[ [queue]]\n", "2:1: a section begins with [ and its name"},
      {"[queue] records = 1024\n", "1:9: 'records' stands behind a [section]"},
      {"[queue]\nrecords\n", "a value is missing"},
      {"[queue]\nrecords : 1024\n", "= is missing before ':'"},
      {"[queue]\nrecords = 1024 # per CPU\nrecords = 2048\n",
       "3:11: records is there already"},
      {"[queue]\n[mail]\n[queue]\n", "3:1: [queue] is there already"},
      {"[queue]\ninterfaces = [\"eth0\" \"eth1\"]\n",
       "a comma or ] is missing before '\"eth1\"'"},
      {"[queue]\ninterfaces = [ }\n", "2:16: a list ends with ], not with }"},
      {"[queue]\ninterfaces = [\"eth0\", # one\n}\n",
       "3:1: a list ends with ], not with }"},
      {"[queue]\ninterfaces = ]\n[\n", "3:1: a section begins with ["},
      {"[queue]\ninterfaces = [\"eth0\",\n[mail]\n",
       "the list before this section has no end"},
      {"[queue]\nrecords = 99999999999999999999\n", "is too large"},
      {"; remark\n", "1:1: ';' is no [section]"},
      {"records = 1024\n",
       "1:1: records is in no section; write it below "
       "[queue]"},
  };
  for (const auto& [text, message] : cases)
    EXPECT_THAT(FirstError(text), HasSubstr(message)) << text;
}

TEST(Config, FindsTheFaultsBesideASyntaxErrorToo) {
  const ConfigResult result = ParseConfig(
      "[queue]\n"
      "record = 5\n"
      "[networks.lan]\n"
      "prefixes = [\"10.1.0.0/24\"\n"
      "[customers.acme]\n"
      "prefixes = [\"10.1.0.0/25\"]\n"
      "[mail]\n"
      "tls = yes\n"
      "[pages]\n"
      "titlle = \"x\"\n",
      "iptrk.toml");
  std::vector<std::string> lines;
  for (const ConfigError& error : result.errors)
    lines.push_back(error.ToString());
  EXPECT_THAT(lines, testing::ElementsAre(
                         HasSubstr("2:1: queue.record is not a key; did you "
                                   "mean records?"),
                         HasSubstr("5:1: the list before this section"),
                         HasSubstr("8:7: 'yes' is no value"),
                         HasSubstr("10:1: pages.titlle is not a key; did you "
                                   "mean title?")));
}

TEST(Config, SuggestsTheKeyAndTheSectionThatWereMeant) {
  EXPECT_THAT(FirstError("[collectd]\nhost-interval = 60\n"),
              HasSubstr("did you mean host_interval?"));
  EXPECT_THAT(FirstError("[queue]\nhost_interval = 60\n"),
              HasSubstr("it belongs below [collectd]"));
  EXPECT_THAT(FirstError("[mail]\nprot = 25\n"), HasSubstr("mean port?"));
  EXPECT_THAT(FirstError("[Collectd]\n"), HasSubstr("mean [collectd]?"));
  EXPECT_THAT(FirstError("[network.lan]\n"), HasSubstr("mean [networks]?"));
  EXPECT_THAT(FirstError("[detect.packet]\n"), HasSubstr("[detect.packets]"));
  EXPECT_THAT(FirstError("[xyz]\n"), HasSubstr("there are queue, collectd,"));
}

TEST(Config, EscapesWhatTheFileHidesInAMessage) {
  EXPECT_THAT(FirstError("[queue]\ninterfaces = [\"\\u001b[31m\"]\n"),
              HasSubstr("'\\x1b[31m'"));
  EXPECT_THAT(FirstError("[queue]\n\"a\\nb\\u0000\\u009b\" = 1\n"),
              HasSubstr("queue.a\\nb\\x00\\xc2\\x9b is not a key"));
  const std::string flood(5000, 'x');
  EXPECT_LT(FirstError("[queue]\n" + flood + " = 1\n").size(), 300u);
  EXPECT_LT(FirstError("[pages]\ntitle = \"" + flood + "\"\n").size(), 300u);
}

TEST(Config, RefusesNumbersThatMakeNoSense) {
  for (const char* number :
       {"-1", "0", "1e300", "-inf", "nan", "\"10\"", "true", "10.5",
        "9223372036854775807", "[10]", "{a = 1}", "2026-01-01"})
    EXPECT_THAT(FirstError(std::string("[mail]\nport = ") + number + "\n"),
                HasSubstr("2:8: port must be a whole number from 1 to 65535"))
        << number;
  EXPECT_THAT(FirstError("[detect.packets]\nlimit = nan\n"),
              HasSubstr("limit must be a number from 1 to"));
}

// A table for each part of a key would overflow the stack.
TEST(Config, SurvivesAKeyOfManyParts) {
  std::string deep;
  for (int i = 0; i < 300'000; ++i) deep += "a.";
  for (const std::string& text :
       {deep + "a = 1\n", "[" + deep + "a]\n",
        "x = {y = \"\"\"\n\"\"\", " + deep + "a = 1}\n"})
    EXPECT_THAT(FirstError(text), HasSubstr("no key has more than"));
  EXPECT_THAT(FirstError(std::string(kMostConfigBytes + 1, '\n')),
              HasSubstr("larger than"));
  EXPECT_THAT(FirstError("[pages]\ntitle = \"" + std::string(100, '.') +
                         "\" # " + std::string(100, '.') + "\n"),
              testing::IsEmpty());
}

TEST(Config, ChoosesAHostIntervalThatFitsTheInterval) {
  for (const auto& [interval, expected] :
       {std::pair{10, 60}, {1, 60}, {25, 75}, {100, 100}, {300, 300}})
    EXPECT_EQ(
        ParseConfig("[collectd]\ninterval = " + std::to_string(interval) + "\n",
                    "iptrk.toml")
            .config.collectd.host_interval,
        expected);
}

TEST(Config, KnowsInsideFromOutside) {
  const ConfigResult result = ParseConfig(
      "[queue]\ninside = [\"lan*\"]\noutside = [\"wan0\"]\n", "iptrk.toml");
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result.config.queue.inside, testing::ElementsAre("lan*"));
  EXPECT_THAT(result.config.queue.outside, testing::ElementsAre("wan0"));
  EXPECT_THAT(
      FirstError("[queue]\ninside = [\"eth0\"]\noutside = [\"eth0\"]\n"),
      AllOf(HasSubstr("3:12: 'eth0' is in inside too")));
  EXPECT_THAT(
      FirstError("[queue]\ninside = [\"eth0\"]\noutside = [\"eth*\"]\n"),
      HasSubstr("'eth*' is in inside too by 'eth0'"));
}

TEST(Config, WarnsOfInterfacesThatAreNotThere) {
  const std::vector<std::string> there = {"lo", "eth0"};
  const ConfigResult result = ParseConfig(
      "[queue]\ninterfaces = [\"eth*\", \"wlan*\"]\noutside = [\"ppp0\"]\n",
      "iptrk.toml", &there);
  ASSERT_TRUE(result.ok());
  std::vector<std::string> lines;
  for (const ConfigError& warning : result.warnings)
    lines.push_back(warning.ToString());
  EXPECT_THAT(lines, testing::ElementsAre(
                         HasSubstr("2:23: no interface of this machine matches "
                                   "'wlan*' now; there are lo, eth0"),
                         HasSubstr("is named 'ppp0' now"),
                         HasSubstr("ppp0 is not one of interfaces")));
}

TEST(Config, WarnsOfALedgerThatForgetsTooSoon) {
  const ConfigResult result = ParseConfig(
      "[ledger]\nkeep_slots = 31\nkeep_host_hours = 1\n", "iptrk.toml");
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.warnings.size(), 2u);
  EXPECT_THAT(result.warnings[0].message, HasSubstr("62 are enough"));
  EXPECT_THAT(result.warnings[1].message,
              HasSubstr("less than keep_host_slots = 2"));
}

TEST(Config, WantsWholePaths) {
  EXPECT_THAT(FirstError("[ledger]\npath = \"ledger.sqlite\"\n"),
              HasSubstr("such as \"/var/lib/iptrk/ledger.sqlite\""));
  EXPECT_THAT(FirstError("[mail]\nspool = \"\"\n"), HasSubstr("a whole path"));
  EXPECT_THAT(FirstError("[ledger]\npath = \"\"\n"), testing::IsEmpty());
}

TEST(Config, GivesEachRecipientOfMailsWhatHeDoesNotSayFromMail) {
  const ConfigResult result = ParseConfig(
      "[networks.lan]\nprefixes = [\"10.1.0.0/24\"]\n"
      "[customers.acme]\nprefixes = [\"10.1.0.0/28\"]\n"
      "[mail]\nseverity = \"failure\"\nquiet = \"22:00-06:30\"\n"
      "daily_digest = \"\"\n"
      "[mail.recipients.noc]\naddress = \"noc@example.net\"\n"
      "[mail.recipients.acme]\naddress = \"it@acme.example\"\n"
      "customers = [\"acme\"]\nnetworks = [\"lan\"]\nkinds = [\"packets\"]\n"
      "quiet = \"\"\nseverity = \"warning\"\ndaily_digest = \"18:05\"\n",
      "iptrk.toml");
  ASSERT_TRUE(result.ok()) << result.errors[0].ToString();
  const MailConfig& mail = result.config.mail;
  EXPECT_TRUE(mail.enabled);
  ASSERT_EQ(mail.recipients.size(), 2u);
  const MailRecipient& acme = mail.recipients[0];
  EXPECT_EQ(acme.address, "it@acme.example");
  EXPECT_EQ(acme.filter.severity, "warning");
  EXPECT_EQ(acme.filter.customers, std::vector<std::string>{"acme"});
  EXPECT_FALSE(acme.filter.quiet.has_value());
  EXPECT_EQ(acme.filter.daily_digest, 18 * 60 + 5);
  const MailFilter& noc = mail.recipients[1].filter;
  EXPECT_EQ(noc.severity, "failure");
  ASSERT_TRUE(noc.quiet.has_value());
  EXPECT_EQ(noc.quiet->from, 22 * 60);
  EXPECT_EQ(noc.quiet->to, 6 * 60 + 30);
  EXPECT_FALSE(noc.daily_digest.has_value());
}

TEST(Config, SaysWhatIsRightForMail) {
  const std::pair<const char*, const char*> cases[] = {
      {"[mail]\nport = 465\n", "write port = 587 and tls = \"starttls\""},
      {"[mail]\nquiet = \"22-6\"\n", "such as \"22:00-06:30\""},
      {"[mail]\nquiet = \"07:00-07:00\"\n", "such as \"22:00-06:30\""},
      {"[mail]\ndaily_digest = \"24:00\"\n", "such as \"07:00\""},
      {"[mail]\nhourly_limit = 0\n", "from 1 to 1000"},
      {"[mail]\nseverity = \"warn\"\n", "did you mean \"warning\"?"},
      {"[mail]\nuser = \"u\"\n", "needs a password_file"},
      {"[mail.recipients]\nboss = \"a@b\"\n", "write [mail.recipients.boss]"},
      {"[mail.recipients.boss]\n", "recipient boss has no address"},
      {"[mail.recipients.boss]\naddress = \"a b\"\n", "no mail address"},
      {"[mail.recipients.boss]\naddress = \"a@b\"\naddr = 1\n",
       "mail.recipients.boss.addr is not a key; did you mean address?"},
      {"[networks.lan]\nprefixes = [\"10.1.0.0/24\"]\n"
       "[mail.recipients.boss]\naddress = \"a@b\"\nnetworks = [\"lam\"]\n",
       "there is no [networks.lam]; did you mean \"lan\"?"},
      {"[mail.recipients.boss]\naddress = \"a@b\"\ncustomers = [\"x\"]\n",
       "there is no [customers.x]"}};
  for (const auto& [text, remedy] : cases)
    EXPECT_THAT(FirstError(text), HasSubstr(remedy)) << text;
}

TEST(Config, FaultsEveryAddressThatMailCouldNotBeSentTo) {
  for (const char* bad : {"a@b@c", "ä@example.net", "op@exämple.net", "a(b)@c",
                          "a@[192.0.2.1]", "a:b@c", "@c", "a@"}) {
    const std::string key = std::string("\"") + bad + "\"";
    for (const std::string& text :
         {"[mail]\nto = [" + key + "]\n", "[mail]\nfrom = " + key + "\n",
          "[mail.recipients.boss]\naddress = " + key + "\n"}) {
      EXPECT_THAT(FirstError(text), HasSubstr("is no mail address; write one"))
          << text;
      EXPECT_THAT(FirstError(text), HasSubstr(":2:")) << text;
    }
  }
}

TEST(Config, WarnsOnThisMachineOfFilesThatMailLacks) {
  const std::string text =
      "[mail]\nto = [\"a@example.net\"]\ntls = \"starttls\"\nuser = \"u\"\n"
      "password_file = \"/etc/passwd\"\nca_file = \"/nonexistent/ca\"\n";
  EXPECT_TRUE(ParseConfig(text, "iptrk.toml").warnings.empty());
  const std::vector<std::string> interfaces = {"lo"};
  const ConfigResult result = ParseConfig(text, "iptrk.toml", &interfaces);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.warnings.size(), 2u);
  EXPECT_THAT(result.warnings[0].ToString(),
              HasSubstr("iptrk.toml:5:17: password_file /etc/passwd is "
                        "readable for everybody, so it is not used; run: "
                        "chmod o-r /etc/passwd"));
  EXPECT_THAT(result.warnings[1].ToString(),
              HasSubstr("iptrk.toml:6:11: ca_file /nonexistent/ca: No such "
                        "file or directory"));
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
