// SPDX-License-Identifier: GPL-2.0-only
// Pictures from a command that may be anything: here, a shell script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "plugin/mail/picture.h"

namespace iptrk::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// What a script may use: where to write, and a picture that is whole.
constexpr char kPrelude[] =
    "#!/bin/sh\n"
    "for out; do :; done\n"  // --prefix and its value come last
    "while [ $# -gt 1 ]; do [ \"$1\" = --output ] && out=$2; shift; done\n"
    "png() { printf '\\211PNG\\r\\n\\032\\n'; head -c \"$1\" /dev/zero; "
    "printf 'IEND\\256B`\\202'; }\n";

class MailPicture : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-picture-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    limits_.time = seconds(10);
    limits_.file_bytes = 100000;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::optional<Picture> Draw(const std::string& script) {
    const std::string command = directory_ + "/command";
    std::ofstream(command) << kPrelude << script << "\n";
    chmod(command.c_str(), 0700);
    return PictureMaker(command, "/etc/iptrk/iptrk.toml", directory_, limits_)
        .Make({"lan", "10.1.0.0/24"}, stop_.get_token());
  }

  std::string directory_;
  ChildLimits limits_;
  std::stop_source stop_;
};

TEST_F(MailPicture, IsWhatTheCommandWrote) {
  const auto picture = Draw("png 1000 >\"$out\"");
  ASSERT_TRUE(picture);
  EXPECT_THAT(picture->png, SizeIs(1016)) << picture->trouble;
  EXPECT_EQ(picture->what, "Bytes per address of 10.1.0.0/24 in the last hour");
  EXPECT_THAT(picture->trouble, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/histogram.png"));
}

TEST_F(MailPicture, IsAskedForByNetworkAndPrefix) {
  const std::string command = directory_ + "/command";
  std::ofstream(command) << "#!/bin/sh\necho \"$@\" >&2\n";
  chmod(command.c_str(), 0700);
  const auto picture = PictureMaker(command, "/c.toml", directory_, limits_)
                           .Make({"lan", "10.1.0.0/24"}, stop_.get_token());
  EXPECT_THAT(picture->trouble,
              HasSubstr("--config /c.toml graph histogram --network lan "
                        "--start end-1h"));
  EXPECT_THAT(picture->trouble, HasSubstr("--prefix 10.1.0.0/24"));
}

TEST_F(MailPicture, IsReplacedByTheWordsOfACommandThatFails) {
  const auto picture = Draw("echo 'no data yet' >&2; exit 1");
  EXPECT_THAT(picture->png, IsEmpty());
  EXPECT_EQ(picture->trouble, "no data yet");
}

// More than is read at once, and the child long gone.
TEST_F(MailPicture, IsReplacedByAllOfTheWords) {
  limits_.said_bytes = 20000;
  const auto picture =
      Draw("{ head -c 9000 /dev/zero | tr '\\0' ' '; echo last; } >&2");
  EXPECT_THAT(picture->trouble, HasSubstr("last"));
}

TEST_F(MailPicture, IsNotWaitedForAfterItsCommandWhoeverTalksOn) {
  const auto start = steady_clock::now();
  const auto picture = Draw("yes & exec 2>&1; echo first; exit 1");
  EXPECT_LT(steady_clock::now() - start, seconds(8));
}

TEST_F(MailPicture, IsNotThatOfTheMailBefore) {
  std::ofstream(directory_ + "/histogram.png") << "old";
  EXPECT_THAT(Draw("exit 0")->png, IsEmpty());
}

TEST_F(MailPicture, IsNoHalfOne) {
  const auto picture = Draw("png 1000 | head -c 900 >\"$out\"");
  EXPECT_THAT(picture->png, IsEmpty());
  EXPECT_THAT(picture->trouble, HasSubstr("no reason is known"));
}

TEST_F(MailPicture, IsBoundedInSize) {
  EXPECT_THAT(Draw("png 200000 >\"$out\"")->png, IsEmpty());
}

TEST_F(MailPicture, IsBoundedInTimeWithAllThatTheCommandStarted) {
  limits_.time = milliseconds(300);
  const auto start = steady_clock::now();
  const auto picture = Draw("sleep 60 & sleep 60");
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  EXPECT_THAT(picture->trouble, HasSubstr("took longer than 1 s"));
}

TEST_F(MailPicture, EndsWithACommandWhoseChildKeepsTheOutputOpen) {
  const auto start = steady_clock::now();
  const auto picture = Draw("sleep 3 & png 10 >\"$out\"");
  EXPECT_LT(steady_clock::now() - start, seconds(2));
  EXPECT_THAT(picture->png, SizeIs(26));
}

TEST_F(MailPicture, TakesACommandThatSaysMoreThanAnybodyReads) {
  const auto picture = Draw("head -c 1000000 /dev/zero | tr '\\0' x; exit 1");
  EXPECT_LT(picture->trouble.size(), 500u);
  EXPECT_THAT(picture->trouble, HasSubstr("xxx"));
}

TEST_F(MailPicture, SaysThatTheCommandIsMissing) {
  const auto picture = PictureMaker("/nonexistent/iptrk", "", directory_)
                           .Make({"lan", ""}, stop_.get_token());
  EXPECT_THAT(picture->trouble, HasSubstr("/nonexistent/iptrk: No such file"));
}

TEST_F(MailPicture, IsNotWaitedForOnceStopped) {
  const std::jthread stopper([this] {
    std::this_thread::sleep_for(milliseconds(100));
    stop_.request_stop();
  });
  const auto start = steady_clock::now();
  EXPECT_FALSE(Draw("sleep 60").has_value());
  EXPECT_LT(steady_clock::now() - start, seconds(5));
}

// As collectd's exec plugin does with every child.
TEST_F(MailPicture, ComesThoughSomebodyElseReapsTheChild) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const auto picture = Draw("png 1000 >\"$out\"");
  std::signal(SIGCHLD, before);
  EXPECT_THAT(picture->png, SizeIs(1016));
}

}  // namespace
}  // namespace iptrk::mail
