// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "lib/ledger.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/rrd_fixture.h"
#include "tools/graph/host_names.h"

namespace iptrk {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class Site : public ::testing::Test {
 protected:
  Site() {
    options_.output = directory_.path() / "pages";
    options_.templates = fs::path(IPTRK_SOURCE_DIR) / "rrd-templates";
    options_.page_templates =
        fs::path(IPTRK_SOURCE_DIR) / "tools" / "page-templates";
    options_.rrd_directory = directory_.path() / "rrd";
    options_.title = "accounting";
    options_.now = kRrdBegin + 3600 + 30;
    options_.networks = {
        {"lan",
         {*Prefix::Parse("10.1.0.0/24"), *Prefix::Parse("2001:db8::/64")}}};
  }

  fs::path Collectd() const { return options_.rrd_directory / "gw1"; }

  // An hour of a network with three hosts, two services and the books.
  void MakeData(const std::string& network = "lan") {
    const fs::path lan = Collectd() / ("iptrk-" + network);
    for (const char* host : {"10.1.0.0", "10.1.0.80", "2001:db8::1"})
      MakeHostRrd(lan, host, 1000);
    MakeRrd(lan / "iptrk_network.rrd", kNetworkSources, 60,
            std::vector<std::vector<double>>(60, std::vector<double>(8, 5e3)));
    for (const char* name : {"web", "other-tcp"})
      MakeRrd(lan / fmt::format("iptrk_service-{}.rrd", name), kServiceSources,
              60, std::vector<std::vector<double>>(60, {1e3, 2e3, 3e3}));
    MakeBooks({100, 90, 80, 6, 0, 4});
  }
  void MakeBooks(const std::vector<double>& rates) {
    MakeRrd(Collectd() / "iptrk-interface-eth0" / "iptrk_books-received.rrd",
            kBooksSources, 60, std::vector<std::vector<double>>(60, rates));
  }

  SiteReport Write() { return WriteSite(options_); }
  std::string Page(const std::string& name) const {
    return ReadFile(options_.output / name);
  }
  std::set<std::string> Files() const {
    std::set<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(options_.output))
      if (entry.is_regular_file())
        files.insert(entry.path().lexically_relative(options_.output));
    return files;
  }

  TemporaryDirectory directory_;
  SiteOptions options_;
};

std::set<std::string> Matches(const std::string& html, const char* pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(html.begin(), html.end(), regex), end; at != end;
       ++at)
    found.insert((*at)[1]);
  return found;
}

TEST_F(Site, HasEveryPageAndPictureItLinksTo) {
  MakeData();
  EXPECT_THAT(Write().problems, IsEmpty());
  std::set<std::string> used = {"index.html", ".iptrk-pages.json"};
  std::set<std::string> anchors;
  std::set<std::string> targets;
  for (const std::string& file : Files()) {
    if (!file.ends_with(".html")) continue;
    const std::string html = Page(file);
    for (const std::string& id : Matches(html, " id=\"([^\"]+)\""))
      anchors.insert(file + "#" + id);
    for (std::string link :
         Matches(html, " (?:href|src|srcset)=\"([^\"]+)\"")) {
      if (link.starts_with('#')) link.insert(0, file);
      if (link.find('#') != std::string::npos) targets.insert(link);
      const std::string target = link.substr(0, link.find('#'));
      EXPECT_TRUE(fs::is_regular_file(options_.output / target))
          << file << " links to " << link;
      used.insert(target);
    }
  }
  for (const std::string& target : targets)
    EXPECT_TRUE(anchors.contains(target)) << target;
  for (const std::string& file : Files())
    EXPECT_TRUE(used.contains(file)) << file << " is linked from nowhere";
  EXPECT_TRUE(used.contains("host-lan-2001_db8__1.html"));
}

TEST_F(Site, LinksEachBarOfAWideNetworkToItsBlock) {
  options_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/16")}}};
  MakeData();
  MakeHostRrd(Collectd() / "iptrk-lan", "10.1.7.9", 10);
  Write();
  EXPECT_THAT(Page("index.html"),
              HasSubstr("href=\"block-lan-10.1.7.0.html\""));
  EXPECT_THAT(Page("block-lan-10.1.7.0.html"),
              HasSubstr("href=\"host-lan-10.1.7.9.html\""));
}

