// SPDX-License-Identifier: GPL-2.0-only
// Rules on the stream of records, decided once a second.
//
// Time is the records' own: the owner calls EndSecond() when every record
// before that second's end was taken, so a replay decides as the live run
// did. Thread-compatible.
//
// Memory is bounded: evidence (peers, ports) is gathered for at most
// kMostSuspects hosts at a time, each in sketches of fixed size.
#ifndef IPTRK_LIB_DETECT_H_
#define IPTRK_LIB_DETECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/account.h"
#include "lib/config.h"
#include "lib/incident.h"

namespace iptrk {

class Detector : public Watcher {
 public:
  static constexpr std::size_t kMostSuspects = 1024;

  // Watches `account`, which must outlive it.
  Detector(const Config& config, Account& account);
  ~Detector() override;

  // Goes on with other rules and networks; incidents stay open. Account has
  // the new ones already.
  void Reconfigure(const Config& config);
  // Lets go of what is gathered about it.
  void Forget(Host& host);

  void OnPacket(Host& host, Way way, const iptrk_record& record) override;

  // Ends the second that ends at `end_ns`. Returns the incidents that opened
  // or cleared with it, in order of subject and direction.
  std::vector<Incident> EndSecond(std::uint64_t end_ns);

  // The incidents still open, as of the last second.
  std::vector<Incident> Open() const;

 private:
  struct Evidence;

  void Suspect(Host& host, Way way, std::uint64_t since_ns);
  void Release(Host& host, Way way);
  // Whether the incident's state changed.
  bool Decide(const HostRate& rate, const Volume& second, std::uint64_t end_ns);
  Incident Describe(const Evidence& evidence) const;

  Account& account_;
  PacketsRule rule_;
  PeerPrivacy privacy_;
  std::uint64_t suspect_packets_;  // in a second: watch the host from then on
  std::vector<std::string> network_names_;
  std::vector<std::unique_ptr<Evidence>> evidence_;
  std::vector<std::int16_t> free_;  // numbers in evidence_ not in use
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_H_
