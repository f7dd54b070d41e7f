// SPDX-License-Identifier: GPL-2.0-only
// Points in time, as they are kept in files and as this machine's clock on
// the wall shows them. Pure but for the time zone of the process.
#ifndef IPTRK_PLUGIN_MAIL_TIMES_H_
#define IPTRK_PLUGIN_MAIL_TIMES_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "lib/config.h"

namespace iptrk::mail {

using Time = std::chrono::system_clock::time_point;

inline std::int64_t Nanoseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             time.time_since_epoch())
      .count();
}

inline Time TimeOf(std::int64_t nanoseconds) {
  return Time(std::chrono::nanoseconds(nanoseconds));
}

// The first time after `after` at which the clock shows `minutes` since
// midnight.
Time NextTimeOfDay(Time after, int minutes);

// Whether the clock shows a time in these hours: `from` is, `to` is not.
bool IsWithin(const QuietHours& hours, Time time);

// "14:05".
std::string ClockText(Time time);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_TIMES_H_
