// SPDX-License-Identifier: GPL-2.0-only
// Mail while its configuration file changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "plugin/mail/files.h"
#include "plugin/mail/office.h"
#include "tests/unit/mail_letters.h"

namespace iptrk::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class MailOffice : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-office-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    office_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Configure(const std::string& mail) {
    WriteFile(directory_ + "/iptrk.toml", "[mail]\nspool = \"" + directory_ +
                                              "/spool\"\ngroup = 0\n" + mail +
                                              "\n");
  }

  std::unique_ptr<Sender> Make(const Config& config) {
    make_hook_(config);
    const auto audiences = AudiencesOf(config.mail);
    return std::make_unique<Sender>(
        Sender::Desk{audiences,
                     {.group = seconds(config.mail.group),
                      .hourly_limit =
                          static_cast<std::size_t>(config.mail.hourly_limit)},
                     {},
                     Places(config),
                     Composer("", audiences, kConfig, BuiltIn()),
                     [](const PictureSubject&, const std::stop_token&) {
                       return std::optional(Picture());
                     }},
        Spool(config.mail.spool, {}, log_),
        [this](const Message& message) {
          if (!server_answers_)
            return Delivery{{}, message.envelope.to, {}, false, "silence"};
          Note(message.envelope.to[0] + " " + message.subject);
          return Delivery{message.envelope.to, {}, {}, true, ""};
        },
        log_, Sender::Options());
  }

  void Start() {
    office_ = std::make_unique<Office>(
        directory_ + "/iptrk.toml",
        [this](const Config& config) { return Make(config); }, log_,
        milliseconds(10));
  }

  void Tell(const std::string& what) {
    Event event;
    event.plugin = "p";
    event.type_instance = what;
    event.message = what;
    event.time = std::chrono::system_clock::now();
    office_->Offer(event);
  }

  void Note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    noted_.push_back(what);
    changed_.notify_all();
  }

  static std::string Mail(const std::string& to, const std::string& what) {
    return to + "@example.org [iptrk] FAILURE p: " + what;
  }

  // Whether something noted has `text` in it within a minute.
  bool Noted(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] {
      return testing::Matches(testing::Contains(HasSubstr(text)))(noted_);
    });
  }

  // Each is in one mail, alone or as one of "7 notifications".
  int EventsMailed() {
    int mailed = 0;
    const std::lock_guard lock(mutex_);
    for (const std::string& mail : noted_) {
      if (!mail.starts_with("a@example.org ")) continue;
      int several = 1;
      std::sscanf(mail.c_str(), "a@example.org [iptrk] FAILURE %d notif",
                  &several);
      mailed += several;
    }
    return mailed;
  }

  std::string directory_;
  std::function<void(const Config&)> make_hook_ = [](const Config&) {};
  std::atomic<bool> server_answers_ = true;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> noted_;  // mails and lines of the log
  Log log_ = [this](LogLevel, const std::string& line) { Note(line); };
  std::unique_ptr<Office> office_;
};

TEST_F(MailOffice, TakesAChangedFileInWithoutARestart) {
  Configure("to = [\"a@example.org\"]");
  Start();
  Tell("one");
  EXPECT_TRUE(Noted(Mail("a", "one")));
  Configure("to = [\"b@example.org\"]");
  EXPECT_TRUE(Noted("has changed and is taken in"));
  Tell("two");
  EXPECT_TRUE(Noted(Mail("b", "two")));
  EXPECT_FALSE(testing::Matches(testing::Contains(Mail("b", "one")))(noted_));
}

TEST_F(MailOffice, KeepsTheOldOneForABadFileAndSaysWhere) {
  Configure("to = [\"a@example.org\"]");
  Start();
  Configure("prot = 25");
  EXPECT_TRUE(Noted("iptrk.toml:4:1: mail.prot is not a key"));
  EXPECT_TRUE(Noted("mail goes on as before"));
  Tell("one");
  EXPECT_TRUE(Noted(Mail("a", "one")));
}

