// SPDX-License-Identifier: GPL-2.0-only
#include "lib/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/pause.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

nlohmann::json VolumeToJson(const Volume& volume) {
  return {{"packets", volume.packets}, {"bytes", volume.bytes}};
}

nlohmann::json HostToJson(const Host& host, const std::string& network) {
  return {{"address", host.address.ToString()},
          {"network", network},
          {"in", host.In().bytes},
          {"out", host.Out().bytes},
          {"internal_in", host.InternalIn().bytes},
          {"internal_out", host.InternalOut().bytes},
          {"packets_in", host.In().packets},
          {"packets_out", host.Out().packets},
          {"packets_internal_in", host.InternalIn().packets},
          {"packets_internal_out", host.InternalOut().packets},
          {"in_tcp", host.Of(HostKind::kInTcp).bytes},
          {"in_udp", host.Of(HostKind::kInUdp).bytes},
          {"in_other", host.Of(HostKind::kInOther).bytes},
          {"out_tcp", host.Of(HostKind::kOutTcp).bytes},
          {"out_udp", host.Of(HostKind::kOutUdp).bytes},
          {"out_other", host.Of(HostKind::kOutOther).bytes}};
}

std::uint64_t TotalBytes(const Host& host) {
  return (host.Total(Way::kReceived) + host.Total(Way::kSent)).bytes;
}

}  // namespace

Replay::Replay(const Config& config)
    : config_(config), account_(config_), detector_(config_, account_) {}

void Replay::EndSecond(std::uint64_t end_ns) {
  log_.Take(detector_.EndSecond(end_ns));
}

void Replay::EndSecondsUntil(std::uint64_t time_ns) {
  const std::uint64_t second = time_ns / kSecond * kSecond;
  if (second_end_ == 0) second_end_ = second + kSecond;
  if (second < second_end_) return;
  EndSecond(second_end_);
  EndSeconds(second_end_, second,
             [&](std::uint64_t end_ns) { EndSecond(end_ns); });
  second_end_ = second + kSecond;
}

void Replay::Take(const iptrk_record& record) {
  EndSecondsUntil(record.time_ns);
  total_ += record;
  account_.Take(record);
}

void Replay::Finish() {
  if (second_end_ == 0) return;
  EndSecond(second_end_);
  log_.Finish(detector_, second_end_);
}

Volume Replay::NonIp() const { return account_.all().nonip; }

std::vector<const Host*> Replay::HostsByBytes() const {
  std::vector<const Host*> hosts;
  account_.hosts().ForEach([&](const Host& host) { hosts.push_back(&host); });
  std::sort(hosts.begin(), hosts.end(), [](const Host* a, const Host* b) {
    const std::uint64_t at = TotalBytes(*a), bt = TotalBytes(*b);
    return at != bt ? at > bt : a->address < b->address;
  });
  return hosts;
}

nlohmann::json Replay::ToJson() const {
  const NetworkVolume& all = account_.all();
  const Volume nonip = NonIp();
  Volume martian = all.Of(Direction::kMartian);
  martian.bytes -= nonip.bytes;
  martian.packets -= nonip.packets;

  auto host_list = nlohmann::json::array();
  for (const Host* host : HostsByBytes())
    host_list.push_back(HostToJson(
        *host, config_.networks[static_cast<std::size_t>(host->network)].name));

  auto services = nlohmann::json::object();
  const std::vector<std::string>& names = account_.classifier().ServiceNames();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ServiceVolume service = all.Service(i);
    services[names[i]] = {{"in", VolumeToJson(service.in)},
                          {"out", VolumeToJson(service.out)},
                          {"internal", VolumeToJson(service.internal)}};
  }

  auto incidents = nlohmann::json::array();
  for (const Incident& incident : log_.incidents())
    incidents.push_back(iptrk::ToJson(incident));

  return {{"packets", total_.packets},
          {"bytes", total_.bytes},
          {"directions",
           {{"in", VolumeToJson(all.Of(Direction::kIn))},
            {"out", VolumeToJson(all.Of(Direction::kOut))},
            {"internal", VolumeToJson(all.Of(Direction::kInternal))},
            {"martian", VolumeToJson(martian)},
            {"nonip", VolumeToJson(nonip)}}},
          {"martians",
           {{"bogon", VolumeToJson(account_.Of(Martian::kBogon))},
            {"spoofed", VolumeToJson(account_.Of(Martian::kSpoofed))},
            {"foreign", VolumeToJson(account_.Of(Martian::kForeign))}}},
          {"protocols",
           {{"tcp", VolumeToJson(all.Of(Split::kTcp))},
            {"udp", VolumeToJson(all.Of(Split::kUdp))},
            {"other", VolumeToJson(all.Of(Split::kOther))}}},
          {"hosts", host_list},
          {"services", services},
          {"incidents", incidents}};
}

}  // namespace iptrk
