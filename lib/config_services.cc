// SPDX-License-Identifier: GPL-2.0-only
// The section [services]: which ports and protocols are counted as what.
#include <charconv>
#include <map>
#include <optional>
#include <tuple>

#include "lib/config_sections.h"
#include "lib/protocol.h"

namespace iptrk {
namespace {

constexpr std::size_t kMostServices = 1000;  // each one has RRDs a network

// "tcp/80", "udp/443", "icmp", "47".
std::optional<ServicePort> ParseServicePort(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto protocol = ProtocolOfName(text.substr(0, slash));
  if (!protocol) return std::nullopt;
  ServicePort result{*protocol, 0};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, result.port);
    if (error != std::errc{} || at != end || result.port == 0 ||
        !HasPorts(*protocol))
      return std::nullopt;
  }
  return result;
}

bool IsRest(std::string_view name) {
  return name == "other" || name == "other-tcp" || name == "other-udp";
}

}  // namespace

std::vector<Service> DefaultServices() {
  constexpr std::uint8_t kTcp = IPPROTO_TCP, kUdp = IPPROTO_UDP;
  return {{"web", {{kTcp, 80}, {kTcp, 443}, {kUdp, 443}, {kTcp, 8080}}},
          {"dns", {{kUdp, 53}, {kTcp, 53}, {kTcp, 853}}},
          {"mail",
           {{kTcp, 25},
            {kTcp, 465},
            {kTcp, 587},
            {kTcp, 143},
            {kTcp, 993},
            {kTcp, 110},
            {kTcp, 995}}},
          {"ssh", {{kTcp, 22}}},
          {"file",
           {{kTcp, 20},
            {kTcp, 21},
            {kTcp, 445},
            {kTcp, 139},
            {kTcp, 873},
            {kTcp, 2049},
            {kUdp, 2049}}},
          {"ntp", {{kUdp, 123}}},
          {"icmp", {{IPPROTO_ICMP, 0}, {IPPROTO_ICMPV6, 0}}}};
}

void ReadServices(const toml::table& root, ConfigReader& reader,
                  Config& config) {
  const toml::table* table = reader.Table(root, "services");
  if (!table) return;
  config.services.clear();
  if (table->empty())
    reader.Warn(*table,
                "[services] replaces the built-in list, and is empty: "
                "every port counts as other; take the line out, or "
                "add such as web = [\"tcp/80\", \"tcp/443\"]");
  if (table->size() > kMostServices)
    reader.Fault(*table, fmt::format("{} services; at most {} can be told "
                                     "apart",
                                     table->size(), kMostServices));
  std::map<std::pair<std::uint8_t, std::uint16_t>, std::string> taken;
  for (const auto& [key, node] : *table) {
    if (!reader.Name(key, "service")) continue;
    if (IsRest(key.str())) {
      reader.Fault(key, fmt::format("'{}' is what no service has; choose "
                                    "another name",
                                    key.str()));
      continue;
    }
    Service service{std::string(key.str()), {}};
    const toml::array* list = reader.Strings(
        *table, key.str(),
        [&](const std::string& text, const toml::node& element) {
          const auto port = ParseServicePort(text);
          if (!port) {
            reader.Fault(element, fmt::format("'{}' is no service port; write "
                                              "\"tcp/80\", \"udp/53\" or a "
                                              "protocol such as \"gre\"",
                                              Shown(text)));
            return;
          }
          const auto [other, is_new] =
              taken.try_emplace({port->protocol, port->port}, service.name);
          if (is_new)
            service.ports.push_back(*port);
          else if (other->second == service.name)
            reader.Fault(element, fmt::format("'{}' is in {} twice; take one "
                                              "out",
                                              text, service.name));
          else
            reader.Fault(element,
                         fmt::format("'{}' is in the services {} and {}; a "
                                     "packet counts as one of them, so take "
                                     "it out of the other",
                                     text, other->second, service.name));
        });
    if (list && list->empty())
      reader.Fault(*list, fmt::format("service {} has no ports; write such as "
                                      "{} = [\"tcp/80\"]",
                                      service.name, service.name));
    config.services.push_back(std::move(service));
  }
}

}  // namespace iptrk
