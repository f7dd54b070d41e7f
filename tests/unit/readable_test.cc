// SPDX-License-Identifier: GPL-2.0-only
#include "lib/readable.h"

#include <gtest/gtest.h>

namespace iptrk {
namespace {

TEST(Readable, NumbersHaveACommaEachThreeDigits) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999.4), "999");
  EXPECT_EQ(WithCommas(999.6), "1,000");
  EXPECT_EQ(WithCommas(31250), "31,250");
  EXPECT_EQ(WithCommas(-1234567), "-1,234,567");
  EXPECT_EQ(WithCommas(-0.2), "0");
}

TEST(Readable, DurationsHaveTheTwoLargestUnits) {
  EXPECT_EQ(DurationText(-5), "0 s");
  EXPECT_EQ(DurationText(59), "59 s");
  EXPECT_EQ(DurationText(60), "1 min 0 s");
  EXPECT_EQ(DurationText(200), "3 min 20 s");
  EXPECT_EQ(DurationText(3599), "59 min 59 s");
  EXPECT_EQ(DurationText(3600 * 5 + 12 * 60 + 59), "5 h 12 min");
  EXPECT_EQ(DurationText(86400 * 2 + 3600 * 4), "2 d 4 h");
}

}  // namespace
}  // namespace iptrk
