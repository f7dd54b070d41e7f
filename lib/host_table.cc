// SPDX-License-Identifier: GPL-2.0-only
#include "lib/host_table.h"

namespace iptrk {

HostTable::HostTable(const std::vector<Network>& networks,
                     const std::vector<Customer>& customers)
    : index_(networks),
      customers_(MapPrefixes(customers)),
      names_(NamesOf(networks)) {}

std::vector<std::string> HostTable::NamesOf(
    const std::vector<Network>& networks) {
  std::vector<std::string> names;
  for (const Network& network : networks) names.push_back(network.name);
  return names;
}

HostRef HostTable::Add(Address address) {
  const int network = index_.FindNetwork(address);
  if (network < 0) return {};
  const Address host_address = index_.HostOf(address, network);
  std::uint32_t number = used_;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else if (used_ == kMostHosts) {
    return {HostRef::kMostHosts, static_cast<std::uint32_t>(network)};
  } else if (used_++ / kChunk == chunks_.size()) {
    chunks_.push_back(std::make_unique<Chunk>());
  }
  Host& host = (*this)[number];
  host.number = number;
  host.address = host_address;
  host.network = static_cast<std::int16_t>(network);
  host.customer = static_cast<std::int16_t>(customers_.Find(host_address));
  host.known = true;
  const HostRef entry(number, static_cast<std::uint32_t>(network));
  index_.Set(host_address, entry);
  return entry;
}

void HostTable::IndexAll() {
  index_.Clear();
  for (std::uint32_t i = 0; i < used_; ++i)
    if (const Host& host = (*this)[i]; host.known)
      index_.Set(host.address, {i, static_cast<std::uint32_t>(host.network)});
}

}  // namespace iptrk
