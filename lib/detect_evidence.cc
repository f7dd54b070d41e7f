// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_evidence.h"

#include "lib/peer_privacy.h"
#include "lib/protocol.h"

namespace iptrk {
namespace {

constexpr std::size_t kTop = 10;
constexpr double kLeastShare = 0.01;

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Evidence::AddPortOnly(std::uint16_t port, const iptrk_record& record) {
  const bool has_port =
      HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER);
  ports_.Add((std::uint32_t{record.protocol} << 16) |
                 (has_port ? port : std::uint16_t{0}),
             record.packets);
}

void Evidence::Add(Address peer, std::uint16_t port, const iptrk_record& record,
                   PeerPrivacy privacy) {
  peers_.Add(PeerKey(peer, privacy), record.packets, record.bytes);
  exact_.Add(peer, record.packets);
  distinct_.Add(peer);
  AddPortOnly(port, record);
}

double Evidence::TopShare() const {
  const auto top = exact_.Top(1);
  return top.empty() ? 0 : Share(top[0].Certain(), exact_.total());
}

Address Evidence::TopPeer() const {
  const auto top = exact_.Top(1);
  return top.empty() ? Address{} : top[0].key;
}

void Evidence::FillIn(Incident& incident, PeerPrivacy privacy) const {
  incident.distinct_peers = distinct_.Count();
  incident.names_peers = privacy != PeerPrivacy::kNone;
  if (incident.names_peers)
    for (const auto& entry : peers_.Top(kTop)) {
      const double share = Share(entry.Certain(), peers_.total());
      if (share >= kLeastShare)
        incident.peers.push_back({PeerText(entry.key, privacy), entry.Certain(),
                                  share, entry.bytes,
                                  Share(entry.bytes, peers_.total_bytes())});
    }
  for (const auto& entry : ports_.Top(kTop)) {
    const double share = Share(entry.Certain(), ports_.total());
    if (share >= kLeastShare)
      incident.ports.push_back({static_cast<std::uint8_t>(entry.key >> 16),
                                static_cast<std::uint16_t>(entry.key),
                                entry.Certain(), share});
  }
}

}  // namespace iptrk
