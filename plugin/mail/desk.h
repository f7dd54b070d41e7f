// SPDX-License-Identifier: GPL-2.0-only
// When one audience gets a mail, and about what.
//
// - Events that come within `group` of the first are one mail.
// - After a mail of an alarm the next of the same topic waits 5 min, then 10,
//   up to 4 h, and then tells all that happened meanwhile; what was quiet for
//   long starts anew. While an incident stays open it is told of again at the
//   same distances, for a day. What is worse than was mailed, and the end of
//   what was, doesn't wait.
// - An end is told if its beginning was; an end alone is not.
// - After `hourly_limit` mails in an hour all else is held back and becomes one
//   digest, when half of those mails are an hour old; a storm that goes on gets
//   one digest an hour. Every opening, change and end is in exactly one mail.
// - In quiet hours nothing is mailed; at their end it is.
// - What is silenced is counted in the digests, and mailed when it is open
//   still as the silence ends. Of what is acknowledged nobody is reminded.
//
// No clock, no disk, no thread: `now` is an argument, and never goes back by
// more than the clock does. Thread-compatible.
#ifndef IPTRK_PLUGIN_MAIL_DESK_H_
#define IPTRK_PLUGIN_MAIL_DESK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugin/mail/audience.h"
#include "plugin/mail/letter.h"
#include "plugin/mail/times.h"

namespace iptrk::mail {

// What somebody said he wants no mail of; an empty one says no.
struct Hushed {
  // Nothing about that, for now.
  std::function<bool(const Event&, Time now)> is_silenced;
  // No reminders of an incident that somebody has taken on.
  std::function<bool(const Event&)> is_acknowledged;
};

struct Pace {
  std::chrono::seconds group = std::chrono::seconds(30);
  std::size_t hourly_limit = 12;  // at least 1
};

class Desk {
 public:
  Desk(Audience audience, Pace pace, Hushed hushed, Time now);

  const Audience& audience() const { return audience_; }

  void Take(const Event& event, Time now);

  // The mails that are due; their ids are still empty.
  std::vector<Letter> Due(Time now);

  // When Due() may have one, if nothing else comes.
  Time NextDue(Time now) const;

  // Topics that wait for their mail or digest.
  std::size_t waiting() const;

  // All but what the constructor is given. Restore() throws
  // nlohmann::json::exception and leaves the desk as it was.
  nlohmann::json Save() const;
  void Restore(const nlohmann::json& saved);

 private:
  static constexpr std::size_t kMostTopics = 5000;
  static constexpr std::size_t kMostEntries = 50;  // of a mail
  static constexpr std::chrono::minutes kFirstBackOff{5};
  static constexpr std::chrono::hours kLongestBackOff{4};
  static constexpr std::chrono::hours kRemindFor{24};
  static constexpr std::chrono::hours kForgetAfter{24 * 30};
  static constexpr std::chrono::hours kWindow{1};
  static constexpr std::chrono::seconds kAskSilenceAgain{30};

  struct Topic {
    Event latest;
    std::string thread;
    Counts counts;  // not yet told
    bool open = false;
    bool told = false;  // a mail or digest said that it is open
    Severity worst_told = Severity::kOkay;  // since it was last quiet for long
    std::optional<Time> pending;  // since when something is to be told
    Time last_event;
    Time not_before;               // of the next alarm
    std::chrono::seconds delay{};  // after the next mail; 0: none was yet
  };
  using Topics = std::map<std::string, Topic>;

  static nlohmann::json ToJson(const Topic& topic);
  static Topic TopicFromJson(const nlohmann::json& object);

  Topics::iterator Find(const Event& event);
  void Open(Topic& topic, const Event& event, Time now);
  void HoldUntil(Time until, Time now);
  void HoldAtLimit(Time now);
  bool Silenced(const Event& event, Time now) const;
  bool IsHeldBack(const Topic& topic, Time now) const;
  std::optional<Time> Trigger(const Topic& topic) const;
  std::vector<Topic*> Triggered(Time now);
  void MarkTold(Topic& topic, Time now);
  Letter News(std::vector<Topic*> topics, Time now) const;
  Letter Summary(Letter::Kind kind, Tally tally, Time since, Time now) const;
  void Count(Letter& letter, Time now);
  void TakeDailyDigest(std::vector<Letter>& letters, Time now);
  void TakeHeld(std::vector<Letter>& letters, Time now);
  void Forget(Time now);
  void MendClock(Time now);

  const Audience audience_;
  const Pace pace_;
  const Hushed hushed_;

  Time last_now_ = Time::max();  // what was restored is from another time
  Topics topics_;                // by Event::Topic()
  std::deque<Time> sent_;        // mails of the last hour
  // Above the limit: until when, since when, what, and how many mails it
  // would have been.
  std::optional<Time> held_until_;
  Time held_since_;
  Tally held_;
  std::uint64_t held_mails_ = 0;

  Time day_since_;
  Tally day_;
  std::uint64_t day_mails_ = 0;
  Time next_daily_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_DESK_H_
