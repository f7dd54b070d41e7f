// SPDX-License-Identifier: GPL-2.0-only
// What is usual of each host, learnt second by second: its rates both ways,
// and how long it is silent between what it sends.
//
// A mean until a day has been learnt, then an average that forgets within
// about a day. 88 bytes a host. Kept over restarts as one string, of those
// that have a use for it: an address that nobody has gets only what the world
// sends to every address.
// Thread-compatible.
#ifndef IPTRK_LIB_DETECT_BASELINE_H_
#define IPTRK_LIB_DETECT_BASELINE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/host.h"
#include "lib/host_table.h"

namespace iptrk {

struct HostUsual {
  static constexpr std::uint32_t kForgets = 86400;  // seconds
  static constexpr std::uint32_t kLeastLearnt = 600;
  static constexpr std::size_t kGaps = 16;

  std::array<float, kWays> packets{}, bytes{};  // a second
  std::array<float, kWays> udp{};               // of the packets
  std::uint32_t learnt = 0;                     // seconds, of rates
  std::uint32_t first_sent = 0, last_sent = 0;  // seconds of UTC; 0 never
  std::uint32_t last_seen = 0;                  // sending or receiving
  std::array<std::uint16_t, kGaps> gaps{};      // silences of 2^i s and more

  void Learn(const std::array<Volume, kWays>& second,
             const std::array<std::uint32_t, kWays>& udp_packets) {
    learnt = std::min(learnt + 1, kForgets);
    const float gain = 1 / static_cast<float>(learnt);
    for (std::size_t i = 0; i < kWays; ++i) {
      packets[i] += (static_cast<float>(second[i].packets) - packets[i]) * gain;
      bytes[i] += (static_cast<float>(second[i].bytes) - bytes[i]) * gain;
      udp[i] += (static_cast<float>(udp_packets[i]) - udp[i]) * gain;
    }
  }
  // `begun`: the second in which this session began; of what was before, the
  // end was not seen, and the clock may have been another.
  void Sends(std::uint32_t now, std::uint32_t begun) {
    if (first_sent == 0 || first_sent > now) first_sent = now;
    if (last_sent >= begun && now > last_sent) {
      const auto gap =
          static_cast<unsigned>(std::bit_width(now - last_sent)) - 1;
      std::uint16_t& count = gaps[std::min<std::size_t>(gap, kGaps - 1)];
      if (++count == 0xffff)
        for (std::uint16_t& each : gaps)
          each = static_cast<std::uint16_t>(each / 2);
    }
    last_sent = now;
  }
  // Seconds since it sent, or since this session began.
  std::uint32_t SilentFor(std::uint32_t now, std::uint32_t begun) const {
    const std::uint32_t since =
        last_sent > now ? begun : std::max(last_sent, begun);
    return now > since ? now - since : 0;
  }
  // Seconds from the first that it sent in to the last.
  std::uint32_t SendsFor() const {
    return last_sent > first_sent ? last_sent - first_sent : 0;
  }
  // The silence, in seconds, that 99 of 100 do not exceed.
  double UsualSilence() const {
    std::uint64_t all = 0;
    for (const std::uint16_t count : gaps) all += count;
    std::uint64_t longer = 0;
    for (std::size_t i = kGaps; i-- > 0;) {
      longer += gaps[i];
      if (longer * 100 > all) return static_cast<double>(2u << i) - 1;
    }
    return 1;
  }
  bool KnowsRates() const { return learnt >= kLeastLearnt; }
  // Whether it is worth keeping: where a mirror shows one way alone, nobody
  // ever sends.
  bool IsUsed() const { return last_sent != 0 || packets[0] >= 1; }
};

class Baselines {
 public:
  // Of a host with a place in the table; a new one's is what was restored.
  HostUsual& Of(const Host& host) {
    if (host.number >= usual_.size()) usual_.resize(host.number + 1);
    Entry& entry = usual_[host.number];
    if (entry.address != host.address) [[unlikely]]
      Begin(entry, host.address);
    return entry.usual;
  }
  // Whether it ever sent a packet.
  bool HasSent(const Host& host) { return Of(host).last_sent != 0; }

  // All that was learnt for ten minutes or more, for Restore(), but of those
  // not seen for a month; `now` in seconds of UTC.
  std::string Save(const HostTable& hosts, std::uint32_t now) const;
  // False: not what Save() wrote; nothing is known then.
  bool Restore(const std::string& saved);

 private:
  struct Entry {
    Address address;
    HostUsual usual;
  };
  void Begin(Entry& entry, Address address);

  std::vector<Entry> usual_;               // by Host::number
  std::map<Address, HostUsual> restored_;  // of those not seen again yet
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_BASELINE_H_
