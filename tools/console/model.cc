// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/model.h"

#include <algorithm>
#include <utility>

#include "lib/pause.h"
#include "lib/seconds.h"

namespace iptrk::console {
namespace {

HostRef Find(const HostIndex& index, const iptrk_record& record,
             const std::uint8_t* bytes) {
  const Address address = Address::FromBytes(bytes);
  return record.flags & IPTRK_IPV4 ? HostIndex::Ipv4(index).Find(address.Ipv4())
                                   : index.FindIpv6(address);
}

int NetworkOf(const HostIndex& index, const iptrk_record& record,
              const std::uint8_t* bytes) {
  const HostRef ref = Find(index, record, bytes);
  return ref.IsUnknown() ? index.FindNetwork(Address::FromBytes(bytes))
                         : ref.Network();
}

}  // namespace

Model::Model(const Config& config)
    : config_(config), all_(config), detector_(config, all_.account()) {}

void Model::SetFilter(const std::string& text) {
  if (text == filter_.text()) return;
  Filter filter(text, classifier().ServiceNames());
  filter_ = std::move(filter);
  filtered_ = filter_.empty() ? nullptr : std::make_unique<Tally>(config_);
  peers_ = PeerTable();
  before_.clear();
  looked_ = false;
  stream_ = {};
}

void Model::SetDetail(std::optional<Address> host) {
  if (host == detail_) return;
  detail_ = host;
  before_.clear();
  looked_ = false;
}

void Model::SetInterfaces(const std::vector<iptrk_interface>& interfaces) {
  all_.account().SetInterfaces(interfaces);
  if (filtered_) filtered_->account().SetInterfaces(interfaces);
}

Verdict Model::Judge(const iptrk_record& record) const {
  if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6)))
    return {Direction::kMartian, Martian::kNonIp, 0};
  const HostIndex& index = all_.account().hosts().index();
  return classifier().Classify(record, NetworkOf(index, record, record.src),
                               NetworkOf(index, record, record.dst));
}

void Model::TakePeers(std::span<const iptrk_record> records) {
  const HostIndex& index = shown().account().hosts().index();
  exchanges_.clear();
  for (const iptrk_record& record : records) {
    if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6)) ||
        (record.flags & (IPTRK_NO_REMOTE | IPTRK_UNATTRIBUTED))) [[unlikely]]
      continue;
    const HostRef src = Find(index, record, record.src);
    const HostRef dst = Find(index, record, record.dst);
    if (dst.HasHost())
      exchanges_.push_back({&record, dst.Number(), Way::kReceived});
    if (src.HasHost())
      exchanges_.push_back({&record, src.Number(), Way::kSent});
  }
  peers_.Add(exchanges_,
             [&](const iptrk_record& record) { return Judge(record).service; });
}

void Model::Take(std::span<const iptrk_record> records) {
  all_.account().Take(records);
  std::span<const iptrk_record> shown_records = records;
  if (filtered_) {
    matching_.clear();
    for (const iptrk_record& record : records)
      if (filter_.Matches(record, Judge(record))) matching_.push_back(record);
    filtered_->account().Take(matching_);
    shown_records = matching_;
  }
  for (const iptrk_record& record : shown_records) {
    if (record.flags & (IPTRK_MERGED | IPTRK_UNATTRIBUTED)) [[unlikely]]
      merged_ += record.packets;
    if (stream_.lines.size() < kMostLines)
      stream_.lines.push_back({record, Judge(record)});
  }
  TakePeers(shown_records);
  stream_.passed += shown_records.size();
}

StreamBatch Model::TakeStream() { return std::exchange(stream_, {}); }

void Model::FillDetail(Snapshot& snapshot) {
  snapshot.detail.address = *detail_;
  snapshot.has_detail = true;
  // Of the first look at a host nothing is known about the second before.
  // Whoever comes later had nothing before.
  const bool first_look = !std::exchange(looked_, true);
  const HostTable& table = shown().account().hosts();
  iptrk_record probe{};
  detail_->ToBytes(probe.src);
  probe.flags = detail_->IsIpv4() ? IPTRK_IPV4 : IPTRK_IPV6;
  const HostRef ref = Find(table.index(), probe, probe.src);
  if (!ref.HasHost()) return;
  const Host& host = table[ref.Number()];
  Volume in = host.Total(Way::kReceived), out = host.Total(Way::kSent);
  peers_.ForEach(ref.Number(), [&](std::size_t slot, const Peer& peer) {
    PeerRow& row = snapshot.detail.peers.emplace_back();
    row.address = peer.address;
    row.in = {peer.bytes_in, peer.packets_in};
    row.out = {peer.bytes_out, peer.packets_out};
    row.own_port = peer.own_port;
    row.peer_port = peer.peer_port;
    row.protocol = peer.protocol;
    row.tcp_flags = peer.tcp_flags;
    row.service = peer.service;
    const auto [at, is_new] = before_.try_emplace(slot);
    Seen& seen = at->second;
    if (is_new || seen.peer != peer.address || row.in.bytes < seen.in.bytes ||
        row.out.bytes < seen.out.bytes)
      seen = {peer.address, first_look ? row.in : Volume{},
              first_look ? row.out : Volume{}};
    row.in_now = {row.in.bytes - seen.in.bytes,
                  row.in.packets - seen.in.packets};
    row.out_now = {row.out.bytes - seen.out.bytes,
                   row.out.packets - seen.out.packets};
    seen.in = row.in;
    seen.out = row.out;
    in.bytes -= row.in.bytes;
    in.packets -= row.in.packets;
    out.bytes -= row.out.bytes;
    out.packets -= row.out.packets;
  });
  snapshot.detail.in_rest = in;
  snapshot.detail.out_rest = out;
}

std::shared_ptr<Snapshot> Model::EndSecond(std::uint64_t end_ns) {
  if (ended_ns_ == 0) ended_ns_ = end_ns - kSecond;
  EndSeconds(ended_ns_, end_ns, [&](std::uint64_t at) {
    std::vector<Incident> changes = detector_.EndSecond(at);
    if (log_) log_->Take(std::move(changes));
  });
  ended_ns_ = end_ns;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->end_ns = end_ns;
  snapshot->filter = filter_.text();
  snapshot->prefixes = config_.networks;
  for (const Network& network : config_.networks)
    snapshot->networks.push_back(network.name);
  shown().EndSecond(*snapshot);
  if (filtered_) {
    // What begins again without a filter begins with all that was.
    Snapshot unfiltered;
    unfiltered.end_ns = end_ns;
    all_.EndSecond(unfiltered);
  }
  snapshot->incidents = detector_.Open();
  snapshot->merged = merged_;
  snapshot->evicted = peers_.evicted();
  if (detail_) FillDetail(*snapshot);
  return snapshot;
}

void Model::Finish(Snapshot& snapshot) {
  log_->Finish(detector_, ended_ns_);
  snapshot.incidents = log_->incidents();
}

}  // namespace iptrk::console
