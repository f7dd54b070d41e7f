// SPDX-License-Identifier: GPL-2.0-only
#include "lib/percentile.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "lib/civil_month.h"

namespace iptrk {
namespace {

// `count` samples, the i-th of i bytes in; out the other way round, halved.
std::vector<Sample> Rising(std::size_t count) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back({static_cast<std::int64_t>(i) * 300, i, (count - i) / 2});
  return samples;
}

TEST(Percentile, DropsTheTopFivePercentRoundedDownAndBillsTheNext) {
  // Ascending 0-based ranks of shared practice: months of 28, 29, 30 and 31
  // days, with an hour less and more.
  const std::map<std::size_t, std::uint64_t> ranks = {
      {8064, 7660}, {8352, 7934}, {8640, 8207}, {8928, 8481},
      {8916, 8470}, {8652, 8219}, {8940, 8492}};
  for (const auto& [count, rank] : ranks) {
    const auto found = FindPercentile(Rising(count), Convention::kP95In);
    EXPECT_EQ(found->bytes, rank) << count;
    EXPECT_EQ(found->rank + rank, count);
    EXPECT_EQ(found->dropped, count / 20);
  }
}

TEST(Percentile, IsTheGreatestOfFewerThanTwentySamples) {
  EXPECT_EQ(FindPercentile(Rising(1), Convention::kP95In)->bytes, 0u);
  EXPECT_EQ(FindPercentile(Rising(19), Convention::kP95In)->bytes, 18u);
  EXPECT_EQ(FindPercentile(Rising(20), Convention::kP95In)->bytes, 18u);
  EXPECT_FALSE(FindPercentile({}, Convention::kMaxOfP95).has_value());
}

TEST(Percentile, IsOfTheDirectionsThatTheConventionNames) {
  // One free sample of 20. In and out have their bursts at other times.
  std::vector<Sample> samples;
  for (int i = 0; i < 20; ++i) samples.push_back({i * 300, 10, 20});
  samples[3].in = samples[4].in = 500;
  samples[5].out = 1000;
  const auto bytes = [&](Convention convention) {
    return FindPercentile(samples, convention)->bytes;
  };
  EXPECT_EQ(bytes(Convention::kP95In), 500u);
  EXPECT_EQ(bytes(Convention::kP95Out), 20u);
  EXPECT_EQ(bytes(Convention::kMaxOfP95), 500u);
  EXPECT_EQ(bytes(Convention::kP95OfMax), 500u);
  EXPECT_EQ(bytes(Convention::kP95OfSum), 520u);
  EXPECT_STREQ(FindPercentile(samples, Convention::kP95OfMax)->direction, "in");
}

TEST(Percentile, NamesTheSlotThatGaveIt) {
  auto samples = Rising(100);
  const auto found = FindPercentile(samples, Convention::kP95In);
  EXPECT_EQ(found->sample.end, 94 * 300);
  EXPECT_EQ(found->rank, 6u);
  EXPECT_DOUBLE_EQ(found->BitsPerSecond(), 94 * 8 / 300.0);
  // Of equals, the earlier ones have the ranks before.
  for (Sample& sample : samples) sample.in = 7;
  EXPECT_EQ(FindPercentile(samples, Convention::kP95In)->sample.end, 5 * 300);
}

TEST(Percentile, KnowsConventionsByName) {
  for (const Convention convention : kEveryConvention)
    EXPECT_EQ(ParseConvention(ToString(convention)), convention);
  EXPECT_EQ(ParseConvention("in"), Convention::kP95In);
  EXPECT_EQ(ParseConvention("out"), Convention::kP95Out);
  EXPECT_FALSE(ParseConvention("p95").has_value());
}

std::int64_t Slots(const char* zone, const char* month) {
  const TimeSpan span = *MonthSpan(month, zone);
  EXPECT_EQ((span.to - span.from) % 300, 0);
  return (span.to - span.from) / 300;
}

TEST(CivilMonth, IsAsLongAsTheClocksOfItsZoneSay) {
  EXPECT_EQ(Slots("UTC", "2026-02"), 8064);
  EXPECT_EQ(Slots("UTC", "2028-02"), 8352);
  EXPECT_EQ(Slots("UTC", "2026-10"), 8928);
  EXPECT_EQ(Slots("Europe/Berlin", "2026-03"), 8916);
  EXPECT_EQ(Slots("Europe/Berlin", "2026-10"), 8940);
  EXPECT_EQ(Slots("America/New_York", "2026-11"), 8652);
  EXPECT_EQ(Slots("Australia/Lord_Howe", "2026-04"), 8646);
  EXPECT_EQ(MonthSpan("2026-10", "Europe/Berlin")->from, 1790805600);
}

TEST(CivilMonth, TakesOnlyMonthsForMonths) {
  for (const char* text : {"2026", "2026-13", "2026-1", "2026-10-01", "",
                           "26-10", "2026-1x", " 2026-1"})
    EXPECT_FALSE(MonthSpan(text, "UTC").has_value()) << text;
  EXPECT_FALSE(MonthSpan("2026-10", "Mars/Base").has_value());
  EXPECT_FALSE(IsTimeZone("localtime"));
  EXPECT_FALSE(IsTimeZone(""));
}

TEST(CivilMonth, IsOverWhenItsZoneSaysSo) {
  // 2026-10-31T23:30Z is November in Berlin.
  EXPECT_EQ(LastMonth(1793489400, "UTC"), "2026-09");
  EXPECT_EQ(LastMonth(1793489400, "Europe/Berlin"), "2026-10");
}

TEST(CivilMonth, ReadsDatesOfAZoneAndOfTheirOwnOffset) {
  constexpr std::int64_t kNoon = 1790848800;  // 2026-10-01T10:00Z
  EXPECT_EQ(ParseDate("2026-10-01T12:00", "Europe/Berlin"), kNoon);
  EXPECT_EQ(ParseDate("2026-10-01T12:00:00", "Europe/Berlin"), kNoon);
  EXPECT_EQ(ParseDate("2026-10-01T10:00Z", "Europe/Berlin"), kNoon);
  EXPECT_EQ(ParseDate("2026-10-01T12:00:00+02:00", "UTC"), kNoon);
  EXPECT_EQ(ParseDate("2026-10-01", "Europe/Berlin"), kNoon - 12 * 3600);
  // Shown twice when the clocks go back: the first one.
  EXPECT_EQ(ParseDate("2026-10-25T02:30", "Europe/Berlin"), 1792888200);
  for (const char* text : {"", "yesterday", "2026-10", "2026-10-32",
                           "2026-10-01T25:00", "infinite-future"})
    EXPECT_FALSE(ParseDate(text, "UTC").has_value()) << text;
  EXPECT_EQ(FormatDate(kNoon, "Europe/Berlin"), "2026-10-01T12:00:00+02:00");
  EXPECT_EQ(FormatDate(kNoon, "UTC"), "2026-10-01T10:00:00Z");
}

}  // namespace
}  // namespace iptrk
