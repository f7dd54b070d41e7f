// SPDX-License-Identifier: GPL-2.0-only
// Records in, snapshots out: the console without a screen.
//
// Detection sees every record; what is shown are those the filter lets pass,
// since it was set. Memory: 1.2 kB a host with a row of its own, at most
// Tally::kMostRows, twice with a filter; 70 MB for peers; 256 bytes for each
// host more, up to HostTable::kMostHosts.
// Thread-compatible.
#ifndef IPTRK_TOOLS_CONSOLE_MODEL_H_
#define IPTRK_TOOLS_CONSOLE_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/config.h"
#include "lib/detect.h"
#include "lib/incident_log.h"
#include "tools/console/filter.h"
#include "tools/console/peer_table.h"
#include "tools/console/snapshot.h"
#include "tools/console/tally.h"

namespace iptrk::console {

// What the stream has shown and what passed meanwhile.
struct StreamBatch {
  std::vector<StreamLine> lines;
  std::uint64_t passed = 0;  // records that the filter let pass
};

class Model {
 public:
  // Lines kept from one TakeStream() to the next.
  static constexpr std::size_t kMostLines = 400;

  explicit Model(const Config& config);

  // Throws FilterError, and goes on as before. Begins the counts anew.
  void SetFilter(const std::string& text);
  // Whose peers are shown; nothing: nobody's.
  void SetDetail(std::optional<Address> host);
  void SetInterfaces(const std::vector<iptrk_interface>& interfaces);

  void Take(std::span<const iptrk_record> records);
  // Every record before `end_ns` was taken; those since the last call are of
  // the second that ends now.
  std::shared_ptr<Snapshot> EndSecond(std::uint64_t end_ns);
  StreamBatch TakeStream();

  // For a capture, before its first record: incidents that clear are kept too.
  void KeepIncidents() { log_.emplace(); }
  // Call once, when its last second ended: `snapshot` gets all that were kept,
  // judged by what came last as well.
  void Finish(Snapshot& snapshot);

  const Classifier& classifier() const { return all_.account().classifier(); }
  Verdict Judge(const iptrk_record& record) const;

 private:
  Tally& shown() { return filtered_ ? *filtered_ : all_; }
  void TakePeers(std::span<const iptrk_record> records);
  void FillDetail(Snapshot& snapshot);

  Config config_;
  Tally all_;
  Detector detector_;
  std::optional<IncidentLog> log_;  // of a capture
  Filter filter_;
  std::unique_ptr<Tally> filtered_;  // with a filter
  std::vector<iptrk_record> matching_;
  std::vector<Exchange> exchanges_;
  PeerTable peers_;
  std::uint64_t merged_ = 0;
  std::uint64_t ended_ns_ = 0;  // 0: no second yet
  std::optional<Address> detail_;
  struct Seen {
    Address peer;
    Volume in, out;
  };
  std::unordered_map<std::size_t, Seen> before_;  // by slot, of the detail
  bool looked_ = false;                           // at the detail before
  StreamBatch stream_;
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_MODEL_H_
