// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_books.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/books.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

// Counters of a device and ours are read one after the other.
constexpr int kUnseenSlots = 3;
constexpr std::uint64_t kLeastPackets = 1000;  // in a slot, for a share of them
constexpr int kGoodSlots = 6;

Volume Since(const iptrk_volume& before, const iptrk_volume& now) {
  return {now.bytes - before.bytes, now.packets - before.packets};
}

}  // namespace

std::vector<Incident> BooksWatch::EndSlot(
    std::uint64_t end_ns, int seconds,
    const std::vector<iptrk_interface>& before,
    const std::vector<iptrk_interface>& now, const DetectRule& rule) {
  std::vector<Incident> changes;
  if (!rule.enabled) {
    for (auto& [name, one] : interfaces_)
      if (std::exchange(one.open, false))
        changes.push_back(Describe(name, one, rule));
    interfaces_.clear();
    return changes;
  }
  for (std::size_t i = 0; i < now.size() && i < before.size(); ++i) {
    bool closed = true;
    Volume unattributed, unseen, seen;
    for (const bool sent : {false, true}) {
      const iptrk_books& is = sent ? now[i].sent : now[i].received;
      const iptrk_books& was = sent ? before[i].sent : before[i].received;
      closed = closed && BalanceOf(now[i], sent).closed;
      unattributed += Since(was.unattributed, is.unattributed);
      seen += Since(was.seen, is.seen);
      const Volume wire_now = NicOnWire(now[i], sent);
      const Volume wire_before = NicOnWire(before[i], sent);
      const Volume saw = Since(was.seen, is.seen);
      // A device's own counter may be set back.
      if (wire_now.packets > wire_before.packets + saw.packets)
        unseen.packets += wire_now.packets - wire_before.packets - saw.packets;
      if (wire_now.bytes > wire_before.bytes + saw.bytes)
        unseen.bytes += wire_now.bytes - wire_before.bytes - saw.bytes;
    }
    const std::uint64_t all = seen.packets + unseen.packets;
    const double share = all == 0 ? 0
                                  : 100 * static_cast<double>(unseen.packets) /
                                        static_cast<double>(all);
    const bool passed =
        all >= kLeastPackets && now[i].watched && share > rule.limit;
    const bool bad = !closed || unattributed.packets > 0 || passed;
    const auto known = interfaces_.find(now[i].name);
    if (!bad && known == interfaces_.end()) continue;
    Interface& one =
        known == interfaces_.end() ? interfaces_[now[i].name] : known->second;
    one.seconds = seconds;
    if (bad) {
      if (one.start_ns == 0)
        one.start_ns = end_ns - static_cast<std::uint64_t>(seconds) * kSecond;
      one.last_ns = end_ns;
      ++one.bad_slots;
      one.good_slots = 0;
      one.closed = one.closed && closed;
    } else {
      ++one.good_slots;
    }
    one.unattributed += unattributed;
    one.unseen += unseen;
    one.value = 100 *
                static_cast<double>(unattributed.packets + unseen.packets) /
                static_cast<double>(std::max<std::uint64_t>(all, 1));
    one.peak = std::max(one.peak, one.value);
    const bool at_once = !closed || unattributed.packets > 0;
    if (!one.open && bad && (at_once || one.bad_slots >= kUnseenSlots)) {
      one.open = true;
      one.opened_ns = end_ns;
      changes.push_back(Describe(now[i].name, one, rule));
    } else if (one.good_slots >= kGoodSlots ||
               (!one.open && one.good_slots > 0)) {
      const bool was_open = one.open;
      one.open = false;
      if (was_open) changes.push_back(Describe(now[i].name, one, rule));
      interfaces_.erase(now[i].name);
    }
  }
  return changes;
}

void BooksWatch::AddOpen(const DetectRule& rule,
                         std::vector<Incident>& open) const {
  for (const auto& [name, one] : interfaces_)
    if (one.open) open.push_back(Describe(name, one, rule));
}

Incident BooksWatch::Describe(const std::string& name, const Interface& one,
                              const DetectRule& rule) {
  Incident incident;
  incident.kind = ToString(IncidentKind::kBooks);
  incident.subject = name;
  incident.direction = std::string("in");
  incident.open = one.open;
  incident.start_ns = one.start_ns;
  incident.opened_ns = one.opened_ns;
  incident.end_ns = one.open ? 0 : one.last_ns;
  incident.rule =
      !one.closed ? "the sums of the books are not equal: please report it"
      : one.unattributed.packets > 0
          ? fmt::format(
                "{} packets are of no host: the queue is too small, or "
                "its reader too slow",
                one.unattributed.packets)
          : fmt::format(
                "more than {:.0f} % of the interface's packets were "
                "not seen (XDP, tc, offloads) in {} slots",
                rule.limit, kUnseenSlots);
  incident.unit = std::string("%");
  incident.value = one.value;
  incident.limit = one.unattributed.packets > 0 ? 0 : rule.limit;
  incident.peak = one.peak;
  incident.window = one.seconds;
  incident.packets = one.unattributed.packets + one.unseen.packets;
  incident.bytes = one.unattributed.bytes + one.unseen.bytes;
  return incident;
}

}  // namespace iptrk
