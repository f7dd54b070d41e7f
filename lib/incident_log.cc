// SPDX-License-Identifier: GPL-2.0-only
#include "lib/incident_log.h"

#include <algorithm>
#include <utility>

#include "lib/pause.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::uint64_t kAfter = 5 * kSecond;  // that the rules look back over

}  // namespace

void IncidentLog::Take(std::vector<Incident> changes) {
  for (Incident& change : changes) {
    const auto known = std::find_if(
        incidents_.begin(), incidents_.end(),
        [&](const Incident& incident) { return incident.id == change.id; });
    if (known == incidents_.end())
      incidents_.push_back(std::move(change));
    else
      *known = std::move(change);
  }
}

void IncidentLog::Finish(Detector& detector, std::uint64_t end_ns) {
  EndSeconds(end_ns, end_ns + kAfter,
             [&](std::uint64_t at) { Take(detector.EndSecond(at)); });
  Take(detector.Open());
  std::sort(incidents_.begin(), incidents_.end(),
            [](const Incident& a, const Incident& b) { return a.id < b.id; });
}

}  // namespace iptrk
