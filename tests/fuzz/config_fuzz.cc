// SPDX-License-Identifier: GPL-2.0-only
// libFuzzer's target for the configuration: whatever the file holds, each
// fault has a place in it and can be shown, and without faults the values are
// what lib/config.h promises.
// toml++ is compiled in here: its branches guide the fuzzer, and it asserts.
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "lib/config.h"

namespace {

using iptrk::Config;
using iptrk::ConfigError;

void Must(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

void CheckFaults(const std::vector<ConfigError>& faults, std::size_t lines) {
  unsigned last = 1;
  for (const ConfigError& fault : faults) {
    Must(fault.line >= last, "faults are in the order of their lines");
    Must(fault.line <= lines, "the line of a fault is in the file");
    Must(fault.column >= 1, "a fault has a column");
    Must(!fault.message.empty() && fault.message.size() < 1000,
         "a message is a line to be read");
    Must(std::none_of(fault.message.begin(), fault.message.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
         "a message has no control characters");
    last = fault.line;
  }
}

void CheckConfig(const Config& config) {
  const auto& collectd = config.collectd;
  Must(collectd.interval >= 1 && 300 % collectd.host_interval == 0 &&
           collectd.host_interval % collectd.interval == 0,
       "intervals fit the ledger");
  Must((config.queue.records & (config.queue.records - 1)) == 0,
       "records is a power of two");
  const auto by_name = [](const auto& a, const auto& b) {
    return a.name < b.name;
  };
  Must(std::is_sorted(config.networks.begin(), config.networks.end(), by_name),
       "networks are sorted");
  Must(
      std::is_sorted(config.customers.begin(), config.customers.end(), by_name),
      "customers are sorted");
  for (const auto& network : config.networks)
    for (const auto& prefix : network.prefixes)
      Must(prefix.IsIpv4() || prefix.length <= network.ipv6_prefix,
           "no network's prefix is smaller than a host");
  for (const auto& customer : config.customers)
    Must(!customer.prefixes.empty() && !customer.timezone.empty() &&
             std::count(iptrk::kConventions.begin(), iptrk::kConventions.end(),
                        customer.convention),
         "a customer can be billed");
  for (const auto& service : config.services)
    Must(!service.ports.empty(), "a service has ports");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto lines =
      static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n') + 1);
  const std::vector<std::string> interfaces = {"lo", "eth0"};
  const iptrk::ConfigResult result =
      iptrk::ParseConfig(text, "iptrk.toml", &interfaces);
  CheckFaults(result.errors, lines);
  CheckFaults(result.warnings, lines);
  if (result.ok()) CheckConfig(result.config);
  return 0;
}
