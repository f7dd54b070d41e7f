// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/desk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace iptrk::mail {

Desk::Desk(Audience audience, Pace pace, Hushed hushed, Time now)
    : audience_(std::move(audience)),
      pace_(pace),
      hushed_(std::move(hushed)),
      held_since_(now),
      day_since_(now) {
  const auto& daily = audience_.filter.daily_digest;
  next_daily_ = daily ? NextTimeOfDay(now, *daily) : Time::max();
}

bool Desk::Silenced(const Event& event, Time now) const {
  return hushed_.is_silenced && hushed_.is_silenced(event, now);
}

// The end of an incident meets its beginning, whatever its network is called by
// now.
Desk::Topics::iterator Desk::Find(const Event& event) {
  const auto is_of = [&](const auto& entry) {
    return entry.second.open && entry.second.latest.IsIncident() &&
           entry.second.latest.Meta("incident") == event.Meta("incident");
  };
  const auto found = topics_.find(event.Topic());
  if (!event.IsIncident() || event.IsAlarm() ||
      (found != topics_.end() && is_of(*found)))
    return found;
  const auto same = std::ranges::find_if(topics_, is_of);
  return same != topics_.end() ? same : found;
}

void Desk::Take(const Event& event, Time now) {
  auto found = Find(event);
  const bool open = found != topics_.end() && found->second.open;
  if (!audience_.Concerns(event) && (!open || event.IsAlarm())) return;
  MendClock(now);
  if (!open && !audience_.IsSevere(event)) return;
  const bool silenced = Silenced(event, now);
  if (found == topics_.end() && topics_.size() >= kMostTopics) {
    Counts counts;
    ++(silenced          ? counts.silenced
       : event.IsAlarm() ? counts.opened
                         : counts.cleared);
    if (!held_until_) HoldUntil(now + kWindow, now);
    held_.Add(event, counts);
    day_.Add(event, counts);
    return;
  }

  if (found == topics_.end()) found = topics_.try_emplace(event.Topic()).first;
  Topic& topic = found->second;
  Counts counts;
  if (event.IsAlarm() && (!topic.open || (event.IsIncident() &&
                                          event.Meta("incident") !=
                                              topic.latest.Meta("incident")))) {
    Open(topic, event, now);
    ++counts.opened;
  } else if (event.IsAlarm() && event.severity != topic.latest.severity) {
    ++counts.changed;
    // Worse than anybody was told: that can't wait for hours.
    if (event.severity < topic.worst_told) topic.not_before = now;
  } else if (!event.IsAlarm() && topic.open) {
    topic.open = false;
    ++counts.cleared;
  } else if (!event.IsAlarm()) {
    // Good news of nothing bad, for those who want everything.
    ++counts.changed;
    if (topic.thread.empty()) Open(topic, event, now);
    topic.open = false;
  }
  topic.latest = event;
  topic.last_event = now;
  if (silenced) {
    const Counts only{.cleared = topic.told ? counts.cleared : 0,
                      .silenced = counts.opened};
    day_.Add(event, only);
    if (held_until_) held_.Add(event, only);
  } else {
    day_.Add(event, counts);
  }
  topic.counts += counts;
  // Told the same again: its figures are newer, but that is no news.
  if (!counts.empty() && !topic.pending) topic.pending = now;
}

void Desk::Open(Topic& topic, const Event& event, Time now) {
  topic.open = true;
  topic.thread = event.IsIncident()
                     ? std::string(event.Meta("incident"))
                     : "notification." + Digest(event.Identity());
  if (now >= topic.not_before + topic.delay) {
    topic.delay = kFirstBackOff;
    topic.not_before = now;
    topic.worst_told = Severity::kOkay;
  }
}

void Desk::HoldUntil(Time until, Time now) {
  held_until_ = until;
  held_since_ = now;
}

bool Desk::IsHeldBack(const Topic& topic, Time now) const {
  return topic.not_before > now && !(topic.told && !topic.open);
}