TEST_F(Site, EscapesMarkupInNames) {
  const std::string name = "<script>&\"'";
  options_.networks[0].name = name;
  options_.title = "<b>title";
  MakeData(name);
  Write();
  for (const std::string& file : Files()) {
    if (!file.ends_with(".html")) continue;
    EXPECT_THAT(Page(file), Not(HasSubstr("<script"))) << file;
    EXPECT_THAT(Page(file), Not(HasSubstr("<b>"))) << file;
    EXPECT_EQ(file.find_first_of("<>&\"' "), std::string::npos) << file;
  }
  EXPECT_THAT(Page("index.html"), HasSubstr("&lt;script&gt;&amp;&quot;&apos;"));
}

TEST_F(Site, IsUtf8WhateverHostsAreCalled) {
  MakeData();
  options_.names = directory_.path() / "hosts";
  std::ofstream(options_.names) << "10.1.0.80 b\xfcro\n";
  Write();
  EXPECT_THAT(Page("host-lan-10.1.0.80.html"), HasSubstr("b\xef\xbf\xbdro"));
}

TEST_F(Site, NeverUsesTheFormsOfMustacheThatDoNotEscape) {
  for (const auto& entry : fs::directory_iterator(options_.page_templates)) {
    const std::string text = ReadFile(entry.path());
    EXPECT_THAT(text, Not(HasSubstr("{{{"))) << entry.path();
    EXPECT_THAT(text, Not(HasSubstr("{{&"))) << entry.path();
  }
}

TEST_F(Site, AllowsNoScriptAndNothingFromElsewhere) {
  MakeData();
  Write();
  for (const std::string& file : Files()) {
    if (!file.ends_with(".html")) continue;
    EXPECT_THAT(Page(file), HasSubstr("content=\"default-src 'none'; "));
    EXPECT_THAT(Page(file), Not(HasSubstr(" style=")));
    EXPECT_THAT(Page(file), Not(HasSubstr("http:")));
    EXPECT_THAT(Page(file), Not(HasSubstr("https:")));
  }
}

TEST_F(Site, TellsTheNumbersToWhoCannotSeeThePictures) {
  MakeData();
  Write();
  // 10.1.0.0 and 10.1.0.80: in 1+2+3, out 4+5+6 kB/s, for 3600 s each.
  EXPECT_THAT(Page("index.html"), HasSubstr("last hour ("));
  EXPECT_THAT(Page("index.html"),
              HasSubstr("in 43.2 MB, out 108 MB; 2 addresses with traffic"));
  EXPECT_THAT(Page("host-lan-10.1.0.80.html"),
              HasSubstr("in 21.6 MB, out 54.0 MB"));
}

TEST_F(Site, DrawsAgainOnlyWhatHasChanged) {
  MakeData();
  const SiteReport first = Write();
  EXPECT_GT(first.pictures_drawn, 10u);
  options_.now += 60;
  const SiteReport second = Write();
  EXPECT_EQ(second.pictures_drawn, 0u);
  EXPECT_EQ(second.pictures_kept, first.pictures_drawn);
  fs::remove(options_.output / "img" / "network-lan-hour.svg");
  EXPECT_EQ(Write().pictures_drawn, 1u);
}

TEST_F(Site, YoungerThanARangeDrawsItAgainOnlyWhenItsEndMoves) {
  const fs::path lan = Collectd() / "iptrk-lan";
  const auto make = [&](std::size_t minutes) {
    fs::remove_all(lan);
    MakeHostRrd(lan, "10.1.0.80", 1000, minutes);
    MakeRrd(
        lan / "iptrk_network.rrd", kNetworkSources, 60,
        std::vector<std::vector<double>>(minutes, std::vector<double>(8, 5e3)));
    Write();
  };
  const auto drawn_at = [&](const char* span) {
    return fs::last_write_time(options_.output / "img" /
                               fmt::format("host-lan-10.1.0.80-{}.svg", span));
  };
  make(1000);
  const auto hour = drawn_at("hour");
  const auto day = drawn_at("day");
  make(1001);
  EXPECT_NE(drawn_at("hour"), hour);
  EXPECT_EQ(drawn_at("day"), day);
  make(1011);
  EXPECT_NE(drawn_at("day"), day);
}

