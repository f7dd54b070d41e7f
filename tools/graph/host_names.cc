// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/host_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "lib/json_text.h"
#include "lib/prefix_map.h"

namespace iptrk {
namespace {

constexpr std::size_t kLongest = 80;

std::string Cleaned(const std::string& text) {
  std::string name = Utf8Text(text);
  if (name.size() > kLongest) {
    name.resize(kLongest);
    // No half of a character.
    while (!name.empty() &&
           (static_cast<unsigned char>(name.back()) & 0xc0) == 0x80)
      name.pop_back();
    if (!name.empty() && static_cast<unsigned char>(name.back()) >= 0xc0)
      name.pop_back();
  }
  std::ranges::replace_if(
      name,
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; },
      '?');
  return name;
}

}  // namespace

HostNames HostNames::Parse(std::string_view text) {
  HostNames names;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address;
    std::string name;
    if (!(words >> address >> name)) continue;
    if (const auto parsed = Address::Parse(address))
      names.names_.emplace(*parsed, Cleaned(name));
  }
  return names;
}

HostNames HostNames::Load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    throw std::runtime_error(fmt::format(
        "{}: can't be read; [pages] names wants a file like /etc/hosts",
        path.string()));
  return Parse(text);
}

void HostNames::RollUp(const std::vector<Network>& networks) {
  const PrefixMap<int> map = MapPrefixes(networks);
  const std::map<Address, std::string> given = names_;
  for (const auto& [address, name] : given) {
    const int network = map.Find(address);
    if (network < 0 || address.IsIpv4()) continue;
    const int length = networks[static_cast<std::size_t>(network)].ipv6_prefix;
    names_.emplace(Prefix::Of(address, length).first, name);
  }
}

const std::string& HostNames::Of(Address address) const {
  static const std::string kNone;
  const auto found = names_.find(address);
  return found == names_.end() ? kNone : found->second;
}

}  // namespace iptrk
