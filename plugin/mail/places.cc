// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/places.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace iptrk::mail {
namespace {

// "10.1.0.216" or "10.1.0.0/24".
std::optional<Prefix> SubjectOf(const Event& event) {
  return Prefix::Parse(event.Meta("subject"));
}

// The longest prefix around `inner`; "" if there is none.
std::string Around(const Prefix& inner, const std::vector<Prefix>& prefixes) {
  const Prefix* found = nullptr;
  for (const Prefix& prefix : prefixes) {
    if (prefix.length <= inner.length && prefix.Contains(inner.first) &&
        (found == nullptr || prefix.length > found->length)) {
      found = &prefix;
    }
  }
  return found == nullptr ? "" : found->ToString();
}

// The group of all of `inner`, as an index; -1 when it is of none, or of more
// than one: then what is known of it is not for either alone.
template <typename Group>
int GroupOf(const Prefix& inner, const std::vector<Group>& groups,
            const PrefixMap<int>& map) {
  const int index = map.Find(inner.first);
  if (index < 0) return -1;
  if (Around(inner, groups[static_cast<std::size_t>(index)].prefixes).empty()) {
    return -1;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (static_cast<int>(i) == index) continue;
    for (const Prefix& other : groups[i].prefixes) {
      if (other.length > inner.length && inner.Contains(other.first)) return -1;
    }
  }
  return index;
}

}  // namespace

Places::Places(const Config& config)
    : networks_(config.networks),
      customers_(config.customers),
      network_of_(MapPrefixes(networks_)),
      customer_of_(MapPrefixes(customers_)) {}

void Places::Complete(Event& event) const {
  if (!event.IsIncident()) return;
  const std::optional<Prefix> subject = SubjectOf(event);
  if (!subject) return;
  const auto add = [&event](const char* name, const auto& groups, int index) {
    if (index < 0 || !event.Meta(name).empty()) return;
    event.meta[name] = groups[static_cast<std::size_t>(index)].name;
  };
  add("network", networks_, GroupOf(*subject, networks_, network_of_));
  add("customer", customers_, GroupOf(*subject, customers_, customer_of_));
}

std::optional<PictureSubject> Places::PictureFor(
    const Letter& letter, const Audience& audience) const {
  for (const Entry& entry : letter.entries) {
    if (!entry.event.IsIncident()) continue;
    const std::string network(entry.event.Meta("network"));
    const std::optional<Prefix> subject = SubjectOf(entry.event);
    if (network.empty() || !subject || !subject->IsIpv4()) continue;
    std::string prefix;
    if (audience.IsOfCustomers()) {
      // A row of eight bars is no picture.
      constexpr int kLongest = 96 + 28;
      for (const Customer& customer : customers_) {
        if (customer.name == entry.event.Meta("customer")) {
          prefix = Around(*subject, customer.prefixes);
        }
      }
      const std::optional<Prefix> shown = Prefix::Parse(prefix);
      // Nor is one with the hosts of another customer his.
      if (!shown || shown->length > kLongest ||
          GroupOf(*shown, customers_, customer_of_) < 0)
        continue;
    } else {
      for (const Network& one : networks_) {
        if (one.name == network) prefix = Around(*subject, one.prefixes);
      }
    }
    return PictureSubject{network, prefix};
  }
  return std::nullopt;
}

}  // namespace iptrk::mail
