// SPDX-License-Identifier: GPL-2.0-only
// From a figure a second to an incident that opens, gets worse and clears.
//
// It opens when the figure or its 5 s average was over the limit in three of
// five seconds, and clears when the average was below 60 % of the limit for a
// minute. Both together find a flood of half a second and one that lasts, and
// neither a burst of one second.
#ifndef IPTRK_LIB_DETECT_ALARM_H_
#define IPTRK_LIB_DETECT_ALARM_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "lib/incident.h"
#include "lib/seconds.h"
#include "lib/volume.h"

namespace iptrk {

class Alarm {
 public:
  static constexpr int kAverage = 5;      // seconds
  static constexpr int kSecondsOver = 3;  // of the last five
  static constexpr double kCalm = 0.6;    // of the limit
  static constexpr int kCalmSeconds = 60;
  static constexpr double kSuspect = 0.5;  // of the limit: it rises
  static constexpr double kWorse = 10;     // times the limit: a failure

  // The average before the first second, when it is known.
  void StartAt(double average) { fast_ = average; }

  // Ends a second: the figure in it, its limit, and what it was usual before,
  // 0 for unknown. Baselines are for the caller to freeze while IsOver().
  void Take(double figure, double limit, double baseline, const Volume& volume,
            std::uint64_t end_ns) {
    static const double kGain = 1 - std::exp(-1.0 / kAverage);
    if (has_cleared_) start_ns_ = 0;
    has_cleared_ = false;
    fast_ += (figure - fast_) * kGain;
    const double most = std::max(figure, fast_);
    const bool over = most > limit;
    over_ = static_cast<std::uint8_t>((over_ << 1 | over) & 0b11111);
    if (start_ns_ == 0 && most > kSuspect * limit) {
      start_ns_ = end_ns - kSecond;
      peak_ = 0;
      volume_ = {};
    }
    if (over) last_over_ns_ = end_ns;
    calm_ = fast_ < kCalm * limit ? calm_ + 1 : 0;
    if (start_ns_ != 0) {
      volume_ += volume;
      peak_ = std::max(peak_, figure);
    }
    limit_ = limit;
    baseline_ = baseline;
    if (!open_ && calm_ > kAverage && !over_) start_ns_ = 0;
  }

  // Worse is ten times the limit, of what is a warning until then.
  enum class Change { kNone, kOpened, kWorsened, kCleared };
  // What the second changed. Where something else explains it already it does
  // not open, but may later. `warns`: it is of a kind that warns at first.
  Change Decide(bool explained, bool warns, std::uint64_t end_ns) {
    const bool worse = fast_ >= kWorse * limit_;
    if (!open_ && IsDue() && !explained) {
      open_ = true;
      worse_ = worse;
      opened_ns_ = end_ns;
      return Change::kOpened;
    }
    if (open_ && calm_ >= kCalmSeconds) {
      open_ = false;
      has_cleared_ = true;
      return Change::kCleared;
    }
    if (open_ && warns && worse && !worse_) {
      worse_ = true;
      return Change::kWorsened;
    }
    return Change::kNone;
  }

  bool IsOpen() const { return open_; }
  bool IsDue() const { return std::popcount(over_) >= kSecondsOver; }
  bool IsOver() const { return over_ != 0 || open_; }
  bool IsRising() const { return start_ns_ != 0; }
  bool IsWorse() const { return worse_; }
  double fast() const { return fast_; }
  double limit() const { return limit_; }

  // All but who and why. `start_ns`, when it is earlier than ours.
  void FillIn(Incident& incident) const {
    incident.open = open_;
    incident.start_ns = start_ns_;
    incident.opened_ns = opened_ns_;
    incident.end_ns = open_ ? 0 : last_over_ns_;
    incident.value = fast_;
    incident.limit = limit_;
    incident.peak = peak_;
    incident.window = kAverage;
    incident.baseline = baseline_;
    incident.packets = volume_.packets;
    incident.bytes = volume_.bytes;
  }

 private:
  double fast_ = 0;  // average of the figure
  double limit_ = 0;
  double baseline_ = 0;
  double peak_ = 0;
  Volume volume_;                   // since start_ns_
  std::uint64_t start_ns_ = 0;      // when it rose; 0: it is low
  std::uint64_t last_over_ns_ = 0;  // end of that second
  std::uint64_t opened_ns_ = 0;
  int calm_ = 0;           // seconds
  std::uint8_t over_ = 0;  // a bit a second, newest lowest
  bool open_ = false;
  bool worse_ = false;
  bool has_cleared_ = false;  // with the last second: what comes is another
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_ALARM_H_
