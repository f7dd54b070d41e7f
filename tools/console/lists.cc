// SPDX-License-Identifier: GPL-2.0-only
// The lists of hosts and of peers: order, columns, rows.
#include <fmt/format.h>

#include <algorithm>

#include "lib/protocol.h"
#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr int kColumnWidth = 8;
constexpr const char* kTitles[kColumns] = {"host",  "now", "1 min", "total",
                                           "tcp",   "udp", "other", "local",
                                           "pkt/s", "",    "peers"};

Volume Kind(const HostVolumes& volumes, HostKind kind) {
  return volumes[static_cast<std::size_t>(kind)];
}

Volume Sum(const HostVolumes& v, Way way) {
  return way == Way::kReceived
             ? Kind(v, HostKind::kInTcp) + Kind(v, HostKind::kInUdp) +
                   Kind(v, HostKind::kInOther) + Kind(v, HostKind::kInternalIn)
             : Kind(v, HostKind::kOutTcp) + Kind(v, HostKind::kOutUdp) +
                   Kind(v, HostKind::kOutOther) +
                   Kind(v, HostKind::kInternalOut);
}

const HostVolumes& At(const HostRow& row, Period period) {
  return row.volume[static_cast<std::size_t>(period)];
}

std::string Title(Column column, const View& view) {
  if (column == Column::kOpposite)
    return view.way == Way::kReceived ? "sent" : "received";
  if (column == Column::kPackets && view.period == Period::kTotal)
    return "pkts";
  return kTitles[static_cast<std::size_t>(column)];
}

bool IsSelected(const View& view, const HostRow& row) {
  return view.selected && row.address == *view.selected && !row.others;
}

std::string PortText(std::uint8_t protocol, std::uint16_t port) {
  return HasPorts(protocol)
             ? fmt::format("{}/{}", ProtocolToString(protocol), port)
             : ProtocolToString(protocol);
}

}  // namespace

int FirstHostShown(const View& view, std::span<const HostRow* const> hosts,
                   int rows) {
  const auto found = std::ranges::find_if(
      hosts, [&](const HostRow* row) { return IsSelected(view, *row); });
  const auto count = static_cast<int>(hosts.size());
  const int selected =
      found == hosts.end() ? 0 : static_cast<int>(found - hosts.begin());
  int first = std::min(view.scroll, selected);
  if (selected >= first + rows) first = selected - rows + 1;
  return std::max(0, std::min(first, count - rows));
}

double InUnit(const Volume& volume, Unit unit) {
  return unit == Unit::kPackets ? static_cast<double>(volume.packets)
         : unit == Unit::kBits  ? static_cast<double>(volume.bytes) * 8
                                : static_cast<double>(volume.bytes);
}

const char* RateName(Unit unit) {
  return unit == Unit::kPackets ? "packets/s"
         : unit == Unit::kBits  ? "bit/s"
                                : "bytes/s";
}

const char* AmountName(Unit unit) {
  return unit == Unit::kPackets ? "packets" : "bytes";
}

int AddressWidth(int width) {
  return width >= 120 ? 40 : width >= 100 ? 28 : 22;
}

std::vector<ColumnPlace> ColumnPlaces(int width) {
  constexpr Column kByWorth[] = {
      Column::kNow,   Column::kMinute,  Column::kTotal,   Column::kTcp,
      Column::kUdp,   Column::kOther,   Column::kPackets, Column::kOpposite,
      Column::kPeers, Column::kInternal};
  std::vector<ColumnPlace> places;
  int end = AddressWidth(width);
  for (const Column column : kByWorth) {
    end += kColumnWidth + (width >= 160 ? 2 : 0) +
           (column == Column::kOpposite ? 2 : 0);
    if (end > width) break;
    places.push_back({column, end});
  }
  return places;
}

