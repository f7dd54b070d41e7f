// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_keeper.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/json_text.h"
#include "lib/ledger_sum.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

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
          .json = JsonText(ToJson(incident))};
}

LedgerKeeper::LedgerKeeper(LedgerWriter& writer, const LedgerStart& start,
                           const BooksCount& books, std::uint64_t created_ns,
                           std::uint64_t whole_from_ns)
    : writer_(writer), whole_from_ns_(whole_from_ns) {
  if (start.applied) applied_end_ = start.applied->end;
  const bool same =
      start.applied && start.applied->mark.created_ns == created_ns;
  if (same) {
    if (auto counted = BooksCount::Parse(start.state)) {
      counted_ = std::move(*counted);
      return;
    }
  }
  // A queue that nobody read from counts from its beginning.
  if (whole_from_ns <= created_ns && !same) return;
  counted_ = books;
}

void LedgerKeeper::TakeSlot(const NetworkVolume& all,
                            const std::array<Volume, kMartians>& martian) {
  const auto of = [&](Martian kind) {
    return martian[static_cast<std::size_t>(kind)];
  };
  total_.in += all.Of(Direction::kIn);
  total_.out += all.Of(Direction::kOut);
  total_.internal += all.Of(Direction::kInternal);
  total_.bogon += of(Martian::kBogon);
  total_.spoofed += of(Martian::kSpoofed);
  total_.foreign += of(Martian::kForeign);
  total_.nonip += all.nonip;
  total_.unattributed += all.unattributed;
}

void LedgerKeeper::EndInterval(const LedgerPosition& mark, int seconds,
                               const Account& account,
                               const std::vector<Customer>& customers,
                               const BooksCount& books, std::string baselines) {
  const auto whole_from =
      static_cast<std::int64_t>((whole_from_ns_ + kSecond - 1) / kSecond);
  LedgerEntry entry;
  entry.baselines = std::move(baselines);
  entry.end = mark.end;
  entry.seconds = seconds;
  entry.covered = static_cast<int>(
      std::clamp<std::int64_t>(mark.end - whole_from, 0, seconds));
  entry.total = std::exchange(total_, {});
  entry.mark = mark.mark;
  // Applied before we began: it would be ignored, and its books with it.
  if (mark.end <= applied_end_) return;

  std::vector<CustomerVolume> sums = account.untracked();
  account.hosts().ForEach([&](const Host& host) {
    if (host.customer >= 0)
      Add(sums[static_cast<std::size_t>(host.customer)],
          {host.In(), host.Out(), host.InternalIn(), host.InternalOut()});
    if (host.HasTraffic())
      entry.hosts.push_back({host.address, VolumeOf(host)});
  });
  for (std::size_t i = 0; i < customers.size(); ++i)
    if (!IsEmpty(sums[i]))
      entry.customers.push_back({customers[i].name, sums[i]});
  entry.books = books.Since(counted_);
  std::erase_if(entry.books, [](const BooksEntry& gained) {
    // A share of a few packets may be bytes of none.
    return gained.nic == Volume{} && gained.seen == Volume{};
  });
  counted_ = books;
  entry.state = mark.books;
  writer_.Push(std::move(entry));
}

}  // namespace iptrk
