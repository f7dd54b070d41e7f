// SPDX-License-Identifier: GPL-2.0-only
// The sender's thread, with a server that is a function.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "plugin/mail/files.h"
#include "plugin/mail/sender.h"
#include "tests/unit/mail_letters.h"

namespace iptrk::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Shared with attempts that outlive the sender, as a real server is.
class FakeServer {
 public:
  enum class Mood { kUp, kDown, kBusy, kRefuses, kHangs };

  Delivery Take(const Message& message) {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return mood_ != Mood::kHangs; });
    const std::vector<std::string>& to = message.envelope.to;
    if (mood_ == Mood::kDown) return {{}, to, {}, false, "no server"};
    if (mood_ == Mood::kBusy) return {{}, to, {}, true, "450 later"};
    if (mood_ == Mood::kRefuses) {
      return {{}, {}, {{to[0], "550 no"}}, true, ""};
    }
    subjects_.push_back(message.subject);
    changed_.notify_all();
    return {to, {}, {}, true, ""};
  }

  void Set(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
    changed_.notify_all();
  }

  // The subjects, once there are `count` of them or after 5 s.
  std::vector<std::string> Subjects(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(5),
                      [&] { return subjects_.size() >= count; });
    return subjects_;
  }

  int Attempts(int at_least) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(5), [&] { return attempts_ >= at_least; });
    return attempts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Mood mood_ = Mood::kUp;
  int attempts_ = 0;
  std::vector<std::string> subjects_;
};

using Mood = FakeServer::Mood;

