// SPDX-License-Identifier: GPL-2.0-only
// What was told as open and is not over yet: who begins anew, with another
// queue, configuration or process, finds none of it again under its id, and it
// would be open for ever.
//
// Thread-compatible.
#ifndef IPTRK_LIB_OPEN_INCIDENTS_H_
#define IPTRK_LIB_OPEN_INCIDENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/incident.h"
#include "lib/ledger.h"

namespace iptrk {

class OpenIncidents {
 public:
  // Of an earlier process, as the ledger has them.
  void Add(const std::vector<LedgerIncident>& rows);
  // Each that is told.
  void Told(const Incident& incident);

  // Packets are looked at anew from `begin_ns` on. Those that began before
  // can't be found again: they are over, and returned so.
  std::vector<Incident> BeginAnew(std::uint64_t begin_ns);
  // The same for all but those that are known to be open at `end_ns`.
  std::vector<Incident> EndOthers(const std::vector<Incident>& open,
                                  std::uint64_t end_ns);

  bool empty() const { return open_.empty(); }

 private:
  std::map<std::string, Incident> open_;  // by id
};

}  // namespace iptrk

#endif  // IPTRK_LIB_OPEN_INCIDENTS_H_
