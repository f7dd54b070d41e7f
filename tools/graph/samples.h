// SPDX-License-Identifier: GPL-2.0-only
// The ledger's five-minute slots of hosts and networks, and the 95th
// percentile that a graph's legend says from them (lib/percentile.h).
//
// A slot that was accounted and has no traffic is a sample of 0; one that was
// not accounted is no sample.
#ifndef IPTRK_TOOLS_GRAPH_SAMPLES_H_
#define IPTRK_TOOLS_GRAPH_SAMPLES_H_

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/config.h"
#include "lib/ledger_reader.h"
#include "lib/percentile.h"
#include "tools/graph/template.h"
#include "tools/graph/volumes.h"

namespace iptrk {

// When a host sent and when it did not, to others or to own hosts.
struct SendRecord {
  std::int64_t last = 0;  // end of the last slot in which it sent; 0: none
  std::size_t slots = 0;  // accounted
  std::size_t silent = 0;
  std::vector<TimeRange> silences;  // whole slots, in order of time
};

// Slots of hosts are kept for two days, as a rule. Errors: LedgerError.
class HostSamples {
 public:
  HostSamples() = default;
  // Those of `hosts` one by one, and of all hosts that `counts` together.
  HostSamples(const LedgerReader& ledger, std::span<const Prefix> prefixes,
              TimeRange range, std::span<const Address> hosts,
              const std::function<bool(Address)>& counts);

  // Of whole slots in `range`. None if slots of its begin are not known.
  std::vector<Sample> OfHost(Address host, TimeRange range) const;
  std::vector<Sample> OfAll(TimeRange range) const { return Of(all_, range); }
  SendRecord RecordOf(Address host, TimeRange range) const;

 private:
  struct Slot {
    bool accounted = false;
    bool sent = false;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  std::vector<Sample> Of(std::span<const Slot> slots, TimeRange range) const;

  std::int64_t begin_ = 0;  // of the first slot; 0: nothing is known
  std::vector<Slot> all_;
  std::map<Address, std::vector<Slot>> hosts_;
};

// Of everything that was accounted: of one's only network. Kept for years.
std::vector<Sample> TotalSamples(const LedgerReader& ledger, TimeRange range);
// Whether it is the only network there is.
bool IsOnly(std::span<const Network> networks, const std::string& name);
// Of one of several, by its hosts.
std::vector<Sample> NetworkSamples(const LedgerReader& ledger,
                                   std::span<const Network> networks,
                                   const std::string& name, TimeRange range);

// Rows of the list "percentile" of templates; none without samples.
std::vector<TemplateRow> PercentileRows(std::span<const Sample> samples,
                                        TimeRange range);
// ", 95th percentile in 3 Mbit/s, out 4 Mbit/s", or nothing.
std::string PercentileText(std::span<const Sample> samples);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_SAMPLES_H_
