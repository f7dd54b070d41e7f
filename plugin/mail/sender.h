// SPDX-License-Identifier: GPL-2.0-only
// The thread that turns events into mails and gets them out.
//
// An event waits in a bounded queue, then in the schedule, which decides what
// becomes a mail when and is on disk, in the spool's directory, whenever it has
// changed. A letter of the schedule is composed, with its picture, and spooled,
// and only then forgotten by the schedule. Mails go out oldest first, one at a
// time, also while other letters wait for their pictures.
// What can't be delivered now is tried again after 10 s, then 20 s, up to
// 10 min; a new event asks for an attempt at once, but never earlier than 10 s
// after the last. Each attempt runs in a thread of its own, so that neither new
// events nor Stop() wait for a server that hangs; an attempt that outlives
// Stop() is left behind, its mail stays spooled.
//
// Threads: Offer() and State() from any thread. The constructor, Stop(),
// StopIfIdle() and the destructor from one at a time.
// Ownership: takes all it is given. `deliver` is copied into the attempt's
// thread and must stand on its own: it may run after the Sender is gone. It
// must not throw.
#ifndef IPTRK_PLUGIN_MAIL_SENDER_H_
#define IPTRK_PLUGIN_MAIL_SENDER_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "plugin/mail/event.h"
#include "plugin/mail/log.h"
#include "plugin/mail/message.h"
#include "plugin/mail/places.h"
#include "plugin/mail/schedule.h"
#include "plugin/mail/smtp.h"
#include "plugin/mail/spool.h"

namespace iptrk::mail {

class Sender {
 public:
  struct Options {
    std::size_t queue = 4096;  // events; a storm's second
    std::chrono::milliseconds first_delay = std::chrono::seconds(10);
    std::chrono::milliseconds longest_delay = std::chrono::minutes(10);
    // How long Stop() waits for an attempt to end.
    std::chrono::milliseconds stop_grace = std::chrono::seconds(2);
    std::chrono::milliseconds overflow_report = std::chrono::minutes(1);
    // After one that took so long, the letters that wait go without.
    std::chrono::milliseconds slow_picture = std::chrono::seconds(10);
  };
  using DeliverFunction = std::function<Delivery(const Message&)>;

  // What is made of events, and how.
  struct Desk {
    std::vector<Audience> audiences;
    Pace pace;
    Hushed hushed;
    Places places;
    Composer composer;
    // Nothing: stopped before it was done.
    std::function<std::optional<Picture>(const PictureSubject&,
                                         const std::stop_token&)>
        draw;
  };

  // How much waits where, and what became of the rest since construction.
  struct Counters {
    std::size_t unread = 0;    // events
    std::size_t held = 0;      // topics and letters of the schedule
    std::size_t spooled = 0;   // mails
    std::size_t refused = 0;   // mails kept for the sysop
    std::uint64_t mailed = 0;  // mails
    std::uint64_t lost = 0;    // events and mails
  };

  // Takes up what the spool and its directory's schedule hold.
  Sender(Desk desk, Spool spool, DeliverFunction deliver, Log log,
         Options options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Takes the event and returns at once. False: the queue is full (counted, and
  // logged once a minute), or the sender has stopped.
  bool Offer(Event event);

  Counters State() const;

  // Schedules what is queued and ends the thread, within `stop_grace` and what
  // the disk takes. Idempotent.
  void Stop();

  // The same, but only when no attempt is under way and the spool has all that
  // is to be sent, so that whoever takes it over sends nothing twice and loses
  // nothing. False: nothing has changed.
  bool StopIfIdle();

 private:
  using Clock = std::chrono::steady_clock;

  // What the threads share; it outlives the Sender when an attempt does.
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any changed;
    // All below guarded by `mutex`.
    std::deque<Event> queue;
    std::uint64_t overflowed = 0;  // not yet reported
    bool stopped = false;
    bool sending = false;            // an attempt is under way
    bool in_memory = false;          // the disk did not take all
    std::optional<Delivery> result;  // of the running attempt, when it ended
    Counters counters;               // but for `unread`
  };

  static void RunAttempt(const std::shared_ptr<Shared>& shared,
                         const DeliverFunction& deliver,
                         const Message& message) noexcept;
  void Run(const std::stop_token& stop);
  bool Step(const std::stop_token& stop);  // false: it was the last
  void TakeUpSchedule();
  void SaveSchedule();
  void WriteLetters(const std::stop_token& stop);
  bool SpoolLetter(const Letter& letter, const std::stop_token& stop);
  std::optional<Picture> Draw(const PictureSubject& subject,
                              const std::stop_token& stop);
  void Tell();
  void StartAttempt();
  void SetIdle();
  void EndAttempt(const Delivery& delivery);
  void EndRound();
  void ReportOverflow();
  Clock::time_point Deadline() const;

  const Desk desk_;
  const DeliverFunction deliver_;
  const Log log_;
  const Options options_;
  const std::shared_ptr<Shared> shared_;

  // All below is the thread's own.
  Spool spool_;
  Schedule schedule_;
  bool unsaved_ = false;       // the schedule has changed
  bool save_trouble_ = false;  // told, and not to be told again
  Clock::time_point next_save_ = Clock::time_point::min();
  bool slow_pictures_ = false;  // of the letters that wait now
  std::uint64_t mailed_ = 0;
  std::uint64_t lost_ = 0;  // events
  std::string attempt_;     // the mail under way; empty when none is
  std::string subject_;     // of that mail
  // A round goes through the spool once: the last mail tried in this one.
  std::string position_;
  bool progress_ = false;  // some mail of this round left the spool
  bool news_ = false;      // a mail was spooled since the last attempt began
  std::string trouble_;    // why the last mail of this round did not
  std::chrono::milliseconds delay_;
  Clock::time_point next_attempt_ = Clock::time_point::min();
  Clock::time_point last_attempt_ = Clock::time_point::min();
  std::uint64_t overflowed_ = 0;  // to be reported
  Clock::time_point last_report_ = Clock::time_point::min();

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_SENDER_H_
