// SPDX-License-Identifier: GPL-2.0-only
// Records of the past through the same accounting and rules as live ones.
//
// Deterministic: the records' times decide everything. Thread-compatible.
#ifndef IPTRK_LIB_REPLAY_H_
#define IPTRK_LIB_REPLAY_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "lib/account.h"
#include "lib/config.h"
#include "lib/detect.h"
#include "lib/incident_log.h"

namespace iptrk {

class Replay {
 public:
  explicit Replay(const Config& config);

  void Take(const iptrk_record& record);
  // Ends the last second, and the few that its rules look back over. Call
  // once, after the last record.
  void Finish();

  const Account& account() const { return account_; }
  // In order of their start; those not cleared by the end are open.
  const std::vector<Incident>& incidents() const { return log_.incidents(); }
  Volume total() const { return total_; }
  // Bytes and packets of the frames that are not IP.
  Volume NonIp() const;
  // Those with most bytes first, received and sent, other own hosts' too.
  std::vector<const Host*> HostsByBytes() const;

  // The object that `iptrk replay --json` prints; volumes are layer-2 bytes.
  nlohmann::json ToJson() const;

 private:
  void EndSecondsUntil(std::uint64_t time_ns);
  void EndSecond(std::uint64_t end_ns);

  Config config_;
  Account account_;
  Detector detector_;
  IncidentLog log_;
  Volume total_;
  std::uint64_t second_end_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_REPLAY_H_
