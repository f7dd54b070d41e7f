// SPDX-License-Identifier: GPL-2.0-only
#include "lib/address.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace iptrk {
namespace {

constexpr int kBits = 128;
constexpr int kIpv4Offset = 96;  // where an IPv4 address starts in 128 bits

// Ones in the first `length` bits of a 64-bit half.
constexpr std::uint64_t HalfMask(int length) {
  if (length <= 0) return 0;
  if (length >= 64) return ~std::uint64_t{0};
  return ~std::uint64_t{0} << (64 - length);
}

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  const std::string copy(text);  // inet_pton wants a terminated string
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1)
    return FromBytes(bytes.data());
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1)
    return FromIpv4(ntohl(v4.s_addr));
  return std::nullopt;
}

std::string Address::ToString() const {
  char text[INET6_ADDRSTRLEN];
  if (IsIpv4()) {
    const in_addr v4{htonl(Ipv4())};
    inet_ntop(AF_INET, &v4, text, sizeof text);
  } else {
    const std::array<std::uint64_t, 2> bytes{__builtin_bswap64(high),
                                             __builtin_bswap64(low)};
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

Prefix Prefix::Of(Address address, int length) {
  return {
      {address.high & HalfMask(length), address.low & HalfMask(length - 64)},
      length};
}

Address Prefix::Last() const {
  return {first.high | ~HalfMask(length), first.low | ~HalfMask(length - 64)};
}

std::optional<Prefix> Prefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  int length = kBits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, length);
    const bool dotted = text.substr(0, slash).find(':') == text.npos;
    if (error != std::errc{} || at != end || length < 0 ||
        length > (dotted ? 32 : kBits))
      return std::nullopt;
    if (dotted) length += kIpv4Offset;
  }
  const Prefix prefix = Of(*address, length);
  if (prefix.first != *address) return std::nullopt;
  return prefix;
}

std::string Prefix::ToString() const {
  return first.ToString() + "/" + std::to_string(FamilyLength());
}

}  // namespace iptrk
