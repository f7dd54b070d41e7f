// SPDX-License-Identifier: GPL-2.0-only
// Wall-clock time that never runs backwards.
//
// When the system clock is set back, time goes on at the monotonic clock's
// pace from where it was, until the system clock has caught up. Slots, and
// so RRDs, only ever move forward. Thread-compatible.
#ifndef IPTRK_LIB_STEADY_CLOCK_H_
#define IPTRK_LIB_STEADY_CLOCK_H_

#include <cstdint>
#include <ctime>

#include "lib/seconds.h"

namespace iptrk {

class SteadyClock {
 public:
  // Nanoseconds since the epoch.
  std::uint64_t Now() {
    return Now(Read(CLOCK_REALTIME), Read(CLOCK_MONOTONIC));
  }

  // The same for given readings of the two clocks.
  std::uint64_t Now(std::uint64_t real_ns, std::uint64_t monotonic_ns) {
    const std::uint64_t gone = monotonic_ns - monotonic_ns_;
    const std::uint64_t least =
        now_ns_ == 0 ? 0 : now_ns_ + gone - (ahead_ns_ > 0 ? gone / 10 : 0);
    ahead_ns_ = least > real_ns ? least - real_ns : 0;
    now_ns_ = real_ns + ahead_ns_;
    monotonic_ns_ = monotonic_ns;
    return now_ns_;
  }

  // Now() goes on from there, when it is earlier: from where an earlier process
  // was. After a first Now().
  void ContinueFrom(std::uint64_t time_ns) {
    if (time_ns <= now_ns_) return;
    ahead_ns_ += time_ns - now_ns_;
    now_ns_ = time_ns;
  }

  // How far Now() is ahead of the system clock since that was set back.
  std::uint64_t AheadNs() const { return ahead_ns_; }

 private:
  static std::uint64_t Read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
           static_cast<std::uint64_t>(time.tv_nsec);
  }

  std::uint64_t now_ns_ = 0;
  std::uint64_t monotonic_ns_ = 0;
  std::uint64_t ahead_ns_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_STEADY_CLOCK_H_
