// SPDX-License-Identifier: GPL-2.0-only
// An address RRD: volumes of addresses written as an RRD whose time axis is
// the address axis (address_axis.h), for the address-domain templates.
//
// Data sources are those of iptrk_host, values bytes, and in_packets,
// out_packets, internal_in_pkts and internal_out_pkts. Addresses without
// traffic are 0, gaps between bars unknown.
#ifndef IPTRK_TOOLS_GRAPH_ADDRESS_RRD_H_
#define IPTRK_TOOLS_GRAPH_ADDRESS_RRD_H_

#include <filesystem>
#include <span>

#include "tools/graph/address_axis.h"
#include "tools/graph/template.h"
#include "tools/graph/volumes.h"

namespace iptrk {

// Writes `path` anew. `volumes` outside the axis' prefix are left out. Throws
// std::runtime_error with librrd's message.
void WriteAddressRrd(const AddressAxis& axis,
                     std::span<const AddressVolume> volumes,
                     const std::filesystem::path& path);

// The placeholders that an address-domain template needs for that RRD: file,
// start, end, x_grid, bar_seconds.
void SetAxisValues(const AddressAxis& axis, const std::filesystem::path& file,
                   TemplateRow& values);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_ADDRESS_RRD_H_
