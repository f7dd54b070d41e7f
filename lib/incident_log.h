// SPDX-License-Identifier: GPL-2.0-only
// All that was found in a capture: what is open at its end, and what cleared.
//
// Grows with every incident, so it is nothing for a live run.
// Thread-compatible.
#ifndef IPTRK_LIB_INCIDENT_LOG_H_
#define IPTRK_LIB_INCIDENT_LOG_H_

#include <cstdint>
#include <vector>

#include "lib/detect.h"
#include "lib/incident.h"

namespace iptrk {

class IncidentLog {
 public:
  // What Detector::EndSecond() returned.
  void Take(std::vector<Incident> changes);
  // Call once, when the last second ended at `end_ns`. Ends the few after it,
  // since what came last is judged as it would be live, a little later.
  void Finish(Detector& detector, std::uint64_t end_ns);

  // In order of their start, once finished.
  const std::vector<Incident>& incidents() const { return incidents_; }

 private:
  std::vector<Incident> incidents_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_INCIDENT_LOG_H_
