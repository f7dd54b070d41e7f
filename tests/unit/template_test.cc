// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/rrd_fixture.h"
#include "tools/graph/address_rrd.h"

namespace iptrk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kTemplates =
    std::filesystem::path(IPTRK_SOURCE_DIR) / "rrd-templates";

std::vector<std::string> Fill(const std::string& text,
                              const TemplateValues& values = {}) {
  return Template::Parse(text, "a.rrdgraph").Fill(values);
}

std::string ErrorOf(const std::string& text,
                    const TemplateValues& values = {}) {
  try {
    Fill(text, values);
  } catch (const TemplateError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Template, GivesOneArgumentALineWithoutCommentsAndEmptyLines) {
  EXPECT_THAT(Fill("# a comment\n\n--base=1000\r\nCOMMENT: a # b\\l\n"),
              ElementsAre("--base=1000", "COMMENT: a # b\\l"));
}

TEST(Template, ReplacesPlaceholdersAndDoubledBraces) {
  EXPECT_THAT(Fill("AREA:{what}#{color}:{{x}}",
                   {{{"what", "in"}, {"color", "ff0000"}}, {}}),
              ElementsAre("AREA:in#ff0000:{x}"));
}

TEST(Template, RepeatsABlockForEachRowWithTheRowsOwnValuesFirst) {
  EXPECT_THAT(Fill("%each service\nDEF:{name}={file}\n%end\nlast",
                   {{{"file", "general"}, {"name", "general"}},
                    {{"service",
                      {{{"name", "web"}}, {{"file", "own"}, {"name", "b"}}}}}}),
              ElementsAre("DEF:web=general", "DEF:b=own", "last"));
}

TEST(Template, LeavesOutTheBlockOfAnEmptyList) {
  EXPECT_THAT(Fill("%each service\nDEF:{name}\n%end", {{}, {{"service", {}}}}),
              ElementsAre());
}

TEST(Template, EscapesColonsOfValuesExceptInOptions) {
  EXPECT_THAT(Fill("--title={t}\nCOMMENT:{t}", {{{"t", "2001:db8::1"}}, {}}),
              ElementsAre("--title=2001:db8::1", "COMMENT:2001\\:db8\\:\\:1"));
}

TEST(Template, RefusesValuesThatRrdgraphCannotCarry) {
  EXPECT_THAT(ErrorOf("COMMENT:{t}", {{{"t", "a\\b"}}, {}}),
              HasSubstr("a.rrdgraph:1: the value of {t} holds a '\\'"));
  EXPECT_THAT(ErrorOf("--title={t}", {{{"t", "a\nb"}}, {}}),
              HasSubstr("control character"));
}

TEST(Template, NamesLineAndKnownPlaceholdersWhenOneIsUnknown) {
  EXPECT_EQ(
      ErrorOf("\nDEF:a={fiel}:in:AVERAGE", {{{"file", ""}, {"start", ""}}, {}}),
      "a.rrdgraph:2: nothing is known as {fiel}; known: file, start");
}

TEST(Template, SaysWhatWouldBeRightForEachMistake) {
  const std::map<std::string, std::string> faults = {
      {"%end", "%end without an %each before it"},
      {"%each a\nx", "%each without an %end after it"},
      {"%each a\n%each b", "end that one with %end first"},
      {"%each", "write e.g. %each service"},
      {"%include x", "known are %each NAME and %end"},
      {"DEF:{a b}", "is no placeholder; write {name}"},
      {"DEF:{a", "is no placeholder"},
      {"DEF:a}", "write }} for a brace"},
      {"%each a\nx\n%end", "nothing is known as list 'a'"},
  };
  for (const auto& [text, message] : faults) {
    EXPECT_THAT(ErrorOf(text), HasSubstr(message)) << text;
    EXPECT_THAT(ErrorOf(text), HasSubstr("a.rrdgraph:")) << text;
  }
}

TEST(Template, SaysWhereItLookedForATemplateThatIsNowhere) {
  try {
    FindTemplate("histgram", {kTemplates});
    FAIL();
  } catch (const TemplateError& error) {
    EXPECT_THAT(error.what(), HasSubstr("histgram.rrdgraph: no such template"));
    EXPECT_THAT(error.what(), HasSubstr(kTemplates.string()));
  }
}

TEST(Template, ShippedOnesUseOnlyWhatTheCommandKnows) {
  const TemplateRow general = {
      {"file", "f"},   {"title", "t"},     {"watermark", "w"},
      {"start", "1"},  {"end", "2"},       {"width", "3"},
      {"height", "4"}, {"x_grid", "none"}, {"bar_seconds", "5"}};
  const TemplateRow service = {{"name", "s0"},
                               {"label", "web"},
                               {"service_file", "g"},
                               {"color", "2a78d6"}};
  const TemplateRow percentile = {
      {"bits", "1"}, {"label", "95th"}, {"text", "12 Mbit/s"}};
  for (const auto& entry : std::filesystem::directory_iterator(kTemplates)) {
    if (entry.path().extension() != ".rrdgraph") continue;
    EXPECT_FALSE(
        Template::Load(entry.path())
            .Fill({general,
                   {{"service", {service}}, {"percentile", {percentile}}}})
            .empty())
        << entry.path();
  }
}

TEST(Template, OfCollectdGraphPanelNamesEveryTypeAndSource) {
  const auto panel =
      nlohmann::json::parse(ReadFile(kTemplates / "cgp" / "iptrk.json"));
  std::ifstream types(std::filesystem::path(IPTRK_SOURCE_DIR) / "plugin" /
                      "iptrk.types.db");
  std::size_t count = 0;
  for (std::string line; std::getline(types, line); ++count) {
    std::istringstream words(line);
    std::string type;
    words >> type;
    ASSERT_TRUE(panel.contains(type)) << type;
    std::size_t sources = 0;
    for (std::string source; words >> source; ++sources)
      EXPECT_TRUE(
          panel[type]["legend"].contains(source.substr(0, source.find(':'))))
          << type << " " << source;
    EXPECT_EQ(panel[type]["legend"].size(), sources) << type;
  }
  EXPECT_EQ(panel.size(), count);
}

// The line that a template's opening comment tells users of stock rrdtool.
std::string CommandInComment(const std::string& name) {
  const std::string text = ReadFile(kTemplates / (name + ".rrdgraph"));
  const std::size_t start = text.find("#   cat theme");
  if (start == std::string::npos) return "false";
  return text.substr(start + 1, text.find('\n', start) - start - 1);
}

class StockRrdtool : public ::testing::Test {
 protected:
  // Runs the comment's line in a directory that holds what it names.
  void ExpectDraws(const std::string& name, const std::string& picture) {
    namespace fs = std::filesystem;
    for (const std::string& file : {name, std::string("theme-light")})
      fs::copy_file(kTemplates / (file + ".rrdgraph"),
                    directory_.path() / (file + ".rrdgraph"));
    const std::string command = "cd '" + directory_.path().string() + "' && " +
                                CommandInComment(name) + " >/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    const std::string bytes = ReadFile(directory_.path() / picture);
    EXPECT_TRUE(bytes.starts_with("\x89PNG")) << command;
  }

  TemporaryDirectory directory_;
};

TEST_F(StockRrdtool, DrawsTheHistogramAsItsCommentSays) {
  const Prefix prefix = *Prefix::Parse("10.1.0.0/24");
  WriteAddressRrd(*MakeAddressAxis(prefix, 1024),
                  std::vector<AddressVolume>{{prefix.first, {1e9}, 60, {}}},
                  directory_.path() / "address.rrd");
  ExpectDraws("histogram", "histogram.png");
}

TEST_F(StockRrdtool, DrawsAHostOverTimeAsItsCommentSays) {
  MakeHostRrd(directory_.path(), "10.1.0.80", 1);
  ExpectDraws("time-domain", "host.png");
}

TEST_F(StockRrdtool, DrawsANetworkAsItsCommentSays) {
  MakeRrd(directory_.path() / "iptrk_network.rrd", kNetworkSources, 10,
          {std::vector<double>(8, 1.0)});
  ExpectDraws("network", "network.png");
}

TEST_F(StockRrdtool, DrawsMartiansAsItsCommentSays) {
  constexpr std::array<std::string_view, 4> kSources = {"bogon", "spoofed",
                                                        "foreign", "nonip"};
  MakeRrd(directory_.path() / "iptrk_martian.rrd", kSources, 10,
          {{1, 2, 3, 4}});
  ExpectDraws("martians", "martians.png");
}

TEST_F(StockRrdtool, DrawsTheBooksAsItsCommentSays) {
  MakeRrd(directory_.path() / "iptrk_books-received.rrd", kBooksSources, 10,
          {std::vector<double>(6, 1.0)});
  ExpectDraws("books", "books.png");
}

TEST_F(StockRrdtool, DrawsTheQueueAsItsCommentSays) {
  constexpr std::array<std::string_view, 4> kSources = {"fill", "records",
                                                        "early_commits", "lag"};
  MakeRrd(directory_.path() / "iptrk_queue.rrd", kSources, 10,
          {{.5, 1000, 0, .2}});
  ExpectDraws("queue", "queue.png");
}

TEST_F(StockRrdtool, DrawsPacketsOfAHostAsItsCommentSays) {
  constexpr std::array<std::string_view, 4> kSources = {"in", "out", "internal",
                                                        "new_peers"};
  MakeRrd(directory_.path() / "iptrk_host_packets-10.1.0.80.rrd", kSources, 10,
          {{1, 2, 3, 4}});
  ExpectDraws("packets", "packets.png");
}

TEST_F(StockRrdtool, DrawsServicesAsItsCommentSays) {
  MakeRrd(directory_.path() / "iptrk_network.rrd", kNetworkSources, 10,
          {std::vector<double>(8, 1.0)});
  for (const char* name : {"web", "dns", "ssh"})
    MakeRrd(directory_.path() / fmt::format("iptrk_service-{}.rrd", name),
            kServiceSources, 10, {std::vector<double>(3, 1.0)});
  ExpectDraws("services", "services.png");
}

}  // namespace
}  // namespace iptrk
