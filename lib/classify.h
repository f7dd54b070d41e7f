// SPDX-License-Identifier: GPL-2.0-only
// What a record is to us: its direction, the networks it touches, its service.
//
// A changed configuration makes a new one. Thread-compatible.
#ifndef IPTRK_LIB_CLASSIFY_H_
#define IPTRK_LIB_CLASSIFY_H_

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/config.h"

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
  std::int16_t service = 0;             // index into ServiceNames()
};

class Classifier {
 public:
  explicit Classifier(const Config& config);

  // Which interfaces look inside and outside, by the rows of the queue: what
  // spoofed means depends on it. Call it again when rows were added.
  void SetInterfaces(const std::vector<iptrk_interface>& interfaces);

  // An IP packet, and the networks of its addresses: an index into
  // Config::networks, or kNoNetwork.
  [[gnu::always_inline]] Verdict Classify(const iptrk_record& record,
                                          int src_network,
                                          int dst_network) const {
    Verdict verdict;
    const bool src_ours = src_network != kNoNetwork;
    const bool dst_ours = dst_network != kNoNetwork;
    if (sides_known_) [[unlikely]]
      verdict = Judge(record, src_ours, dst_ours);
    else if (src_ours && dst_ours)
      verdict.direction = Direction::kInternal;
    else if (src_ours && IsPlain(record, record.dst))
      verdict.direction = Direction::kOut;
    else if (dst_ours && IsPlain(record, record.src))
      verdict.direction = Direction::kIn;
    else
      verdict = Judge(record, src_ours, dst_ours);
    verdict.service = ServiceOf(record, src_ours, dst_ours);
    return verdict;
  }

  // The configured services, then "other-tcp", "other-udp" and "other".
  const std::vector<std::string>& ServiceNames() const { return names_; }
  std::size_t services() const { return names_.size(); }

 private:
  // Which side of the networks an interface is on.
  enum class Side : std::uint8_t { kUnknown, kInside, kOutside };

  // An IPv4 address of others about which nothing more is to be asked.
  bool IsPlain(const iptrk_record& record, const std::uint8_t* address) const {
    return (record.flags & IPTRK_IPV4) && plain_[address[12]] &&
           !(record.flags & IPTRK_NO_REMOTE);
  }
  Verdict Judge(const iptrk_record& record, bool src_ours, bool dst_ours) const;
  bool IsSpoofed(const iptrk_record& record, bool src_ours,
                 bool src_plain) const;

  // The service our own host offers wins over the one it uses: a mail server
  // that asks port 53 does dns, but whoever asks our port 25 does mail.
  [[gnu::always_inline]] std::int16_t ServiceOf(const iptrk_record& record,
                                                bool src_ours,
                                                bool dst_ours) const {
    const bool tcp = record.protocol == IPPROTO_TCP;
    if ((!tcp && record.protocol != IPPROTO_UDP) ||
        (record.flags & IPTRK_FRAGMENT_LATER)) [[unlikely]]
      return RareServiceOf(record, src_ours, dst_ours);
    const std::int16_t* const ports = (tcp ? tcp_ports_ : udp_ports_).data();
    const bool src_first = SourcePortFirst(record, src_ours, dst_ours);
    const std::int16_t first = ports[src_first ? record.sport : record.dport];
    const std::int16_t second = ports[src_first ? record.dport : record.sport];
    return first != kNone    ? first
           : second != kNone ? second
                             : protocols_[record.protocol];
  }
  // Between two of ours, or none, the lower port is the server's.
  static bool SourcePortFirst(const iptrk_record& record, bool src_ours,
                              bool dst_ours) {
    return src_ours == dst_ours ? record.sport < record.dport : src_ours;
  }
  std::int16_t RareServiceOf(const iptrk_record& record, bool src_ours,
                             bool dst_ours) const;
  std::int16_t RarePort(std::uint8_t protocol, std::uint16_t port) const;

  static constexpr std::int16_t kNone = -1;

  std::vector<std::string> names_;
  std::vector<std::int16_t> tcp_ports_;  // port -> service, kNone
  std::vector<std::int16_t> udp_ports_;
  std::vector<std::int16_t> protocols_;  // protocol -> service
  // Ports of protocols too rare for a table of their own.
  std::vector<std::pair<ServicePort, std::int16_t>> rare_ports_;
  std::array<bool, 256> plain_{};  // by an IPv4 address's first byte
  std::vector<std::string> inside_, outside_;  // patterns
  std::vector<Side> sides_;                    // by row
  bool sides_known_ = false;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_CLASSIFY_H_
