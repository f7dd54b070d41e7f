// SPDX-License-Identifier: GPL-2.0-only
// Our hosts: found by address, walked by slots and rules.
//
// A host keeps its number and its place in memory until it is forgotten.
// Memory is taken a thousand hosts at a time; in steady state none is.
// Thread-compatible.
#ifndef IPTRK_LIB_HOST_TABLE_H_
#define IPTRK_LIB_HOST_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/host.h"
#include "lib/host_index.h"

namespace iptrk {

class HostTable {
 public:
  // More own hosts than this are not kept apart: a scan of an IPv6 /64 must
  // not take the machine's memory.
  static constexpr std::size_t kMostHosts = HostRef::kMostHosts;

  // `customers` may be empty; the longest prefix decides.
  HostTable(const std::vector<Network>& networks,
            const std::vector<Customer>& customers);

  const HostIndex& index() const { return index_; }

  // The entry of an address the index does not know: foreign when it is not
  // ours, else a new host, or one without a place when the table is full.
  HostRef Add(Address address);

  Host& operator[](std::uint32_t number) {
    return (*chunks_[number / kChunk])[number % kChunk];
  }
  const Host& operator[](std::uint32_t number) const {
    return (*chunks_[number / kChunk])[number % kChunk];
  }
  std::size_t size() const { return used_ - free_.size(); }

  // `each(Host&)` for every host, in order of their numbers.
  template <typename Each>
  void ForEach(Each each) {
    for (std::uint32_t i = 0; i < used_; ++i)
      if (Host& host = (*this)[i]; host.known) each(host);
  }
  template <typename Each>
  void ForEach(Each each) const {
    for (std::uint32_t i = 0; i < used_; ++i)
      if (const Host& host = (*this)[i]; host.known) each(host);
  }

  // Lets go of the hosts for which `gone(host)` is true.
  template <typename Predicate>
  void Forget(Predicate gone) {
    const std::size_t before = free_.size();
    for (std::uint32_t i = 0; i < used_; ++i) {
      Host& host = (*this)[i];
      if (!host.known || !gone(host)) continue;
      host = {};
      free_.push_back(i);
    }
    if (free_.size() > before) IndexAll();
  }

  // Other networks and customers: hosts that are not ours any more, or are
  // rolled up otherwise, are let go, after `gone(Host&)` saw them.
  template <typename Each>
  void Reconfigure(const std::vector<Network>& networks,
                   const std::vector<Customer>& customers, Each gone) {
    index_ = HostIndex(networks);
    customers_ = MapPrefixes(customers);
    const std::vector<std::string> before =
        std::exchange(names_, NamesOf(networks));
    Forget([&](Host& host) {
      const auto was = static_cast<std::size_t>(host.network);
      host.network =
          static_cast<std::int16_t>(index_.FindNetwork(host.address));
      if (host.network >= 0 &&
          before[was] != names_[static_cast<std::size_t>(host.network)])
        host.announced = false;
      host.customer = static_cast<std::int16_t>(customers_.Find(host.address));
      const bool ours =
          host.network >= 0 &&
          index_.HostOf(host.address, host.network) == host.address;
      if (!ours) gone(host);
      return !ours;
    });
    IndexAll();
  }

  // The customer of an address, -1 for none.
  int CustomerOf(Address address) const { return customers_.Find(address); }

 private:
  static constexpr std::size_t kChunk = 1024;
  using Chunk = std::array<Host, kChunk>;

  static std::vector<std::string> NamesOf(const std::vector<Network>& networks);
  void IndexAll();

  HostIndex index_;
  PrefixMap<int> customers_;
  std::vector<std::string> names_;  // of networks
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::uint32_t used_ = 0;           // places, free ones among them
  std::vector<std::uint32_t> free_;  // numbers
};

}  // namespace iptrk

#endif  // IPTRK_LIB_HOST_TABLE_H_
