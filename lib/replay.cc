// SPDX-License-Identifier: GPL-2.0-only
#include "lib/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/seconds.h"

namespace iptrk {
namespace {

// After that long without a record nothing is left to decide, and the rest
// of a pause (files of different days) is skipped.
constexpr std::uint64_t kLongestPause = 600 * kSecond;

nlohmann::json VolumeToJson(const Volume& volume) {
  return {{"packets", volume.packets}, {"bytes", volume.bytes}};
}

nlohmann::json HostToJson(const Host& host, const std::string& network) {
  return {{"address", host.address.ToString()},
          {"network", network},
          {"in", host.In().bytes},
          {"out", host.Out().bytes},
          {"internal_in", host.internal_in.bytes},
          {"internal_out", host.internal_out.bytes},
          {"packets_in", host.In().packets},
          {"packets_out", host.Out().packets},
          {"packets_internal_in", host.internal_in.packets},
          {"packets_internal_out", host.internal_out.packets},
          {"in_tcp", host.in[0].bytes},
          {"in_udp", host.in[1].bytes},
          {"in_other", host.in[2].bytes},
          {"out_tcp", host.out[0].bytes},
          {"out_udp", host.out[1].bytes},
          {"out_other", host.out[2].bytes}};
}

std::uint64_t TotalBytes(const Host& host) {
  return (host.In() + host.Out() + host.internal_in + host.internal_out).bytes;
}

}  // namespace

Replay::Replay(const Config& config)
    : config_(config),
      classifier_(config_),
      account_(classifier_, config_.networks.size()),
      detector_(config_) {}

void Replay::EndSecond() {
  for (Incident& change : detector_.EndSecond(account_.hosts(), second_end_)) {
    const auto known = std::find_if(
        incidents_.begin(), incidents_.end(),
        [&](const Incident& incident) { return incident.id == change.id; });
    if (known == incidents_.end())
      incidents_.push_back(std::move(change));
    else
      *known = std::move(change);
  }
  second_end_ += kSecond;
}

void Replay::EndSecondsUntil(std::uint64_t time_ns) {
  const std::uint64_t second = time_ns / kSecond * kSecond;
  if (second_end_ == 0) second_end_ = second + kSecond;
  const std::uint64_t pause_end = second_end_ + kLongestPause;
  while (second_end_ <= time_ns && second_end_ < pause_end) EndSecond();
  if (second_end_ <= time_ns) second_end_ = second + kSecond;
}

void Replay::Take(const iptrk_record& record) {
  EndSecondsUntil(record.time_ns);
  total_ += record;
  const Verdict verdict = classifier_.Classify(record);
  detector_.Take(record, verdict, account_.Take(record, verdict));
}

void Replay::Finish() {
  if (second_end_ == 0) return;
  EndSecond();
  for (Incident& open : detector_.Open())
    for (Incident& incident : incidents_)
      if (incident.id == open.id) incident = open;
  std::sort(incidents_.begin(), incidents_.end(),
            [](const Incident& a, const Incident& b) { return a.id < b.id; });
}

Volume Replay::NonIp() const {
  const NetworkVolume& all = account_.all();
  return all.martian[static_cast<std::size_t>(Martian::kNonIp)];
}

nlohmann::json Replay::ToJson() const {
  const NetworkVolume& all = account_.all();
  const Volume nonip = NonIp();
  Volume martian = all.direction[static_cast<std::size_t>(Direction::kMartian)];
  martian.bytes -= nonip.bytes;
  martian.packets -= nonip.packets;

  std::vector<const Host*> hosts;
  for (const Host& host : account_.hosts().hosts()) hosts.push_back(&host);
  std::sort(hosts.begin(), hosts.end(), [](const Host* a, const Host* b) {
    const std::uint64_t at = TotalBytes(*a), bt = TotalBytes(*b);
    return at != bt ? at > bt : a->address < b->address;
  });
  auto host_list = nlohmann::json::array();
  for (const Host* host : hosts)
    host_list.push_back(HostToJson(
        *host, config_.networks[static_cast<std::size_t>(host->network)].name));

  auto services = nlohmann::json::object();
  const std::vector<std::string>& names = classifier_.ServiceNames();
  for (std::size_t i = 0; i < names.size(); ++i)
    services[names[i]] = {{"in", VolumeToJson(all.services[i].in)},
                          {"out", VolumeToJson(all.services[i].out)},
                          {"internal", VolumeToJson(all.services[i].internal)}};

  auto incidents = nlohmann::json::array();
  for (const Incident& incident : incidents_)
    incidents.push_back(iptrk::ToJson(incident));

  return {{"packets", total_.packets},
          {"bytes", total_.bytes},
          {"directions",
           {{"in", VolumeToJson(all.direction[0])},
            {"out", VolumeToJson(all.direction[1])},
            {"internal", VolumeToJson(all.direction[2])},
            {"martian", VolumeToJson(martian)},
            {"nonip", VolumeToJson(nonip)}}},
          {"martians",
           {{"bogon", VolumeToJson(all.martian[0])},
            {"spoofed", VolumeToJson(all.martian[1])},
            {"foreign", VolumeToJson(all.martian[2])}}},
          {"protocols",
           {{"tcp", VolumeToJson(all.split[0])},
            {"udp", VolumeToJson(all.split[1])},
            {"other", VolumeToJson(all.split[2])}}},
          {"hosts", host_list},
          {"services", services},
          {"incidents", incidents}};
}

}  // namespace iptrk