double ValueOf(const HostRow& row, Column column, const View& view,
               const Snapshot& snapshot) {
  const bool received = view.way == Way::kReceived;
  const Unit amount = view.unit == Unit::kBits ? Unit::kBytes : view.unit;
  const auto rate = [&](const Volume& volume, Period period) {
    return period == Period::kTotal
               ? InUnit(volume, amount)
               : InUnit(volume, view.unit) / snapshot.Seconds(period);
  };
  const auto of_kind = [&](HostKind in, HostKind out) {
    return rate(Kind(At(row, view.period), received ? in : out), view.period);
  };
  switch (column) {
    case Column::kAddress:
      return 0;
    case Column::kNow:
      return rate(Sum(At(row, Period::kNow), view.way), Period::kNow);
    case Column::kMinute:
      return rate(Sum(At(row, Period::kMinute), view.way), Period::kMinute);
    case Column::kTotal:
      return rate(Sum(At(row, Period::kTotal), view.way), Period::kTotal);
    case Column::kTcp:
      return of_kind(HostKind::kInTcp, HostKind::kOutTcp);
    case Column::kUdp:
      return of_kind(HostKind::kInUdp, HostKind::kOutUdp);
    case Column::kOther:
      return of_kind(HostKind::kInOther, HostKind::kOutOther);
    case Column::kInternal:
      return of_kind(HostKind::kInternalIn, HostKind::kInternalOut);
    case Column::kPackets: {
      const Volume sum = Sum(At(row, view.period), view.way);
      return static_cast<double>(sum.packets) /
             (view.period == Period::kTotal ? 1
                                            : snapshot.Seconds(view.period));
    }
    case Column::kOpposite:
      return rate(
          Sum(At(row, view.period), received ? Way::kSent : Way::kReceived),
          view.period);
    case Column::kPeers:
      return static_cast<double>(row.peers);
  }
  return 0;
}

std::vector<const HostRow*> SortedHosts(const View& view,
                                        const Snapshot& snapshot) {
  struct Keyed {
    double key;
    const HostRow* row;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(snapshot.hosts.size());
  for (const HostRow& row : snapshot.hosts) {
    if (!view.search.empty() &&
        (row.others ||
         row.address.ToString().find(view.search) == std::string::npos))
      continue;
    keyed.push_back({ValueOf(row, view.sort, view, snapshot), &row});
  }
  const bool by_address = view.sort == Column::kAddress;
  std::sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.row->others != b.row->others) return b.row->others;  // always last
    if (!by_address && a.key != b.key)
      return view.reversed ? a.key < b.key : a.key > b.key;
    return by_address && view.reversed ? a.row->address > b.row->address
                                       : a.row->address < b.row->address;
  });
  std::vector<const HostRow*> rows;
  rows.reserve(keyed.size());
  for (const Keyed& one : keyed) rows.push_back(one.row);
  return rows;
}

std::vector<const PeerRow*> SortedPeers(const View& view,
                                        const Snapshot& snapshot) {
  std::vector<const PeerRow*> rows;
  for (const PeerRow& row : snapshot.detail.peers)
    if (view.search.empty() ||
        row.address.ToString().find(view.search) != std::string::npos)
      rows.push_back(&row);
  const auto key = [&](const PeerRow& row) {
    return view.period == Period::kTotal
               ? InUnit(row.in + row.out, view.unit)
               : InUnit(row.in_now + row.out_now, view.unit);
  };
  std::sort(rows.begin(), rows.end(), [&](const PeerRow* a, const PeerRow* b) {
    const double ka = key(*a), kb = key(*b);
    if (ka != kb) return view.reversed ? ka < kb : ka > kb;
    const auto ta = a->in.bytes + a->out.bytes, tb = b->in.bytes + b->out.bytes;
    return ta != tb ? ta > tb : a->address < b->address;
  });
  return rows;
}

void DrawHosts(Grid& grid, const Layout& layout, const View& view,
               const Snapshot& snapshot) {
  const auto rows = SortedHosts(view, snapshot);
  const auto places = ColumnPlaces(grid.width());
  const int address_width = AddressWidth(grid.width());
  int y = layout.top;
  grid.Text(
      0, y,
      fmt::format("host, {}", view.way == Way::kReceived ? "received" : "sent"),
      view.sort == Column::kAddress ? Style::kSorted : Style::kHeader);
  for (const auto& [column, end] : places) {
    std::string title = Title(column, view);
    const bool sorted = column == view.sort;
    if (sorted)
      title = (view.ascii ? (view.reversed ? "^" : "v")
                          : (view.reversed ? "▲" : "▼")) +
              title;
    grid.TextRight(end, y, title, sorted ? Style::kSorted : Style::kHeader);
  }
  const int room = layout.rows - 1;
  const int count = static_cast<int>(rows.size());
  const int first = FirstHostShown(view, rows, room);
  const bool any_selected = std::ranges::any_of(
      rows, [&](const HostRow* row) { return IsSelected(view, *row); });
  if (rows.empty())
    grid.Text(0, y + 1,
              snapshot.networks.empty() ? "no network is ours: configure "
                                          "[networks.NAME] or give --network"
              : view.search.empty()     ? "no host of ours has had traffic yet"
                                        : "no host matches the search",
              Style::kDim);
  for (int i = first; i < std::min(count, first + room); ++i) {
    const HostRow& row = *rows[static_cast<std::size_t>(i)];
    ++y;
    grid.Text(0, y,
              row.others ? "all other hosts"
                         : Shortened(row.address.ToString(), address_width,
                                     view.ascii));
    for (const auto& [column, end] : places) {
      const double value = ValueOf(row, column, view, snapshot);
      grid.TextRight(end, y, Short(value),
                     value == 0 ? Style::kDim : Style::kPlain);
    }
    if (any_selected ? IsSelected(view, row) : i == 0)
      grid.Restyle(y, Style::kSelected);
  }
}

