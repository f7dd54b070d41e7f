// SPDX-License-Identifier: GPL-2.0-only
#include "lib/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lib/ledger.h"
#include "lib/report_text.h"
#include "tests/unit/ledger_fixture.h"
#include "tools/graph/report_page.h"

namespace iptrk {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// An hour: slots of 1 to 12 times a million bytes in; the third was not seen
// at all, the fifth for 20 s, the seventh never without something missing.
class ReportTest : public ::testing::Test {
 protected:
  ReportTest() {
    Ledger ledger(file_.path());
    for (int i = 1; i <= 12; ++i) {
      if (i == 3) continue;
      LedgerEntry entry;
      entry.end = kStart + i * 300;
      entry.seconds = 300;
      entry.covered = i == 5 ? 20 : i == 7 ? 0 : 300;
      const auto bytes = static_cast<std::uint64_t>(i) * 1'000'000;
      entry.customers = {{"acme", {{bytes, 1}, {bytes / 2, 1}, {}, {}}}};
      entry.total.unattributed = {5, 1};
      ledger.Apply(std::vector{entry});
    }
    request_.customer = "acme";
    request_.period = "an hour";
    request_.span = {kStart, kStart + 3600};
  }

  Bill Make(const BillOptions& options = {}) const {
    return MakeBills(file_.path(), std::vector{request_}, options).at(0);
  }

  LedgerFile file_;
  BillRequest request_;
};

TEST_F(ReportTest, CountsSamplesExpectedAndSeen) {
  const Bill bill = Make();
  EXPECT_EQ(bill.expected, 12u);
  EXPECT_EQ(bill.seen, 10u);
  EXPECT_EQ(bill.covered, 9 * 300 + 20);
  EXPECT_DOUBLE_EQ(bill.Coverage(), 2720 / 3600.0);
  EXPECT_EQ(bill.unattributed.bytes, 55u);
}

TEST_F(ReportTest, CoversNothingOfAnEmptySpan) {
  request_.span.to = request_.span.from;
  EXPECT_EQ(Make().Coverage(), 0);
  EXPECT_EQ(CoverageText(Make()), "0.00 %");
}

TEST_F(ReportTest, BillsEveryByteOfTheVolumeAlsoOfSlotsThatAreNoSamples) {
  EXPECT_EQ(Make().volume.in.bytes, (78 - 3) * 1'000'000u);
  request_.span = {kStart + 1800, kStart + 2100};  // the seventh alone
  EXPECT_EQ(Make().volume.in.bytes, 7'000'000u);
  EXPECT_FALSE(Make().percentiles.at(0).second.has_value());
}

TEST_F(ReportTest, BillsNoGapsUnlessAllowed) {
  EXPECT_FALSE(Make().billable);
  EXPECT_TRUE(Make({.allow_gaps = true}).billable);
  request_.span = {kStart + 7 * 300, kStart + 3600};
  EXPECT_TRUE(Make().billable);
  request_.span = {0, 3600};
  EXPECT_FALSE(Make({.allow_gaps = true}).billable);
}

TEST_F(ReportTest, TakesASlotWithoutTrafficForASampleOfNothing) {
  request_.customer = "somebody else";
  const Bill bill = Make();
  EXPECT_EQ(bill.seen, 10u);
  EXPECT_EQ(bill.percentiles.at(0).second->bytes, 0u);
}

TEST_F(ReportTest, PutsTheConventionsSideBySide) {
  const Bill bill = Make({.every_convention = true});
  ASSERT_EQ(bill.percentiles.size(), 5u);
  EXPECT_EQ(bill.percentiles[2].first, Convention::kP95OfSum);
  EXPECT_EQ(bill.percentiles[2].second->bytes, 18'000'000u);
}

TEST_F(ReportTest, SaysOnTheBillWhatAndWhichSlotItIsAbout) {
  const std::vector bills{Make()};
  const std::string text = BillsToText(bills, true);
  EXPECT_THAT(text, HasSubstr("NOT BILLABLE"));
  EXPECT_THAT(text, HasSubstr("10/12"));
  EXPECT_THAT(text, HasSubstr("75.55 %"));
  EXPECT_THAT(text, HasSubstr("Slot ending 2026-10-01T01:00:00Z"));
  EXPECT_THAT(text, HasSubstr("12000000 bytes in, 6000000 out"));
  EXPECT_THAT(text, HasSubstr("layer 2 without FCS"));
  EXPECT_THAT(text, HasSubstr("55 bytes of all traffic could not be"));
}

TEST_F(ReportTest, ListsEverySlotForAnAudit) {
  const std::vector bills{Make({.slots = true})};
  const auto json = BillsToJson(bills, true);
  const auto& slots = json["customers"][0]["slots"];
  ASSERT_EQ(slots.size(), 11u);
  EXPECT_EQ(slots[10]["end"], "2026-10-01T01:00:00Z");
  EXPECT_EQ(slots[10]["in"]["bytes"], 12'000'000);
  EXPECT_THAT(
      BillsToCsv(bills, true),
      HasSubstr("acme,2026-10-01T01:00:00Z,300,1,12000000,1,6000000,1,0,0,0,0,"
                "max-of-p95\r\n"));
}

TEST_F(ReportTest, QuotesAndEscapesNames) {
  request_.customer = "a,\"b\" <c>";
  const std::vector bills{Make()};
  EXPECT_THAT(BillsToCsv(bills, false), HasSubstr("\"a,\"\"b\"\" <c>\",1,UTC"));
  const PageTemplates templates(std::string(IPTRK_SOURCE_DIR) +
                                "/tools/page-templates");
  const std::string html = BillsToHtml(bills, true, templates);
  EXPECT_THAT(html, HasSubstr("a,&quot;b&quot; &lt;c&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<c>")));
}

}  // namespace
}  // namespace iptrk
