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

class Detector {
 public:
  static constexpr std::size_t kMostSuspects = 1024;

  explicit Detector(const Config& config);
  ~Detector();

  // `hosts` as Account::Take() returned them for this record.
  void Take(const iptrk_record& record, const Verdict& verdict,
            const HostPair& hosts) {
    if (hosts.dst) Count(*hosts.dst, 0, record, verdict.src, record.dport);
    if (hosts.src) Count(*hosts.src, 1, record, verdict.dst, record.sport);
  }

  // Ends the second that ends at `end_ns`. Returns the incidents that opened
  // or cleared with it, in order of subject and direction.
  std::vector<Incident> EndSecond(HostTable<Host>& hosts, std::uint64_t end_ns);

  // The incidents still open, as of the last second.
  std::vector<Incident> Open() const;

 private:
  struct Evidence;

  // `way`: 0 received, 1 sent.
  void Count(Host& host, std::size_t way, const iptrk_record& record,
             Address peer, std::uint16_t own_port) {
    HostRate& rate = host.rate[way];
    rate.second += record;
    // Peers are worth knowing from the first second on.
    if (rate.evidence < 0 && rate.second.packets > suspect_packets_)
        [[unlikely]]
      Suspect(host, way, record);
    if (rate.evidence >= 0) [[unlikely]]
      Gather(rate, record, peer, own_port);
  }
  void Gather(const HostRate& rate, const iptrk_record& record, Address peer,
              std::uint16_t own_port);
  void Suspect(Host& host, std::size_t way, const iptrk_record& record);
  // Whether the incident's state changed.
  bool Decide(HostRate& rate, std::uint64_t end_ns);
  Incident Describe(const Evidence& evidence) const;

  PacketsRule rule_;
  PeerPrivacy privacy_;
  std::uint64_t suspect_packets_;  // in a second: start gathering evidence
  std::vector<std::string> network_names_;
  std::vector<std::unique_ptr<Evidence>> evidence_;
  std::vector<std::int16_t> free_;  // numbers in evidence_ not in use
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_H_
