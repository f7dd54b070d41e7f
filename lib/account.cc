// SPDX-License-Identifier: GPL-2.0-only
#include "lib/account.h"

#include <algorithm>
#include <cstring>

#include "lib/detect_traffic.h"

namespace iptrk {
namespace {

// Records are taken in batches: first all look-ups, which wait for memory
// beyond the cache, then the additions to what has arrived meanwhile.
constexpr std::size_t kBatch = 16;

std::uint32_t Ipv4At(const std::uint8_t* address) {
  std::uint32_t value;
  std::memcpy(&value, address + 12, sizeof value);
  return __builtin_bswap32(value);
}

void Prefetch(const Host& host, HostKind kind, bool internal) {
  __builtin_prefetch(&host.Of(kind), 1);
  if (!internal) __builtin_prefetch(&host.peers, 1);
}

}  // namespace

Account::Account(const Config& config)
    : classifier_(config),
      hosts_(config.networks, config.customers),
      all_(classifier_.services()),
      networks_(config.networks.size(), NetworkVolume(classifier_.services())),
      untracked_(config.customers.size()) {}

void Account::Watch(const Host& host, bool watched) {
  const std::size_t word = host.number / 64;
  if (watched_.size() <= word) watched_.resize(word + 1);
  if (IsWatched(host.number) == watched) return;
  watched_[word] ^= std::uint64_t{1} << (host.number % 64);
  watched ? ++watched_count_ : --watched_count_;
}

[[gnu::always_inline]] inline void Account::Find(HostIndex::Ipv4 ipv4,
                                                 const iptrk_record& record,
                                                 Side& src, Side& dst) {
  if (record.flags & IPTRK_IPV4) [[likely]] {
    src.ref = ipv4.Find(Ipv4At(record.src));
    dst.ref = ipv4.Find(Ipv4At(record.dst));
  } else if (record.flags & IPTRK_IPV6) {
    src.ref = hosts_.index().FindIpv6(Address::FromBytes(record.src));
    dst.ref = hosts_.index().FindIpv6(Address::FromBytes(record.dst));
  } else {
    src.ref = dst.ref = {};
  }
  const bool internal = !src.ref.IsForeign() && !dst.ref.IsForeign();
  const Split split = SplitOf(record.protocol);
  src.host = dst.host = nullptr;
  if (src.ref.HasHost()) {
    src.host = &hosts_[src.ref.Number()];
    Prefetch(*src.host, HostKindOf(Way::kSent, internal, split), internal);
  }
  if (dst.ref.HasHost()) {
    dst.host = &hosts_[dst.ref.Number()];
    Prefetch(*dst.host, HostKindOf(Way::kReceived, internal, split), internal);
  }
}

void Account::Take(std::span<const iptrk_record> records) {
  std::array<Side, kBatch> src, dst;
  while (!records.empty()) {
    const std::size_t count = std::min(records.size(), kBatch);
    const HostIndex::Ipv4 ipv4(hosts_.index());
    for (std::size_t i = 0; i < count; ++i)
      Find(ipv4, records[i], src[i], dst[i]);
    for (std::size_t i = 0; i < count; ++i) TakeOne(records[i], src[i], dst[i]);
    records = records.subspan(count);
  }
}

// Not IP, or of no known address.
void Account::TakeOdd(const iptrk_record& record) {
  if (record.flags & IPTRK_UNATTRIBUTED)
    all_.unattributed += record;
  else
    all_.nonip += record;
}

// What the index did not know may have become known since.
void Account::AddHost(const iptrk_record& record, const std::uint8_t* bytes,
                      Side& side) {
  const Address address = Address::FromBytes(bytes);
  const HostIndex& index = hosts_.index();
  side.ref = record.flags & IPTRK_IPV4
                 ? HostIndex::Ipv4(index).Find(address.Ipv4())
                 : index.FindIpv6(address);
  if (side.ref.IsUnknown()) side.ref = hosts_.Add(address);
  if (side.ref.HasHost()) side.host = &hosts_[side.ref.Number()];
}

[[gnu::always_inline]] inline void Account::AddTo(Host* host, Way way,
                                                  const iptrk_record& record,
                                                  bool internal, Split split) {
  if (!host) [[unlikely]] {
    TakeUntracked(record, way, internal);
    return;
  }
  host->Of(HostKindOf(way, internal, split)) += record;
  if (!internal && !(record.flags & IPTRK_NO_REMOTE))
    host->peers.Add(
        Address::FromBytes(way == Way::kReceived ? record.src : record.dst));
  if (watched_count_ > 0 && IsWatched(host->number)) [[unlikely]]
    watcher_->OnPacket(*host, way, record);
}

[[gnu::always_inline]] inline void Account::TakeOne(const iptrk_record& record,
                                                    Side src, Side dst) {
  if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6))) [[unlikely]] {
    TakeOdd(record);
    return;
  }
  if (src.ref.IsUnknown()) [[unlikely]]
    AddHost(record, record.src, src);
  if (dst.ref.IsUnknown()) [[unlikely]]
    AddHost(record, record.dst, dst);
  const int src_network = src.ref.Network();
  const int dst_network = dst.ref.Network();
  const Verdict verdict =
      classifier_.Classify(record, src_network, dst_network);
  const Split split = SplitOf(record.protocol);
  const std::size_t cell = all_.Cell(verdict, split);

  all_[cell] += record;
  if (verdict.direction == Direction::kMartian) [[unlikely]] {
    martian_[static_cast<std::size_t>(verdict.martian)] += record;
    if (watcher_) watcher_->OnMartian(record, verdict.martian);
  }
  if (!IsPlainTraffic(record) && watcher_) [[unlikely]]
    watcher_->OnOdd(record, src.host, dst.host, src_network, dst_network);
  const bool internal = verdict.direction == Direction::kInternal;
  if (dst_network != kNoNetwork) {
    networks_[static_cast<std::size_t>(dst_network)][cell] += record;
    AddTo(dst.host, Way::kReceived, record, internal, split);
  }
  if (src_network != kNoNetwork) {
    if (src_network != dst_network)
      networks_[static_cast<std::size_t>(src_network)][cell] += record;
    AddTo(src.host, Way::kSent, record, internal, split);
  }
}