void DrawHost(Grid& grid, const Layout& layout, const View& view,
              const Snapshot& snapshot) {
  int y = layout.top;
  if (!view.host) return;
  const auto host = std::find_if(
      snapshot.hosts.begin(), snapshot.hosts.end(),
      [&](const HostRow& row) { return row.address == view.host; });
  std::string title = view.host->ToString();
  if (host != snapshot.hosts.end()) {
    if (host->network >= 0)
      title += fmt::format(
          " ({})", snapshot.networks[static_cast<std::size_t>(host->network)]);
    for (const Way way : {Way::kReceived, Way::kSent})
      title += fmt::format(
          "  {} {} {}, 1 min {}", way == Way::kReceived ? "received" : "sent",
          Short(InUnit(Sum(At(*host, Period::kNow), way), view.unit)),
          RateName(view.unit),
          Short(InUnit(Sum(At(*host, Period::kMinute), way), view.unit) /
                snapshot.Seconds(Period::kMinute)));
  }
  grid.Text(0, y++, title, Style::kTitle);

  const int address_width = AddressWidth(grid.width());
  const bool total = view.period == Period::kTotal;
  const bool wide = grid.width() >= 100;
  struct {
    const char* title;
    int end;
  } columns[] = {{total ? "in" : "in/s", address_width + 8},
                 {total ? "out" : "out/s", address_width + 15},
                 {"share", address_width + 22},
                 {total ? "pkts" : "pkt/s", address_width + 29}};
  grid.Text(0, y, total ? "peer, since start" : "peer, now", Style::kHeader);
  for (const auto& column : columns)
    grid.TextRight(column.end, y, column.title, Style::kHeader);
  const int ports = address_width + 30;
  grid.Text(ports, y,
            wide ? "own port  its port  service    flags"
                 : "own port  service   flags",
            Style::kHeader);
  if (!snapshot.has_detail || snapshot.detail.address != view.host) {
    grid.Text(0, y + 1, "peers come with the next second", Style::kDim);
    return;
  }
  const HostDetail& detail = snapshot.detail;
  const auto rows = SortedPeers(view, snapshot);
  const Unit unit =
      total && view.unit == Unit::kBits ? Unit::kBytes : view.unit;
  Volume all;
  for (const PeerRow& row : detail.peers)
    all += total ? row.in + row.out : row.in_now + row.out_now;
  const Volume rest = detail.in_rest + detail.out_rest;
  if (total) all += rest;
  const int room = layout.top + layout.rows - y - 1 - (rest.packets > 0);
  const int count = static_cast<int>(rows.size());
  const int first =
      std::max(0, std::min(view.scroll, count - std::max(1, room)));
  for (int i = first; i < std::min(count, first + room); ++i) {
    const PeerRow& row = *rows[static_cast<std::size_t>(i)];
    const Volume in = total ? row.in : row.in_now;
    const Volume out = total ? row.out : row.out_now;
    const double share =
        all.bytes ? InUnit(in + out, view.unit) / InUnit(all, view.unit) : 0;
    ++y;
    grid.Text(0, y,
              Shortened(row.address.ToString(), address_width, view.ascii));
    const std::string values[] = {
        Short(InUnit(in, unit)), Short(InUnit(out, unit)),
        fmt::format("{:.1f}%", share * 100),
        Short(static_cast<double>(in.packets + out.packets))};
    for (std::size_t k = 0; k < 4; ++k)
      grid.TextRight(columns[k].end, y, values[k]);
    const std::string own = PortText(row.protocol, row.own_port);
    const std::string service =
        snapshot.services[static_cast<std::size_t>(row.service)];
    grid.Text(
        ports, y,
        wide ? fmt::format(
                   "{:<9} {:<9} {:<10} {}", own,
                   HasPorts(row.protocol) ? std::to_string(row.peer_port) : "",
                   service, FlagsText(row.tcp_flags))
             : fmt::format("{:<9} {:<9} {}", own, service,
                           FlagsText(row.tcp_flags)));
  }
  if (rows.empty()) grid.Text(0, y + 1, "no peer yet", Style::kDim);
  if (rest.packets > 0)
    grid.Text(0, layout.top + layout.rows - 1,
              fmt::format("… since the start {} bytes with peers that are not "
                          "kept apart",
                          Short(static_cast<double>(rest.bytes))),
              Style::kDim);
}

}  // namespace iptrk::console
