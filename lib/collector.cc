// SPDX-License-Identifier: GPL-2.0-only
#include "lib/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "lib/local_networks.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

// A hook takes the time, then publishes; a virtual CPU may lose its host CPU
// in between. What comes later still is counted in the open second.
constexpr std::uint64_t kGrace = kSecond / 5;
constexpr int kWaitMs = 200;
constexpr auto kRetry = std::chrono::seconds(5);
constexpr double kEarlyCommitFill = 0.5;
constexpr std::uint64_t kStepWorthSaying = 2 * kSecond;

std::uint64_t SecondAfter(std::uint64_t time_ns) {
  return (time_ns / kSecond + 1) * kSecond;
}

}  // namespace

struct Collector::Session {
  Session(const Config& config, Queue& open_queue, std::uint64_t start_ns)
      : queue(open_queue),
        networks(config.networks),
        account(config),
        detector(config, account),
        second_end(SecondAfter(start_ns)),
        closed(queue.Position()),
        interfaces(queue.Interfaces()) {}

  Queue& queue;
  std::vector<Network> networks;
  Account account;
  Detector detector;
  std::uint64_t second_end;  // of the open second
  Queue::Mark closed;        // position at the end of the last closed hosts
  std::vector<iptrk_interface> interfaces;  // their books at the last slot
  QueueSlot slot;
  bool said_step = false;
};

Collector::Collector(Config config, CollectorOutput& output)
    : config_(std::move(config)), output_(output) {}

void Collector::Run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    try {
      Queue queue = Queue::Read(config_.queue);
      output_.OnInfo(fmt::format(
          "attached to queue '{}': {} rings of {} records{}",
          config_.queue.name, queue.attach().cpus, queue.attach().records,
          queue.attach().existed ? ", continued" : ""));
      last_error_.clear();
      Attend(queue, stop);
    } catch (const QueueError& error) {
      if (last_error_ != error.what()) output_.OnError(error.what());
      last_error_ = error.what();
    }
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kRetry, [] { return false; });
  }
}

void Collector::Attend(Queue& queue, std::stop_token stop) {
  Config config = config_;
  if (config.networks.empty()) {
    config.networks = LocalNetworks(queue.Interfaces());
    for (const Network& network : config.networks)
      for (const Prefix& prefix : network.prefixes)
        output_.OnInfo(fmt::format(
            "no [networks] configured: taking connected prefix {} as ours",
            prefix.ToString()));
  }
  queue.Own(config.networks);
  const std::uint64_t oldest = queue.OldestTime();
  Session session(config, queue, oldest ? oldest : clock_.Now());
  BeginSlots(session);
  while (!stop.stop_requested()) {
    if (!queue.Wait(kWaitMs)) {
      output_.OnError("the queue was destroyed; attaching anew");
      return;
    }
    Advance(session, stop);
  }
}

// A slot of zeros before the first one: an RRD takes a value for the time
// since the one before, and without any the first slot's bytes would be lost.
void Collector::BeginSlots(Session& session) {
  const int seconds = config_.collectd.interval;
  const std::uint64_t slot = static_cast<std::uint64_t>(seconds) * kSecond;
  const std::uint64_t begin = (session.second_end - 1) / slot * slot;
  output_.OnSlot(begin, seconds, session.account, session.networks);
  output_.OnBooks(begin, seconds, session.interfaces, session.interfaces);
  output_.OnQueue(begin, seconds, session.slot);
}

void Collector::Advance(Session& session, std::stop_token stop) {
  const std::uint64_t now = clock_.Now();
  if (!session.said_step && clock_.AheadNs() > kStepWorthSaying) {
    session.said_step = true;
    output_.OnError(fmt::format(
        "the system clock was set back by {} s; bytes go to the current slot "
        "until it has caught up",
        clock_.AheadNs() / kSecond));
  }
  while (!stop.stop_requested()) {
    session.slot.records += session.queue.Drain(
        session.second_end, [&](std::span<const iptrk_record> records) {
          session.account.Take(records);
        });
    session.slot.fill = std::max(session.slot.fill, session.queue.Fill());
    if (now < session.second_end + kGrace) break;
    EndSecond(session, now);
  }
  if (session.queue.Fill() > kEarlyCommitFill) {
    session.queue.Commit(session.queue.Position());
    session.closed = session.queue.Position();
    ++session.slot.early_commits;
  }
}

void Collector::EndSecond(Session& session, std::uint64_t now_ns) {
  for (const Incident& incident :
       session.detector.EndSecond(session.second_end))
    output_.OnIncident(incident);
  EndSlot(session, now_ns);
  session.second_end += kSecond;
}

void Collector::EndSlot(Session& session, std::uint64_t now_ns) {
  const std::uint64_t end_ns = session.second_end;
  const auto ends = [&](int seconds) {
    return end_ns / kSecond % static_cast<std::uint64_t>(seconds) == 0;
  };
  const int seconds = config_.collectd.interval;
  const int host_seconds = config_.collectd.host_interval;
  if (!ends(seconds)) return;

  output_.OnSlot(end_ns, seconds, session.account, session.networks);
  session.account.ClearNetworks();
  std::vector<iptrk_interface> now = session.queue.Interfaces();
  output_.OnBooks(end_ns, seconds, session.interfaces, now);
  session.interfaces = std::move(now);
  session.slot.lag = static_cast<double>(now_ns - end_ns) / 1e9;
  output_.OnQueue(end_ns, seconds, session.slot);
  session.slot = {};

  if (!ends(host_seconds)) return;
  output_.OnHosts(end_ns, host_seconds, session.account, session.networks);
  session.account.ClearHosts(end_ns);
  session.account.Forget(
      end_ns -
      static_cast<std::uint64_t>(config_.collectd.forget_after) * kSecond);
  session.queue.Commit(session.closed);
  session.closed = session.queue.Position();
}

}  // namespace iptrk
