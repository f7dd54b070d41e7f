// SPDX-License-Identifier: GPL-2.0-only
// What is ours when nobody said so: the prefixes connected to this machine.
#ifndef IPTRK_LIB_LOCAL_NETWORKS_H_
#define IPTRK_LIB_LOCAL_NETWORKS_H_

#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/config.h"

namespace iptrk {

inline constexpr char kLocalNetwork[] = "local";

// One network of this name with the global prefixes on the watched interfaces,
// and on those above them; none when they have no addresses.
std::vector<Network> LocalNetworks(
    const std::vector<iptrk_interface>& interfaces);

}  // namespace iptrk

#endif  // IPTRK_LIB_LOCAL_NETWORKS_H_
