// SPDX-License-Identifier: GPL-2.0-only
// What is told to whom and when, over restarts.
//
// Each event goes to every audience's desk (desk.h) once. What a desk gives out
// stays here as a letter until it is Done(), that is, its mail is in the spool;
// so after a crash a letter may be written again, but under the same id, which
// the spool knows.
//
// No clock, no disk, no thread. Thread-compatible.
#ifndef IPTRK_PLUGIN_MAIL_SCHEDULE_H_
#define IPTRK_PLUGIN_MAIL_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

#include "plugin/mail/desk.h"

namespace iptrk::mail {

class Schedule {
 public:
  Schedule(const std::vector<Audience>& audiences, Pace pace, Hushed hushed,
           Time now);

  // False: it was taken before.
  bool Take(const Event& event, Time now);

  // Moves what is due to letters(); true if there was any.
  bool Write(Time now);

  // Oldest first; each has an id and an audience of ours.
  const std::deque<Letter>& letters() const { return letters_; }
  // Takes the oldest away.
  void Done() { letters_.pop_front(); }

  // When Write() may have something, if nothing else comes.
  Time NextDue(Time now) const;

  const Audience* FindAudience(const std::string& name) const;
  std::size_t waiting() const;

  // As text for a file. Restore() takes what belongs to audiences that are
  // still there, and throws nlohmann::json::exception if `text` is none of
  // Save()'s.
  std::string Save() const;
  void Restore(const std::string& text);

 private:
  // More than a storm of which the last second is told again.
  static constexpr std::size_t kRemembered = 4096;

  void Remember(const std::string& digest);

  std::vector<Desk> desks_;
  std::deque<Letter> letters_;
  std::deque<std::string> seen_;           // digests of events, oldest first
  std::unordered_set<std::string> known_;  // the same
  std::uint64_t number_ = 0;               // of the last letter
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_SCHEDULE_H_
