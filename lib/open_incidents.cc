// SPDX-License-Identifier: GPL-2.0-only
#include "lib/open_incidents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace iptrk {

void OpenIncidents::Add(const std::vector<LedgerIncident>& rows) {
  for (const LedgerIncident& row : rows)
    if (auto incident = IncidentOfJson(row.json))
      open_.insert_or_assign(row.id, std::move(*incident));
}

void OpenIncidents::Told(const Incident& incident) {
  doubtful_.erase(incident.id);
  if (incident.open)
    open_.insert_or_assign(incident.id, incident);
  else
    open_.erase(incident.id);
}

std::vector<Incident> OpenIncidents::BeginAnew(std::uint64_t begin_ns) {
  ended_ns_ = begin_ns;
  doubtful_.clear();
  std::vector<std::string> over;
  for (const auto& [id, incident] : open_) {
    if (incident.start_ns < begin_ns)
      over.push_back(id);
    else
      doubtful_.insert(id);
  }
  return End(over);
}

std::vector<Incident> OpenIncidents::NotFoundAgain() {
  return End({doubtful_.begin(), doubtful_.end()});
}

std::vector<Incident> OpenIncidents::End(const std::vector<std::string>& ids) {
  std::vector<Incident> ended;
  for (const std::string& id : ids) {
    doubtful_.erase(id);
    auto node = open_.extract(id);
    if (node.empty()) continue;
    Incident& incident = node.mapped();
    incident.open = false;
    incident.end_ns = std::max(incident.start_ns, ended_ns_);
    incident.rule += "; its end was not seen, as iptrk began anew";
    ended.push_back(std::move(incident));
  }
  return ended;
}

}  // namespace iptrk
