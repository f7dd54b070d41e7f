// SPDX-License-Identifier: GPL-2.0-only
// What the console says without a screen: JSON, lines, the summary at the end.
#ifndef IPTRK_TOOLS_CONSOLE_OUTPUT_H_
#define IPTRK_TOOLS_CONSOLE_OUTPUT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/console/snapshot.h"

namespace iptrk::console {

// The object of `iptrk top --once --json`; doc/iptrk-top.1.scd names its keys.
nlohmann::json ToJson(const Snapshot& snapshot, const std::string& source);

// The object of a line of `iptrk stream --json`.
nlohmann::json ToJson(const StreamLine& line,
                      const std::vector<iptrk_interface>& interfaces,
                      const std::vector<std::string>& services);

// A few lines: how long, how much, and the hosts with most.
std::string Summary(const Snapshot& snapshot, const std::string& source);

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_OUTPUT_H_
