// SPDX-License-Identifier: GPL-2.0-only
#include "lib/peer_privacy.h"

namespace iptrk {
namespace {

// What a provider hands out to one customer at most.
Prefix KeptPrefix(const Address& peer) {
  constexpr int kIpv4Kept = 96 + 24, kIpv6Kept = 48;
  return Prefix::Of(peer, peer.IsIpv4() ? kIpv4Kept : kIpv6Kept);
}

}  // namespace

std::string PeerText(const Address& peer, PeerPrivacy privacy) {
  switch (privacy) {
    case PeerPrivacy::kFull:
      return peer.ToString();
    case PeerPrivacy::kPrefix:
      return KeptPrefix(peer).ToString();
    case PeerPrivacy::kNone:
      return {};
  }
  return {};
}

Address PeerKey(const Address& peer, PeerPrivacy privacy) {
  switch (privacy) {
    case PeerPrivacy::kFull:
      return peer;
    case PeerPrivacy::kPrefix:
      return KeptPrefix(peer).first;
    case PeerPrivacy::kNone:
      return {};
  }
  return {};
}

}  // namespace iptrk
