// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/tally.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lib/seconds.h"

namespace iptrk::console {
namespace {

Volume Less(const Volume& a, const Volume& b) {
  return {a.bytes - b.bytes, a.packets - b.packets};
}

}  // namespace

Tally::Cells Tally::Now() const {
  const NetworkVolume& all = account_.all();
  const std::size_t services = account_.classifier().services();
  Cells cells;
  cells.rows.resize(services + 1);
  for (std::size_t i = 0; i < services; ++i) {
    for (std::size_t d = 0; d < kDirections; ++d)
      cells.rows[i][d] = all.Of(static_cast<Direction>(d), i);
  }
  constexpr auto kMartian = static_cast<std::size_t>(Direction::kMartian);
  cells.rows[services][kMartian] = all.nonip;
  cells.unattributed = all.unattributed;
  for (std::size_t i = 0; i < kMartians; ++i)
    cells.martians[i] = account_.Of(static_cast<Martian>(i));
  return cells;
}

void Tally::FillPanel(Snapshot& snapshot, const Cells& now) {
  const std::size_t rows = now.rows.size();
  const auto at = [&](std::uint64_t ago) -> Cells& {
    Cells& cells = cells_[(seconds_ - ago) % cells_.size()];
    cells.rows.resize(rows);
    return cells;
  };
  const Cells zero{std::vector<std::array<Volume, kDirections>>(rows), {}, {}};
  const Cells& second = at(1);
  const Cells& minute =
      snapshot.minute_seconds < seconds_ ? at(snapshot.minute_seconds) : zero;
  const std::array<const Cells*, kPeriods> since = {&second, &minute, &zero};

  snapshot.panel.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    PanelRow& row = snapshot.panel[i];
    row.name = i + 1 < rows ? snapshot.services[i] : "non-IP";
    for (std::size_t d = 0; d < kDirections; ++d) {
      for (std::size_t p = 0; p < kPeriods; ++p)
        row.volume[p][d] = Less(now.rows[i][d], since[p]->rows[i][d]);
      for (std::uint64_t ago = 0;
           ago < std::min<std::uint64_t>(seconds_, kHistory); ++ago) {
        const Volume end = ago == 0 ? now.rows[i][d] : at(ago).rows[i][d];
        row.history[d][kHistory - 1 - ago] = Less(end, at(ago + 1).rows[i][d]);
      }
    }
  }
  for (std::size_t p = 0; p < kPeriods; ++p) {
    snapshot.unattributed[p] = Less(now.unattributed, since[p]->unattributed);
    for (std::size_t i = 0; i < kMartians; ++i)
      snapshot.martians[p][i] = Less(now.martians[i], since[p]->martians[i]);
  }
}

void Tally::FillHosts(Snapshot& snapshot) {
  // The mark that is oldest, and the place of the next one, are the same.
  const std::size_t mark = MarkAt(seconds_);
  const bool make_mark = seconds_ % kMarkEvery == 0;
  const bool whole = seconds_ >= kHistory;
  const std::size_t oldest = make_mark ? mark : (mark + 1) % kMarks;
  const auto fill = [&](HostRow& row, Past& past, const HostVolumes& now) {
    static constexpr HostVolumes kZero{};
    for (std::size_t m = 0; skipped_.any() && m < kMarks; ++m)
      if (skipped_[m]) past.marks[m] = past.before;
    const HostVolumes& minute = whole ? past.marks[oldest] : kZero;
    for (std::size_t k = 0; k < kHostKinds; ++k) {
      row.volume[0][k] = Less(now[k], past.before[k]);
      row.volume[1][k] = Less(now[k], minute[k]);
    }
    row.volume[2] = now;
    past.before = now;
    if (make_mark) past.marks[mark] = now;
  };

  const HostTable& table = account_.hosts();
  hosts_.resize(std::min(table.size(), kMostRows));
  snapshot.hosts.reserve(hosts_.size() + 1);
  HostVolumes others{};
  table.ForEach([&](const Host& host) {
    if (host.number >= kMostRows) {
      for (std::size_t k = 0; k < kHostKinds; ++k) others[k] += host.volume[k];
      return;
    }
    HostRow& row = snapshot.hosts.emplace_back();
    row.address = host.address;
    row.network = host.network;
    row.peers = static_cast<std::uint64_t>(std::llround(host.peers.Count()));
    fill(row, hosts_[host.number], host.volume);
  });
  if (table.size() > kMostRows) {
    HostRow& row = snapshot.hosts.emplace_back();
    row.others = true;
    fill(row, others_, others);
  }
}

void Tally::Advance(std::uint64_t end_ns) {
  if (ended_ns_ == 0) ended_ns_ = end_ns - kSecond;
  const std::uint64_t before = seconds_;
  seconds_ += (end_ns - ended_ns_) / kSecond;
  ended_ns_ = end_ns;
  skipped_.reset();
  // What is longer ago is forgotten anyway.
  const std::uint64_t first = std::max(
      before, seconds_ - std::min<std::uint64_t>(seconds_, cells_.size()));
  const Cells& left = cells_[before % cells_.size()];
  for (std::uint64_t second = first + 1; second < seconds_; ++second) {
    cells_[second % cells_.size()] = left;
    if (second % kMarkEvery == 0) skipped_.set(MarkAt(second));
  }
}

void Tally::EndSecond(Snapshot& snapshot) {
  Advance(snapshot.end_ns);
  snapshot.seconds = seconds_;
  const std::uint64_t window = kHistory - kMarkEvery + seconds_ % kMarkEvery;
  snapshot.minute_seconds = static_cast<unsigned>(
      seconds_ < kHistory ? seconds_
                          : (seconds_ % kMarkEvery == 0 ? kHistory : window));
  snapshot.services = account_.classifier().ServiceNames();
  Cells now = Now();
  FillPanel(snapshot, now);
  FillHosts(snapshot);
  cells_[seconds_ % cells_.size()] = std::move(now);
}

}  // namespace iptrk::console
