// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "plugin/mail/spool.h"

namespace iptrk::mail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MailSpool : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-spool-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    parent_ = name;
    directory_ = parent_ + "/spool";
  }
  void TearDown() override { std::filesystem::remove_all(parent_); }

  Spool Open(Spool::Limits limits = {}) {
    return Spool(directory_, limits, [this](LogLevel, const std::string& line) {
      log_ += line + "\n";
    });
  }

  static Message Mail(const std::string& id, std::size_t size = 100) {
    return {id,
            "subject of " + id,
            {"from@example.org", {"a@example.org", "b@example.org"}},
            std::string(size, 'x')};
  }

  // The ids of all waiting mails, oldest first.
  static std::vector<std::string> Waiting(Spool& spool) {
    std::vector<std::string> ids;
    for (std::string name = spool.OldestAfter(""); !name.empty();
         name = spool.OldestAfter(name)) {
      ids.push_back(spool.Read(name).value().id);
    }
    return ids;
  }

  std::vector<std::string> Files(const std::string& suffix) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == suffix) files.push_back(entry.path());
    }
    return files;
  }

  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string parent_;
  std::string directory_;
  std::string log_;
};

TEST_F(MailSpool, KeepsMailsInOrderAcrossARestart) {
  {
    Spool spool = Open();
    for (const char* id : {"c", "a", "b"}) EXPECT_TRUE(spool.Add(Mail(id)));
  }
  Spool spool = Open();
  EXPECT_THAT(Waiting(spool), ElementsAre("c", "a", "b"));
  const Message mail = spool.Read(spool.OldestAfter("")).value();
  EXPECT_EQ(mail.eml, Mail("c").eml);
  EXPECT_EQ(mail.subject, "subject of c");
  EXPECT_EQ(mail.envelope.from, "from@example.org");
  EXPECT_THAT(mail.envelope.to, ElementsAre("a@example.org", "b@example.org"));
  EXPECT_EQ(spool.bytes(), 300u);
}

TEST_F(MailSpool, IsReadableForItsOwnerAlone) {
  std::filesystem::create_directory(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms::all);
  Spool spool = Open();
  spool.Add(Mail("a"));
  struct stat status = {};
  ASSERT_EQ(stat(directory_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0700u);
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u) << entry.path();
  }
}

TEST_F(MailSpool, LeavesNothingBehindOnceEveryReceiverAccepted) {
  Spool spool = Open();
  spool.Add(Mail("a"));
  spool.Settle(spool.OldestAfter(""), {}, {});
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_EQ(spool.bytes(), 0u);
  EXPECT_THAT(Files(".eml"), IsEmpty());
  EXPECT_THAT(Files(".envelope"), IsEmpty());
  EXPECT_THAT(Files(".tmp"), IsEmpty());
}

TEST_F(MailSpool, NeverTakesAnEventTwiceNotEvenAfterARestart) {
  {
    Spool spool = Open();
    EXPECT_TRUE(spool.Add(Mail("waiting")));
    EXPECT_FALSE(spool.Add(Mail("waiting")));
    EXPECT_TRUE(spool.Add(Mail("sent")));
    spool.Settle(spool.OldestAfter(spool.OldestAfter("")), {}, {});
    EXPECT_FALSE(spool.Add(Mail("sent")));
  }
  Spool spool = Open();
  EXPECT_FALSE(spool.Add(Mail("waiting")));
  EXPECT_FALSE(spool.Add(Mail("sent")));
  EXPECT_THAT(Waiting(spool), ElementsAre("waiting"));
}

TEST_F(MailSpool, SendsNothingAgainThatWasTakenJustBeforeACrash) {
  std::string name;
  {
    Spool spool = Open();
    spool.Add(Mail("a"));
    name = spool.OldestAfter("");
    std::filesystem::copy(directory_, parent_ + "/before");
    spool.Settle(name, {}, {});
  }
  // Died between noting the delivery and removing the mail.
  for (const char* suffix : {".eml", ".envelope"}) {
    std::filesystem::copy(parent_ + "/before/" + name + suffix, directory_);
  }
  Spool spool = Open();
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_THAT(Files(".eml"), IsEmpty());
}

TEST_F(MailSpool, RemembersWhoIsStillOpen) {
  {
    Spool spool = Open();
    spool.Add(Mail("a"));
    spool.Settle(spool.OldestAfter(""), {"b@example.org"}, {});
  }
  Spool spool = Open();
  EXPECT_THAT(spool.Read(spool.OldestAfter(""))->envelope.to,
              ElementsAre("b@example.org"));
}

TEST_F(MailSpool, KeepsARefusedMailAsideWithTheServersWords) {
  {
    Spool spool = Open();
    spool.Add(Mail("a"));
    const std::string name = spool.OldestAfter("");
    spool.Settle(name, {"b@example.org"},
                 {{"a@example.org", "550 no such user"}});
    EXPECT_EQ(spool.refused(), 0u) << "one receiver is still open";
    spool.Settle(name, {}, {});
    EXPECT_EQ(spool.waiting(), 0u);
    EXPECT_EQ(spool.refused(), 1u);
  }
  Spool spool = Open();
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_EQ(spool.refused(), 1u);
  ASSERT_EQ(Files(".refused").size(), 1u);
  EXPECT_EQ(Contents(Files(".refused")[0]), Mail("a").eml);
  ASSERT_EQ(Files(".envelope").size(), 1u);
  EXPECT_THAT(Contents(Files(".envelope")[0]), HasSubstr("550 no such user"));
}

