// SPDX-License-Identifier: GPL-2.0-only
#include "lib/civil_month.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace iptrk {
namespace {

std::optional<absl::TimeZone> Load(const std::string& name) {
  absl::TimeZone zone;
  // Abseil also takes ":/a/path" and "localtime", which is another zone on
  // another machine.
  if (name.empty() || name == "localtime" || name.front() == ':' ||
      name.front() == '/' || !absl::LoadTimeZone(name, &zone))
    return std::nullopt;
  return zone;
}

std::int64_t Seconds(absl::CivilSecond civil, const absl::TimeZone& zone) {
  const absl::TimeZone::TimeInfo info = zone.At(civil);
  return absl::ToUnixSeconds(
      info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
}

}  // namespace

bool IsTimeZone(const std::string& zone) { return Load(zone).has_value(); }

std::optional<TimeSpan> MonthSpan(const std::string& month,
                                  const std::string& zone) {
  const auto loaded = Load(zone);
  absl::CivilMonth civil;
  // Abseil is lenient: "2026-1" and "+2026-10" are months to it.
  if (!loaded || month.size() != 7 || !absl::ParseCivilTime(month, &civil) ||
      absl::FormatCivilTime(civil) != month)
    return std::nullopt;
  return TimeSpan{Seconds(absl::CivilSecond(civil), *loaded),
                  Seconds(absl::CivilSecond(civil + 1), *loaded)};
}

std::string LastMonth(std::int64_t now, const std::string& zone) {
  const absl::CivilSecond civil = Load(zone)
                                      .value_or(absl::UTCTimeZone())
                                      .At(absl::FromUnixSeconds(now))
                                      .cs;
  return absl::FormatCivilTime(absl::CivilMonth(civil) - 1);
}

std::optional<std::int64_t> ParseDate(const std::string& text,
                                      const std::string& zone) {
  const auto loaded = Load(zone);
  if (!loaded) return std::nullopt;
  absl::CivilDay day;
  if (text.size() == 10 && absl::ParseCivilTime(text, &day))
    return Seconds(absl::CivilSecond(day), *loaded);
  // With an offset of its own; %Ez takes "Z" too.
  for (const char* format : {"%Y-%m-%dT%H:%M:%S%Ez", "%Y-%m-%dT%H:%M%Ez"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, &time, nullptr) &&
        time != absl::InfiniteFuture() && time != absl::InfinitePast())
      return absl::ToUnixSeconds(time);
  }
  absl::CivilSecond second;
  absl::CivilMinute minute;
  if (text.size() == 19 && absl::ParseCivilTime(text, &second))
    return Seconds(second, *loaded);
  if (text.size() == 16 && absl::ParseCivilTime(text, &minute))
    return Seconds(absl::CivilSecond(minute), *loaded);
  return std::nullopt;
}

std::string FormatDate(std::int64_t time, const std::string& zone) {
  const auto loaded = Load(zone);
  if (!loaded || zone == "UTC")
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time),
                            absl::UTCTimeZone());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", absl::FromUnixSeconds(time),
                          *loaded);
}

}  // namespace iptrk
