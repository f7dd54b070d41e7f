// SPDX-License-Identifier: GPL-2.0-only
// TOML's grammar: text to tables, and what is said when it is not TOML.
#ifndef IPTRK_LIB_CONFIG_SYNTAX_H_
#define IPTRK_LIB_CONFIG_SYNTAX_H_

#include <string>

#include "lib/config_reader.h"

namespace iptrk {

// The tables of `text`. Syntax errors go to `reader`; a section with one is
// left out, so that the faults of the others are found in the same run.
toml::table ParseTables(std::string text, ConfigReader& reader);

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_SYNTAX_H_