TEST_F(MailSpool, DropsAndCountsTheOldestWhenThereAreTooMany) {
  Spool spool = Open({.mails = 2});
  for (const char* id : {"a", "b", "c"}) spool.Add(Mail(id));
  EXPECT_THAT(Waiting(spool), ElementsAre("b", "c"));
  EXPECT_EQ(spool.dropped(), 1u);
  EXPECT_EQ(Files(".eml").size(), 2u);
  EXPECT_THAT(log_, HasSubstr("full"));
}

TEST_F(MailSpool, DropsTheOldestWhenTheyAreTooLarge) {
  Spool spool = Open({.bytes = 1000});
  for (const char* id : {"a", "b", "c"}) spool.Add(Mail(id, 400));
  EXPECT_THAT(Waiting(spool), ElementsAre("b", "c"));
  EXPECT_EQ(spool.bytes(), 800u);
}

TEST_F(MailSpool, DropsRefusedMailsBeforeThoseThatWait) {
  Spool spool = Open({.mails = 2});
  spool.Add(Mail("a"));
  spool.Add(Mail("refused"));
  spool.Settle(spool.OldestAfter(spool.OldestAfter("")), {},
               {{"a@example.org", "550 no"}, {"b@example.org", "550 no"}});
  spool.Add(Mail("c"));
  EXPECT_THAT(Waiting(spool), ElementsAre("a", "c"));
  EXPECT_EQ(spool.refused(), 0u);
  EXPECT_EQ(spool.dropped(), 0u);
  EXPECT_THAT(Files(".refused"), IsEmpty());
}

TEST_F(MailSpool, HoldsToItsLimitsAlsoForWhatItFinds) {
  {
    Spool spool = Open();
    for (const char* id : {"a", "b", "c"}) spool.Add(Mail(id));
  }
  Spool spool = Open({.mails = 1});
  EXPECT_THAT(Waiting(spool), ElementsAre("c"));
}

TEST_F(MailSpool, ClearsAwayWhatACrashLeftHalfWritten) {
  { Spool spool = Open(); }
  const std::string base = directory_ + "/00000000000000000007";
  std::ofstream(base + ".envelope") << "{}";
  std::ofstream(base + ".eml.tmp") << "half a ma";
  Spool spool = Open();
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_THAT(Files(".envelope"), IsEmpty());
  EXPECT_THAT(Files(".tmp"), IsEmpty());
}

TEST_F(MailSpool, KeepsAsideAMailWhoseEnvelopeIsDamaged) {
  {
    Spool spool = Open();
    spool.Add(Mail("a"));
  }
  std::ofstream(Files(".envelope").at(0)) << "{\"id\": \"a\", \"to\": 7}";
  Spool spool = Open();
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_EQ(Files(".refused").size(), 1u);
  EXPECT_THAT(log_, HasSubstr("no readable envelope"));
}

TEST_F(MailSpool, ForgetsAMailThatSomebodyRemoved) {
  Spool spool = Open();
  spool.Add(Mail("a"));
  std::filesystem::remove(Files(".eml").at(0));
  EXPECT_FALSE(spool.Read(spool.OldestAfter("")).has_value());
  EXPECT_EQ(spool.waiting(), 0u);
}

TEST_F(MailSpool, KeepsAnAlertInMemoryWhenTheDiskCannotBeWritten) {
  Spool spool = Open();
  std::filesystem::remove_all(directory_);
  EXPECT_TRUE(spool.Add(Mail("a")));
  EXPECT_THAT(log_, HasSubstr("waits in memory"));
  EXPECT_THAT(Waiting(spool), ElementsAre("a"));
  spool.Settle(spool.OldestAfter(""), {}, {});
  EXPECT_EQ(spool.waiting(), 0u);
  EXPECT_FALSE(spool.Add(Mail("a"))) << "sent, though it could not be noted";
}

TEST_F(MailSpool, WritesWhatWaitsInMemoryWhenTheDiskCanBeWrittenAgain) {
  {
    Spool spool = Open();
    std::filesystem::remove_all(directory_);
    spool.Add(Mail("a"));
    EXPECT_TRUE(spool.HasUnwritten());
    EXPECT_THROW(spool.WriteUnwritten(), std::system_error);
    std::filesystem::create_directory(directory_);
    spool.WriteUnwritten();
    EXPECT_FALSE(spool.HasUnwritten());
  }
  Spool next = Open();
  EXPECT_THAT(Waiting(next), ElementsAre("a"));
}

TEST_F(MailSpool, BelongsToOneProcessAtATime) {
  Spool spool = Open();
  EXPECT_THROW(Open(), std::system_error);
}

TEST_F(MailSpool, RefusesADirectoryThatCannotBe) {
  std::ofstream(directory_) << "a file";
  EXPECT_THROW(Open(), std::system_error);
}

TEST_F(MailSpool, RemembersAThousandDeliveriesInASmallFile) {
  const std::string path = parent_ + "/delivered";
  {
    std::ofstream file(path);
    for (int i = 0; i < 1995; ++i) file << i << "\n";
  }
  {
    Delivered delivered(path);
    for (int i = 1995; i < 2010; ++i) delivered.Add(std::to_string(i));
  }
  EXPECT_LT(Contents(path).size(), 1100u * 5);
  std::ofstream(path, std::ios::app) << "half a li";
  const Delivered delivered(path);
  EXPECT_FALSE(delivered.Contains("1009"));
  EXPECT_TRUE(delivered.Contains("1010"));
  EXPECT_TRUE(delivered.Contains("2009"));
  EXPECT_FALSE(delivered.Contains("half a li"));
}

}  // namespace
}  // namespace iptrk::mail
