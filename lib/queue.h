// SPDX-License-Identifier: GPL-2.0-only
// A reader's end of /dev/iptrk. The protocol is in kernel/uapi/iptrk.h.
//
// Threads: thread-compatible; one thread drains and commits. Interfaces()
// and State() may be called from any thread.
// Ownership: owns the file and its mappings; closing a private queue
// destroys it, a named one goes on filling.
#ifndef IPTRK_LIB_QUEUE_H_
#define IPTRK_LIB_QUEUE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/config.h"

namespace iptrk {

inline constexpr char kDevicePath[] = "/dev/iptrk";

// Why no queue could be had: what() says what to do about it.
class QueueError : public std::runtime_error {
 public:
  QueueError(int error, const std::string& text)
      : std::runtime_error(text), number(error) {}
  int number;  // errno
};

class Queue {
 public:
  // A position in each ring, as Drain() left it.
  using Mark = std::vector<std::uint64_t>;

  // Attaches as the reader of `config.name` (empty: a private queue) and
  // watches `config.interfaces`. Throws QueueError.
  static Queue Read(const QueueConfig& config);
  // Attaches to look at the interfaces and the state of an existing queue.
  static Queue Observe(const std::string& name);

  Queue(Queue&& other) noexcept;
  Queue& operator=(Queue&&) = delete;
  ~Queue();

  // Chooses other interfaces without losing a record.
  void Watch(const QueueConfig& config);

  // Says which addresses are ours: their volume is the last that a full queue
  // gives up. Throws QueueError.
  void Own(const std::vector<Network>& networks);

  // Waits until a ring has gained a watermark of records, at most
  // `timeout_ms`. False when the queue is gone for good.
  bool Wait(int timeout_ms);

  // Calls `sink` with the records not yet read, one by one or by spans of them,
  // whichever it takes: those whose time is before `until_ns` and whose
  // position is before `limit`, in order of time within each CPU. A ring is
  // left at the first record of `until_ns` or later, unless that is later than
  // `future_ns`, which is taken for an error of the clock. Returns their
  // number.
  template <typename Sink>
  std::size_t Drain(std::uint64_t until_ns, const Mark* limit, Sink&& sink,
                    std::uint64_t future_ns = UINT64_MAX);
  template <typename Sink>
  std::size_t Drain(std::uint64_t until_ns, Sink&& sink) {
    return Drain(until_ns, nullptr, std::forward<Sink>(sink));
  }

  // The time of the oldest record not yet read; 0 when there is none.
  std::uint64_t OldestTime() const;

  Mark Position() const { return read_; }
  // Goes on reading at `mark`, which is not behind.
  void Skip(const Mark& mark) { read_ = mark; }
  // Gives everything before `mark` back to the kernel: a reader that starts
  // anew will start there.
  void Commit(const Mark& mark);

  // Records not committed in the fullest ring, as a share of its room.
  double Fill() const;

  std::vector<iptrk_interface> Interfaces() const;
  iptrk_state State() const;

  const iptrk_attach& attach() const { return attach_; }

 private:
  Queue(int file, const iptrk_attach& attach) : file_(file), attach_(attach) {}
  void Map();

  std::uint64_t Head(std::size_t cpu) const {
    auto& head =
        reinterpret_cast<iptrk_head*>(rings_ + cpu * attach_.ring_stride)->head;
    // Pairs with the store-release in iptrk_ring_publish().
    return std::atomic_ref(head).load(std::memory_order_acquire);
  }
  const iptrk_record& At(std::size_t cpu, std::uint64_t position) const {
    const auto* records = reinterpret_cast<const iptrk_record*>(
        rings_ + cpu * attach_.ring_stride + page_bytes_);
    return records[position & (attach_.records - 1)];
  }

  int file_ = -1;
  iptrk_attach attach_{};
  char* rings_ = nullptr;
  iptrk_commit* commits_ = nullptr;
  std::size_t page_bytes_ = 4096;
  Mark read_;
};

template <typename Sink>
std::size_t Queue::Drain(std::uint64_t until_ns, const Mark* limit, Sink&& sink,
                         std::uint64_t future_ns) {
  // A piece stays in the cache between the look at its times and `sink`.
  constexpr std::uint64_t kPiece = 64;
  std::size_t taken = 0;
  for (std::size_t cpu = 0; cpu < read_.size(); ++cpu) {
    const std::uint64_t head =
        limit ? std::min(Head(cpu), (*limit)[cpu]) : Head(cpu);
    std::uint64_t& position = read_[cpu];
    while (position < head) {
      const std::uint64_t to_end =
          attach_.records - (position & (attach_.records - 1));
      const std::uint64_t most = std::min({head - position, to_end, kPiece});
      const iptrk_record* const first = &At(cpu, position);
      std::uint64_t count = 0;
      while (count < most && first[count].time_ns < until_ns) ++count;
      if constexpr (std::is_invocable_v<Sink&, const iptrk_record&>) {
        for (const iptrk_record& record : std::span(first, count)) sink(record);
      } else if (count > 0) {
        sink(std::span(first, count));
      }
      position += count;
      taken += count;
      if (count == most) continue;
      // Those behind a time that can't be are not made to wait for it.
      if (first[count].time_ns <= future_ns) break;
      if constexpr (std::is_invocable_v<Sink&, const iptrk_record&>)
        sink(first[count]);
      else
        sink(std::span(first + count, 1));
      ++position;
      ++taken;
    }
  }
  return taken;
}

}  // namespace iptrk

#endif  // IPTRK_LIB_QUEUE_H_
