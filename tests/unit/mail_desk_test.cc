// SPDX-License-Identifier: GPL-2.0-only
// When a mail is due and what it tells, by a clock of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/mail/schedule.h"

namespace iptrk::mail {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// 2026-11-22 12:00:00 UTC
const Time kStart = std::chrono::system_clock::from_time_t(1795348800);

Audience Everybody() {
  Audience audience{"", {"op@example.org"}, {}};
  audience.filter.daily_digest.reset();
  return audience;
}

// An incident of 10.1.x.y that opens, or clears, at `time`.
Event Incident(int host, bool open, Time time,
               Severity severity = Severity::kFailure) {
  Event event;
  event.severity = open ? severity : Severity::kOkay;
  event.time = time;
  event.host = "gw1";
  event.plugin = "iptrk";
  const std::string subject =
      "10.1." + std::to_string(host / 256) + "." + std::to_string(host % 256);
  event.meta = {{"incident", "first-packets-" + subject},
                {"kind", "packets"},
                {"subject", subject},
                {"direction", "in"},
                {"network", "lan"},
                {"state", open ? "open" : "cleared"}};
  return event;
}

// Another incident of the same topic.
Event Again(Event event, const std::string& id) {
  event.meta["incident"] = id;
  return event;
}

// The same of a network that is called otherwise by now.
Event Renamed(Event event, const std::string& network) {
  event.meta["network"] = network;
  return event;
}

class MailDesk : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  void Use(const Audience& audience, Pace pace = {}) {
    desk_.emplace(
        audience, pace,
        Hushed{[this](const Event& event, Time) {
                 return silenced_.contains(std::string(event.Meta("subject")));
               },
               [this](const Event& event) {
                 return acknowledged_.contains(
                     std::string(event.Meta("incident")));
               }},
        now_);
  }

  void Open(int host, const std::string& id = "") {
    const Event event = Incident(host, true, now_);
    desk_->Take(id.empty() ? event : Again(event, id), now_);
  }
  void Clear(int host, const std::string& id = "") {
    const Event event = Incident(host, false, now_);
    desk_->Take(id.empty() ? event : Again(event, id), now_);
  }

  // Lets time pass and takes the mails as the sender does.
  void Pass(std::chrono::seconds time) {
    const Time end = now_ + time;
    while (now_ <= end) {
      for (Letter& letter : desk_->Due(now_)) {
        mails_.push_back(std::move(letter));
      }
      const Time next = desk_->NextDue(now_);
      ASSERT_GT(next, now_) << "would go round for ever";
      if (next > end) break;
      now_ = next;
    }
    now_ = end;
  }

  // Minutes after the start at which the mails went out.
  std::vector<double> Minutes() const {
    std::vector<double> times;
    for (const Letter& mail : mails_) {
      times.push_back(std::chrono::duration<double>(mail.time - kStart) /
                      minutes(1));
    }
    return times;
  }

  Time now_ = kStart;
  std::set<std::string> silenced_;
  std::set<std::string> acknowledged_;
  std::optional<Desk> desk_;
  std::vector<Letter> mails_;
};

TEST_F(MailDesk, EndsWhatBeganUnderAnotherNameOfItsNetwork) {
  Use(Everybody());
  Open(1);
  Pass(minutes(2));
  desk_->Take(Renamed(Incident(1, false, now_), "office"), now_);
  Pass(hours(24));
  ASSERT_THAT(mails_, SizeIs(2));
  EXPECT_FALSE(mails_[1].entries.empty());
  EXPECT_FALSE(mails_[1].entries[0].event.IsAlarm());
}

TEST_F(MailDesk, MakesOneMailOfWhatComesWithinHalfAMinute) {
  Use(Everybody());
  Open(1);
  Pass(seconds(10));
  Open(2);
  Pass(seconds(10));
  Clear(1);
  Pass(minutes(4));
  ASSERT_THAT(mails_, SizeIs(1));
  EXPECT_THAT(Minutes(), ElementsAre(0.5));
  ASSERT_THAT(mails_[0].entries, SizeIs(2));
  EXPECT_EQ(mails_[0].entries[0].event.Meta("subject"), "10.1.0.2");
  EXPECT_TRUE(mails_[0].entries[0].open) << "what is open comes first";
  EXPECT_FALSE(mails_[0].entries[1].open);
  EXPECT_EQ(mails_[0].entries[1].counts.opened, 1u);
  EXPECT_EQ(mails_[0].entries[1].counts.cleared, 1u);
}

