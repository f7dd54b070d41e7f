// SPDX-License-Identifier: GPL-2.0-only
// Names of own hosts from a file in the form of /etc/hosts. Never from DNS,
// which would be asked thousands of questions and may not answer at all.
#ifndef IPTRK_TOOLS_GRAPH_HOST_NAMES_H_
#define IPTRK_TOOLS_GRAPH_HOST_NAMES_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/address.h"
#include "lib/config.h"

namespace iptrk {

class HostNames {
 public:
  HostNames() = default;
  // The first name of each line; what is no line of that form is passed over.
  // Control characters become '?', and a name ends after 80 bytes.
  static HostNames Parse(std::string_view text);
  // Throws std::runtime_error when the file can't be read.
  static HostNames Load(const std::filesystem::path& path);

  // An IPv6 host of `networks` is many addresses: it has the name of the first
  // of them that has one, unless its own has.
  void RollUp(const std::vector<Network>& networks);

  // Empty: it has none.
  const std::string& Of(Address address) const;

 private:
  std::map<Address, std::string> names_;
};

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_HOST_NAMES_H_
