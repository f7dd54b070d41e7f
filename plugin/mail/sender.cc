// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include "plugin/mail/figures.h"
#include "plugin/mail/files.h"
#include "plugin/mail/signal_block.h"

namespace iptrk::mail {
Sender::Sender(Desk desk, Spool spool, DeliverFunction deliver, Log log,
               Options options)
    : desk_(std::move(desk)),
      deliver_(std::move(deliver)),
      log_(std::move(log)),
      options_(options),
      shared_(std::make_shared<Shared>()),
      spool_(std::move(spool)),
      schedule_(desk_.audiences, desk_.pace, desk_.hushed,
                std::chrono::system_clock::now()),
      delay_(options.first_delay) {
  TakeUpSchedule();
  Tell();
  const SignalBlock block;
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Sender::~Sender() { Stop(); }

bool Sender::Offer(Event event) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stopped) return false;
    if (shared_->queue.size() >= options_.queue) {
      ++shared_->overflowed;
      return false;
    }
    shared_->queue.push_back(std::move(event));
  }
  shared_->changed.notify_all();
  return true;
}

Sender::Counters Sender::State() const {
  const std::lock_guard lock(shared_->mutex);
  Counters counters = shared_->counters;
  counters.unread = shared_->queue.size();
  return counters;
}

void Sender::Stop() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopped = true;
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool Sender::StopIfIdle() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->sending || shared_->in_memory) return false;
    shared_->stopped = true;  // so none begins
  }
  Stop();
  return true;
}

void Sender::Run(const std::stop_token& stop) {
  for (bool more = true; more;) {
    try {
      more = Step(stop);
    } catch (const std::exception& error) {
      // Out of memory or threads: nothing to do but to try again, slowly.
      log_(LogLevel::kError, fmt::format("mail is held up: {}", error.what()));
      more = !stop.stop_requested();
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }
  if (overflowed_ != 0) ReportOverflow();
  SaveSchedule();
  Tell();
  if (spool_.waiting() != 0) {
    log_(LogLevel::kInfo,
         fmt::format("mails left in the spool: {}", spool_.waiting()));
  }
}

bool Sender::Step(const std::stop_token& stop) {
  std::deque<Event> events;
  std::optional<Delivery> result;
  bool last = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_until(lock, stop, Deadline(), [this] {
      return !shared_->queue.empty() || shared_->result;
    });
    if (stop.stop_requested() && !attempt_.empty() && !shared_->result) {
      shared_->changed.wait_for(lock, options_.stop_grace,
                                [this] { return shared_->result.has_value(); });
    }
    // Asked before the queue is emptied: once stopped nothing comes into it.
    last = stop.stop_requested();
    events.swap(shared_->queue);
    result.swap(shared_->result);
    overflowed_ += std::exchange(shared_->overflowed, 0);
  }
  for (Event& event : events) {
    desk_.places.Complete(event);
    if (schedule_.Take(event, std::chrono::system_clock::now())) {
      unsaved_ = true;
    }
  }
  if (result) EndAttempt(*result);
  WriteLetters(stop);
  if (overflowed_ != 0 &&
      Clock::now() >= last_report_ + options_.overflow_report) {
    ReportOverflow();
  }
  if (last) return false;
  if (attempt_.empty() && Clock::now() >= next_attempt_) StartAttempt();
  Tell();
  return true;
}

void Sender::TakeUpSchedule() {
  try {
    if (const auto text = ReadFile(spool_.SchedulePath())) {
      schedule_.Restore(*text);
    }
  } catch (const std::exception& error) {
    log_(LogLevel::kError,
         fmt::format("{} can't be read, so what was told when is forgotten: {}",
                     spool_.SchedulePath(), Clean(error.what())));
  }
}

// A disk that is full holds no alert back: it goes on in memory, and is saved
// as soon as that works.
void Sender::SaveSchedule() {
  if (!unsaved_ && !spool_.HasUnwritten()) return;
  // A storm's schedule has megabytes, and changes all the time.
  constexpr double kBytesPerSecond = 1e6;
  try {
    const std::string text = schedule_.Save();
    next_save_ = Clock::now() +
                 std::chrono::duration_cast<Clock::duration>(
                     std::chrono::duration<double>(
                         static_cast<double>(text.size()) / kBytesPerSecond));
    WriteFile(spool_.SchedulePath(), text);
    unsaved_ = false;
    spool_.WriteUnwritten();
    save_trouble_ = false;
  } catch (const std::exception& error) {
    next_save_ = Clock::now() + std::chrono::seconds(10);
    if (!std::exchange(save_trouble_, true)) {
      log_(LogLevel::kError,
           fmt::format("mails can't be saved, so a restart now would lose "
                       "some: {}",
                       error.what()));
    }
  }
}

void Sender::WriteLetters(const std::stop_token& stop) {
  if (schedule_.Write(std::chrono::system_clock::now())) {
    unsaved_ = true;
    // Before the mail can be sent, so that it isn't written anew after a crash.
    SaveSchedule();
  }
  // One at a time: drawing takes long, and attempts go on in between.
  if (!schedule_.letters().empty() && !stop.stop_requested()) {
    if (!SpoolLetter(schedule_.letters().front(), stop)) return;
    schedule_.Done();
    unsaved_ = true;
    SaveSchedule();
  }
  if (schedule_.letters().empty()) slow_pictures_ = false;
  if (Clock::now() >= next_save_) SaveSchedule();
}

