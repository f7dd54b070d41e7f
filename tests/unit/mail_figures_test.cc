// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <string>

#include "plugin/mail/figures.h"

namespace iptrk::mail {
namespace {

TEST(MailFigures, StayUtf8WhateverBytesTheyAreGiven) {
  EXPECT_EQ(Clean("a\xff\xc3(\xe2\x82z\xed\xa0\x80\xf5"),
            "a\ufffd\ufffd(\ufffd\ufffdz\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(Clean(std::string("a\0b\x1b[31m\x7f", 10)), "a b [31m");
  EXPECT_EQ(Clean("\xe2\x80\xae"
                  "txt.exe"),
            "txt.exe");
  EXPECT_EQ(Clean("  Grüße 10 €  "), "Grüße 10 €");
}

TEST(MailFigures, ReadAsAPersonWritesThem) {
  EXPECT_EQ(Grouped("31250"), "31,250");
  EXPECT_EQ(Grouped("31250.4"), "31,250");
  EXPECT_EQ(Grouped("999"), "999");
  EXPECT_EQ(Grouped("1000000"), "1,000,000");
  EXPECT_EQ(Grouped("0.25"), "0.25");
  EXPECT_EQ(Grouped("-1234"), "-1,234");
  EXPECT_EQ(Grouped("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(Grouped("many"), "many");
  EXPECT_EQ(Grouped("nan"), "nan");
  EXPECT_EQ(Bytes("999"), "999 bytes");
  EXPECT_EQ(Bytes("1000"), "1.0 kB");
  EXPECT_EQ(Bytes("999960"), "1.0 MB");
  EXPECT_EQ(Bytes("41234567"), "41.2 MB");
  EXPECT_EQ(Duration("72"), "1 min 12 s");
  EXPECT_EQ(Duration("59.6"), "1 min 0 s");
  EXPECT_EQ(Duration("3600"), "1 h 0 min");
  EXPECT_EQ(Duration("90061"), "1 d 1 h");
  EXPECT_EQ(Timestamp("2026-11-22T23:34:12Z"), "2026-11-22 23:34:12 UTC");
  EXPECT_EQ(Timestamp("last week"), "last week");
  EXPECT_EQ(Percent(0.004), "<1 %");
  EXPECT_EQ(Percent(0), "0 %");
}

}  // namespace
}  // namespace iptrk::mail
