// SPDX-License-Identifier: GPL-2.0-only
// The thread that turns events into mails and gets them out.
//
// An event waits in a bounded queue, then is composed and spooled, and is on
// disk before the first attempt. Mails go out oldest first, one at a time.
// What can't be delivered now is tried again after 10 s, then 20 s, up to
// 10 min; a new event asks for an attempt at once, but never earlier than 10 s
// after the last. Each attempt runs in a thread of its own, so that neither new
// events nor Stop() wait for a server that hangs; an attempt that outlives
// Stop() is left behind, its mail stays spooled.
//
// Threads: Offer() from any thread. The constructor, Stop() and the destructor
// from one.
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

#include "plugin/mail/event.h"
#include "plugin/mail/log.h"
#include "plugin/mail/message.h"
#include "plugin/mail/smtp.h"
#include "plugin/mail/spool.h"

namespace iptrk::mail {

class Sender {
 public:
  struct Options {
    std::size_t queue = 256;  // events
    std::chrono::milliseconds first_delay = std::chrono::seconds(10);
    std::chrono::milliseconds longest_delay = std::chrono::minutes(10);
    // How long Stop() waits for an attempt to end.
    std::chrono::milliseconds stop_grace = std::chrono::seconds(2);
    std::chrono::milliseconds overflow_report = std::chrono::minutes(1);
  };
  using DeliverFunction = std::function<Delivery(const Message&)>;

  Sender(Composer composer, Spool spool, DeliverFunction deliver, Log log,
         Options options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Takes the event and returns at once. False: the queue is full (counted, and
  // logged once a minute), or the sender has stopped.
  bool Offer(Event event);

  // Spools what is queued and ends the thread, within `stop_grace` and what
  // the disk takes. Idempotent.
  void Stop();

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
    std::optional<Delivery> result;  // of the running attempt, when it ended
  };

  static void RunAttempt(const std::shared_ptr<Shared>& shared,
                         const DeliverFunction& deliver,
                         const Message& message) noexcept;
  void Run(const std::stop_token& stop);
  bool Step(const std::stop_token& stop);  // false: it was the last
  void SpoolEvent(const Event& event);
  void StartAttempt();
  void EndAttempt(const Delivery& delivery);
  void EndRound();
  void ReportOverflow();
  Clock::time_point Deadline() const;

  const Composer composer_;
  const DeliverFunction deliver_;
  const Log log_;
  const Options options_;
  const std::shared_ptr<Shared> shared_;

  // All below is the thread's own.
  Spool spool_;
  std::string attempt_;  // the mail under way; empty when none is
  std::string subject_;  // of that mail
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
