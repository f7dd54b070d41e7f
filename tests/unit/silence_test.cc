// SPDX-License-Identifier: GPL-2.0-only
#include "lib/silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "lib/ledger_schema.h"
#include "tests/unit/ledger_fixture.h"

namespace iptrk {
namespace {

class SilenceTest : public testing::Test {
 protected:
  // What `iptrk incidents` does, beside whoever has the ledger open.
  LedgerDatabase Open() const {
    LedgerDatabase database(file_.path(), LedgerDatabase::Mode::kWrite);
    PrepareLedger(database);
    return database;
  }
  std::int64_t Add(const std::string& kind, const std::string& subject,
                   std::int64_t until = kStart + 3600) {
    LedgerDatabase database = Open();
    return AddSilence(database, {.kind = kind,
                                 .subject = subject,
                                 .until = until,
                                 .made = kStart,
                                 .who = "ann",
                                 .note = "moving"});
  }

  LedgerFile file_;
  SilenceReader reader_{file_.path()};
};

TEST_F(SilenceTest, SilencesNothingWithoutALedger) {
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  EXPECT_FALSE(SilenceReader("").Silenced("packets", "x", "lan", kStart));
  EXPECT_EQ(reader_.Problem(), "");
}

TEST_F(SilenceTest, SilencesAKindOfOneHostUntilItsTime) {
  Add("packets", "10.1.0.80");
  EXPECT_TRUE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  EXPECT_TRUE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart + 3599));
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart + 3600));
  EXPECT_FALSE(reader_.Silenced("volume", "10.1.0.80", "lan", kStart));
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.81", "lan", kStart));
}

TEST_F(SilenceTest, SilencesAllThatLiesInAPrefix) {
  Add("*", "10.1.0.0/24");
  EXPECT_TRUE(reader_.Silenced("volume", "10.1.0.7", "lan", kStart));
  EXPECT_TRUE(reader_.Silenced("carpet", "10.1.0.0/25", "lan", kStart));
  EXPECT_FALSE(reader_.Silenced("carpet", "10.1.0.0/16", "lan", kStart));
  EXPECT_FALSE(reader_.Silenced("books", "eth0", "", kStart));
}

TEST_F(SilenceTest, SeesWhatIsSilencedAndTakenBackWhileItIsOpen) {
  Ledger ledger(file_.path());  // as collectd has it
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  const std::int64_t id = Add("packets", "*");
  EXPECT_TRUE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  LedgerDatabase database = Open();
  EXPECT_TRUE(RemoveSilence(database, id));
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  EXPECT_FALSE(RemoveSilence(database, id));
}

TEST_F(SilenceTest, KnowsWhichIncidentsSomebodyHasAcknowledged) {
  LedgerDatabase database = Open();
  Acknowledge(database, {"i1", kStart, "ann", ""});
  EXPECT_TRUE(reader_.Acknowledged("i1"));
  EXPECT_FALSE(reader_.Acknowledged("i2"));
  EXPECT_TRUE(TakeBackAcknowledgement(database, "i1"));
  EXPECT_FALSE(reader_.Acknowledged("i1"));
}

TEST_F(SilenceTest, SilencesNothingByADamagedLedgerAndSaysWhy) {
  std::ofstream(file_.path()) << "no ledger, but a line of text";
  EXPECT_FALSE(reader_.Silenced("packets", "10.1.0.80", "lan", kStart));
  EXPECT_THAT(reader_.Problem(), testing::HasSubstr("damaged"));
}

TEST_F(SilenceTest, ForgetsSilencesThatEndedLongAgo) {
  Add("packets", "*", kStart - 40 * 86400);
  Add("volume", "*");
  Add("volume", "10.1.0.80");
  EXPECT_EQ(ReadSilences(Open()).size(), 2u);
}

// The first version's file: what this version added is taken away.
void MakeFirstVersion(const std::string& path) {
  {
    Ledger ledger(path);
    const LedgerEntry entries[] = {Minute(kStart + 60, 1000)};
    ledger.Apply(entries);
  }
  LedgerDatabase database(path, LedgerDatabase::Mode::kWrite);
  database.Execute(
      "DROP TABLE silence; DROP TABLE acknowledgement; "
      "DROP TABLE baseline; ALTER TABLE mark DROP COLUMN books; "
      "DELETE FROM host_progress WHERE resolution = 2592000; "
      "PRAGMA user_version = 1");
}

TEST_F(SilenceTest, CanBeKeptInALedgerOfTheFirstVersionAndLosesNothingOfIt) {
  MakeFirstVersion(file_.path());
  EXPECT_FALSE(reader_.Silenced("packets", "x", "lan", kStart));
  EXPECT_THAT(reader_.Problem(), testing::HasSubstr("older iptrk (version 1"));
  Add("packets", "*");
  EXPECT_TRUE(reader_.Silenced("packets", "x", "lan", kStart));
  EXPECT_EQ(file_.CustomerIn(), 1000u);
  EXPECT_EQ(Ledger(file_.path()).LastApplied()->end, kStart + 60);
}

TEST_F(SilenceTest, AreRefusedByALedgerOfANewerVersion) {
  Add("packets", "*");
  LedgerDatabase(file_.path(), LedgerDatabase::Mode::kWrite)
      .Execute("PRAGMA user_version = 99");
  EXPECT_THROW(Open(), LedgerError);
  EXPECT_FALSE(reader_.Silenced("packets", "x", "lan", kStart));
  EXPECT_THAT(reader_.Problem(), testing::HasSubstr("written by a newer"));
}

}  // namespace
}  // namespace iptrk
