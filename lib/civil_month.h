// SPDX-License-Identifier: GPL-2.0-only
// Months and dates of a customer's time zone as ranges of UTC seconds.
//
// A month begins when the zone's clocks first show its first midnight, so one
// with a daylight-saving change is an hour (Lord Howe: half an hour) shorter
// or longer. Zones are those of the system's tz database.
#ifndef IPTRK_LIB_CIVIL_MONTH_H_
#define IPTRK_LIB_CIVIL_MONTH_H_

#include <cstdint>
#include <optional>
#include <string>

namespace iptrk {

struct TimeSpan {
  std::int64_t from = 0;  // UTC seconds
  std::int64_t to = 0;    // not in it

  friend auto operator<=>(const TimeSpan&, const TimeSpan&) = default;
};

// "Europe/Berlin"; also "UTC".
bool IsTimeZone(const std::string& zone);

// The rest want such a zone.

// "2026-10"; nothing if it is no month.
std::optional<TimeSpan> MonthSpan(const std::string& month,
                                  const std::string& zone);
// The last month that is over at `now`, as "2026-10".
std::string LastMonth(std::int64_t now, const std::string& zone);
// "2026-10-01" (its midnight), "2026-10-01T12:30", with seconds too, and with
// "Z" or "+02:00" in place of the zone's offset. A time that the clocks show
// twice is the first one, one that they skip is when they do.
std::optional<std::int64_t> ParseDate(const std::string& text,
                                      const std::string& zone);
// "2026-10-01T00:00:00+02:00"; in UTC with "Z".
std::string FormatDate(std::int64_t time, const std::string& zone);

}  // namespace iptrk

#endif  // IPTRK_LIB_CIVIL_MONTH_H_
