// SPDX-License-Identifier: GPL-2.0-only
#include "tools/capture.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "kernel/plain.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

struct LinkHeader {
  std::uint32_t length = 0;  // bytes before what `ethertype` names
  std::uint16_t ethertype = 0;
};

std::uint16_t Get16(const u_char* p) {
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

std::uint16_t TypeOfVersion(const u_char* p, std::uint32_t captured) {
  if (captured == 0) return 0;
  return p[0] >> 4 == 6 ? kIpv6 : p[0] >> 4 == 4 ? kIpv4 : std::uint16_t{0};
}

std::uint32_t LinkLength(int link_type) {
  switch (link_type) {
    case DLT_EN10MB:
      return 14;
    case DLT_LINUX_SLL:
      return 16;
    case DLT_LINUX_SLL2:
      return 20;
    case DLT_NULL:
    case DLT_LOOP:
      return 4;
    default:
      return 0;
  }
}

bool Known(int link_type) {
  constexpr std::array kTypes = {DLT_EN10MB,    DLT_RAW,       DLT_IPV4,
                                 DLT_IPV6,      DLT_NULL,      DLT_LOOP,
                                 DLT_LINUX_SLL, DLT_LINUX_SLL2};
  return std::find(kTypes.begin(), kTypes.end(), link_type) != kTypes.end();
}

// The caller made sure of LinkLength() captured bytes.
LinkHeader ReadLink(int link_type, const u_char* data, std::uint32_t captured) {
  LinkHeader link{LinkLength(link_type), 0};
  switch (link_type) {
    case DLT_EN10MB:
      link.ethertype = Get16(data + 12);
      break;
    case DLT_LINUX_SLL:
      link.ethertype = Get16(data + 14);
      break;
    case DLT_LINUX_SLL2:
      link.ethertype = Get16(data);
      break;
    case DLT_IPV4:
      link.ethertype = kIpv4;
      break;
    case DLT_IPV6:
      link.ethertype = kIpv6;
      break;
    default:  // raw IP, or behind a family number: the version says it
      link.ethertype =
          TypeOfVersion(data + link.length, captured - link.length);
  }
  return link;
}

// In a pcap seconds are 32 bits without a sign; libpcap gives them one. With
// nanosecond precision tv_usec holds nanoseconds, unless the file is damaged.
std::uint64_t TimeOf(const pcap_pkthdr& header) {
  const auto seconds = static_cast<std::uint32_t>(header.ts.tv_sec);
  return seconds * kSecond +
         std::min(static_cast<std::uint64_t>(header.ts.tv_usec), kSecond - 1);
}

std::uint16_t PacketType(const u_char* destination) {
  if (!(destination[0] & 1)) return 0;
  constexpr std::array<u_char, 6> kBroadcast{255, 255, 255, 255, 255, 255};
  return std::memcmp(destination, kBroadcast.data(), 6) == 0 ? 1 : 2;
}

}  // namespace

Capture::Capture(const std::string& path)
    : path_(path), file_(nullptr, pcap_close) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  file_.reset(pcap_open_offline_with_tstamp_precision(
      path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error.data()));
  if (!file_) {
    const std::string text = error.data();
    throw CaptureError(
        text.starts_with(path) ? text : fmt::format("{}: {}", path, text));
  }
  link_type_ = pcap_datalink(file_.get());
  if (!Known(link_type_)) {
    const char* name = pcap_datalink_val_to_name(link_type_);
    throw CaptureError(fmt::format(
        "{}: its link type is {}; known are Ethernet, raw IP, Linux cooked "
        "and BSD loopback",
        path, name ? name : std::to_string(link_type_)));
  }
  std::error_code ignored;
  size_ = std::filesystem::file_size(path, ignored);
  if (ignored) size_ = 0;
}

Capture::~Capture() = default;

std::optional<iptrk_record> Capture::Next() {
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const int result = pcap_next_ex(file_.get(), &header, &data);
  if (result == PCAP_ERROR_BREAK) return std::nullopt;
  if (result != 1)
    throw CaptureError(fmt::format("{}: packet {}: {}", path_, number_ + 1,
                                   pcap_geterr(file_.get())));
  ++number_;

  iptrk_record record{};
  record.time_ns = TimeOf(*header);
  record.bytes = header->len;
  record.packets = 1;
  if (header->caplen < LinkLength(link_type_)) {
    record.flags = header->len < LinkLength(link_type_) ? IPTRK_MALFORMED
                                                        : IPTRK_TRUNCATED;
    return record;
  }
  const LinkHeader link = ReadLink(link_type_, data, header->caplen);
  record.l2_len = static_cast<std::uint8_t>(link.length);
  if (link_type_ == DLT_EN10MB) {
    record.flags = PacketType(data);
    std::memcpy(record.dst, data, 6);
    std::memcpy(record.src, data + 6, 6);
  }
  if (iptrk_plain(data + link.length, header->caplen - link.length,
                  std::max(header->len, header->caplen) - link.length,
                  link.ethertype, record.flags, &record))
    return record;
  const iptrk_frame frame{data + link.length, header->caplen - link.length,
                          std::max(header->len, header->caplen) - link.length,
                          link.ethertype};
  iptrk_record parsed = record;
  iptrk_parse(&frame, &parsed);
  if (link_type_ == DLT_RAW && link.ethertype == 0) {  // no version of IP
    parsed.ethertype = 0;
    parsed.flags |= IPTRK_MALFORMED;
  }
  if (!(parsed.flags & (IPTRK_IPV4 | IPTRK_IPV6))) {
    std::memcpy(parsed.src, record.src, sizeof parsed.src);
    std::memcpy(parsed.dst, record.dst, sizeof parsed.dst);
  }
  return parsed;
}

double Capture::Progress() const {
  std::FILE* file = pcap_file(file_.get());
  if (!file || size_ == 0) return 0;
  // It may have grown meanwhile.
  return std::min(
      1.0, static_cast<double>(std::ftell(file)) / static_cast<double>(size_));
}

}  // namespace iptrk