TEST_F(MailDesk, RemindsOfWhatStaysOpenLessAndLessOften) {
  Use(Everybody());
  Open(1);
  Pass(hours(20));
  EXPECT_THAT(Minutes(), ElementsAre(0.5, 5.5, 15.5, 35.5, 75.5, 155.5, 315.5,
                                     555.5, 795.5, 1035.5));
  EXPECT_FALSE(mails_[0].entries[0].reminder);
  EXPECT_TRUE(mails_[9].entries[0].reminder);
  Pass(hours(100));
  EXPECT_THAT(mails_, SizeIs(11)) << "after a day nobody is reminded";
  Clear(1);
  Pass(minutes(1));
  ASSERT_THAT(mails_, SizeIs(12)) << "but the end is told however late";
  EXPECT_EQ(mails_[11].entries[0].counts.cleared, 1u);
}

TEST_F(MailDesk, TellsTheEndOfWhatItToldAtOnce) {
  Use(Everybody());
  Open(1);
  Pass(minutes(1));
  Clear(1);
  Pass(hours(1));
  EXPECT_THAT(Minutes(), ElementsAre(0.5, 1.5));
  EXPECT_FALSE(mails_[1].entries[0].open);
}

TEST_F(MailDesk, TellsNoEndWithoutABeginning) {
  Use(Everybody());
  Clear(1);
  Pass(hours(1));
  EXPECT_THAT(mails_, IsEmpty());
}

TEST_F(MailDesk, WaitsLongerEachTimeWithWhatComesAndGoes) {
  Use(Everybody());
  std::uint64_t opened = 0;
  for (int i = 0; i < 120; ++i) {
    Open(1, "id" + std::to_string(i));
    ++opened;
    Pass(seconds(40));
    Clear(1, "id" + std::to_string(i));
    Pass(seconds(20));
  }
  Pass(hours(5));
  Counts told;
  std::vector<double> alarms;
  for (std::size_t i = 0; i < mails_.size(); ++i) {
    told += mails_[i].entries[0].counts;
    if (mails_[i].entries[0].open) alarms.push_back(Minutes()[i]);
  }
  EXPECT_EQ(told.opened, opened);
  EXPECT_EQ(told.cleared, opened);
  EXPECT_THAT(alarms, ElementsAre(0.5, 5.5, 15.5, 35.5, 75.5));
  EXPECT_EQ(Minutes().back(), 155.5) << "what came and went since, in one mail";
}

TEST_F(MailDesk, StartsAnewAfterALongQuiet) {
  Use(Everybody());
  Open(1, "a");
  Pass(minutes(1));
  Clear(1, "a");
  Pass(minutes(20));
  mails_.clear();
  const Time again = now_;
  Open(1, "b");
  Pass(minutes(7));
  ASSERT_THAT(mails_, SizeIs(2));
  EXPECT_EQ(mails_[0].time - again, seconds(30));
  EXPECT_EQ(mails_[1].time - again, seconds(330)) << "5 min, not 20";
}

TEST_F(MailDesk, TellsAtOnceWhatIsWorseThanItToldAndOtherChangesLater) {
  Use(Everybody());
  const auto take = [this](Severity severity) {
    desk_->Take(Incident(1, true, now_, severity), now_);
  };
  take(Severity::kWarning);
  Pass(hours(3));
  mails_.clear();
  const Time worse = now_;
  take(Severity::kFailure);
  take(Severity::kFailure);  // no news
  Pass(minutes(1));
  ASSERT_THAT(mails_, SizeIs(1));
  EXPECT_EQ(mails_[0].time - worse, seconds(30));
  EXPECT_EQ(mails_[0].entries[0].counts.changed, 1u);
  for (int i = 0; i < 20; ++i) {
    take(i % 2 ? Severity::kFailure : Severity::kWarning);
    Pass(minutes(1));
  }
  EXPECT_THAT(mails_, SizeIs(1)) << "nobody wants to know each minute";
  Pass(hours(4));
  ASSERT_THAT(mails_, SizeIs(2));
  EXPECT_EQ(mails_[1].entries[0].counts.changed, 20u);
}

