// SPDX-License-Identifier: GPL-2.0-only
#include "lib/host_block.h"

#include <zlib.h>

#include <array>
#include <cstddef>

namespace iptrk {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr int kIpv4Bits = 96 + 24;
constexpr int kIpv6Bits = 64;
constexpr std::size_t kIpv4KeyAt = 12;  // of an IPv4-mapped address's bytes
constexpr std::size_t kCounters =
    std::size_t{HostVolume::kByteKinds} + HostVolume::kPacketKinds;
// No zlib stream is denser, so that damage can't ask for all memory.
constexpr std::uint64_t kDensest = 1032;

// The i-th counter of a HostVolume, const or not: bytes first.
template <typename Volume>
auto& Counter(Volume& volume, std::size_t i) {
  return i < HostVolume::kByteKinds
             ? volume.bytes[i]
             : volume.packets[i - HostVolume::kByteKinds];
}

void Put(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  bytes += static_cast<char>(value);
}

// Takes an integer off the front; false when there is none.
bool Take(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::optional<std::string> Inflate(std::string_view value) {
  if (value.empty() || static_cast<std::uint8_t>(value.front()) != kVersion)
    return std::nullopt;
  value.remove_prefix(1);
  std::uint64_t length = 0;
  if (!Take(value, length) || length > value.size() * kDensest)
    return std::nullopt;
  std::string bytes(length, '\0');
  auto inflated = static_cast<uLongf>(length);
  const int code =
      uncompress(reinterpret_cast<Bytef*>(bytes.data()), &inflated,
                 reinterpret_cast<const Bytef*>(value.data()), value.size());
  if (code != Z_OK || inflated != length) return std::nullopt;
  return bytes;
}

std::uint64_t Suffix(Address address) {
  return address.IsIpv4() ? address.low & 0xff : address.low;
}

}  // namespace

std::string BlockKey(Address address) {
  std::array<std::uint8_t, 16> bytes{};
  address.ToBytes(bytes.data());
  const auto* first = reinterpret_cast<const char*>(bytes.data());
  return address.IsIpv4() ? std::string(first + kIpv4KeyAt, 3)
                          : std::string(first, kIpv6Bits / 8);
}

std::optional<Prefix> BlockPrefix(std::string_view key) {
  std::array<std::uint8_t, 16> bytes{};
  if (key.size() == 3) {
    Address::FromIpv4(0).ToBytes(bytes.data());
    key.copy(reinterpret_cast<char*>(bytes.data()) + kIpv4KeyAt, 3);
    return Prefix{Address::FromBytes(bytes.data()), kIpv4Bits};
  }
  if (key.size() != kIpv6Bits / 8) return std::nullopt;
  key.copy(reinterpret_cast<char*>(bytes.data()), key.size());
  return Prefix{Address::FromBytes(bytes.data()), kIpv6Bits};
}

std::string EncodeHosts(std::span<const HostEntry> hosts) {
  std::string bytes;
  Put(bytes, hosts.size());
  std::uint64_t before = 0;
  for (const HostEntry& host : hosts) {
    const std::uint64_t suffix = Suffix(host.address);
    Put(bytes, suffix - before);
    before = suffix;
  }
  for (const HostEntry& host : hosts) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kCounters; ++i)
      if (Counter(host.volume, i) != 0) mask |= std::uint64_t{1} << i;
    Put(bytes, mask);
  }
  for (std::size_t i = 0; i < kCounters; ++i)
    for (const HostEntry& host : hosts)
      if (const std::uint64_t count = Counter(host.volume, i); count != 0)
        Put(bytes, count);

  std::string value(1, static_cast<char>(kVersion));
  Put(value, bytes.size());
  const std::size_t header = value.size();
  auto length = compressBound(static_cast<uLong>(bytes.size()));
  value.resize(header + length);
  compress2(reinterpret_cast<Bytef*>(value.data() + header), &length,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(),
            Z_DEFAULT_COMPRESSION);
  value.resize(header + length);
  return value;
}

std::optional<std::vector<HostEntry>> DecodeHosts(std::string_view key,
                                                  std::string_view value) {
  const auto prefix = BlockPrefix(key);
  const auto inflated = Inflate(value);
  if (!prefix || !inflated) return std::nullopt;
  std::string_view bytes = *inflated;
  std::uint64_t count = 0;
  // Each host takes at least two bytes.
  if (!Take(bytes, count) || count > bytes.size() / 2) return std::nullopt;
  std::vector<HostEntry> hosts(count);
  std::uint64_t suffix = 0;
  std::uint64_t step = 0;
  for (HostEntry& host : hosts) {
    if (!Take(bytes, step)) return std::nullopt;
    suffix += step;
    host.address = prefix->first;
    host.address.low |= suffix;
    if (!prefix->Contains(host.address)) return std::nullopt;
  }
  std::vector<std::uint64_t> masks(count);
  for (std::uint64_t& mask : masks)
    if (!Take(bytes, mask) || mask >> kCounters) return std::nullopt;
  for (std::size_t i = 0; i < kCounters; ++i)
    for (std::size_t h = 0; h < count; ++h)
      if (masks[h] >> i & 1 && !Take(bytes, Counter(hosts[h].volume, i)))
        return std::nullopt;
  if (!bytes.empty()) return std::nullopt;
  return hosts;
}

}  // namespace iptrk
