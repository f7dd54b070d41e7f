// SPDX-License-Identifier: GPL-2.0-only
// Packets as they pass.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "lib/protocol.h"
#include "lib/seconds.h"
#include "tools/console/units.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

std::string MacText(const std::uint8_t* mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0],
                     mac[1], mac[2], mac[3], mac[4], mac[5]);
}

std::string EndText(const iptrk_record& record, const std::uint8_t* address,
                    std::uint16_t port) {
  if (record.flags & IPTRK_UNATTRIBUTED) return "unattributed";
  if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6))) return MacText(address);
  const Address parsed = Address::FromBytes(address);
  if ((record.flags & IPTRK_NO_REMOTE) && parsed.IsZero()) return "any";
  std::string text = parsed.ToString();
  if (HasPorts(record.protocol) && !(record.flags & IPTRK_FRAGMENT_LATER))
    text = parsed.IsIpv4() ? fmt::format("{}:{}", text, port)
                           : fmt::format("[{}]:{}", text, port);
  return text;
}

std::string NotesText(const iptrk_record& record) {
  std::string text;
  const auto note = [&](bool is, const std::string& word) {
    if (is) text += (text.empty() ? "" : " ") + word;
  };
  note(record.protocol == IPPROTO_TCP && record.tcp_flags,
       FlagsText(record.tcp_flags));
  note(record.packets > 1, fmt::format("x{}", record.packets));
  note(record.flags & IPTRK_MERGED, "merged");
  note(record.flags & IPTRK_FRAGMENT, "fragment");
  note(record.flags & IPTRK_MALFORMED, "malformed");
  note(record.flags & IPTRK_TRUNCATED, "truncated");
  note(record.flags & IPTRK_TAGGED,
       fmt::format("vlan {}", record.vlan & 0xfff));
  return text;
}

}  // namespace

std::string FlagsText(std::uint8_t tcp_flags) {
  constexpr char kNames[] = "FSRPAUEC";
  std::string text;
  for (int bit = 0; bit < 8; ++bit)
    if (tcp_flags >> bit & 1) text += kNames[bit];
  return text;
}

std::string InterfaceName(const std::vector<iptrk_interface>& interfaces,
                          unsigned index) {
  for (const iptrk_interface& interface : interfaces)
    if (interface.index == index) return interface.name;
  return interfaces.empty() ? "pcap" : "?";
}

std::string StreamText(const StreamLine& line,
                       const std::vector<iptrk_interface>& interfaces,
                       const std::vector<std::string>& services, bool ascii) {
  const iptrk_record& record = line.record;
  const bool ip = record.flags & (IPTRK_IPV4 | IPTRK_IPV6);
  const bool known = ip && !(record.flags & IPTRK_UNATTRIBUTED);
  const std::string protocol = record.flags & IPTRK_UNATTRIBUTED ? "-"
                               : ip ? ProtocolToString(record.protocol)
                                    : fmt::format("0x{:04x}", record.ethertype);
  const std::string service =
      known ? services[static_cast<std::size_t>(line.verdict.service)] : "";
  return fmt::format(
      "{:%H:%M:%S}.{:03} {:<6.15} {:<3} {:<8} {:<6} {} {} {}  {} B {}{}",
      fmt::localtime(static_cast<std::time_t>(record.time_ns / kSecond)),
      record.time_ns % kSecond / 1'000'000,
      InterfaceName(interfaces, record.interface),
      record.flags & IPTRK_SENT ? "tx" : "rx", ToString(line.verdict.direction),
      protocol, EndText(record, record.src, record.sport), ascii ? "->" : "→",
      EndText(record, record.dst, record.dport), record.bytes,
      NotesText(record), service.empty() ? "" : " (" + service + ")");
}

void View::AddLines(StreamBatch batch) {
  batch_passed += batch.passed;
  batch_shown += batch.lines.size();
  if (paused) return;
  for (StreamLine& line : batch.lines) lines.push_back(line);
  while (lines.size() > kMostStreamLines) lines.pop_front();
}

void View::EndStreamSecond() {
  stream_passed = batch_passed;
  stream_shown = batch_shown;
  batch_passed = batch_shown = 0;
}

void DrawStream(Grid& grid, const Layout& layout, const View& view,
                const Snapshot* snapshot) {
  static const std::vector<iptrk_interface> kNoInterfaces;
  const std::string count =
      view.stream_passed == view.stream_shown
          ? fmt::format("{} records/s, all shown", view.stream_passed)
          : fmt::format("{} records/s, showing 1 of {:.0f}", view.stream_passed,
                        static_cast<double>(view.stream_passed) /
                            static_cast<double>(
                                std::max<std::uint64_t>(1, view.stream_shown)));
  grid.Text(0, layout.top, "time         if     way direction proto  packet",
            Style::kHeader);
  grid.TextRight(
      grid.width(), layout.top, count,
      view.stream_passed == view.stream_shown ? Style::kDim : Style::kWarning);
  if (!snapshot) return;
  int y = layout.top + layout.rows - 1;
  int skip = view.scroll;
  for (auto line = view.lines.rbegin();
       line != view.lines.rend() && y > layout.top; ++line) {
    const std::string text =
        StreamText(*line, snapshot->interfaces, snapshot->services, view.ascii);
    if (!view.search.empty() && text.find(view.search) == std::string::npos)
      continue;
    if (skip-- > 0) continue;
    constexpr Style kDirectionStyles[kDirections] = {
        Style::kIn, Style::kOut, Style::kInternal, Style::kMartian};
    grid.Text(
        0, y--, text,
        kDirectionStyles[static_cast<std::size_t>(line->verdict.direction)]);
  }
}

}  // namespace iptrk::console