// 1,000 hosts that come and go for an hour, each in its own rhythm.
TEST_F(MailDesk, AnswersAStormWithTwelveMailsAndADigestOfExactCounts) {
  Use(Everybody());
  std::vector<bool> open(1000);
  std::vector<int> number(1000);
  Counts happened;
  for (int second = 0; second < 3600; ++second) {
    for (int host = 0; host < 1000; ++host) {
      if ((second + host) % (157 + host % 113) != 0) continue;
      const auto at = static_cast<std::size_t>(host);
      open[at] = !open[at];
      if (open[at]) ++number[at];
      const std::string id =
          std::to_string(host) + "." + std::to_string(number[at]);
      if (open[at]) {
        Open(host, id);
        ++happened.opened;
      } else {
        Clear(host, id);
        ++happened.cleared;
      }
    }
    now_ += seconds(1);
    if (second % 10 == 9) Pass(seconds(0));
  }
  for (int host = 0; host < 1000; ++host) {
    const auto at = static_cast<std::size_t>(host);
    if (!open[at]) continue;
    Clear(host, std::to_string(host) + "." + std::to_string(number[at]));
    ++happened.cleared;
  }
  Pass(hours(12));
  EXPECT_EQ(happened.opened, happened.cleared);
  EXPECT_GT(happened.opened, 5000u);

  Counts told;
  std::size_t digests = 0;
  for (const Letter& mail : mails_) {
    told += mail.tally.total();
    for (const Entry& entry : mail.entries) told += entry.counts;
    digests += mail.kind == Letter::Kind::kDigest;
  }
  EXPECT_EQ(told.opened, happened.opened);
  EXPECT_EQ(told.cleared, happened.cleared);
  // In any hour, wherever it begins.
  for (const Letter& first : mails_) {
    EXPECT_LE(std::ranges::count_if(mails_,
                                    [&](const Letter& mail) {
                                      return mail.time >= first.time &&
                                             mail.time < first.time + hours(1);
                                    }),
              12);
  }
  EXPECT_GE(digests, 1u);
  EXPECT_LE(mails_.size(), 20u);
  ASSERT_GE(mails_.size(), 12u);
  EXPECT_FALSE(mails_[10].held_until.has_value());
  ASSERT_TRUE(mails_[11].held_until.has_value()) << "the twelfth says so";
  ASSERT_EQ(mails_[12].kind, Letter::Kind::kDigest);
  EXPECT_EQ(mails_[12].time, *mails_[11].held_until);
  EXPECT_GT(mails_[12].tally.total().cleared, 1000u);
  EXPECT_EQ(desk_->waiting(), 0u);
}

TEST_F(MailDesk, LosesNothingOfAStormInARestart) {
  Use(Everybody());
  Counts happened, told;
  for (int i = 0; i < 300; ++i) {
    Open(i, std::to_string(i));
    Pass(seconds(5));
    Clear(i, std::to_string(i));
    happened += {.opened = 1, .cleared = 1};
    Pass(seconds(5));
    if (i % 10 != 0) continue;
    const nlohmann::json saved = nlohmann::json::parse(desk_->Save().dump());
    Use(Everybody());
    desk_->Restore(saved);
  }
  Pass(hours(12));
  for (const Letter& mail : mails_) {
    told += mail.tally.total();
    for (const Entry& entry : mail.entries) told += entry.counts;
  }
  EXPECT_EQ(told.opened, happened.opened);
  EXPECT_EQ(told.cleared, happened.cleared);
  EXPECT_LE(mails_.size(), 16u);
}

TEST_F(MailDesk, HoldsMailsBackInQuietHoursAndTellsThemAtTheirEnd) {
  Audience audience = Everybody();
  audience.filter.quiet = QuietHours{22 * 60, 6 * 60 + 30};
  Use(audience);
  Pass(hours(11));  // 23:00
  Open(1);
  Open(2);
  Pass(minutes(5));
  Clear(2);
  Pass(hours(7));
  EXPECT_THAT(mails_, IsEmpty());
  Pass(minutes(26));
  ASSERT_THAT(mails_, SizeIs(1));
  EXPECT_THAT(Minutes(), ElementsAre(18.5 * 60));
  EXPECT_THAT(mails_[0].entries, SizeIs(2));
}

TEST_F(MailDesk, SumsUpADayAndIsSilentAboutAnEmptyOne) {
  Audience audience = Everybody();
  audience.filter.daily_digest = 7 * 60;
  Use(audience);
  silenced_ = {"10.1.0.9"};
  Open(1);
  Open(9);
  Pass(minutes(2));
  Clear(1);
  Clear(9);
  Pass(hours(19) - minutes(3));
  EXPECT_THAT(mails_, SizeIs(2));
  Pass(hours(1));
  ASSERT_THAT(mails_, SizeIs(3));
  const Letter& day = mails_[2];
  EXPECT_EQ(day.kind, Letter::Kind::kDaily);
  EXPECT_EQ(day.time, kStart + hours(19));
  EXPECT_EQ(day.mails, 2u);
  EXPECT_EQ(day.tally.total().opened, 1u);
  EXPECT_EQ(day.tally.total().cleared, 1u);
  EXPECT_EQ(day.tally.total().silenced, 1u);
  EXPECT_EQ(day.open_count, 0u);
  Pass(hours(48));
  EXPECT_THAT(mails_, SizeIs(3));
}

