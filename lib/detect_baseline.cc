// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_baseline.h"

#include <cstring>
#include <type_traits>

namespace iptrk {
namespace {

// Of this machine and version alone; it is read by nobody else.
constexpr std::uint32_t kFormat = 3;
constexpr std::uint32_t kKeepFor = 30 * 86400;  // seconds, unseen
struct Saved {
  std::uint64_t high, low;
  HostUsual usual;
};
static_assert(std::is_trivially_copyable_v<Saved>);

}  // namespace

void Baselines::Begin(Entry& entry, Address address) {
  entry = {address, {}};
  const auto known = restored_.find(address);
  if (known == restored_.end()) return;
  entry.usual = known->second;
  restored_.erase(known);
}

std::string Baselines::Save(const HostTable& hosts, std::uint32_t now) const {
  std::string bytes(reinterpret_cast<const char*>(&kFormat), sizeof kFormat);
  const auto add = [&](Address address, const HostUsual& usual) {
    if (!usual.KnowsRates() || !usual.IsUsed()) return;
    if (now > usual.last_seen && now - usual.last_seen > kKeepFor) return;
    Saved saved;
    std::memset(static_cast<void*>(&saved), 0, sizeof saved);
    saved.high = address.high;
    saved.low = address.low;
    saved.usual = usual;
    bytes.append(reinterpret_cast<const char*>(&saved), sizeof saved);
  };
  hosts.ForEach([&](const Host& host) {
    if (host.number < usual_.size() &&
        usual_[host.number].address == host.address)
      add(host.address, usual_[host.number].usual);
  });
  for (const auto& [address, usual] : restored_) add(address, usual);
  return bytes;
}

bool Baselines::Restore(const std::string& bytes) {
  std::uint32_t format = 0;
  if (bytes.size() < sizeof format ||
      (bytes.size() - sizeof format) % sizeof(Saved) != 0)
    return false;
  std::memcpy(&format, bytes.data(), sizeof format);
  if (format != kFormat) return false;
  for (std::size_t at = sizeof format; at < bytes.size(); at += sizeof(Saved)) {
    Saved one;
    std::memcpy(static_cast<void*>(&one), bytes.data() + at, sizeof one);
    restored_[{one.high, one.low}] = one.usual;
  }
  return true;
}

}  // namespace iptrk