class MailSender : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-sender-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    options_.first_delay = milliseconds(20);
    options_.longest_delay = milliseconds(80);
    options_.stop_grace = milliseconds(100);
    options_.overflow_report = milliseconds(1);
  }

  void TearDown() override {
    sender_.reset();
    server_->Set(Mood::kUp);  // sets attempts that were left behind free
    std::filesystem::remove_all(directory_);
  }

  void Start() {
    sender_.reset();
    const Log log = [this](LogLevel, const std::string& line) {
      const std::lock_guard lock(log_mutex_);
      log_ += line + "\n";
    };
    Sender::Desk desk{
        audiences_,
        {.group = group_},
        {},
        Places(config_),
        Composer("", audiences_, kConfig, BuiltIn()),
        [this](const PictureSubject& subject, const std::stop_token& stop) {
          return draw_(subject, stop);
        }};
    sender_ = std::make_unique<Sender>(
        std::move(desk), Spool(directory_ + "/spool", {}, log),
        [server = server_](const Message& message) {
          return server->Take(message);
        },
        log, options_);
  }

  std::string LogText() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  // The number of mails on the disk, once it is `count` or after 5 s.
  std::size_t Spooled(std::size_t count, const std::string& suffix = ".eml") {
    const auto end = steady_clock::now() + seconds(5);
    while (true) {
      std::size_t found = 0;
      for (const auto& entry :
           std::filesystem::directory_iterator(directory_ + "/spool")) {
        if (entry.path().extension() == suffix) ++found;
      }
      if (found == count || steady_clock::now() > end) return found;
      std::this_thread::sleep_for(milliseconds(2));
    }
  }

  static Event Told(const std::string& message) {
    Event event;
    event.plugin = "p";
    event.type_instance = message;  // each is a topic of its own
    event.message = message;
    event.time = std::chrono::system_clock::from_time_t(1795390452);
    return event;
  }
  static std::string SubjectOf(const std::string& message) {
    return "[iptrk] FAILURE p: " + message;
  }

  std::size_t Mails() const {
    const Sender::Counters state = sender_->State();
    return state.spooled + state.refused + state.mailed;
  }

  // Offers an event that becomes a mail of its own.
  void Tell(const std::string& message) {
    const std::size_t mails = Mails() + 1;
    sender_->Offer(Told(message));
    const auto end = steady_clock::now() + seconds(5);
    while (Mails() < mails && steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  std::string directory_;
  seconds group_{0};
  std::vector<Audience> audiences_ = {{"", {"op@example.org"}, {}}};
  Config config_;
  std::function<std::optional<Picture>(const PictureSubject&,
                                       const std::stop_token&)>
      draw_ = [](const PictureSubject&, const std::stop_token&) {
        return std::optional(Picture());
      };
  Sender::Options options_;
  std::shared_ptr<FakeServer> server_ = std::make_shared<FakeServer>();
  std::mutex log_mutex_;
  std::string log_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(MailSender, SendsEveryEventOnceAndInOrder) {
  Start();
  for (const char* text : {"c", "a", "b"}) Tell(text);
  EXPECT_THAT(server_->Subjects(3),
              ElementsAre(SubjectOf("c"), SubjectOf("a"), SubjectOf("b")));
  EXPECT_EQ(Spooled(0), 0u);
}

TEST_F(MailSender, SendsAnEventToldTwiceOnce) {
  Start();
  Tell("a");
  server_->Subjects(1);
  sender_->Offer(Told("a"));
  Start();
  sender_->Offer(Told("a"));
  Tell("b");
  EXPECT_THAT(server_->Subjects(2),
              ElementsAre(SubjectOf("a"), SubjectOf("b")));
}

TEST_F(MailSender, SendsWhatWaitedOnceTheServerIsBack) {
  server_->Set(Mood::kDown);
  Start();
  Tell("a");
  Tell("b");
  EXPECT_GE(server_->Attempts(3), 3);
  EXPECT_EQ(Spooled(2), 2u);
  server_->Set(Mood::kUp);
  EXPECT_THAT(server_->Subjects(2),
              ElementsAre(SubjectOf("a"), SubjectOf("b")));
  EXPECT_THAT(LogText(), HasSubstr("no server"));
}

TEST_F(MailSender, SendsAfterARestartWhatCouldNotGoBefore) {
  server_->Set(Mood::kDown);
  Start();
  Tell("a");
  server_->Attempts(1);
  sender_.reset();
  server_->Set(Mood::kUp);
  Start();
  EXPECT_THAT(server_->Subjects(1), ElementsAre(SubjectOf("a")));
}

TEST_F(MailSender, WaitsLongerFromAttemptToAttempt) {
  server_->Set(Mood::kDown);
  Start();
  const auto start = steady_clock::now();
  Tell("a");
  server_->Attempts(5);
  EXPECT_GE(steady_clock::now() - start, milliseconds(20 + 40 + 80 + 80));
}

TEST_F(MailSender, TriesAtOnceForANewEventThoughTheNextTryIsFar) {
  options_.longest_delay = seconds(60);
  options_.first_delay = milliseconds(300);
  server_->Set(Mood::kDown);
  Start();
  Tell("a");
  server_->Attempts(2);  // the next one is 600 ms away
  server_->Set(Mood::kUp);
  const auto start = steady_clock::now();
  Tell("b");
  EXPECT_THAT(server_->Subjects(2), SizeIs(2));
  EXPECT_LT(steady_clock::now() - start, milliseconds(550));
}

TEST_F(MailSender, LetsOtherMailsPassOneThatIsDeferred) {
  server_->Set(Mood::kBusy);
  Start();
  Tell("a");
  server_->Attempts(1);
  Tell("b");
  // Both are tried in one round, before any of them a second time.
  EXPECT_GE(server_->Attempts(4), 4);
  EXPECT_EQ(Spooled(2), 2u);
}

TEST_F(MailSender, KeepsARefusedMailAsideAndTellsTheServersWords) {
  server_->Set(Mood::kRefuses);
  Start();
  Tell("a");
  EXPECT_EQ(Spooled(1, ".refused"), 1u);
  sender_->Stop();
  EXPECT_THAT(LogText(), HasSubstr("550 no"));
  EXPECT_EQ(server_->Attempts(1), 1);
}

TEST_F(MailSender, StopsWithinItsGraceThoughTheServerHangs) {
  server_->Set(Mood::kHangs);
  Start();
  Tell("a");
  server_->Attempts(1);
  const auto start = steady_clock::now();
  sender_->Stop();
  EXPECT_LT(steady_clock::now() - start, seconds(2));
  EXPECT_EQ(Spooled(1), 1u);
  EXPECT_FALSE(sender_->Offer(Told("b")));
}

TEST_F(MailSender, NotesADeliveryThatEndsWhileItStops) {
  options_.stop_grace = seconds(5);
  server_->Set(Mood::kHangs);
  Start();
  Tell("a");
  server_->Attempts(1);
  const std::jthread release([this] {
    std::this_thread::sleep_for(milliseconds(50));
    server_->Set(Mood::kUp);
  });
  sender_->Stop();
  EXPECT_EQ(Spooled(0), 0u);
}

TEST_F(MailSender, SpoolsNewEventsWhileTheServerHangs) {
  server_->Set(Mood::kHangs);
  Start();
  Tell("a");
  server_->Attempts(1);
  Tell("b");
  EXPECT_EQ(Spooled(2), 2u);
}

TEST_F(MailSender, KeepsWhatCameJustBeforeTheStop) {
  group_ = seconds(30);
  Start();
  for (int i = 0; i < 20; ++i) sender_->Offer(Told(std::to_string(i)));
  group_ = seconds(0);
  Start();
  EXPECT_THAT(server_->Subjects(1),
              ElementsAre(HasSubstr("20 notifications: 20 open")));
}

TEST_F(MailSender, CountsWhatDoesNotFitIntoTheQueue) {
  options_.queue = 2;
  group_ = seconds(30);
  Start();
  int taken = 0;
  int lost = 0;
  while (lost == 0) {
    (sender_->Offer(Told(std::to_string(taken))) ? taken : lost) += 1;
  }
  sender_->Stop();
  EXPECT_THAT(LogText(), HasSubstr("notifications lost: 1,"));
  EXPECT_EQ(sender_->State().lost, 1u);
  group_ = seconds(0);
  Start();
  ASSERT_THAT(server_->Subjects(1), SizeIs(1));
  EXPECT_THAT(server_->Subjects(1)[0],
              HasSubstr(std::to_string(taken) + " notifications"));
}

TEST_F(MailSender, DrawsThePictureOfTheNetworkAroundTheHost) {
  config_.networks = {
      {"lan",
       {*Prefix::Parse("10.0.0.0/8"), *Prefix::Parse("10.1.0.0/24")},
       128}};
  std::promise<std::string> drawn;
  draw_ = [&drawn](const PictureSubject& subject, const std::stop_token&) {
    drawn.set_value(subject.network + " " + subject.prefix);
    return std::optional(Picture());
  };
  Start();
  sender_->Offer(Opened());
  EXPECT_EQ(drawn.get_future().get(), "lan 10.1.0.0/24");
  EXPECT_THAT(server_->Subjects(1), SizeIs(1));
}

TEST_F(MailSender, SendsOneMailWhileThePictureOfTheNextIsDrawn) {
  config_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}, 128}};
  audiences_.push_back({"noc", {"noc@example.org"}, {}});
  int drawn = 0;
  std::promise<std::size_t> left;
  draw_ = [&](const PictureSubject&, const std::stop_token&) {
    if (++drawn == 2) left.set_value(server_->Subjects(1).size());
    return std::optional(Picture());
  };
  Start();
  sender_->Offer(Opened());
  EXPECT_EQ(left.get_future().get(), 1u);
  EXPECT_THAT(server_->Subjects(2), SizeIs(2));
}

