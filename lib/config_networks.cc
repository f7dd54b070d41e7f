// SPDX-License-Identifier: GPL-2.0-only
// The sections [networks.NAME] and [customers.NAME]: what is ours, and whose.
#include <absl/time/time.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "lib/config_sections.h"
#include "lib/host_index.h"
#include "lib/naming.h"

namespace iptrk {
namespace {

constexpr std::size_t kMostNamed = 5;  // networks in a message

// What is wrong with text that Prefix::Parse() refused.
std::string NoPrefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::Parse(text.substr(0, slash));
  int length = -1;
  if (address && slash != text.npos) {
    const char* end = text.data() + text.size();
    const auto [at, error] =
        std::from_chars(text.data() + slash + 1, end, length);
    if (error != std::errc{} || at != end) length = -1;
  }
  const int most = address && text.find(':') == text.npos ? 32 : 128;
  if (length >= 0 && length <= most)
    return fmt::format("'{}' has bits set behind its length; did you mean {}?",
                       text,
                       Prefix::Of(*address, length + 128 - most).ToString());
  return fmt::format(
      "'{}' is no prefix; write the first address and a length{}"
      ", such as 10.1.0.0/24 or 2001:db8:1::/48",
      Shown(text), address ? fmt::format(" from 0 to {}", most) : "");
}

// Which section has a prefix already.
using Owners = std::map<Prefix, std::string>;

// Reads `section`'s prefixes; `what` is "network" or "customer". Calls
// `each(prefix, node)` with those that are right.
template <typename Each>
void ReadPrefixes(const toml::table& section, const toml::key& key,
                  ConfigReader& reader, std::string_view what, Owners& owners,
                  Each each) {
  const std::string name(key.str());
  const toml::array* list = reader.Strings(
      section, "prefixes",
      [&](const std::string& text, const toml::node& node) {
        const auto prefix = Prefix::Parse(text);
        if (!prefix) {
          reader.Fault(node, NoPrefix(text));
          return;
        }
        const auto [other, is_new] = owners.try_emplace(*prefix, name);
        if (is_new)
          each(*prefix, node);
        else if (other->second == name)
          reader.Fault(node, fmt::format("{} is in {} {} twice; take one out",
                                         text, what, name));
        else
          reader.Fault(node, fmt::format("{} is in {} {} already; it can't be "
                                         "in {} too",
                                         text, what, other->second, name));
      });
  if (!section.get("prefixes") || (list && list->empty()))
    reader.Fault(key, fmt::format("{} {} has no prefixes; write such as "
                                  "prefixes = [\"10.1.0.0/24\"]",
                                  what, name));
}

// The table of [networks.NAME] or [customers.NAME].
const toml::table* NamedSection(const toml::key& key, const toml::node& node,
                                ConfigReader& reader, std::string_view group,
                                std::string_view what) {
  if (!reader.Name(key, what)) return nullptr;
  if (const toml::table* section = node.as_table()) {
    reader.OnlyKeys(*section, fmt::format("{}.NAME", group),
                    fmt::format("{}.{}", group, key.str()));
    return section;
  }
  reader.Fault(key, fmt::format("every {} has a section; write [{}.{}] and "
                                "below it prefixes = [\"10.1.0.0/24\"]",
                                what, group, key.str()));
  return nullptr;
}

template <typename Named>
void SortByName(std::vector<Named>& list) {
  std::sort(list.begin(), list.end(),
            [](const Named& a, const Named& b) { return a.name < b.name; });
}

bool Within(const Prefix& inner, const Prefix& outer) {
  return inner.length >= outer.length && outer.Contains(inner.first);
}

// The network whose prefix is the longest one around `prefix`, or nullptr.
const Network* NetworkAround(const Prefix& prefix, const Config& config) {
  const Network* found = nullptr;
  int length = -1;
  for (const Network& network : config.networks)
    for (const Prefix& outer : network.prefixes)
      if (outer.length > length && Within(prefix, outer)) {
        found = &network;
        length = outer.length;
      }
  return found;
}

bool TouchesNetworks(const Prefix& prefix, const Config& config) {
  for (const Network& network : config.networks)
    for (const Prefix& other : network.prefixes)
      if (Within(prefix, other) || Within(other, prefix)) return true;
  return false;
}

std::string NamesOf(const std::vector<Network>& networks) {
  std::vector<std::string_view> names;
  for (const Network& network : networks) {
    if (names.size() == kMostNamed) {
      names.push_back("…");
      break;
    }
    names.push_back(network.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

const Network& NamedNetwork(const Config& config, std::string_view name) {
  return *std::ranges::find(config.networks, name, &Network::name);
}

bool IsTooLong(const Prefix& prefix, const Network& network) {
  return !prefix.IsIpv4() && prefix.length > network.ipv6_prefix;
}

// Names a file of zoneinfo and nothing beside it; "localtime" differs from
// machine to machine, and so would the bill.
bool IsZone(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 64 &&
                     std::isalpha(static_cast<unsigned char>(name[0])) &&
                     name.find("..") == name.npos && name != "localtime" &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) || std::string_view("/_+-").find(
                                                     static_cast<char>(c)) !=
                                                     std::string_view::npos;
                     });
  absl::TimeZone zone;
  return plain && absl::LoadTimeZone(name, &zone);
}

void ReadTimezone(const toml::table& section, ConfigReader& reader,
                  std::string& timezone) {
  std::string name;
  const toml::node* node = reader.String(section, "timezone", name);
  if (!node) return;
  constexpr char kExample[] = "Europe/Berlin";
  if (IsZone(name))
    timezone = name;
  else if (!IsZone(kExample))
    reader.Fault(*node, fmt::format("'{}' can't be looked up: no time zones "
                                    "are installed; install Debian's tzdata, "
                                    "or write \"UTC\"",
                                    Shown(name)));
  else
    reader.Fault(*node, fmt::format("'{}' is no time zone; write one of "
                                    "timedatectl list-timezones, such as "
                                    "\"{}\" or \"UTC\"",
                                    Shown(name), kExample));
}

}  // namespace