TEST_F(Site, KnowsTheSlotThatIsNotOverYet) {
  MakeData();
  options_.ledger = directory_.path() / "ledger.sqlite";
  LedgerEntry entry;
  entry.end = options_.now - 10;  // not the end of a five-minute slot
  entry.seconds = entry.covered = 10;
  BooksEntry& books = entry.books.emplace_back();
  books.interface = "eth0";
  books.seen = books.recorded = {71'300'000, 70'000};
  Ledger(options_.ledger).Apply(std::vector{entry});
  EXPECT_THAT(Write().problems, IsEmpty());
  EXPECT_THAT(Page("index.html"), HasSubstr("71.3 MB seen"));
  // Younger than an hour: there is no more to show of a day.
  EXPECT_THAT(Page("index.html"), Not(HasSubstr("Last day")));
}

TEST_F(Site, BillsAMonthFromItsFirstSlotOn) {
  options_.customers = {{.name = "acme",
                         .prefixes = {},
                         .timezone = "UTC",
                         .convention = "max-of-p95"}};
  options_.ledger = directory_.path() / "ledger.sqlite";
  Ledger ledger(options_.ledger);
  const auto bills_at = [&](std::int64_t end) {
    ledger.Apply(std::vector{Minute(end, 1000)});
    options_.now = end;
    Write();
    return Page("bills.html");
  };
  for (const std::int64_t end : {kStart, kStart + 240}) {
    const std::string page = bills_at(end);
    EXPECT_THAT(page, Not(HasSubstr("This month so far")));
    EXPECT_THAT(page, HasSubstr("1 of 8640"));  // September
  }
  EXPECT_THAT(bills_at(kStart + 300), HasSubstr("1 of 1<"));
}

TEST_F(Site, RemovesOnlyItsOwnFilesOfHostsThatAreGone) {
  MakeData();
  Write();
  std::ofstream(options_.output / "host-mine.html") << "not iptrk's";
  fs::remove(Collectd() / "iptrk-lan" / "iptrk_host-10.1.0.80.rrd");
  Write();
  EXPECT_FALSE(Files().contains("host-lan-10.1.0.80.html"));
  EXPECT_FALSE(Files().contains("img/host-lan-10.1.0.80-hour.svg"));
  EXPECT_TRUE(Files().contains("host-lan-10.1.0.0.html"));
  EXPECT_TRUE(Files().contains("host-mine.html"));
}

TEST_F(Site, SaysWhenTheNewestDataAreOld) {
  MakeData();
  Write();
  EXPECT_THAT(Page("index.html"), HasSubstr("data were 30 s old"));
  EXPECT_THAT(Page("index.html"), Not(HasSubstr("Not live:")));
  options_.now += 5 * 3600;
  Write();
  EXPECT_THAT(Page("index.html"), HasSubstr("Not live:"));
  EXPECT_THAT(Page("index.html"), HasSubstr("5 h 0 min old"));
}

TEST_F(Site, SaysWhatIsMissingWhileThereAreNoData) {
  options_.networks.clear();
  EXPECT_THAT(Write().problems, IsEmpty());
  EXPECT_THAT(Page("index.html"), HasSubstr("No data yet: there are no RRDs"));
  options_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}}};
  Write();
  EXPECT_THAT(Page("index.html"),
              HasSubstr("No data yet: no readable RRD of this network"));
  EXPECT_THAT(Page("books.html"), HasSubstr("No data yet:"));
}

