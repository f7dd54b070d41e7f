// SPDX-License-Identifier: GPL-2.0-only
// The sender that the configuration file asks for, also when the file changes.
//
// A changed file gets a new sender, which takes over the spool and the schedule
// of the one before: nothing is lost, and nothing is sent twice, because the
// old one is replaced only between two attempts. A bad change is told, and the
// old one goes on; so it does when there can be no new one. Another spool waits
// for a restart, because nobody would send what is in the old one.
//
// Threads: Offer() and State() from any thread; they never wait for a server.
// The constructor and Stop() from one.
#ifndef IPTRK_PLUGIN_MAIL_OFFICE_H_
#define IPTRK_PLUGIN_MAIL_OFFICE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lib/config.h"
#include "lib/config_file.h"
#include "plugin/mail/log.h"
#include "plugin/mail/sender.h"

namespace iptrk::mail {

class Office {
 public:
  // A sender for the configuration; nullptr when it says that nobody gets
  // mail. May throw.
  using MakeSender = std::function<std::unique_ptr<Sender>(const Config&)>;

  // Throws std::runtime_error after telling `log` what is wrong with the file,
  // and what `make` throws.
  Office(const std::string& config_file, MakeSender make, Log log,
         std::chrono::milliseconds look_every = std::chrono::seconds(1));
  ~Office() { Stop(); }
  Office(const Office&) = delete;
  Office& operator=(const Office&) = delete;

  void Offer(Event event);
  Sender::Counters State() const;

  // As Sender::Stop(). Idempotent.
  void Stop();

 private:
  static constexpr std::size_t kMostMeanwhile = 4096;  // events

  void Watch(const std::stop_token& stop);
  bool StopSender(const std::stop_token& stop);
  void Replace(const Config& config);
  std::unique_ptr<Sender> Make(Config config);
  void GoOn(std::unique_ptr<Sender> sender);
  void TellErrors(const ConfigResult& result) const;

  ConfigFile file_;
  const MakeSender make_;
  const Log log_;
  const std::chrono::milliseconds look_every_;
  Config config_;      // of the sender
  std::string spool_;  // of the first sender; empty: there was none

  mutable std::mutex mutex_;
  // Guarded by `mutex_`; while `replacing_` the sender is the watcher's alone.
  std::unique_ptr<Sender> sender_;
  bool replacing_ = false;
  std::vector<Event> meanwhile_;  // offered while replacing
  std::uint64_t overflowed_ = 0;  // of them, that were too many
  Sender::Counters last_;         // before

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_OFFICE_H_
