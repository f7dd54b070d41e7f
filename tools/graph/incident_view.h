// SPDX-License-Identifier: GPL-2.0-only
// An incident of the ledger as pages show it: of any kind, also one that this
// program does not know, and whatever of its JSON is there.
#ifndef IPTRK_TOOLS_GRAPH_INCIDENT_VIEW_H_
#define IPTRK_TOOLS_GRAPH_INCIDENT_VIEW_H_

#include "tools/graph/site_context.h"

namespace iptrk {

// How long it has been going on, or went on.
std::string IncidentDuration(const LedgerIncident& incident, std::time_t as_of);

// Its fields: anchor, kind, subject, subject_page, host_name, direction,
// since, until, duration, open, by, measure, facts, peer_tables, port_tables. A
// field without a value is false.
PageData IncidentData(const SiteContext& context,
                      const LedgerIncident& incident,
                      const std::vector<NetworkView>& networks);

// The peers and ports of several incidents together: fields peer_tables,
// has_peers, port_tables and has_ports.
void SetEvidence(const std::vector<const LedgerIncident*>& incidents,
                 PageData& data);

// A list of such as the one "incident-table" of a page.
PageData IncidentTable(const PageData& incidents);

// Where its evidence is: "incidents.html#...".
std::string IncidentLink(const LedgerIncident& incident);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_INCIDENT_VIEW_H_
