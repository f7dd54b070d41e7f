// SPDX-License-Identifier: GPL-2.0-only
#include "lib/books.h"

namespace iptrk {
namespace {

constexpr std::uint64_t kEthernetHeader = 14;

Volume ToVolume(const iptrk_volume& volume) {
  return {volume.bytes, volume.packets};
}

// Read in each driver: see enum iptrk_convention.
Volume AsTheDeviceCounts(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  const int convention = interface.convention[sent];
  Volume volume =
      convention == IPTRK_COUNTS_WIRE || convention == IPTRK_COUNTS_POLLED
          ? ToVolume(books.seen)
          : ToVolume(books.buffers);
  if (convention == IPTRK_COUNTS_NETWORK || convention == IPTRK_COUNTS_POLLED)
    volume.bytes -= volume.packets * kEthernetHeader;
  return volume;
}

}  // namespace

Balance BalanceOf(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  Balance balance;
  balance.nic = ToVolume(books.nic);
  balance.expected = AsTheDeviceCounts(interface, sent);
  balance.unseen_bytes =
      static_cast<std::int64_t>(balance.nic.bytes - balance.expected.bytes);
  balance.unseen_packets =
      static_cast<std::int64_t>(balance.nic.packets - balance.expected.packets);
  balance.closed = ToVolume(books.seen) ==
                   ToVolume(books.recorded) + ToVolume(books.merged) +
                       ToVolume(books.unattributed) + ToVolume(books.elsewhere);
  return balance;
}

Volume NicOnWire(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  const Balance balance = BalanceOf(interface, sent);
  return {
      books.seen.bytes + static_cast<std::uint64_t>(balance.unseen_bytes),
      books.seen.packets + static_cast<std::uint64_t>(balance.unseen_packets)};
}

}  // namespace iptrk
