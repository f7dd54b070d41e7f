// SPDX-License-Identifier: GPL-2.0-only
// iptrk check: is the configuration right, and what does it say?
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/json_text.h"
#include "lib/protocol.h"
#include "tools/commands.h"

namespace iptrk {
namespace {

constexpr std::size_t kMostShown = 8;  // of a list, on one line

std::vector<std::string> InterfacesHere() {
  std::vector<std::string> names;
  if (struct if_nameindex* list = if_nameindex()) {
    for (const struct if_nameindex* at = list; at->if_name; ++at)
      names.emplace_back(at->if_name);
    if_freenameindex(list);
  }
  return names;
}

// "256", "1,048,576", "2^64": as many hosts as 2^`bits`.
std::string PowerOfTwo(int bits) {
  if (bits > 24) return fmt::format("2^{}", bits);
  std::string digits = std::to_string(1 << bits);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

// "a, b, c, … (12 in all)".
std::string Listed(const std::vector<std::string>& words) {
  if (words.size() <= kMostShown)
    return fmt::format("{}", fmt::join(words, ", "));
  return fmt::format("{}, … ({} in all)",
                     fmt::join(words.begin(), words.begin() + kMostShown, ", "),
                     words.size());
}

// "10.1.0.0/24: 256 addresses", "2001:db8::/48: 65,536 hosts, a /64 each".
std::string PrefixText(const Prefix& prefix, int ipv6_prefix) {
  const int host = prefix.IsIpv4() ? 128 : ipv6_prefix;
  const int bits = std::max(0, host - prefix.length);
  return host == 128
             ? fmt::format("{}: {} {}", prefix.ToString(), PowerOfTwo(bits),
                           bits ? "addresses" : "address")
             : fmt::format("{}: {} {}, a /{} each", prefix.ToString(),
                           PowerOfTwo(bits), bits ? "hosts" : "host", host);
}

std::string PortText(const ServicePort& port) {
  std::string text = ProtocolToString(port.protocol);
  if (port.port) text += fmt::format("/{}", port.port);
  return text;
}

void PrintNetworks(const Config& config) {
  if (config.networks.empty())
    fmt::print(
        "  networks: none given; the prefixes connected to this machine "
        "are ours\n");
  std::size_t shown = 0;
  for (const Network& network : config.networks) {
    if (++shown > kMostShown) {
      fmt::print("  … ({} networks in all)\n", config.networks.size());
      break;
    }
    std::vector<std::string> prefixes;
    for (const Prefix& prefix : network.prefixes)
      prefixes.push_back(PrefixText(prefix, network.ipv6_prefix));
    fmt::print("  network {}: {}\n", network.name, Listed(prefixes));
  }
}

void PrintCustomers(const Config& config) {
  if (config.customers.empty()) fmt::print("  customers: none\n");
  std::size_t shown = 0;
  for (const Customer& customer : config.customers) {
    if (++shown > kMostShown) {
      fmt::print("  … ({} customers in all)\n", config.customers.size());
      break;
    }
    std::vector<std::string> prefixes;
    for (const Prefix& prefix : customer.prefixes)
      prefixes.push_back(prefix.ToString());
    fmt::print("  customer {}: {}; billed by {}, months of {}\n", customer.name,
               Listed(prefixes), customer.convention, customer.timezone);
  }
}

std::string PrintedTime(int minutes) {
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

void PrintFilter(const std::string& whom, const MailFilter& filter) {
  const std::map<std::string_view, const char*> what = {
      {"failure", "failures"},
      {"warning", "warnings and failures"},
      {"okay", "everything"}};
  std::string text =
      fmt::format("  mail to {}: {}", whom, what.at(filter.severity));
  if (!filter.kinds.empty()) text += " of " + Listed(filter.kinds);
  if (!filter.networks.empty())
    text += " in the networks " + Listed(filter.networks);
  if (!filter.customers.empty())
    text += " at the customers " + Listed(filter.customers);
  if (filter.quiet)
    text += fmt::format(", not from {} to {}", PrintedTime(filter.quiet->from),
                        PrintedTime(filter.quiet->to));
  if (filter.daily_digest)
    text += fmt::format("; digest at {}", PrintedTime(*filter.daily_digest));
  fmt::print("{}\n", text);
}

void PrintMail(const MailConfig& mail) {
  if (!mail.enabled) {
    fmt::print(
        "  mail: none; [mail] names nobody in 'to', and no "
        "[mail.recipients.NAME]\n");
    return;
  }
  if (!mail.to.empty()) PrintFilter(Listed(mail.to), mail.filter);
  for (const MailRecipient& recipient : mail.recipients)
    PrintFilter(recipient.address, recipient.filter);
  fmt::print("  mail server: {}:{}{}, at most {} mails an hour to each\n",
             mail.server, mail.port, mail.tls == "none" ? "" : " with STARTTLS",
             mail.hourly_limit);
}

void PrintServices(const Config& config) {
  std::size_t shown = 0;
  for (const Service& service : config.services) {
    if (++shown > kMostShown) {
      fmt::print("  … ({} services in all)\n", config.services.size());
      break;
    }
    std::vector<std::string> ports;
    for (const ServicePort& port : service.ports)
      ports.push_back(PortText(port));
    fmt::print("  service {}: {}\n", service.name, Listed(ports));
  }
  fmt::print("  all else: other-tcp, other-udp, other\n");
}

void PrintWatched(const QueueConfig& queue) {
  fmt::print("  watched: {}{}\n",
             queue.interfaces.empty()
                 ? "every device with none below it, without lo"
                 : Listed(queue.interfaces),
             queue.promiscuous ? "; frames for others too" : "");
  if (!queue.inside.empty() || !queue.outside.empty())
    fmt::print("  inside: {}; outside: {}\n",
               queue.inside.empty() ? "none said" : Listed(queue.inside),
               queue.outside.empty() ? "none said" : Listed(queue.outside));
}

void PrintRest(const Config& config) {
  const CollectdConfig& collectd = config.collectd;
  fmt::print("  collectd: networks and services every {} s, hosts every {} s\n",
             collectd.interval, collectd.host_interval);
  std::vector<std::string> on, off;
  for (std::size_t i = 0; i < kIncidentKinds; ++i)
    (config.detect.rules[i].enabled ? on : off)
        .emplace_back(kIncidentKindNames[i]);
  fmt::print("  incidents: {}{}\n", on.empty() ? "none" : Listed(on),
             off.empty() ? "" : "; switched off: " + Listed(off));
  const std::map<PeerPrivacy, const char*> kept = {
      {PeerPrivacy::kFull, "with their whole addresses"},
      {PeerPrivacy::kPrefix, "as /24 or /48"},
      {PeerPrivacy::kNone, "not at all"}};
  fmt::print("  remote hosts: kept in incidents {}\n",
             kept.at(config.privacy.peers));
  PrintMail(config.mail);
  const LedgerConfig& ledger = config.ledger;
  if (ledger.path.empty())
    fmt::print("  ledger: none, so nothing can be billed\n");
  else
    fmt::print(
        "  ledger: {}; customers {} days, hosts {} days by 5 minutes, "
        "{} by the hour, {} by the day\n",
        ledger.path, ledger.keep_slots, ledger.keep_host_slots,
        ledger.keep_host_hours, ledger.keep_host_days);
}

int CheckText(const ConfigResult& result, const std::string& path) {
  for (const ConfigError& warning : result.warnings)
    fmt::print(stderr, "{} (a warning)\n", warning.ToString());
  for (const ConfigError& error : result.errors)
    fmt::print(stderr, "{}\n", error.ToString());
  if (!result.ok()) return 1;
  fmt::print("{}: ok\n", path);
  PrintWatched(result.config.queue);
  PrintNetworks(result.config);
  PrintCustomers(result.config);
  PrintServices(result.config);
  PrintRest(result.config);
  return 0;
}

// One array of everything found; what isn't an error is a warning.
int CheckJson(const ConfigResult& result) {
  auto found = nlohmann::json::array();
  const auto add = [&](const std::vector<ConfigError>& list,
                       const char* severity) {
    for (const ConfigError& one : list)
      found.push_back({{"severity", severity},
                       {"file", one.file},
                       {"line", one.line},
                       {"column", one.column},
                       {"message", one.message}});
  };
  add(result.errors, "error");
  add(result.warnings, "warning");
  fmt::print("{}\n", JsonText(found, 2));
  return result.ok() ? 0 : 1;
}

}  // namespace

void AddCheckCommand(CLI::App& app, CommandContext& context) {
  CLI::App* check =
      app.add_subcommand("check", "say whether the configuration is right");
  auto json = std::make_shared<bool>(false);
  check->add_flag("--json", *json,
                  "what is wrong as an array of {severity, file, line, column, "
                  "message}");
  // Unlike the others, `check` wants the file to be there.
  check->callback([&context, json] {
    const std::vector<std::string> interfaces = InterfacesHere();
    const ConfigResult result = LoadConfig(context.config_path, &interfaces);
    context.exit_code =
        *json ? CheckJson(result) : CheckText(result, context.config_path);
  });
}

}  // namespace iptrk
