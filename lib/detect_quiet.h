// SPDX-License-Identifier: GPL-2.0-only
// Who has stopped to send: a host, measured by its own rhythm, or all of a
// network, when what is lost is the sight of it.
//
// Thread-compatible.
#ifndef IPTRK_LIB_DETECT_QUIET_H_
#define IPTRK_LIB_DETECT_QUIET_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/account.h"
#include "lib/detect_baseline.h"
#include "lib/detect_limits.h"
#include "lib/incident.h"
#include "lib/renumbering.h"

namespace iptrk {

class QuietWatch {
 public:
  // A second of each network: packets to and from its hosts.
  void TakeNetworks(const std::vector<std::uint64_t>& packets);
  // A host in that second: packets to it, and seconds since it sent.
  void TakeHost(const Host& host, const HostUsual& usual,
                std::uint64_t received, std::uint32_t silent,
                std::uint64_t end_ns, const DetectLimits& limits);

  void EndSecond(std::uint64_t end_ns, const DetectLimits& limits,
                 const std::vector<std::string>& networks,
                 const std::vector<std::string>& customers,
                 std::vector<Incident>& changes);
  void AddOpen(const std::vector<std::string>& networks,
               const std::vector<std::string>& customers,
               std::vector<Incident>& open) const;

  // There are so many networks now, and they and customers have other numbers.
  void Reconfigure(std::size_t networks, const Renumbering& network,
                   const Renumbering& customer);
  void Forget(const Host& host) { hosts_.erase(host.address); }

 private:
  struct Quiet {                 // a host
    std::uint64_t since_ns = 0;  // the end of the last second it sent in
    std::uint64_t opened_ns = 0;
    double limit = 0, usual = 0, value = 0;  // seconds
    Volume received;                         // since
    std::int16_t network = kNoNetwork, customer = -1;
    bool open = false;
    bool back = false;  // it sends again, or nobody wants to know any more
  };
  struct Sight {       // of a network
    double usual = 0;  // packets a second
    std::uint32_t learnt = 0;
    std::uint64_t quiet_seconds = 0;
    std::uint64_t since_ns = 0, opened_ns = 0, back_ns = 0;
    std::size_t hosts = 0;  // that send regularly, in this second
    // Of those of them that are silent, and receive: the end of what they sent.
    std::vector<std::uint64_t> quiet_since;
    double limit = 0, value = 0, peak = 0;  // seconds
    int back_seconds = 0;
    bool open = false;

    // When so many had stopped that they are most of them; 0: they are not.
    std::uint64_t LostSince();
  };
  Incident DescribeHost(const Address& address, const Quiet& quiet,
                        std::uint64_t end_ns,
                        const std::vector<std::string>& networks,
                        const std::vector<std::string>& customers) const;
  Incident DescribeSight(std::size_t network, const Sight& sight,
                         const std::vector<std::string>& networks) const;

  std::map<Address, Quiet> hosts_;  // those beyond their limit
  std::vector<Sight> networks_;
  std::uint64_t now_ns_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_QUIET_H_
