// SPDX-License-Identifier: GPL-2.0-only
// What a record is to us: its direction, the networks it touches, its service.
//
// Immutable after construction; a changed configuration makes a new one.
#ifndef IPTRK_LIB_CLASSIFY_H_
#define IPTRK_LIB_CLASSIFY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/address.h"
#include "lib/config.h"
#include "lib/prefix_map.h"

namespace iptrk {

// Seen from our networks. Every packet has exactly one.
enum class Direction : std::uint8_t {
  kIn,        // to ours, from others
  kOut,       // from ours, to others
  kInternal,  // both ours; also own broadcast, multicast and link-local
  kMartian,   // the rest
};
inline constexpr int kDirections = 4;
const char* ToString(Direction direction);

// Why a packet is martian.
enum class Martian : std::uint8_t {
  kBogon,    // a source that no host may have (RFC 1812, 5.3.7)
  kSpoofed,  // ours from outside, or a foreign one from inside
  kForeign,  // neither side is ours
  kNonIp,    // no IP addresses at all
};
inline constexpr int kMartians = 4;
const char* ToString(Martian kind);

inline constexpr int kNoNetwork = -1;

struct Verdict {
  Direction direction = Direction::kMartian;
  Martian martian = Martian::kForeign;  // of martian packets only
  int src_network = kNoNetwork;         // index into Config::networks
  int dst_network = kNoNetwork;
  Address src;
  Address dst;
  int service = 0;  // index into ServiceNames()
};

class Classifier {
 public:
  explicit Classifier(const Config& config);

  Verdict Classify(const iptrk_record& record) const;

  // The configured services, then "other-tcp", "other-udp" and "other".
  const std::vector<std::string>& ServiceNames() const { return names_; }

 private:
  int ServiceOf(const iptrk_record& record, const Verdict& verdict) const;
  int ServiceOfPort(std::uint8_t protocol, std::uint16_t port) const;

  PrefixMap<int> networks_;
  std::vector<std::string> names_;
  std::vector<std::int16_t> tcp_ports_;  // port -> service, -1 none
  std::vector<std::int16_t> udp_ports_;
  std::vector<std::int16_t> protocols_;  // protocol -> service, -1 none
  // Ports of protocols too rare for a table of their own.
  std::vector<std::pair<ServicePort, std::int16_t>> rare_ports_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_CLASSIFY_H_
