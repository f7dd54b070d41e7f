// SPDX-License-Identifier: GPL-2.0-only
// Rules on the stream of records, decided once a second.
//
// What holds for which kind of incident: lib/detect_rule.h, iptrk.toml(5).
// One host's rates are judged by Suspect, remotes by ScanTable, prefixes by
// CarpetWatch, silence by QuietWatch, addresses that can't be by MartianWatch,
// the books by BooksWatch; here they are fed, and what one of them explains
// is not told by another.
//
// Time is the records' own: the owner calls EndSecond() when every record
// before that second's end was taken, so a replay decides as the live run
// did. Thread-compatible.
//
// Memory is bounded: evidence is gathered for at most kMostSuspects hosts at a
// time, each in 45 KiB, and see ScanTable.
#ifndef IPTRK_LIB_DETECT_H_
#define IPTRK_LIB_DETECT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/account.h"
#include "lib/config.h"
#include "lib/detect_baseline.h"
#include "lib/detect_books.h"
#include "lib/detect_carpet.h"
#include "lib/detect_limits.h"
#include "lib/detect_martian.h"
#include "lib/detect_quiet.h"
#include "lib/detect_scan.h"
#include "lib/detect_suspect.h"
#include "lib/incident.h"
#include "lib/recent_keys.h"

namespace iptrk {

class Detector : public Watcher {
 public:
  static constexpr std::size_t kMostSuspects = 512;

  // Watches `account`, which must outlive it.
  Detector(const Config& config, Account& account);
  ~Detector() override;

  // Goes on with other rules and networks; incidents stay open. Account has
  // the new ones already.
  void Reconfigure(const Config& config);
  // Lets go of what is gathered about it.
  void Forget(Host& host);

  void OnPacket(Host& host, Way way, const iptrk_record& record) override;
  void OnOdd(const iptrk_record& record, Host* src, Host* dst, int src_network,
             int dst_network) override;
  void OnMartian(const iptrk_record& record, Martian kind) override;

  // Ends the second that ends at `end_ns`. Returns the incidents that opened,
  // became worse or cleared with it, in order of id.
  std::vector<Incident> EndSecond(std::uint64_t end_ns);
  // Ends a slot of the books, `before` as they were at its begin.
  std::vector<Incident> EndBooks(std::uint64_t end_ns, int seconds,
                                 const std::vector<iptrk_interface>& before,
                                 const std::vector<iptrk_interface>& now);

  // The incidents still open, as of the last second.
  std::vector<Incident> Open() const;

  // What is usual of each host, as one string, over restarts.
  std::string SaveBaselines() const;
  bool RestoreBaselines(const std::string& saved);

 private:
  // Up to where a host was found harmless: it is looked at again beyond twice
  // that, and in the end anyway, since a flood after a download is no download.
  struct Trust {
    std::array<float, kWays> packets{}, bytes{}, udp{}, odd{};
    std::uint32_t at = 0;  // second
  };
  // Of a host, by Way.
  struct Second {
    std::array<Volume, kWays> all;
    std::array<std::uint32_t, kWays> udp{};  // packets; see Host::udp_before
  };

  Trust& TrustOf(const Host& host);
  bool IsSuspicious(const Host& host, const Second& second);
  void StartSuspecting(Host& host);
  void Release(Host& host);
  Second EndHostSecond(Host& host, std::uint64_t end_ns);
  void EndSuspects(std::uint64_t end_ns, std::vector<Incident>& changes);
  bool IsExplained(const Suspect& suspect, Way way, IncidentKind kind) const;
  void WatchCarpets();
  Incident Describe(const Suspect& suspect, Way way, IncidentKind kind) const;

  Account& account_;
  PeerPrivacy privacy_ = PeerPrivacy::kFull;
  DetectLimits limits_;
  double suspect_packets_ = 0, suspect_bytes_ = 0;  // in a second
  std::uint32_t suspect_odd_ = 0;
  std::vector<std::string> network_names_, customer_names_;

  std::vector<std::unique_ptr<Suspect>> suspects_;
  std::vector<Second> suspect_seconds_;  // by number in suspects_
  std::vector<std::int16_t> free_;       // numbers in suspects_ not in use
  std::vector<Trust> trust_;             // by Host::number
  Baselines baselines_;
  RecentKeys asked_;  // (own, remote, reflector port) that we sent to
  ScanTable scans_;
  CarpetWatch carpets_;
  QuietWatch quiet_;
  MartianWatch martians_;
  BooksWatch books_;
  std::vector<std::uint64_t> network_packets_;  // in this second
  bool carpet_watched_ = false;
  std::uint32_t now_ = 0;    // seconds ended
  std::uint32_t begun_ = 0;  // UTC, before the first of them
  std::uint64_t second_ns_ = 0;
  std::uint64_t asked_turned_ns_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_H_
