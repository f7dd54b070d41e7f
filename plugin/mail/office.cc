// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/office.h"

#include <fmt/format.h>

#include <condition_variable>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "plugin/mail/signal_block.h"

namespace iptrk::mail {
namespace {

// Whether `stop` came within `time`.
bool Wait(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return stop.stop_requested();
}

}  // namespace

Office::Office(const std::string& config_file, MakeSender make, Log log,
               std::chrono::milliseconds look_every)
    : file_(config_file, /*named=*/true),
      make_(std::move(make)),
      log_(std::move(log)),
      look_every_(look_every) {
  ConfigResult result = file_.Load();
  TellErrors(result);
  if (!result.ok()) throw std::runtime_error("mail is not started");
  config_ = std::move(result.config);
  sender_ = Make(config_);
  const SignalBlock block;
  thread_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
}

void Office::TellErrors(const ConfigResult& result) const {
  for (const ConfigError& error : result.errors) {
    log_(LogLevel::kError, error.ToString());
  }
}

std::unique_ptr<Sender> Office::Make(Config config) {
  if (!config.mail.enabled) {
    log_(LogLevel::kWarning, file_.path() +
                                 ": no mail is sent, because [mail] to names "
                                 "nobody");
    return nullptr;
  }
  if (!spool_.empty() && config.mail.spool != spool_) {
    log_(LogLevel::kWarning,
         fmt::format("{}: the spool stays {} until collectd is restarted; move "
                     "what is in it to {} then, while collectd is stopped",
                     file_.path(), spool_, config.mail.spool));
    config.mail.spool = spool_;
  }
  std::unique_ptr<Sender> sender = make_(config);
  spool_ = config.mail.spool;
  return sender;
}

void Office::Offer(Event event) {
  const std::lock_guard lock(mutex_);
  if (replacing_) {
    if (meanwhile_.size() < kMostMeanwhile) {
      meanwhile_.push_back(std::move(event));
    } else {
      ++overflowed_;
    }
  } else if (sender_) {
    // A full queue is counted and told by the sender.
    sender_->Offer(std::move(event));
  }
}

Sender::Counters Office::State() const {
  const std::lock_guard lock(mutex_);
  Sender::Counters state = last_;
  if (sender_ && !replacing_) {
    const Sender::Counters now = sender_->State();
    state.unread = now.unread;
    state.held = now.held;
    state.spooled = now.spooled;
    state.refused = now.refused;
    state.mailed += now.mailed;
    state.lost += now.lost;
  }
  return state;
}

void Office::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  // Nobody replaces it any more; Offer() may still come, and is answered.
  if (sender_) sender_->Stop();
}

void Office::Watch(const std::stop_token& stop) {
  while (!Wait(stop, look_every_)) {
    try {
      std::optional<ConfigResult> changed = file_.Changed();
      if (!changed) continue;
      TellErrors(*changed);
      if (!changed->ok()) {
        log_(LogLevel::kWarning,
             file_.path() + " is not taken in; mail goes on as before");
        continue;
      }
      if (!StopSender(stop)) return;
      Replace(changed->config);
    } catch (const std::exception& error) {
      log_(LogLevel::kError, error.what());
    }
  }
}

// False: this is the end.
bool Office::StopSender(const std::stop_token& stop) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      replacing_ = true;
    }
    if (!sender_ || sender_->StopIfIdle()) return true;
    GoOn(std::move(sender_));
    if (Wait(stop, std::chrono::milliseconds(200))) return false;
  }
}

void Office::Replace(const Config& config) {
  if (sender_) {
    const Sender::Counters was = sender_->State();
    const std::lock_guard lock(mutex_);
    last_.mailed += was.mailed;
    last_.lost += was.lost;
    last_.held = last_.spooled = last_.refused = 0;
  }
  sender_.reset();  // gives up the spool
  std::unique_ptr<Sender> sender;
  try {
    sender = Make(config);
    config_ = config;
    log_(LogLevel::kInfo, file_.path() + " has changed and is taken in");
  } catch (const std::exception& error) {
    log_(LogLevel::kError,
         std::string(error.what()) + "; mail goes on as before");
    try {
      sender = Make(config_);
    } catch (const std::exception& again) {
      log_(LogLevel::kError, std::string("no mail is sent: ") + again.what());
    }
  }
  GoOn(std::move(sender));
}

void Office::GoOn(std::unique_ptr<Sender> sender) {
  std::uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    sender_ = std::move(sender);
    if (sender_) {
      for (Event& event : meanwhile_) sender_->Offer(std::move(event));
      lost = overflowed_;
      last_.lost += lost;
    }
    meanwhile_.clear();
    overflowed_ = 0;
    replacing_ = false;
  }
  if (lost == 0) return;
  log_(LogLevel::kError,
       fmt::format("notifications lost: {}, because more than {} came while {} "
                   "was taken in",
                   lost, kMostMeanwhile, file_.path()));
}

}  // namespace iptrk::mail