void ReadNetworks(const toml::table& root, ConfigReader& reader,
                  Config& config) {
  const toml::table* table = reader.Table(root, "networks", "networks.NAME");
  if (!table) return;
  Owners owners;
  std::vector<std::pair<Prefix, const toml::node*>> places;
  for (const auto& [key, node] : *table) {
    if (key.str() == kAllNetworks || key.str() == kQueueInstance ||
        key.str().starts_with(kInterfacePrefix)) {
      reader.Fault(key, fmt::format("'{}' is a name of iptrk's own; choose "
                                    "another",
                                    Shown(key.str())));
      continue;
    }
    const toml::table* section =
        NamedSection(key, node, reader, "networks", "network");
    if (!section) continue;
    Network network;
    network.name = key.str();
    reader.Number(*section, "ipv6_prefix", 16, 128, network.ipv6_prefix);
    ReadPrefixes(*section, key, reader, "network", owners,
                 [&](const Prefix& prefix, const toml::node& place) {
                   if (IsTooLong(prefix, network))
                     reader.Fault(
                         place,
                         fmt::format("{} is smaller than one IPv6 host of this "
                                     "network, which is a /{}; write a shorter "
                                     "prefix or ipv6_prefix = {}",
                                     prefix.ToString(), network.ipv6_prefix,
                                     prefix.length));
                   network.prefixes.push_back(prefix);
                   places.emplace_back(prefix, &place);
                 });
    config.networks.push_back(std::move(network));
    if (config.networks.size() == HostRef::kMostNetworks + 1)
      reader.Fault(key, fmt::format("'{}' is one network more than the {} that "
                                    "there can be",
                                    Shown(key.str()), HostRef::kMostNetworks));
  }
  SortByName(config.networks);

  // Nesting is decided by longest match, but may be a slip. A part of one host
  // can't be of another network: hosts are told apart by their addresses.
  std::map<Prefix, const toml::node*> sorted(places.begin(), places.end());
  std::vector<Prefix> open;  // around the present one, outermost first
  for (const auto& [prefix, place] : sorted) {
    while (!open.empty() && !Within(prefix, open.back())) open.pop_back();
    for (const Prefix& around : open)
      if (const Network& outer = NamedNetwork(config, owners[around]);
          owners[around] != owners[prefix] && IsTooLong(prefix, outer))
        reader.Fault(*place,
                     fmt::format("{} is smaller than one IPv6 host of network "
                                 "{} around it, which is a /{}; write "
                                 "ipv6_prefix = {} there, or a shorter prefix",
                                 prefix.ToString(), outer.name,
                                 outer.ipv6_prefix, prefix.length));
    if (!open.empty() && owners[open.back()] != owners[prefix])
      reader.Warn(*place, fmt::format("{} lies in {} of network {}; it counts "
                                      "for network {} alone",
                                      prefix.ToString(), open.back().ToString(),
                                      owners[open.back()], owners[prefix]));
    open.push_back(prefix);
  }
}

void ReadCustomers(const toml::table& root, ConfigReader& reader,
                   Config& config) {
  const toml::table* table = reader.Table(root, "customers", "customers.NAME");
  if (!table) return;
  Owners owners;
  for (const auto& [key, node] : *table) {
    const toml::table* section =
        NamedSection(key, node, reader, "customers", "customer");
    if (!section) continue;
    Customer customer;
    customer.name = key.str();
    ReadTimezone(*section, reader, customer.timezone);
    reader.Word(*section, "convention", kConventions, customer.convention);
    ReadPrefixes(
        *section, key, reader, "customer", owners,
        [&](const Prefix& prefix, const toml::node& place) {
          customer.prefixes.push_back(prefix);
          if (config.networks.empty()) return;
          if (!TouchesNetworks(prefix, config))
            reader.Fault(
                place,
                fmt::format("{} lies in no network, so nothing would "
                            "be counted for it; the networks are {}",
                            prefix.ToString(), NamesOf(config.networks)));
          else if (const Network* network = NetworkAround(prefix, config);
                   network && IsTooLong(prefix, *network))
            reader.Fault(place,
                         fmt::format("{} is smaller than one IPv6 host of "
                                     "network {}, which is a /{}; write a "
                                     "shorter prefix or a longer ipv6_prefix "
                                     "there",
                                     prefix.ToString(), network->name,
                                     network->ipv6_prefix));
        });
    config.customers.push_back(std::move(customer));
  }
  SortByName(config.customers);
}

}  // namespace iptrk
