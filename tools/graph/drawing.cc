// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace iptrk {
namespace {

// Told apart by people who see red and green alike, on white and on black.
constexpr std::array<const char*, 9> kServiceColors = {
    "2a78d6", "f08c2e", "18a87c", "9a6dd7", "d64545",
    "3fb6c6", "c9a227", "d65f9f", "8b929c"};

constexpr std::size_t kLabelWidth = 14;  // of a monospaced legend

bool IsNamedService(const ServiceRrd& service) {
  return !service.name.starts_with("other-") && service.name != "icmp";
}

// Pads by characters, not bytes, so that columns hold for any name.
std::string Padded(std::string text, std::size_t width) {
  std::size_t characters = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++characters;
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

}  // namespace

const Template& TemplateShelf::Get(const std::string& name) {
  const auto found = templates_.find(name);
  if (found != templates_.end()) return found->second;
  return templates_
      .emplace(name, Template::Load(FindTemplate(name, {directory_})))
      .first->second;
}

std::vector<std::string> FillThemed(TemplateShelf& shelf, const Template& body,
                                    TemplateValues values, const Look& look) {
  values.values["width"] = std::to_string(look.width);
  values.values["height"] = std::to_string(look.height);
  auto arguments = shelf.Get("theme-" + look.theme).Fill(values);
  for (std::string& argument : body.Fill(values))
    arguments.push_back(std::move(argument));
  if (!look.font.empty())
    for (const char* text :
         {"DEFAULT", "TITLE", "AXIS", "UNIT", "LEGEND", "WATERMARK"})
      arguments.push_back(fmt::format("--font={}:0:{}", text, look.font));
  if (look.zoom != 1) arguments.push_back(fmt::format("--zoom={}", look.zoom));
  if (!look.legend) arguments.emplace_back("--no-legend");
  return arguments;
}

std::vector<TemplateRow> ServiceRows(const std::vector<ServiceRrd>& found) {
  std::vector<ServiceRrd> services = found;
  std::stable_partition(services.begin(), services.end(), IsNamedService);
  std::vector<TemplateRow> rows;
  for (const ServiceRrd& service : services) {
    const std::size_t i = rows.size();
    rows.push_back({{"name", fmt::format("s{}", i)},
                    {"label", Padded(service.name, kLabelWidth)},
                    {"service_file", service.path.string()},
                    {"color", kServiceColors[i % kServiceColors.size()]}});
  }
  return rows;
}

std::vector<Prefix> PrefixesOf(const std::string& network,
                               const std::vector<Network>& configured,
                               const RrdStore& store) {
  for (const Network& known : configured)
    if (known.name == network) return known.prefixes;
  std::set<Prefix> prefixes;
  for (const HostRrd& host : store.Hosts(network))
    prefixes.insert(Prefix::Of(host.address, host.address.IsIpv4() ? 120 : 64));
  return {prefixes.begin(), prefixes.end()};
}

std::vector<Prefix> TakenByOthers(std::span<const Network> networks,
                                  const std::string& name,
                                  std::span<const Prefix> prefixes) {
  // One that isn't configured any more has nothing that another one has.
  const bool known =
      std::ranges::find(networks, name, &Network::name) != networks.end();
  std::vector<Prefix> taken;
  for (const Network& other : networks) {
    if (other.name == name) continue;
    for (const Prefix& prefix : other.prefixes)
      for (const Prefix& ours : prefixes)
        if (ours.length < prefix.length ? ours.Contains(prefix.first)
                                        : !known && prefix.Contains(ours.first))
          taken.push_back(prefix);
  }
  return taken;
}

bool Holds(std::span<const Prefix> prefixes, Address address) {
  return std::ranges::any_of(
      prefixes, [&](const Prefix& p) { return p.Contains(address); });
}

}  // namespace iptrk