TEST_F(MailDesk, MailsASilencedIncidentOnlyWhenItOutlivesTheSilence) {
  Use(Everybody());
  silenced_ = {"10.1.0.1", "10.1.0.2"};
  Open(1);
  Open(2);
  Pass(minutes(10));
  Clear(2);
  Pass(hours(1));
  EXPECT_THAT(mails_, IsEmpty());
  silenced_.clear();
  Pass(minutes(1));
  ASSERT_THAT(mails_, SizeIs(1));
  ASSERT_THAT(mails_[0].entries, SizeIs(1));
  EXPECT_EQ(mails_[0].entries[0].event.Meta("subject"), "10.1.0.1");
}

TEST_F(MailDesk, RemindsNobodyOfWhatIsAcknowledgedButTellsItsEnd) {
  Use(Everybody());
  Open(1);
  Pass(minutes(1));
  acknowledged_ = {"first-packets-10.1.0.1"};
  Pass(hours(3));
  EXPECT_THAT(mails_, SizeIs(1));
  Clear(1);
  Pass(minutes(1));
  EXPECT_THAT(mails_, SizeIs(2));
}

TEST_F(MailDesk, TellsEachOnlyWhatHeAskedFor) {
  Audience audience = Everybody();
  audience.filter.severity = "failure";
  audience.filter.customers = {"acme"};
  Use(audience);
  Event his = Incident(1, true, now_);
  his.meta["customer"] = "acme";
  Event warning = Incident(2, true, now_, Severity::kWarning);
  warning.meta["customer"] = "acme";
  Event foreign;
  foreign.plugin = "df";
  for (const Event& event : {his, warning, foreign, Incident(3, true, now_)}) {
    desk_->Take(event, now_);
  }
  Pass(minutes(1));
  ASSERT_THAT(mails_, SizeIs(1));
  ASSERT_THAT(mails_[0].entries, SizeIs(1));
  EXPECT_EQ(mails_[0].entries[0].event.Meta("subject"), "10.1.0.1");
  his.severity = Severity::kOkay;
  desk_->Take(his, now_);
  Pass(minutes(1));
  EXPECT_THAT(mails_, SizeIs(2)) << "the end of it, too";
}

TEST_F(MailDesk, GoesOnWhenTheClockIsSetBack) {
  Use(Everybody());
  Open(1);
  Pass(minutes(1));
  Clear(1);
  now_ -= hours(48);
  Pass(minutes(1));
  ASSERT_THAT(mails_, SizeIs(2));
  Open(2);
  Pass(minutes(1));
  EXPECT_THAT(mails_, SizeIs(3));
}

TEST(MailSchedule, TellsAnEventOnceHoweverOftenItComes) {
  Schedule schedule({Everybody()}, {}, {}, kStart);
  const Event event = Incident(1, true, kStart);
  EXPECT_TRUE(schedule.Take(event, kStart));
  EXPECT_FALSE(schedule.Take(event, kStart + hours(1)));
  Schedule restarted({Everybody()}, {}, {}, kStart);
  restarted.Restore(schedule.Save());
  EXPECT_FALSE(restarted.Take(event, kStart + hours(1)));
}

TEST(MailSchedule, KeepsALetterUntilItIsInTheSpool) {
  Schedule schedule({Everybody()}, {}, {}, kStart);
  schedule.Take(Incident(1, true, kStart), kStart);
  EXPECT_FALSE(schedule.Write(kStart));
  EXPECT_TRUE(schedule.Write(kStart + minutes(1)));
  const std::string id = schedule.letters().front().id;

  Schedule restarted({Everybody()}, {}, {}, kStart);
  restarted.Restore(schedule.Save());
  ASSERT_THAT(restarted.letters(), SizeIs(1));
  EXPECT_EQ(restarted.letters().front().id, id) << "so the spool knows it";
  EXPECT_FALSE(restarted.Write(kStart + minutes(1)));
  restarted.Done();
  EXPECT_EQ(restarted.waiting(), 0u);
}

TEST(MailSchedule, RefusesAFileThatIsNone) {
  Schedule schedule({Everybody()}, {}, {}, kStart);
  for (const char* bad : {"", "{", "[]", "{\"number\":1}",
                          "{\"letters\":[{}],\"desks\":{},\"seen\":[]}"}) {
    EXPECT_THROW(schedule.Restore(bad), nlohmann::json::exception) << bad;
  }
}

}  // namespace
}  // namespace iptrk::mail