// When the topic makes a mail due.
std::optional<Time> Desk::Trigger(const Topic& topic) const {
  if (topic.pending) {
    const Time grouped = *topic.pending + pace_.group;
    return topic.told && !topic.open ? grouped
                                     : std::max(grouped, topic.not_before);
  }
  if (topic.open && topic.told && topic.latest.IsIncident() &&
      topic.not_before < topic.last_event + kRemindFor) {
    return topic.not_before;
  }
  return std::nullopt;
}

// What the next mail is about, if one is due: whatever there is to tell.
std::vector<Desk::Topic*> Desk::Triggered(Time now) {
  bool due = false;
  std::vector<Topic*> ready;
  for (auto& [key, topic] : topics_) {
    const std::optional<Time> trigger = Trigger(topic);
    if (!trigger) continue;
    const bool triggered = *trigger <= now;
    if (!triggered && (!topic.pending || IsHeldBack(topic, now))) continue;
    if (Silenced(topic.latest, now)) {
      // Over without anybody having wanted to know.
      if (!topic.open) {
        topic.pending.reset();
        topic.counts = {};
        topic.told = false;
      } else if (triggered) {
        topic.not_before = std::max(topic.not_before, now + kAskSilenceAgain);
      }
      continue;
    }
    if (!topic.pending && hushed_.is_acknowledged &&
        hushed_.is_acknowledged(topic.latest)) {
      MarkTold(topic, now);
      continue;
    }
    due = due || triggered;
    ready.push_back(&topic);
  }
  if (!due) ready.clear();
  return ready;
}

void Desk::MarkTold(Topic& topic, Time now) {
  // The end of what was told costs no back-off; all else does.
  if (topic.open || !topic.told) {
    topic.not_before = now + topic.delay;
    topic.delay =
        std::min<std::chrono::seconds>(2 * topic.delay, kLongestBackOff);
  }
  topic.told = topic.open;
  topic.worst_told = std::min(topic.worst_told, topic.latest.severity);
  topic.counts = {};
  topic.pending.reset();
}

std::vector<Letter> Desk::Due(Time now) {
  std::vector<Letter> letters;
  MendClock(now);
  Forget(now);
  if (audience_.filter.quiet && IsWithin(*audience_.filter.quiet, now)) {
    return letters;
  }
  while (!sent_.empty() && sent_.front() + kWindow <= now) sent_.pop_front();
  TakeHeld(letters, now);
  TakeDailyDigest(letters, now);
  HoldAtLimit(now);  // which may be a lower one than before a restart

  const std::vector<Topic*> topics = Triggered(now);
  if (topics.empty()) return letters;
  if (held_until_) {
    for (Topic* topic : topics) {
      held_.Add(topic->latest, topic->counts);
      MarkTold(*topic, now);
    }
    ++held_mails_;
    return letters;
  }
  Letter letter = News(topics, now);
  for (Topic* topic : topics) MarkTold(*topic, now);
  Count(letter, now);
  letters.push_back(std::move(letter));
  return letters;
}

Letter Desk::News(std::vector<Topic*> topics, Time now) const {
  std::ranges::stable_sort(topics, [](const Topic* a, const Topic* b) {
    // What is open, and of that the worst and oldest, first.
    const auto rank = [](const Topic& topic) {
      return std::make_tuple(!topic.open, topic.latest.severity,
                             topic.latest.time);
    };
    return rank(*a) < rank(*b);
  });
  Letter letter;
  letter.audience = audience_.name;
  letter.time = now;
  for (const Topic* topic : topics) {
    if (letter.entries.size() == kMostEntries) {
      letter.more_entries = topics.size() - kMostEntries;
      letter.tally.Add(topic->latest, topic->counts);
      continue;
    }
    letter.entries.push_back({topic->latest, topic->thread, topic->counts,
                              topic->open, topic->counts.empty()});
  }
  return letter;
}

Letter Desk::Summary(Letter::Kind kind, Tally tally, Time since,
                     Time now) const {
  constexpr std::size_t kMostNamed = 20;
  Letter letter;
  letter.audience = audience_.name;
  letter.kind = kind;
  letter.time = now;
  letter.since = since;
  letter.tally = std::move(tally);
  for (const auto& [key, topic] : topics_) {
    if (!topic.open) continue;
    ++letter.open_count;
    if (letter.open.size() < kMostNamed) {
      letter.open.push_back(topic.latest.Name());
    }
  }
  return letter;
}

