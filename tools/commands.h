// SPDX-License-Identifier: GPL-2.0-only
// The subcommands of `iptrk`, one function and one file each.
//
// Each adds itself to `app` with its options and help text; its callback runs
// after parsing and leaves the exit code in `context`: 0 done, 1 found
// something or failed (with a line on stderr), 2 wrong usage.
#ifndef IPTRK_TOOLS_COMMANDS_H_
#define IPTRK_TOOLS_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "lib/config.h"

namespace iptrk {

struct CommandContext {
  std::string config_path = kDefaultConfigPath;  // --config
  bool config_given = false;  // a default that is missing is no error
  int exit_code = 0;

  // The configuration, or nothing after its errors went to stderr and
  // exit_code was set. A missing default file gives the defaults.
  std::optional<Config> LoadConfigOrComplain();
};

void AddCheckCommand(CLI::App& app, CommandContext& context);
void AddGraphCommand(CLI::App& app, CommandContext& context);
void AddIncidentsCommand(CLI::App& app, CommandContext& context);
void AddPagesCommand(CLI::App& app, CommandContext& context);
void AddReplayCommand(CLI::App& app, CommandContext& context);
void AddReportCommand(CLI::App& app, CommandContext& context);
void AddStatusCommand(CLI::App& app, CommandContext& context);
void AddStreamCommand(CLI::App& app, CommandContext& context);
void AddTopCommand(CLI::App& app, CommandContext& context);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_COMMANDS_H_