TEST_F(MailOffice, KeepsTheOldOneWhenTheNewOneCanNotBe) {
  Configure("to = [\"a@example.org\"]");
  make_hook_ = [](const Config& config) {
    if (config.mail.server == "bad") throw std::runtime_error("bad server");
  };
  Start();
  Configure("to = [\"b@example.org\"]\nserver = \"bad\"");
  EXPECT_TRUE(Noted("bad server; mail goes on as before"));
  Tell("one");
  EXPECT_TRUE(Noted(Mail("a", "one")));
}

TEST_F(MailOffice, KeepsTheSpoolUntilARestartAndSaysSo) {
  Configure("to = [\"a@example.org\"]");
  Start();
  const std::string other = directory_ + "/other";
  WriteFile(directory_ + "/iptrk.toml",
            "[mail]\nto = [\"b@example.org\"]\n"
            "group = 0\nspool = \"" +
                other + "\"\n");
  EXPECT_TRUE(Noted("the spool stays " + directory_ + "/spool until"));
  EXPECT_TRUE(Noted("has changed and is taken in"));
  Tell("one");
  EXPECT_TRUE(Noted(Mail("b", "one")));
  EXPECT_FALSE(std::filesystem::exists(other));
  office_.reset();
  Start();
  EXPECT_TRUE(std::filesystem::exists(other));
}

TEST_F(MailOffice, LosesNoMailThatTheDiskTookNotWhenTheFileChanges) {
  Configure("to = [\"a@example.org\"]");
  server_answers_ = false;
  Start();
  std::filesystem::rename(directory_ + "/spool", directory_ + "/aside");
  Tell("one");
  EXPECT_TRUE(Noted("waits in memory"));
  Configure("to = [\"b@example.org\"]");
  std::this_thread::sleep_for(milliseconds(500));
  server_answers_ = true;
  std::filesystem::rename(directory_ + "/aside", directory_ + "/spool");
  EXPECT_TRUE(Noted(Mail("a", "one")));
  EXPECT_TRUE(Noted("has changed and is taken in"));
}

TEST_F(MailOffice, CountsAndTellsWhatIsTooMuchWhileTheFileChanges) {
  std::promise<void> begun;
  std::promise<void> go_on;
  make_hook_ = [&](const Config& config) {
    if (config.mail.to[0] != "b@example.org") return;
    begun.set_value();
    go_on.get_future().wait();
  };
  Configure("to = [\"a@example.org\"]");
  Start();
  Configure("to = [\"b@example.org\"]");
  begun.get_future().wait();
  for (int i = 0; i < 4096 + 3; ++i) Tell(std::to_string(i));
  go_on.set_value();
  EXPECT_TRUE(Noted("notifications lost: 3, because more than 4096"));
  EXPECT_EQ(office_->State().lost, 3u);
}

TEST_F(MailOffice, BeginsToMailWhenAChangeNamesSomebody) {
  Configure("");
  Start();
  EXPECT_TRUE(Noted("names nobody"));
  Tell("one");
  Configure("to = [\"a@example.org\"]");
  EXPECT_TRUE(Noted("has changed and is taken in"));
  Tell("two");
  EXPECT_TRUE(Noted(Mail("a", "two")));
}

TEST_F(MailOffice, LosesNothingThatComesWhileTheFileChanges) {
  Configure("to = [\"a@example.org\"]\nhourly_limit = 1000");
  Start();
  const int kEvents = 100;
  for (int change = 0; change < 5; ++change) {
    Configure("to = [\"a@example.org\"]\nhourly_limit = 99" +
              std::to_string(change));
    for (int i = 0; i < kEvents / 5; ++i) {
      Tell(std::to_string(change * 100 + i));
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  const auto end = std::chrono::steady_clock::now() + seconds(60);
  while (EventsMailed() < kEvents && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(EventsMailed(), kEvents);
  EXPECT_EQ(office_->State().lost, 0u);
}

TEST_F(MailOffice, RefusesToStartWithABadFile) {
  Configure("prot = 25");
  EXPECT_THROW(Start(), std::runtime_error);
  EXPECT_TRUE(Noted("iptrk.toml:4:1: mail.prot is not a key"));
}

}  // namespace
}  // namespace iptrk::mail
