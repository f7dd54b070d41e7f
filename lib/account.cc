// SPDX-License-Identifier: GPL-2.0-only
#include "lib/account.h"

#include <algorithm>

namespace iptrk {
namespace {

NetworkVolume Empty(std::size_t services) {
  NetworkVolume volume;
  volume.services.resize(services);
  return volume;
}

void Add(NetworkVolume& network, const Verdict& verdict,
         const iptrk_record& record) {
  network.direction[static_cast<std::size_t>(verdict.direction)] += record;
  ServiceVolume& service =
      network.services[static_cast<std::size_t>(verdict.service)];
  switch (verdict.direction) {
    case Direction::kIn:
      service.in += record;
      break;
    case Direction::kOut:
      service.out += record;
      break;
    case Direction::kInternal:
      service.internal += record;
      break;
    case Direction::kMartian:
      break;
  }
}

}  // namespace

void Host::ClearVolumes() {
  in.fill({});
  out.fill({});
  internal_in = {};
  internal_out = {};
  peers.Clear();
}

Volume NetworkVolume::Total() const {
  Volume total = unattributed;
  for (const Volume& volume : direction) total += volume;
  return total;
}

Account::Account(const Classifier& classifier, std::size_t networks)
    : all_(Empty(classifier.ServiceNames().size())),
      networks_(networks, Empty(classifier.ServiceNames().size())) {}

Host* Account::FindHost(Address address, int network,
                        const iptrk_record& record) {
  bool is_new = false;
  Host* host = hosts_.FindOrAdd(address, is_new);
  if (!host) {
    untracked_ += record;
    return nullptr;
  }
  if (is_new) host->network = network;
  host->last_seen_ns =
      std::max<std::uint64_t>(host->last_seen_ns, record.time_ns);
  return host;
}

void Account::TakeNetworks(const iptrk_record& record, const Verdict& verdict) {
  Add(all_, verdict, record);
  if (verdict.direction == Direction::kMartian)
    all_.martian[static_cast<std::size_t>(verdict.martian)] += record;
  if (record.flags & (IPTRK_IPV4 | IPTRK_IPV6))
    all_.split[static_cast<std::size_t>(SplitOf(record.protocol))] += record;
  if (verdict.src_network != kNoNetwork)
    Add(networks_[static_cast<std::size_t>(verdict.src_network)], verdict,
        record);
  if (verdict.dst_network != kNoNetwork &&
      verdict.dst_network != verdict.src_network)
    Add(networks_[static_cast<std::size_t>(verdict.dst_network)], verdict,
        record);
}

HostPair Account::Take(const iptrk_record& record, const Verdict& verdict) {
  if (record.flags & IPTRK_UNATTRIBUTED) {
    all_.unattributed += record;
    return {};
  }
  TakeNetworks(record, verdict);

  const bool src_ours = verdict.src_network != kNoNetwork;
  const bool dst_ours = verdict.dst_network != kNoNetwork;
  const auto split = static_cast<std::size_t>(SplitOf(record.protocol));
  HostPair pair;
  if (dst_ours) pair.dst = FindHost(verdict.dst, verdict.dst_network, record);
  if (src_ours) pair.src = FindHost(verdict.src, verdict.src_network, record);
  const bool internal = verdict.direction == Direction::kInternal;
  const bool has_peer = !(record.flags & IPTRK_NO_REMOTE);
  if (pair.dst) {
    if (internal) {
      pair.dst->internal_in += record;
    } else {
      pair.dst->in[split] += record;
      if (has_peer) pair.dst->peers.Add(verdict.src);
    }
  }
  if (pair.src) {
    if (internal) {
      pair.src->internal_out += record;
    } else {
      pair.src->out[split] += record;
      if (has_peer) pair.src->peers.Add(verdict.dst);
    }
  }
  return pair;
}

void Account::ClearHosts() {
  for (Host& host : hosts_.hosts()) host.ClearVolumes();
}

void Account::ClearNetworks() {
  const std::size_t services = all_.services.size();
  all_ = Empty(services);
  std::fill(networks_.begin(), networks_.end(), Empty(services));
}

void Account::Forget(std::uint64_t before_ns) {
  hosts_.Forget([=](const Host& host) {
    return host.last_seen_ns < before_ns && host.rate[0].evidence < 0 &&
           host.rate[1].evidence < 0;
  });
}

}  // namespace iptrk
