// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_keeper.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lib/books.h"
#include "lib/ledger_sum.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

// What an interface's direction counted since the queue was made.
BooksEntry Counted(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  return {
      .interface = interface.name,
      .sent = sent,
      .nic = NicOnWire(interface, sent),
      .seen = {books.seen.bytes, books.seen.packets},
      .recorded = {books.recorded.bytes, books.recorded.packets},
      .merged = {books.merged.bytes, books.merged.packets},
      .unattributed = {books.unattributed.bytes, books.unattributed.packets},
      .elsewhere = {books.elsewhere.bytes, books.elsewhere.packets}};
}

BooksEntry Row(std::string interface, bool sent) {
  BooksEntry row;
  row.interface = std::move(interface);
  row.sent = sent;
  return row;
}

constexpr Volume BooksEntry::*kVolumes[] = {
    &BooksEntry::nic,    &BooksEntry::seen,         &BooksEntry::recorded,
    &BooksEntry::merged, &BooksEntry::unattributed, &BooksEntry::elsewhere};

// A device's own counter may be set back; ours never are.
Volume Since(const Volume& before, const Volume& now) {
  return {now.bytes - std::min(before.bytes, now.bytes),
          now.packets - std::min(before.packets, now.packets)};
}

HostVolume VolumeOf(const Host& host) {
  HostVolume volume;
  for (std::size_t i = 0; i < kHostKinds; ++i)
    volume.bytes[i] = host.Of(kHostKindsInOrder[i]).bytes;
  volume.packets = {host.In().packets, host.Out().packets,
                    host.InternalIn().packets, host.InternalOut().packets};
  return volume;
}

bool IsEmpty(const CustomerVolume& volume) {
  return (volume.in + volume.out + volume.internal_in + volume.internal_out)
             .packets == 0;
}

}  // namespace

LedgerIncident LedgerIncidentOf(const Incident& incident) {
  const auto seconds = [](std::uint64_t ns) {
    return static_cast<std::int64_t>(ns / kSecond);
  };
  return {.id = incident.id,
          .kind = incident.kind,
          .subject = incident.subject,
          .start = seconds(incident.start_ns),
          .end = incident.open ? 0 : seconds(incident.end_ns),
          .open = incident.open,
          .json = ToJson(incident).dump()};
}

LedgerKeeper::LedgerKeeper(LedgerWriter& writer, const LedgerStart& start,
                           const std::vector<iptrk_interface>& interfaces,
                           std::uint64_t created_ns,
                           std::uint64_t whole_from_ns)
    : writer_(writer),
      whole_from_(
          static_cast<std::int64_t>((whole_from_ns + kSecond - 1) / kSecond)) {
  if (start.applied) applied_end_ = start.applied->end;
  const bool same =
      start.applied && start.applied->mark.created_ns == created_ns;
  if (same && Restore(start.state)) return;
  // A queue that nobody read from counts from its beginning.
  if (whole_from_ns <= created_ns && !same) return;
  for (const iptrk_interface& interface : interfaces)
    for (const bool sent : {false, true})
      counted_.push_back(Counted(interface, sent));
}

void LedgerKeeper::TakeSlot(const Account& account) {
  const NetworkVolume& all = account.all();
  total_.in += all.Of(Direction::kIn);
  total_.out += all.Of(Direction::kOut);
  total_.internal += all.Of(Direction::kInternal);
  total_.bogon += account.Of(Martian::kBogon);
  total_.spoofed += account.Of(Martian::kSpoofed);
  total_.foreign += account.Of(Martian::kForeign);
  total_.nonip += account.Of(Martian::kNonIp);
  total_.unattributed += all.unattributed;
}

void LedgerKeeper::EndInterval(const LedgerPosition& mark, int seconds,
                               const Account& account,
                               const std::vector<Customer>& customers,
                               const std::vector<iptrk_interface>& interfaces,
                               std::string baselines) {
  LedgerEntry entry;
  entry.baselines = std::move(baselines);
  entry.end = mark.end;
  entry.seconds = seconds;
  entry.covered = static_cast<int>(
      std::clamp<std::int64_t>(mark.end - whole_from_, 0, seconds));
  entry.total = std::exchange(total_, {});
  entry.mark = mark.mark;
  // Applied before we began: it would be ignored, and its books with it.
  if (mark.end <= applied_end_) return;

  std::vector<CustomerVolume> sums = account.untracked();
  account.hosts().ForEach([&](const Host& host) {
    if (host.customer >= 0)
      Add(sums[static_cast<std::size_t>(host.customer)],
          {host.In(), host.Out(), host.InternalIn(), host.InternalOut()});
    if ((host.Total(Way::kReceived) + host.Total(Way::kSent)).packets > 0)
      entry.hosts.push_back({host.address, VolumeOf(host)});
  });
  for (std::size_t i = 0; i < customers.size(); ++i)
    if (!IsEmpty(sums[i]))
      entry.customers.push_back({customers[i].name, sums[i]});
  entry.books = BooksSince(interfaces);
  entry.state = State();
  writer_.Push(std::move(entry));
}

std::vector<BooksEntry> LedgerKeeper::BooksSince(
    const std::vector<iptrk_interface>& interfaces) {
  std::vector<BooksEntry> gained;
  for (const iptrk_interface& interface : interfaces) {
    for (const bool sent : {false, true}) {
      BooksEntry now = Counted(interface, sent);
      auto before = std::find_if(
          counted_.begin(), counted_.end(), [&](const BooksEntry& row) {
            return row.interface == now.interface && row.sent == sent;
          });
      if (before == counted_.end())
        before = counted_.insert(before, Row(now.interface, sent));
      BooksEntry gain = now;
      for (const auto volume : kVolumes)
        gain.*volume = Since((*before).*volume, now.*volume);
      if (gain.nic.packets + gain.seen.packets > 0)
        gained.push_back(std::move(gain));
      *before = std::move(now);
    }
  }
  return gained;
}

std::string LedgerKeeper::State() const {
  auto rows = nlohmann::json::array();
  for (const BooksEntry& row : counted_) {
    auto volumes = nlohmann::json::array();
    for (const auto volume : kVolumes) {
      volumes.push_back((row.*volume).bytes);
      volumes.push_back((row.*volume).packets);
    }
    rows.push_back({row.interface, row.sent, std::move(volumes)});
  }
  return rows.dump();
}

bool LedgerKeeper::Restore(const std::string& state) try {
  for (const auto& row : nlohmann::json::parse(state)) {
    BooksEntry entry = Row(row.at(0), row.at(1));
    std::size_t i = 0;
    for (const auto volume : kVolumes) {
      (entry.*volume).bytes = row.at(2).at(i++);
      (entry.*volume).packets = row.at(2).at(i++);
    }
    counted_.push_back(std::move(entry));
  }
  return true;
} catch (const nlohmann::json::exception&) {
  counted_.clear();
  return false;
}

}  // namespace iptrk
