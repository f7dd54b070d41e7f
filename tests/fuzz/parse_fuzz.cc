// SPDX-License-Identifier: GPL-2.0-only
// libFuzzer's target for the parser: whatever a frame holds, what is said of
// it keeps the promises of kernel/parse.h and kernel/uapi/iptrk.h.
//
// Input: a byte of options, two bytes of how much more there was on the wire
// than is captured, two of ethertype, and what is captured behind it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "kernel/parse.h"
#if __has_include("kernel/plain.h")
#include "kernel/plain.h"
#define HAVE_PLAIN 1
#endif

namespace {

constexpr std::uint8_t kEthernet = 14;
constexpr std::size_t kOptions = 5;

struct Frame {
  const std::uint8_t* data;
  std::uint32_t captured;
  std::uint32_t length;
  std::uint16_t ethertype;
  std::uint16_t flags;  // before it is parsed
};

struct Said {
  iptrk_record record;
  std::uint32_t payload;
};

void Must(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

bool Same(const Said& a, const Said& b) {
  return std::memcmp(&a.record, &b.record, sizeof a.record) == 0 &&
         a.payload == b.payload;
}

// A record with `rubbish` wherever the parser has to write.
iptrk_record Unwritten(const Frame& frame, int rubbish) {
  iptrk_record record;
  std::memset(&record, 0x5a, sizeof record);
  std::memset(record.src, rubbish, sizeof record.src);
  std::memset(record.dst, rubbish, sizeof record.dst);
  std::memset(&record.sport, rubbish, sizeof record.sport);
  std::memset(&record.dport, rubbish, sizeof record.dport);
  std::memset(&record.ethertype, rubbish, sizeof record.ethertype);
  std::memset(&record.protocol, rubbish, sizeof record.protocol);
  std::memset(&record.tcp_flags, rubbish, sizeof record.tcp_flags);
  if (!(frame.flags & IPTRK_TAGGED))
    std::memset(&record.vlan, rubbish, sizeof record.vlan);
  record.flags = frame.flags;
  record.l2_len = kEthernet;
  return record;
}

// From a copy of exactly what may be read, so that AddressSanitizer sees it
// when more is.
Said Parse(const Frame& frame, int rubbish = 0) {
  const auto copy = std::make_unique<std::uint8_t[]>(frame.captured);
  std::memcpy(copy.get(), frame.data, frame.captured);
  const iptrk_frame given{copy.get(), frame.captured, frame.length,
                          frame.ethertype};
  Said said{Unwritten(frame, rubbish), 0};
  said.payload = iptrk_parse(&given, &said.record);
  return said;
}

bool AllZero(const std::uint8_t (&bytes)[16]) {
  constexpr std::uint8_t kZero[16] = {};
  return std::memcmp(bytes, kZero, sizeof kZero) == 0;
}

bool IsMapped(const std::uint8_t (&bytes)[16]) {
  constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
  return std::memcmp(bytes, kMapped, sizeof kMapped) == 0;
}

// Extension headers: what `protocol` may be while the capture ends in a chain.
bool IsExtension(std::uint8_t protocol) {
  switch (protocol) {
    case 0:
    case 43:
    case 44:
    case 51:
    case 60:
    case 135:
    case 139:
    case 140:
      return true;
    default:
      return false;
  }
}

void CheckRecord(const Frame& frame, const Said& said) {
  const iptrk_record& record = said.record;
  const iptrk_record before = Unwritten(frame, 0);
  const unsigned added = record.flags & ~unsigned{frame.flags};
  Must((record.flags & frame.flags) == frame.flags, "flags are only added");
  constexpr unsigned kOurs = IPTRK_IPV4 | IPTRK_IPV6 | IPTRK_TAGGED |
                             IPTRK_FRAGMENT | IPTRK_FRAGMENT_LATER |
                             IPTRK_MALFORMED | IPTRK_TRUNCATED;
  Must(!(added & ~kOurs), "flags of others are not touched");
  Must(record.time_ns == before.time_ns && record.bytes == before.bytes &&
           record.packets == before.packets &&
           record.interface == before.interface &&
           record.header_len == before.header_len,
       "fields of others are not touched");
  const std::uint32_t tags = record.l2_len - before.l2_len;
  Must(tags <= 16 && tags % 4 == 0 && tags <= frame.captured,
       "the layer-2 header grows by tags that were read");
  Must(said.payload <= frame.length, "the payload begins within the packet");

  const bool v4 = record.flags & IPTRK_IPV4, v6 = record.flags & IPTRK_IPV6;
  Must(!(v4 && v6), "one family");
  if (v4) Must(IsMapped(record.src) && IsMapped(record.dst), "IPv4 is mapped");
  if (!v4 && !v6) {
    Must(AllZero(record.src) && AllZero(record.dst) && !record.sport &&
             !record.dport && !record.protocol && !record.tcp_flags &&
             !said.payload && !(added & IPTRK_FRAGMENT),
         "nothing is said of what is not IP");
  }
  if (record.flags & IPTRK_FRAGMENT_LATER)
    Must(record.flags & IPTRK_FRAGMENT && !record.sport && !record.dport &&
             !record.tcp_flags && !said.payload,
         "a later fragment is a fragment and has no ports");
  if (record.tcp_flags) Must(record.protocol == 6, "only TCP has TCP's flags");
  if (record.flags & IPTRK_TRUNCATED)
    Must(frame.captured < frame.length, "truncated means captured in part");
}

// Less captured of the same packet: less is known, and nothing else.
void CheckPrefix(const Frame& shorter, const Said& less, const Said& more) {
  const iptrk_record &a = less.record, &b = more.record;
  CheckRecord(shorter, less);
  if (!(a.flags & IPTRK_TRUNCATED)) {
    Must(Same(less, more), "what is not truncated is all there is to say");
    return;
  }
  const unsigned known = a.flags & ~unsigned{IPTRK_TRUNCATED};
  Must((b.flags & known) == known, "a shorter capture adds no flag");
  Must(a.l2_len <= b.l2_len, "a shorter capture has no more tags");
  if (a.flags & IPTRK_TAGGED) Must(a.vlan == b.vlan, "the same tag");
  if (a.flags & (IPTRK_IPV4 | IPTRK_IPV6))
    Must(std::memcmp(a.src, b.src, sizeof a.src) == 0 &&
             std::memcmp(a.dst, b.dst, sizeof a.dst) == 0 &&
             a.ethertype == b.ethertype,
         "the same addresses");
  if (a.flags & IPTRK_IPV6 ? !IsExtension(a.protocol) : a.protocol != 0)
    Must(a.protocol == b.protocol, "the same protocol");
  if (a.sport || a.dport)
    Must(a.sport == b.sport && a.dport == b.dport, "the same ports");
  if (a.tcp_flags) Must(a.tcp_flags == b.tcp_flags, "the same TCP flags");
  if (less.payload) Must(less.payload == more.payload, "the same payload");
}

// One VLAN tag more in front changes nothing behind it.
void CheckTagged(const Frame& frame, const Said& said) {
  if (said.record.l2_len > kEthernet + 4 || said.record.ethertype == 0x8100 ||
      said.record.ethertype == 0x88a8 || said.record.ethertype == 0x9100)
    return;
  const auto tagged = std::make_unique<std::uint8_t[]>(frame.captured + 4);
  tagged[0] = 0x2a;
  tagged[1] = 0xbc;
  tagged[2] = static_cast<std::uint8_t>(frame.ethertype >> 8);
  tagged[3] = static_cast<std::uint8_t>(frame.ethertype);
  std::memcpy(tagged.get() + 4, frame.data, frame.captured);
  const Said with = Parse({tagged.get(), frame.captured + 4, frame.length + 4,
                           0x8100, frame.flags});
  Said expected = said;
  expected.record.l2_len += 4;
  expected.record.flags |= IPTRK_TAGGED;
  expected.record.vlan =
      frame.flags & IPTRK_TAGGED ? said.record.vlan : std::uint16_t{0x2abc};
  if (expected.payload) expected.payload += 4;
  Must(Same(with, expected), "a VLAN tag changes nothing behind it");
}

// The fast path for plain packets says of them what the parser says.
void CheckPlain([[maybe_unused]] const Frame& frame,
                [[maybe_unused]] const Said& said) {
#ifdef HAVE_PLAIN
  const auto copy = std::make_unique<std::uint8_t[]>(frame.captured);
  std::memcpy(copy.get(), frame.data, frame.captured);
  iptrk_record record = Unwritten(frame, 0);
  if (!iptrk_plain(copy.get(), frame.captured, frame.length, frame.ethertype,
                   frame.flags, &record))
    return;
  Must(std::memcmp(&record, &said.record, sizeof record) == 0,
       "iptrk_plain() and iptrk_parse() agree");
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < kOptions || size > kOptions + IPTRK_PARSE_MAX) return -1;
  Frame frame{};
  frame.data = data + kOptions;
  frame.captured = static_cast<std::uint32_t>(size - kOptions);
  const auto missing = static_cast<std::uint32_t>(data[1] << 8 | data[2]);
  frame.length = frame.captured + missing;
  frame.ethertype = static_cast<std::uint16_t>(data[3] << 8 | data[4]);
  frame.flags = static_cast<std::uint16_t>(data[0] & IPTRK_PKTTYPE);
  if (data[0] & 4) frame.flags |= IPTRK_SENT;
  if (data[0] & 8) frame.flags |= IPTRK_TAGGED;

  const Said said = Parse(frame);
  CheckRecord(frame, said);
  Must(Same(said, Parse(frame, 0xff)), "every field is written");
  CheckTagged(frame, said);
  CheckPlain(frame, said);
  for (Frame shorter = frame; shorter.captured > 0;) {
    --shorter.captured;
    CheckPrefix(shorter, Parse(shorter), said);
  }
  return 0;
}
