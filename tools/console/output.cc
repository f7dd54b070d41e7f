// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/protocol.h"
#include "lib/seconds.h"
#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr const char* kPeriodKeys[kPeriods] = {"now", "minute", "total"};
constexpr const char* kKindKeys[kHostKinds] = {
    "in_tcp",   "in_udp",    "out_tcp",     "out_udp",
    "in_other", "out_other", "internal_in", "internal_out"};

nlohmann::json VolumeJson(const Volume& volume) {
  return {{"bytes", volume.bytes}, {"packets", volume.packets}};
}

nlohmann::json VolumeJson(const iptrk_volume& volume) {
  return {{"bytes", volume.bytes}, {"packets", volume.packets}};
}

nlohmann::json BooksJson(const iptrk_books& books) {
  return {{"seen", VolumeJson(books.seen)},
          {"recorded", VolumeJson(books.recorded)},
          {"merged", VolumeJson(books.merged)},
          {"unattributed", VolumeJson(books.unattributed)},
          {"elsewhere", VolumeJson(books.elsewhere)}};
}

nlohmann::json HostJson(const HostRow& row, const Snapshot& snapshot) {
  nlohmann::json object = {
      {"address", row.others ? "others" : row.address.ToString()},
      {"network",
       row.network < 0
           ? ""
           : snapshot.networks[static_cast<std::size_t>(row.network)]},
      {"peers", row.peers}};
  for (std::size_t p = 0; p < kPeriods; ++p) {
    auto& period = object[kPeriodKeys[p]];
    for (std::size_t k = 0; k < kHostKinds; ++k)
      period[kKindKeys[k]] = VolumeJson(row.volume[p][k]);
  }
  return object;
}

}  // namespace

nlohmann::json ToJson(const Snapshot& snapshot, const std::string& source) {
  nlohmann::json object = {{"source", source},
                           {"end", FormatTime(snapshot.end_ns)},
                           {"end_ns", snapshot.end_ns},
                           {"seconds", snapshot.seconds},
                           {"minute_seconds", snapshot.minute_seconds},
                           {"filter", snapshot.filter},
                           {"merged_packets", snapshot.merged},
                           {"queue_fill", snapshot.fill}};
  for (std::size_t p = 0; p < kPeriods; ++p) {
    const auto period = static_cast<Period>(p);
    auto& out = object["directions"][kPeriodKeys[p]];
    for (int d = 0; d < kDirections; ++d) {
      const auto direction = static_cast<Direction>(d);
      out[ToString(direction)] = VolumeJson(snapshot.Of(period, direction));
    }
    out["unattributed"] = VolumeJson(snapshot.unattributed[p]);
    out["all"] = VolumeJson(snapshot.Total(period));
    for (int i = 0; i < kMartians; ++i)
      object["martians"][kPeriodKeys[p]][ToString(static_cast<Martian>(i))] =
          VolumeJson(snapshot.martians[p][static_cast<std::size_t>(i)]);
    for (const PanelRow& row : snapshot.panel)
      for (int d = 0; d < kDirections; ++d)
        object["services"][kPeriodKeys[p]][row.name]
              [ToString(static_cast<Direction>(d))] =
                  VolumeJson(row.volume[p][static_cast<std::size_t>(d)]);
  }
  std::vector<const HostRow*> hosts;
  for (const HostRow& row : snapshot.hosts) hosts.push_back(&row);
  const auto all = [](const HostRow& row) {
    std::uint64_t sum = 0;
    for (const Volume& volume : row.volume[2]) sum += volume.bytes;
    return sum;
  };
  std::sort(
      hosts.begin(), hosts.end(), [&](const HostRow* a, const HostRow* b) {
        return all(*a) != all(*b) ? all(*a) > all(*b) : a->address < b->address;
      });
  object["hosts"] = nlohmann::json::array();
  for (const HostRow* row : hosts)
    object["hosts"].push_back(HostJson(*row, snapshot));
  object["incidents"] = nlohmann::json::array();
  for (const Incident& incident : snapshot.incidents)
    object["incidents"].push_back(iptrk::ToJson(incident));
  object["interfaces"] = nlohmann::json::array();
  for (const iptrk_interface& interface : snapshot.interfaces)
    object["interfaces"].push_back({{"name", interface.name},
                                    {"received", BooksJson(interface.received)},
                                    {"sent", BooksJson(interface.sent)}});
  return object;
}

nlohmann::json ToJson(const StreamLine& line,
                      const std::vector<iptrk_interface>& interfaces,
                      const std::vector<std::string>& services) {
  const iptrk_record& record = line.record;
  nlohmann::json object = {
      {"time_ns", record.time_ns},
      {"interface", InterfaceName(interfaces, record.interface)},
      {"sent", (record.flags & IPTRK_SENT) != 0},
      {"direction", ToString(line.verdict.direction)},
      {"bytes", record.bytes},
      {"packets", record.packets},
      {"ethertype", record.ethertype}};
  if (record.flags & IPTRK_TAGGED) object["vlan"] = record.vlan & 0xfff;
  if (record.flags & IPTRK_MERGED) object["merged"] = true;
  if (line.verdict.direction == Direction::kMartian)
    object["martian"] = ToString(line.verdict.martian);
  if (record.flags & IPTRK_UNATTRIBUTED) return object;
  if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6))) return object;
  object["protocol"] = ProtocolToString(record.protocol);
  object["service"] = services[static_cast<std::size_t>(line.verdict.service)];
  object["src"] = Address::FromBytes(record.src).ToString();
  object["dst"] = Address::FromBytes(record.dst).ToString();
  if (HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER)) {
    object["sport"] = record.sport;
    object["dport"] = record.dport;
  }
  if (record.protocol == IPPROTO_TCP)
    object["tcp_flags"] = FlagsText(record.tcp_flags);
  return object;
}

std::string Summary(const Snapshot& snapshot, const std::string& source) {
  std::string text = fmt::format("{}: {} s", source, snapshot.seconds);
  for (int d = 0; d < kDirections; ++d) {
    const auto direction = static_cast<Direction>(d);
    text += fmt::format(", {} {}B", ToString(direction),
                        Short(static_cast<double>(
                            snapshot.Of(Period::kTotal, direction).bytes)));
  }
  if (!snapshot.filter.empty()) text += "; only " + snapshot.filter;
  text += "\n";
  View view;
  view.unit = Unit::kBytes;
  view.sort = Column::kTotal;
  constexpr std::size_t kMost = 5;
  for (const Way way : {Way::kReceived, Way::kSent}) {
    view.way = way;
    const auto rows = SortedHosts(view, snapshot);
    for (std::size_t i = 0; i < std::min(rows.size(), kMost); ++i) {
      if (ValueOf(*rows[i], Column::kTotal, view, snapshot) == 0) break;
      text += fmt::format(
          "  {} {:<8} {}B\n",
          rows[i]->others ? "all others" : rows[i]->address.ToString(),
          way == Way::kReceived ? "received" : "sent",
          Short(ValueOf(*rows[i], Column::kTotal, view, snapshot)));
    }
  }
  return text;
}

}  // namespace iptrk::console