void Account::TakeUntracked(const iptrk_record& record, Way way,
                            bool internal) {
  const bool received = way == Way::kReceived;
  const int customer =
      hosts_.CustomerOf(Address::FromBytes(received ? record.dst : record.src));
  if (customer < 0) return;
  CustomerVolume& volume = untracked_[static_cast<std::size_t>(customer)];
  (received   ? internal ? volume.internal_in : volume.in
   : internal ? volume.internal_out
              : volume.out) += record;
}

AccountSums Account::Sums() const {
  AccountSums sums{all_, martian_, networks_, untracked_, {}};
  hosts_.ForEach([&](const Host& host) {
    if (host.HasTraffic()) sums.hosts.push_back(host);
  });
  return sums;
}

bool Account::Resume(const AccountSums& sums, bool networks_too) {
  const auto alike = [&](const NetworkVolume& volume) {
    return volume.cells().size() == all_.cells().size();
  };
  networks_too = networks_too && alike(sums.all) &&
                 std::ranges::all_of(sums.networks, alike) &&
                 sums.networks.size() == networks_.size() &&
                 sums.untracked.size() == untracked_.size();
  if (networks_too) {
    all_ = sums.all;
    martian_ = sums.martian;
    networks_ = sums.networks;
    untracked_ = sums.untracked;
  }
  for (const Host& kept : sums.hosts) {
    const HostRef ref = hosts_.Add(kept.address);
    if (!ref.HasHost()) continue;
    Host& host = hosts_[ref.Number()];
    host.volume = kept.volume;
    host.peers = kept.peers;
    host.last_seen_ns = kept.last_seen_ns;
    host.rate = kept.rate;
    host.udp_before = kept.udp_before;
  }
  return networks_too;
}

void Account::ClearHosts(std::uint64_t end_ns) {
  hosts_.ForEach([=](Host& host) {
    if (host.HasTraffic()) host.last_seen_ns = end_ns;
    host.volume.fill({});
    host.peers.Clear();
    for (HostRate& rate : host.rate) rate.before = {};
    host.udp_before.fill(0);
  });
  std::fill(untracked_.begin(), untracked_.end(), CustomerVolume{});
}

void Account::ClearNetworks() {
  all_.Clear();
  martian_ = {};
  for (NetworkVolume& network : networks_) network.Clear();
}

}  // namespace iptrk
