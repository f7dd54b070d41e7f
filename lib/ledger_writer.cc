// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <filesystem>
#include <utility>

namespace iptrk {
namespace {

namespace fs = std::filesystem;

// Few enough that after an outage every transaction is short and none is
// repeated for long.
constexpr std::size_t kEntriesAtOnce = 16;

BacklogLosses operator+(BacklogLosses a, const BacklogLosses& b) {
  a.merged_intervals += b.merged_intervals;
  a.moved_hosts += b.moved_hosts;
  a.merged_slots += b.merged_slots;
  a.dropped_marks += b.dropped_marks;
  a.dropped_incidents += b.dropped_incidents;
  return a;
}

}  // namespace

LedgerWriter::LedgerWriter(LedgerWriterOptions options, Tell tell)
    : options_(std::move(options)),
      tell_(std::move(tell)),
      inbox_(options_.limits),
      backlog_(options_.limits),
      thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {}

std::optional<LedgerStart> LedgerWriter::WaitForStart(
    std::chrono::milliseconds most) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] {
    return start_.has_value() || !state_.problem.empty();
  });
  return start_;
}

void LedgerWriter::Push(LedgerEntry entry) {
  const std::lock_guard lock(mutex_);
  inbox_.Push(std::move(entry));
  changed_.notify_all();
}

void LedgerWriter::PushMark(LedgerPosition mark) {
  const std::lock_guard lock(mutex_);
  inbox_.PushMark(std::move(mark));
  changed_.notify_all();
}

void LedgerWriter::PushIncident(LedgerIncident incident) {
  const std::lock_guard lock(mutex_);
  inbox_.PushIncident(std::move(incident));
  changed_.notify_all();
}

std::optional<LedgerPosition> LedgerWriter::Applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

std::int64_t LedgerWriter::AppliedEnd() const {
  const std::lock_guard lock(mutex_);
  return applied_ ? applied_->end : 0;
}

LedgerWriterState LedgerWriter::State() const {
  const std::lock_guard lock(mutex_);
  LedgerWriterState state = state_;
  state.entries_waiting += inbox_.entries();
  state.hosts_waiting += inbox_.hosts();
  state.losses = state.losses + inbox_.losses();
  return state;
}

void LedgerWriter::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LedgerWriter::Run(std::stop_token stop) {
  // The file is opened before anything is to be written: what it holds says
  // where to begin.
  bool again = !TryToWrite();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      const auto pushed = [&] { return !inbox_.empty(); };
      if (again)
        changed_.wait_until(lock, stop, retry_at_, pushed);
      else
        changed_.wait(lock, stop, pushed);
    }
    Collect();
    if (again && Clock::now() < retry_at_ && !stop.stop_requested()) continue;
    again = !TryToWrite();
  }
  const auto deadline = Clock::now() + options_.patience;
  for (Collect(); !backlog_.empty() && !TryToWrite();) {
    const auto wake =
        Clock::now() + std::min(options_.first_retry, options_.patience);
    if (wake >= deadline) break;
    std::this_thread::sleep_until(wake);
  }
  if (!backlog_.empty())
    tell_(LedgerEvent::kGivenUp,
          fmt::format("{}: {} intervals were not written; what the queue still "
                      "holds of them is counted at the next start",
                      options_.path, backlog_.entries()));
  ledger_.reset();
}

void LedgerWriter::Collect() {
  const std::lock_guard lock(mutex_);
  backlog_.Take(inbox_);
  Publish();
}

void LedgerWriter::Publish() {
  state_.entries_waiting = backlog_.entries();
  state_.hosts_waiting = backlog_.hosts();
  state_.losses = backlog_.losses();
}

bool LedgerWriter::TryToWrite() {
  try {
    try {
      WriteBacklog();
    } catch (const LedgerError& error) {
      if (error.fault != LedgerFault::kCorrupt) throw;
      ledger_.reset();
      MoveAside();
      WriteBacklog();
    }
  } catch (const LedgerError& error) {
    Failed(error.fault, error.what());
    return false;
  } catch (const std::exception& error) {
    Failed(LedgerFault::kOther,
           fmt::format("{}: {}", options_.path, error.what()));
    return false;
  }
  if (fault_) Mended();
  return true;
}

void LedgerWriter::WriteBacklog() {
  if (!ledger_) Open();
  while (!backlog_.empty()) {
    const std::vector<LedgerEntry> entries = backlog_.Front(kEntriesAtOnce);
    ledger_->Apply(entries, backlog_.marks(), backlog_.incidents());
    backlog_.PopEntries(entries.size());
    backlog_.ClearMarksAndIncidents();
    const auto applied = ledger_->LastApplied();
    const std::lock_guard lock(mutex_);
    applied_ = applied;
    Publish();
  }
}

void LedgerWriter::Open() {
  auto ledger = std::make_unique<Ledger>(options_.path, options_.retention);
  const auto applied = Applied();
  // A new file, or a backup, in the place of one that was lost: what that one
  // had is not counted again.
  const auto known = ledger->LastApplied();
  if (applied && (!known || known->end < applied->end))
    ledger->BeginAt(*applied);
  const LedgerStart start{ledger->LastApplied(), ledger->Marks(),
                          ledger->LastState(), ledger->LastBaselines(),
                          ledger->OpenIncidents()};
  ledger_ = std::move(ledger);
  const std::lock_guard lock(mutex_);
  applied_ = start.applied;
  if (!start_) start_ = start;
  changed_.notify_all();
}

void LedgerWriter::Failed(LedgerFault fault, const std::string& text) {
  ledger_.reset();
  retry_after_ = std::clamp(retry_after_ * 2, options_.first_retry,
                            options_.longest_retry);
  retry_at_ = Clock::now() + retry_after_;
  {
    const std::lock_guard lock(mutex_);
    ++state_.failures;
    state_.problem = text;
    changed_.notify_all();
  }
  // Another fault has another remedy.
  if (fault_ != fault) tell_(LedgerEvent::kProblem, text);
  fault_ = fault;
}

void LedgerWriter::Mended() {
  const BacklogLosses& now = backlog_.losses();
  std::string text =
      fmt::format("{}: written again, every byte", options_.path);
  if (now.moved_hosts > told_.moved_hosts ||
      now.merged_slots > told_.merged_slots)
    text += fmt::format(
        "; too much waited, so the hosts of {} intervals are in a later slot, "
        "and {} slots are in a later one",
        now.moved_hosts - told_.moved_hosts,
        now.merged_slots - told_.merged_slots);
  told_ = now;
  fault_.reset();
  retry_after_ = std::chrono::milliseconds(0);
  {
    const std::lock_guard lock(mutex_);
    state_.problem.clear();
  }
  tell_(LedgerEvent::kMended, text);
}

void LedgerWriter::MoveAside() {
  const std::string name =
      fmt::format("{}.corrupt-{:%Y%m%dT%H%M%SZ}", options_.path,
                  fmt::gmtime(std::time(nullptr)));
  std::string aside = name;
  for (int i = 2; fs::exists(aside); ++i) aside = fmt::format("{}-{}", name, i);
  fs::rename(options_.path, aside);
  // The log belongs to it; the index of the log is made anew.
  if (fs::exists(options_.path + "-wal"))
    fs::rename(options_.path + "-wal", aside + "-wal");
  fs::remove(options_.path + "-shm");
  tell_(LedgerEvent::kBegunAnew,
        fmt::format("{}: damaged; moved to {} and a new one begun: restore it "
                    "from a backup, or save what can be: sqlite3 {} .recover",
                    options_.path, aside, aside));
}

}  // namespace iptrk