// A mail more in this hour.
void Desk::Count(Letter& letter, Time now) {
  sent_.push_back(now);
  ++day_mails_;
  HoldAtLimit(now);
  letter.held_until = held_until_;
}

void Desk::HoldAtLimit(Time now) {
  if (sent_.size() < pace_.hourly_limit || held_until_) return;
  const std::size_t half = std::max<std::size_t>(1, pace_.hourly_limit / 2);
  HoldUntil(sent_[half - 1] + kWindow, now);
}

void Desk::TakeHeld(std::vector<Letter>& letters, Time now) {
  if (!held_until_ || now < *held_until_) return;
  held_until_.reset();
  const std::uint64_t mails = std::exchange(held_mails_, 0);
  if (held_.empty()) return;
  Letter letter = Summary(Letter::Kind::kDigest, std::exchange(held_, {}),
                          held_since_, now);
  // As many as would have been too many again: it goes on.
  if (mails > pace_.hourly_limit) HoldUntil(now + kWindow, now);
  Count(letter, now);
  letters.push_back(std::move(letter));
}

void Desk::TakeDailyDigest(std::vector<Letter>& letters, Time now) {
  if (now < next_daily_ || sent_.size() >= pace_.hourly_limit) return;
  next_daily_ = NextTimeOfDay(now, *audience_.filter.daily_digest);
  const bool open = std::ranges::any_of(
      topics_, [](const auto& topic) { return topic.second.open; });
  if (!day_.empty() || open) {
    Letter letter =
        Summary(Letter::Kind::kDaily, std::exchange(day_, {}), day_since_, now);
    letter.mails = day_mails_;
    Count(letter, now);
    letters.push_back(std::move(letter));
  }
  day_since_ = now;
  day_mails_ = 0;
}

void Desk::Forget(Time now) {
  std::erase_if(topics_, [&](const auto& entry) {
    const Topic& topic = entry.second;
    if (topic.pending) return false;
    return topic.open ? topic.last_event + kForgetAfter < now
                      : topic.not_before + topic.delay < now;
  });
}

// A clock that was set back would make all wait.
void Desk::MendClock(Time now) {
  const bool back = now < last_now_;
  last_now_ = now;
  if (!back) return;
  for (auto& [key, topic] : topics_) {
    topic.last_event = std::min(topic.last_event, now);
    topic.not_before = std::min<Time>(topic.not_before, now + kLongestBackOff);
    if (topic.pending) topic.pending = std::min(*topic.pending, now);
  }
  for (Time& sent : sent_) sent = std::min(sent, now);
  if (held_until_) held_until_ = std::min<Time>(*held_until_, now + kWindow);
  if (next_daily_ != Time::max()) {
    next_daily_ = std::min(next_daily_,
                           NextTimeOfDay(now, *audience_.filter.daily_digest));
  }
}

Time Desk::NextDue(Time now) const {
  Time next = Time::max();
  for (const auto& [key, topic] : topics_) {
    if (const std::optional<Time> trigger = Trigger(topic)) {
      next = std::min(next, *trigger);
    }
  }
  if (held_until_) next = std::min(next, *held_until_);
  // At the limit a daily digest waits for the first mail to be an hour old.
  next = std::min(next, sent_.size() >= pace_.hourly_limit
                            ? std::max(next_daily_, sent_.front() + kWindow)
                            : next_daily_);
  const auto& quiet = audience_.filter.quiet;
  if (quiet && next != Time::max() && IsWithin(*quiet, std::max(next, now))) {
    next = NextTimeOfDay(std::max(next, now), quiet->to);
  }
  return next;
}

std::size_t Desk::waiting() const {
  return static_cast<std::size_t>(
             std::ranges::count_if(topics_,
                                   [](const auto& topic) {
                                     return topic.second.pending.has_value();
                                   })) +
         held_.topics();
}

}  // namespace iptrk::mail