TEST_F(Site, ShowsWhatIsWrongWithAnRrdAndGoesOn) {
  MakeData();
  fs::resize_file(Collectd() / "iptrk-lan" / "iptrk_host-10.1.0.80.rrd", 500);
  fs::resize_file(Collectd() / "iptrk-lan" / "iptrk_service-web.rrd", 500);
  EXPECT_THAT(Write().problems, Not(IsEmpty()));
  EXPECT_THAT(Page("index.html"), HasSubstr("<h2>Problems</h2>"));
  EXPECT_THAT(Page("index.html"), HasSubstr("iptrk_host-10.1.0.80.rrd"));
  EXPECT_TRUE(Files().contains("host-lan-10.1.0.0.html"));
}

TEST_F(Site, TellsALedgerThatCannotBeReached) {
  MakeData();
  options_.ledger = directory_.path() / "ledger.sqlite";
  EXPECT_THAT(Write().problems, IsEmpty()) << "a shop without one";
  options_.ledger_named = true;
  EXPECT_THAT(Write().problems, SizeIs(1));
  EXPECT_THAT(Page("index.html"), HasSubstr("ledger.sqlite"));
  options_.ledger_named = false;
  fs::create_symlink(options_.ledger, options_.ledger);  // leads nowhere
  EXPECT_THAT(Write().problems, SizeIs(1));
}

TEST_F(Site, IsWrittenWithoutALedgerThatIsDamagedFurtherIn) {
  MakeData();
  options_.ledger = directory_.path() / "ledger.sqlite";
  Ledger(options_.ledger).Apply(std::vector{Minute(options_.now - 10, 1000)});
  EXPECT_THAT(Write().problems, IsEmpty());
  EXPECT_TRUE(Files().contains("incidents.html"));
  LedgerDatabase(options_.ledger, LedgerDatabase::Mode::kWrite)
      .Execute("UPDATE host_block SET hosts = x'00'");
  EXPECT_THAT(Write().problems, SizeIs(1));
  EXPECT_THAT(Page("index.html"), HasSubstr("the ledger can"));
  EXPECT_TRUE(Files().contains("incidents.html")) << "until it can be read";
}

TEST(HostNamesTest, GiveAnIpv6HostTheNameOfOneOfItsAddresses) {
  HostNames names = HostNames::Parse(
      "2001:db8:3:10::5 web.example\n2001:db8:3:11::9 mail.example\n"
      "2001:db8:3:11:: gate.example\n2001:db8:4::5 other.example\n");
  names.RollUp({{.name = "lan",
                 .prefixes = {*Prefix::Parse("2001:db8:3::/48")},
                 .ipv6_prefix = 64}});
  const auto of = [&](const char* address) {
    return names.Of(*Address::Parse(address));
  };
  EXPECT_EQ(of("2001:db8:3:10::"), "web.example");
  EXPECT_EQ(of("2001:db8:3:11::"), "gate.example");
  EXPECT_EQ(of("2001:db8:4::"), "");
}

TEST_F(Site, TellsNamedRrdsThatAreNotThere) {
  MakeData();
  options_.collectd_host = "gw2";
  EXPECT_THAT(Write().problems, SizeIs(1));
  EXPECT_THAT(Page("index.html"), HasSubstr("there are those of: gw1"));
  options_.collectd_host.clear();
  options_.rrds_named = true;
  EXPECT_THAT(Write().problems, IsEmpty());
  options_.rrd_directory /= "other";
  EXPECT_THAT(Write().problems, SizeIs(1));
}

TEST_F(Site, SaysWhetherTheBooksBalance) {
  MakeData();
  Write();
  EXPECT_THAT(Page("books.html"), HasSubstr(">not all seen<"));
  fs::remove_all(Collectd() / "iptrk-interface-eth0");
  MakeBooks({100, 100, 80, 10, 5, 5});
  Write();
  EXPECT_THAT(Page("books.html"), HasSubstr(">balanced<"));
  fs::remove_all(Collectd() / "iptrk-interface-eth0");
  MakeBooks({90, 90, 80, 0, 0, 0});
  Write();
  EXPECT_THAT(Page("books.html"), HasSubstr("off by 36.0 kB"));
}

}  // namespace
}  // namespace iptrk
