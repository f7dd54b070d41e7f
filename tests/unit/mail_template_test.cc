// SPDX-License-Identifier: GPL-2.0-only
// Templates of mails that a sysop wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/mail_letters.h"

namespace iptrk::mail {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class MailTemplate : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-templates-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text,
             const std::string& name = "mail.text.mustache") {
    std::ofstream(directory_ + "/" + name) << text;
  }

  Text Mail() {
    const Templates templates(
        directory_, [this](LogLevel, const std::string& line) { log_ = line; });
    return Describe(LetterOf(Opened()), Picture(), {kConfig, true}, templates);
  }

  std::string BuiltInText() {
    return Describe(LetterOf(Opened()), Picture(), {kConfig, true}, BuiltIn())
        .plain;
  }

  std::string directory_;
  std::string log_;
};

TEST_F(MailTemplate, TakesThePlaceOfTheBuiltInOne) {
  Write(
      "{{#incidents}}{{kind}} {{subject}} {{value}}/{{limit}} {{customer}}\n"
      "{{#facts}}{{name}}={{value}};{{/facts}}{{/incidents}}");
  EXPECT_THAT(Mail().plain,
              testing::StartsWith("packets 10.1.0.216 31250/1000 acme\n"
                                  "Who=10.1.0.216, network lan;"));
  Write("<p>{{title}}</p>", "mail.html.mustache");
  EXPECT_EQ(Mail().html,
            "<p>[iptrk] FAILURE packets: 10.1.0.216 in 31,250 packets/s (limit "
            "1,000)</p>");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(MailTemplate, IsWrappedAtEightyColumns) {
  Write("  {{title}} {{title}} {{title}}");
  EXPECT_EQ(Mail().plain.find('\n'), Mail().plain.rfind('\n', 81));
}

TEST_F(MailTemplate, GivesWayToTheBuiltInOneWhenItIsWrong) {
  for (const char* wrong :
       {"{{#incidents}} {{name}}", "{{name", "{{/incidents}}", "", "\n \n"}) {
    log_.clear();
    Write(wrong);
    EXPECT_EQ(Mail().plain, BuiltInText()) << wrong;
    EXPECT_THAT(log_, HasSubstr(directory_ + "/mail.text.mustache: "));
    EXPECT_THAT(log_, HasSubstr("the built-in template is used instead"));
  }
  Write(std::string(300 << 10, 'x'));
  EXPECT_EQ(Mail().plain, BuiltInText());
  EXPECT_THAT(log_, HasSubstr("more than"));
  std::filesystem::remove(directory_ + "/mail.text.mustache");
  std::filesystem::create_directory(directory_ + "/mail.text.mustache");
  EXPECT_EQ(Mail().plain, BuiltInText());
  EXPECT_THAT(log_, HasSubstr("Is a directory"));
}

TEST_F(MailTemplate, IsNotMissedWhenItIsNotThere) {
  EXPECT_EQ(Mail().plain, BuiltInText());
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace iptrk::mail
