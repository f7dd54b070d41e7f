// SPDX-License-Identifier: GPL-2.0-only
#include "lib/open_incidents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace iptrk {
namespace {

Incident Ended(Incident incident, std::uint64_t end_ns) {
  incident.open = false;
  incident.end_ns = std::max(incident.start_ns, end_ns);
  incident.rule += "; its end was not seen";
  return incident;
}

}  // namespace

void OpenIncidents::Add(const std::vector<LedgerIncident>& rows) {
  for (const LedgerIncident& row : rows)
    if (auto incident = IncidentOfJson(row.json))
      open_.insert_or_assign(row.id, std::move(*incident));
}

void OpenIncidents::Told(const Incident& incident) {
  if (incident.open)
    open_.insert_or_assign(incident.id, incident);
  else
    open_.erase(incident.id);
}

std::vector<Incident> OpenIncidents::BeginAnew(std::uint64_t begin_ns) {
  std::vector<Incident> ended;
  for (const auto& [id, incident] : open_)
    if (incident.start_ns < begin_ns)
      ended.push_back(Ended(incident, begin_ns));
  return ended;
}

std::vector<Incident> OpenIncidents::EndOthers(
    const std::vector<Incident>& open, std::uint64_t end_ns) {
  std::set<std::string_view> ids;
  for (const Incident& incident : open) ids.insert(incident.id);
  std::vector<Incident> ended;
  for (const auto& [id, incident] : open_)
    if (!ids.contains(id)) ended.push_back(Ended(incident, end_ns));
  return ended;
}

}  // namespace iptrk
