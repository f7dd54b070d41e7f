// SPDX-License-Identifier: GPL-2.0-only
// The `iptrk` command: options common to all subcommands, and their list.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tools/commands.h"

namespace iptrk {

std::optional<Config> CommandContext::LoadConfigOrComplain() {
  ConfigResult result = LoadConfigOrDefaults(config_path, config_given);
  for (const ConfigError& error : result.errors)
    fmt::print(stderr, "{}\n", error.ToString());
  if (result.ok()) return std::move(result.config);
  exit_code = 1;
  return std::nullopt;
}

}  // namespace iptrk

namespace {

// Whether all that was printed was written. A reader that ends first is fine.
bool FlushOrComplain() {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return true;
  if (errno == EPIPE) return true;
  fmt::print(stderr, "iptrk: standard output: {}\n",
             errno ? std::strerror(errno) : "not all could be written");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What every packet of our networks adds up to.", "iptrk"};
  iptrk::CommandContext context;
  CLI::Option* config =
      app.add_option("-c,--config", context.config_path, "configuration file")
          ->capture_default_str();
  app.set_version_flag("--version", std::string("iptrk ") + IPTRK_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.parse_complete_callback(
      [&] { context.config_given = config->count() > 0; });
  iptrk::AddCheckCommand(app, context);
  iptrk::AddGraphCommand(app, context);
  iptrk::AddIncidentsCommand(app, context);
  iptrk::AddPagesCommand(app, context);
  iptrk::AddReplayCommand(app, context);
  iptrk::AddReportCommand(app, context);
  iptrk::AddStatusCommand(app, context);
  iptrk::AddStreamCommand(app, context);
  iptrk::AddTopCommand(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    context.exit_code = app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "iptrk: {}\n", error.what());
    return 1;
  }
  if (context.exit_code == 0 && !FlushOrComplain()) return 1;
  return context.exit_code;
}
