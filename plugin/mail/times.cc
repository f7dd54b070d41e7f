// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/times.h"

#include <fmt/format.h>

#include <ctime>

namespace iptrk::mail {
namespace {

std::tm Local(Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local = {};
  localtime_r(&seconds, &local);
  return local;
}

}  // namespace

Time NextTimeOfDay(Time after, int minutes) {
  std::tm day = Local(after);
  // A day on which the clock is put forward may lack that time; mktime() then
  // takes one nearby.
  for (int tries = 0; tries < 3; ++tries) {
    std::tm then = day;
    then.tm_mday += tries;
    then.tm_hour = minutes / 60;
    then.tm_min = minutes % 60;
    then.tm_sec = 0;
    then.tm_isdst = -1;
    const Time time = std::chrono::system_clock::from_time_t(mktime(&then));
    if (time > after) return time;
  }
  return after + std::chrono::hours(24);
}

bool IsWithin(const QuietHours& hours, Time time) {
  const std::tm local = Local(time);
  const int now = local.tm_hour * 60 + local.tm_min;
  return hours.from < hours.to ? now >= hours.from && now < hours.to
                               : now >= hours.from || now < hours.to;
}

std::string ClockText(Time time) {
  const std::tm local = Local(time);
  return fmt::format("{:02}:{:02}", local.tm_hour, local.tm_min);
}

}  // namespace iptrk::mail
