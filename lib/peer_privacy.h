// SPDX-License-Identifier: GPL-2.0-only
// How much of a remote address an incident keeps, as [privacy] peers says.
#ifndef IPTRK_LIB_PEER_PRIVACY_H_
#define IPTRK_LIB_PEER_PRIVACY_H_

#include <string>

#include "lib/address.h"
#include "lib/config.h"

namespace iptrk {

// The whole address, its /24 or /48, or "".
std::string PeerText(const Address& peer, PeerPrivacy privacy);

// What peers are counted by: equal exactly when PeerText() is.
Address PeerKey(const Address& peer, PeerPrivacy privacy);

}  // namespace iptrk

#endif  // IPTRK_LIB_PEER_PRIVACY_H_
