// SPDX-License-Identifier: GPL-2.0-only
// The hosts of a small prefix in one compressed value, as the ledger keeps
// their history.
//
// A block is an IPv4 /24 or an IPv6 /64; its key is the prefix's first bytes
// in network order: 3 or 8 of them, so that keys of a family sort by address.
// A value is one byte of version, the length of what follows when inflated,
// and a zlib stream of it (whose Adler-32 is checked): the number of hosts,
// and column by column, since like compresses well with like,
//   - how far each address is from the one before,
//   - a mask of the host's counters that are not zero,
//   - of each counter in turn, the values that are not zero.
// All integers are LEB128: seven bits a byte, least significant first.
//
// Errors: what can't be a value of ours is no list, never undefined behaviour.
#ifndef IPTRK_LIB_HOST_BLOCK_H_
#define IPTRK_LIB_HOST_BLOCK_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/address.h"
#include "lib/ledger_entry.h"

namespace iptrk {

std::string BlockKey(Address address);
// The prefix of a key; nothing if it is none.
std::optional<Prefix> BlockPrefix(std::string_view key);

// `hosts` are of one block, in ascending order without repetition.
std::string EncodeHosts(std::span<const HostEntry> hosts);
std::optional<std::vector<HostEntry>> DecodeHosts(std::string_view key,
                                                  std::string_view value);

}  // namespace iptrk

#endif  // IPTRK_LIB_HOST_BLOCK_H_