// False: stopped, and to be done after a restart.
bool Sender::SpoolLetter(const Letter& letter, const std::stop_token& stop) {
  const Audience& audience = *schedule_.FindAudience(letter.audience);
  try {
    std::optional<Picture> picture = Picture();
    if (const auto subject = desk_.places.PictureFor(letter, audience)) {
      picture = Draw(*subject, stop);
    }
    if (!picture) return false;
    if (spool_.Add(desk_.composer.Compose(letter, audience, *picture))) {
      news_ = true;
      next_attempt_ =
          std::min(next_attempt_, last_attempt_ + options_.first_delay);
    }
  } catch (const std::exception& error) {
    ++lost_;
    log_(LogLevel::kError, fmt::format("a mail is lost: {}", error.what()));
  }
  return true;
}

// Nothing: stopped.
std::optional<Picture> Sender::Draw(const PictureSubject& subject,
                                    const std::stop_token& stop) {
  if (slow_pictures_) {
    Picture none;
    none.trouble = "that of a mail just before took too long";
    return none;
  }
  const Clock::time_point start = Clock::now();
  std::optional<Picture> picture = desk_.draw(subject, stop);
  slow_pictures_ = Clock::now() >= start + options_.slow_picture;
  return picture;
}

void Sender::Tell() {
  const std::lock_guard lock(shared_->mutex);
  Counters& counters = shared_->counters;
  counters.held = schedule_.waiting();
  counters.spooled = spool_.waiting();
  counters.refused = spool_.refused();
  counters.mailed = mailed_;
  counters.lost = lost_ + spool_.dropped();
  shared_->in_memory = save_trouble_ || spool_.HasUnwritten();
}

void Sender::StartAttempt() {
  std::optional<Message> message;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stopped) return;
    shared_->sending = true;
  }
  while (!message) {
    attempt_ = spool_.OldestAfter(position_);
    if (attempt_.empty()) {
      SetIdle();
      EndRound();
      return;
    }
    position_ = attempt_;
    news_ = false;
    message = spool_.Read(attempt_);
  }
  subject_ = message->subject;
  const SignalBlock block;
  const std::vector<std::string> receivers = message->envelope.to;
  try {
    std::thread(RunAttempt, shared_, deliver_, std::move(*message)).detach();
  } catch (const std::system_error& error) {
    EndAttempt({{}, receivers, {}, false, error.what()});
  }
}

void Sender::RunAttempt(const std::shared_ptr<Shared>& shared,
                        const DeliverFunction& deliver,
                        const Message& message) noexcept {
  Delivery delivery = deliver(message);
  const std::lock_guard lock(shared->mutex);
  shared->result = std::move(delivery);
  shared->changed.notify_all();
}

void Sender::SetIdle() {
  const std::lock_guard lock(shared_->mutex);
  shared_->sending = false;
}

void Sender::EndAttempt(const Delivery& delivery) {
  last_attempt_ = Clock::now();
  const std::string name = std::exchange(attempt_, {});
  spool_.Settle(name, delivery.open, delivery.refused);
  SetIdle();
  if (!delivery.accepted.empty()) {
    ++mailed_;
    log_(LogLevel::kInfo, fmt::format("mailed \"{}\" to {}", subject_,
                                      fmt::join(delivery.accepted, ", ")));
  }
  for (const Refusal& refusal : delivery.refused) {
    log_(LogLevel::kError,
         fmt::format("\"{}\" is refused for {}, and kept as {}.refused: {}",
                     subject_, refusal.address, name, refusal.words));
  }
  if (delivery.open.empty()) {
    progress_ = true;
  } else {
    trouble_ = delivery.reason;
    // The next mail of the round would only meet the same silence.
    if (!delivery.answered) EndRound();
  }
}

// Decides when the next one begins.
void Sender::EndRound() {
  if (progress_ || spool_.waiting() == 0) delay_ = options_.first_delay;
  if (spool_.waiting() == 0) {
    next_attempt_ = Clock::time_point::min();
  } else {
    const auto delay = news_ ? options_.first_delay : delay_;
    next_attempt_ = Clock::now() + delay;
    log_(LogLevel::kWarning,
         fmt::format(
             "mails waiting: {}, next try in {} s: {}", spool_.waiting(),
             std::chrono::ceil<std::chrono::seconds>(delay).count(), trouble_));
    delay_ = std::min(2 * delay_, options_.longest_delay);
  }
  position_.clear();
  progress_ = false;
}

void Sender::ReportOverflow() {
  log_(LogLevel::kError,
       fmt::format("notifications lost: {}, because more than {} came at once",
                   overflowed_, options_.queue));
  lost_ += overflowed_;
  overflowed_ = 0;
  last_report_ = Clock::now();
}

Sender::Clock::time_point Sender::Deadline() const {
  // Far, but not so far that the wait overflows.
  Clock::time_point deadline = Clock::now() + std::chrono::hours(1);
  const Time now = std::chrono::system_clock::now();
  // At most a minute, so that a clock that is set is noticed.
  const auto due = std::min<Time::duration>(schedule_.NextDue(now) - now,
                                            std::chrono::minutes(1));
  deadline =
      std::min(deadline,
               Clock::now() + std::chrono::duration_cast<Clock::duration>(due));
  if (!schedule_.letters().empty()) deadline = Clock::now();
  if (unsaved_ || spool_.HasUnwritten())
    deadline = std::min(deadline, next_save_);
  if (attempt_.empty() && spool_.waiting() != 0) {
    deadline = std::min(deadline, next_attempt_);
  }
  if (overflowed_ != 0) {
    deadline = std::min(deadline, last_report_ + options_.overflow_report);
  }
  // What was due before our time began is due now.
  return std::max(deadline, Clock::now());
}

}  // namespace iptrk::mail
