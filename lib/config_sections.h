// SPDX-License-Identifier: GPL-2.0-only
// The sections of the configuration file, one function each.
//
// Each reads its section out of `root`, when it is there, into `config`, and
// reports to `reader`. Sections are read in the order of these declarations:
// a later one may depend on `config` as the earlier ones left it.
#ifndef IPTRK_LIB_CONFIG_SECTIONS_H_
#define IPTRK_LIB_CONFIG_SECTIONS_H_

#include <string>
#include <vector>

#include "lib/config_reader.h"

namespace iptrk {

// `interfaces`: as for LoadConfig().
void ReadQueue(const toml::table& root, ConfigReader& reader, Config& config,
               const std::vector<std::string>* interfaces);
void ReadCollectd(const toml::table& root, ConfigReader& reader,
                  Config& config);
void ReadNetworks(const toml::table& root, ConfigReader& reader,
                  Config& config);
void ReadCustomers(const toml::table& root, ConfigReader& reader,
                   Config& config);
void ReadServices(const toml::table& root, ConfigReader& reader,
                  Config& config);
// [detect.KIND], then those of networks and customers.
void ReadDetect(const toml::table& root, ConfigReader& reader, Config& config);
// With `interfaces` it also warns of files that are not on this machine.
void ReadMail(const toml::table& root, ConfigReader& reader, Config& config,
              const std::vector<std::string>* interfaces);
void ReadLedger(const toml::table& root, ConfigReader& reader, Config& config);
void ReadPages(const toml::table& root, ConfigReader& reader, Config& config);
void ReadPrivacy(const toml::table& root, ConfigReader& reader, Config& config);

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_SECTIONS_H_