TEST_F(MailSender, DrawsNoMorePicturesForThoseThatWaitBehindASlowOne) {
  config_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}, 128}};
  audiences_.push_back({"noc", {"noc@example.org"}, {}});
  options_.slow_picture = milliseconds(5);
  std::atomic<int> drawn = 0;
  draw_ = [&](const PictureSubject&, const std::stop_token&) {
    ++drawn;
    std::this_thread::sleep_for(milliseconds(6));
    return std::optional(Picture());
  };
  Start();
  sender_->Offer(Opened());
  EXPECT_THAT(server_->Subjects(2), SizeIs(2));
  EXPECT_EQ(drawn, 1);
  Event later = Opened();
  later.meta["incident"] = "later";
  later.meta["subject"] = "10.1.0.217";
  sender_->Offer(later);
  EXPECT_THAT(server_->Subjects(4), SizeIs(4));
  EXPECT_EQ(drawn, 2);
}

TEST_F(MailSender, StopsWhileAPictureIsDrawnAndSendsTheMailAfterARestart) {
  config_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}, 128}};
  std::promise<void> drawing;
  draw_ = [&drawing](const PictureSubject&, const std::stop_token& stop) {
    drawing.set_value();
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return std::optional<Picture>();
  };
  Start();
  sender_->Offer(Opened());
  drawing.get_future().wait();
  sender_->Stop();
  EXPECT_EQ(Spooled(0), 0u);
  draw_ = [](const PictureSubject&, const std::stop_token&) {
    return std::optional(Picture());
  };
  Start();
  EXPECT_THAT(server_->Subjects(1), SizeIs(1));
  EXPECT_EQ(server_->Attempts(1), 1);
}

// The schedule still has the letter that the spool has, too: as a crash
// between the two leaves them.
TEST_F(MailSender, SendsTheMailOfALetterThatWasSpooledBeforeACrashOnce) {
  const std::string schedule = directory_ + "/spool/schedule";
  config_.networks = {{"lan", {*Prefix::Parse("10.1.0.0/24")}, 128}};
  std::string sealed;
  draw_ = [&](const PictureSubject&, const std::stop_token&) {
    sealed = ReadFile(schedule).value();
    return std::optional(Picture());
  };
  Start();
  sender_->Offer(Opened());
  EXPECT_THAT(server_->Subjects(1), SizeIs(1));
  sender_->Stop();
  EXPECT_THAT(sealed, HasSubstr("\"letters\":[{"));
  WriteFile(schedule, sealed);
  Start();
  Tell("b");
  EXPECT_THAT(server_->Subjects(2), SizeIs(2));
  EXPECT_EQ(server_->Attempts(2), 2);
}

TEST_F(MailSender, GoesOnWithAScheduleThatIsDamaged) {
  Start();
  sender_->Stop();
  WriteFile(directory_ + "/spool/schedule", "{\"letters\":[");
  Start();
  Tell("a");
  EXPECT_THAT(server_->Subjects(1), SizeIs(1));
  EXPECT_THAT(LogText(), HasSubstr("what was told when is forgotten"));
}

TEST_F(MailSender, MailsThoughTheScheduleCanNotBeSaved) {
  Start();
  sender_->Stop();
  sender_.reset();
  std::filesystem::remove(directory_ + "/spool/schedule");
  std::filesystem::create_directory(directory_ + "/spool/schedule");
  Start();
  Tell("a");
  EXPECT_THAT(server_->Subjects(1), SizeIs(1));
  EXPECT_THAT(LogText(), HasSubstr("can't be saved"));
}

}  // namespace
}  // namespace iptrk::mail
