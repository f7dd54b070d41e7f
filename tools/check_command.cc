// SPDX-License-Identifier: GPL-2.0-only
// iptrk check: is the configuration right, and what does it say?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/commands.h"

namespace iptrk {
namespace {

void CheckText(const Config& config, const std::string& path) {
  fmt::print("{}: ok\n", path);
  if (config.networks.empty())
    fmt::print("  networks: none given; connected prefixes are ours\n");
  for (const Network& network : config.networks) {
    fmt::print("  network {}:", network.name);
    for (const Prefix& prefix : network.prefixes)
      fmt::print(" {}", prefix.ToString());
    fmt::print("\n");
  }
  fmt::print("  services:");
  for (const Service& service : config.services)
    fmt::print(" {}", service.name);
  fmt::print("\n");
  if (config.detect.packets.enabled)
    fmt::print("  incident: a host with more than {:.0f} packets/s\n",
               config.detect.packets.limit);
  if (config.mail.enabled)
    fmt::print("  mail: to {} by {}:{}\n", fmt::join(config.mail.to, ", "),
               config.mail.server, config.mail.port);
  else
    fmt::print("  mail: none; [mail] names nobody in 'to'\n");
}

int CheckJson(const ConfigResult& result) {
  auto errors = nlohmann::json::array();
  for (const ConfigError& error : result.errors)
    errors.push_back({{"file", error.file},
                      {"line", error.line},
                      {"column", error.column},
                      {"message", error.message}});
  fmt::print("{}\n",
             nlohmann::json{{"ok", result.ok()}, {"errors", errors}}.dump(2));
  return result.ok() ? 0 : 1;
}

}  // namespace

void AddCheckCommand(CLI::App& app, CommandContext& context) {
  CLI::App* check =
      app.add_subcommand("check", "say whether the configuration is right");
  auto json = std::make_shared<bool>(false);
  check->add_flag("--json", *json, "for machines");
  check->callback([&context, json] {
    if (*json) {
      context.exit_code = CheckJson(LoadConfig(context.config_path));
    } else {
      // Unlike the others, `check` wants the file to be there.
      context.config_given = true;
      if (const auto config = context.LoadConfigOrComplain())
        CheckText(*config, context.config_path);
    }
  });
}

}  // namespace iptrk
