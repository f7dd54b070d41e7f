// SPDX-License-Identifier: GPL-2.0-only
// An IP address of either family, and a prefix of addresses.
//
// IPv4 is kept as IPv4-mapped IPv6 (::ffff:a.b.c.d), as the kernel's records
// carry it, so that one 128-bit value stands for both families everywhere.
#ifndef IPTRK_LIB_ADDRESS_H_
#define IPTRK_LIB_ADDRESS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace iptrk {

struct Address {
  std::uint64_t high = 0;  // host byte order, so that <=> is numeric order
  std::uint64_t low = 0;

  // From the 16 bytes, network order, of a record or an in6_addr.
  static Address FromBytes(const std::uint8_t* bytes) {
    Address a;
    std::memcpy(&a.high, bytes, 8);
    std::memcpy(&a.low, bytes + 8, 8);
    a.high = __builtin_bswap64(a.high);
    a.low = __builtin_bswap64(a.low);
    return a;
  }
  void ToBytes(std::uint8_t* bytes) const {
    const std::uint64_t words[] = {__builtin_bswap64(high),
                                   __builtin_bswap64(low)};
    std::memcpy(bytes, words, sizeof words);
  }
  static constexpr Address FromIpv4(std::uint32_t host_order) {
    return {0, (std::uint64_t{0xffff} << 32) | host_order};
  }
  // "10.1.0.80" or "2001:db8::1"; nothing else, no names.
  static std::optional<Address> Parse(std::string_view text);

  constexpr bool IsIpv4() const { return high == 0 && low >> 32 == 0xffff; }
  constexpr bool IsZero() const {
    return high == 0 && (low == 0 || low == std::uint64_t{0xffff} << 32);
  }
  constexpr std::uint32_t Ipv4() const {
    return static_cast<std::uint32_t>(low);
  }
  // Dotted quad, or the compressed form of RFC 5952.
  std::string ToString() const;

  friend constexpr auto operator<=>(const Address&, const Address&) = default;
};

// All addresses that share the first `length` bits; length counts in the
// 128-bit form, so IPv4's /24 is 120 here. Text uses the family's own length.
struct Prefix {
  Address first;  // the host bits are zero
  int length = 128;

  // "10.1.0.0/24", "2001:db8::/32", or an address alone. Host bits that are
  // set, or a length out of range, are no prefix.
  static std::optional<Prefix> Parse(std::string_view text);
  // The prefix of `length` (128-bit form) that holds `address`.
  static Prefix Of(Address address, int length);

  Address Last() const;
  bool IsIpv4() const { return first.IsIpv4() && length >= 96; }
  int FamilyLength() const { return IsIpv4() ? length - 96 : length; }
  bool Contains(Address a) const { return Of(a, length).first == first; }
  std::string ToString() const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

// A fast, well-mixing hash for tables keyed by address. Not for use where an
// attacker's collisions must be impossible; see FlatMap for its seed.
inline std::size_t HashAddress(Address a, std::uint64_t seed) {
  const unsigned __int128 product =
      static_cast<unsigned __int128>(a.low ^ seed ^ 0x9e3779b97f4a7c15u) *
      (a.high ^ 0xd6e8feb86659fd93u ^ (seed << 1));
  return static_cast<std::size_t>(static_cast<std::uint64_t>(product) ^
                                  static_cast<std::uint64_t>(product >> 64));
}

}  // namespace iptrk

#endif  // IPTRK_LIB_ADDRESS_H_
