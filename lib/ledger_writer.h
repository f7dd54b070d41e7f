// SPDX-License-Identifier: GPL-2.0-only
// Writes the ledger on a thread of its own, so that a slow, full or broken
// disk stalls nobody.
//
// What can't be written is kept, within limits (lib/ledger_backlog.h), and
// tried again. A damaged file is moved aside and a new one begun. What is
// durable is known from Applied(): only that may be given back to the kernel.
//
// Threads: thread-safe; Push...() never touch the disk and never wait for who
// does. `tell` is called from the writer's thread.
#ifndef IPTRK_LIB_LEDGER_WRITER_H_
#define IPTRK_LIB_LEDGER_WRITER_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lib/ledger.h"
#include "lib/ledger_backlog.h"
#include "lib/ledger_entry.h"

namespace iptrk {

struct LedgerWriterOptions {
  std::string path;
  LedgerRetention retention;
  BacklogLimits limits;
  std::chrono::milliseconds first_retry{500};  // doubled up to the longest
  std::chrono::milliseconds longest_retry{30'000};
  std::chrono::milliseconds patience{3'000};  // of Stop()
};

enum class LedgerEvent {
  kProblem,    // nothing can be written; why, and what mends it
  kMended,     // what waited is written
  kBegunAnew,  // a damaged file was moved aside
  kGivenUp,    // Stop() left something unwritten
};

// What the file held when it was opened first.
struct LedgerStart {
  std::optional<LedgerPosition> applied;
  std::vector<LedgerPosition> marks;
  std::string state;
  std::string baselines;
  std::vector<LedgerIncident> open;  // incidents
};

struct LedgerWriterState {
  std::string problem;  // empty: none
  std::uint64_t failures = 0;
  std::size_t entries_waiting = 0;
  std::size_t hosts_waiting = 0;
  BacklogLosses losses;
};

class LedgerWriter {
 public:
  using Tell = std::function<void(LedgerEvent, const std::string&)>;

  LedgerWriter(LedgerWriterOptions options, Tell tell);
  ~LedgerWriter() { Stop(); }
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  // Waits for the file, at most so long; nothing if it could not be opened.
  std::optional<LedgerStart> WaitForStart(std::chrono::milliseconds most) const;

  void Push(LedgerEntry entry);  // in order
  // Where a slot ended in the queue.
  void PushMark(LedgerPosition mark);
  void PushIncident(LedgerIncident incident);

  // The end of the last entry that is durable; nothing while none is known.
  std::optional<LedgerPosition> Applied() const;
  std::int64_t AppliedEnd() const;  // 0 for nothing
  LedgerWriterState State() const;

  // Writes what waits, for no longer than options.patience and what the last
  // call to the disk takes. What is pushed afterwards is not written.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  void Run(std::stop_token stop);
  void Collect();  // inbox_ to backlog_
  void Publish();  // what State() says of backlog_; mutex_ is held
  // These three throw LedgerError or std::filesystem::filesystem_error.
  void Open();
  void WriteBacklog();
  void MoveAside();
  bool TryToWrite();  // false: again at retry_at_
  void Failed(LedgerFault fault, const std::string& text);
  void Mended();

  const LedgerWriterOptions options_;
  const Tell tell_;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  LedgerBacklog inbox_;                    // guarded by mutex_
  std::optional<LedgerStart> start_;       // guarded by mutex_
  std::optional<LedgerPosition> applied_;  // guarded by mutex_
  LedgerWriterState state_;                // guarded by mutex_

  // Of the writer's thread alone.
  std::unique_ptr<Ledger> ledger_;
  LedgerBacklog backlog_;
  std::optional<LedgerFault> fault_;  // while nothing can be written
  std::chrono::milliseconds retry_after_{0};
  Clock::time_point retry_at_;
  BacklogLosses told_;

  std::jthread thread_;  // last, so that all it uses is there
};

}  // namespace iptrk

#endif  // IPTRK_LIB_LEDGER_WRITER_H_
