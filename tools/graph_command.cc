// SPDX-License-Identifier: GPL-2.0-only
// `iptrk graph`: fills a template and draws it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rrd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lib/ledger_reader.h"
#include "lib/naming.h"
#include "tools/commands.h"
#include "tools/graph/address_rrd.h"
#include "tools/graph/atomic_file.h"
#include "tools/graph/drawing.h"
#include "tools/graph/heat_map.h"
#include "tools/graph/humanise.h"
#include "tools/graph/render.h"
#include "tools/graph/samples.h"
#include "tools/graph/temporary_directory.h"

namespace iptrk {
namespace {

struct GraphOptions {
  std::string template_name;
  std::vector<std::string> variables;  // "name=value"
  std::string network;
  std::string host;
  std::string interface;
  std::string prefix;
  std::string start = "end-1d";
  std::string end = "now";
  Look look;
  int height = 0;  // 0: by kind of template
  std::string templates;
  std::string rrd_directory;
  std::string ledger;
  bool log = false;
  std::string collectd_host;
  std::string output;
  std::string address_rrd;
};

// What is wrong with the call itself.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

TimeRange ParseRange(const std::string& start, const std::string& end) {
  rrd_time_value_t start_value;
  rrd_time_value_t end_value;
  if (const char* what = rrd_parsetime(start.c_str(), &start_value))
    throw UsageError(fmt::format("--start {}: {}", start, what));
  if (const char* what = rrd_parsetime(end.c_str(), &end_value))
    throw UsageError(fmt::format("--end {}: {}", end, what));
  TimeRange range;
  if (rrd_proc_start_end(&start_value, &end_value, &range.start, &range.end))
    throw UsageError(
        fmt::format("--start {} --end {}: {}", start, end, rrd_get_error()));
  if (range.Length() <= 0)
    throw UsageError(
        fmt::format("--start {} is not before --end {}; write "
                    "e.g. --start end-1h",
                    start, end));
  return range;
}

TemplateRow ParseVariables(const std::vector<std::string>& variables) {
  TemplateRow values;
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--var {}: write name=value", variable));
    values[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return values;
}

void RefuseUnknownNetwork(const GraphOptions& options, const Config& config,
                          const RrdStore& store) {
  const std::string& name = options.network;
  if (name.empty() || store.NetworkFile(name) || !store.Hosts(name).empty())
    return;
  std::set<std::string> known;
  for (const Network& network : config.networks) known.insert(network.name);
  if (known.contains(name)) return;
  for (const std::string& network : store.Networks()) known.insert(network);
  throw UsageError(fmt::format(
      "--network {}: unknown; there are: {}", name,
      known.empty() ? "none" : fmt::format("{}", fmt::join(known, " "))));
}

// The one that is meant, or the only one there is.
std::string ChooseNetwork(const GraphOptions& options, const RrdStore& store) {
  const auto networks = store.Networks();
  if (store.NetworkFile(options.network) ||
      !store.Hosts(options.network).empty())
    return options.network;
  if (!options.network.empty())
    throw std::runtime_error(fmt::format(
        "no data yet: no RRD of network {} below {}; there are those of: {}",
        options.network, store.directory().string(),
        networks.empty() ? "none"
                         : fmt::format("{}", fmt::join(networks, " "))));
  if (networks.size() == 1) return networks.front();
  std::string names;
  for (const std::string& name : networks) names += " " + name;
  throw UsageError(names.empty()
                       ? fmt::format("no data yet: no RRD of a network below "
                                     "{}",
                                     store.directory().string())
                       : "--network is needed; there are" + names);
}

Prefix ParsePrefix(const std::string& text) {
  const auto prefix = Prefix::Parse(text);
  if (!prefix)
    throw UsageError(
        fmt::format("--prefix {}: write e.g. 10.1.0.0/24 or 2001:db8::/64, "
                    "with no host bits set",
                    text));
  return *prefix;
}

Prefix ChoosePrefix(const GraphOptions& options, const Config& config,
                    const RrdStore& store, const std::string& network) {
  if (!options.prefix.empty()) return ParsePrefix(options.prefix);
  std::vector<Prefix> candidates;
  for (const Prefix& prefix : PrefixesOf(network, config.networks, store))
    if (prefix.IsIpv4()) candidates.push_back(prefix);
  if (candidates.size() == 1) return candidates.front();
  std::string names;
  for (const Prefix& prefix : candidates) names += " " + prefix.ToString();
  throw UsageError(fmt::format("--prefix is needed; network {} has{}", network,
                               names.empty() ? " no IPv4 data" : names));
}

void Complain(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems)
    std::cerr << fmt::format("iptrk: {}: {}\n", problem.path, problem.what);
}

// The ledger to read, or nothing where RRDs have to do: a shop without one, or
// somebody who names the RRDs and no ledger.
std::string ChooseLedger(const GraphOptions& options, const Config& config) {
  if (!options.ledger.empty()) return options.ledger;
  if (!options.rrd_directory.empty() || config.ledger.path.empty()) return "";
  return IsMissing(config.ledger.path) ? "" : config.ledger.path;
}

// For a ledger, which knows addresses and no networks: the only one that has
// data, or that there is.
Prefix ChoosePrefixOfLedger(const GraphOptions& options, const Config& config,
                            const RrdStore& store, const LedgerReader& ledger,
                            TimeRange range) {
  if (!options.prefix.empty()) return ParsePrefix(options.prefix);
  std::vector<Prefix> candidates;
  for (const Network& network : config.networks)
    if (options.network.empty() || network.name == options.network)
      candidates.insert(candidates.end(), network.prefixes.begin(),
                        network.prefixes.end());
  // Ours is what interfaces are connected to, which RRDs tell.
  if (config.networks.empty() && !store.Networks().empty())
    candidates = PrefixesOf(ChooseNetwork(options, store), {}, store);
  std::erase_if(candidates,
                [](const Prefix& prefix) { return !prefix.IsIpv4(); });
  if (candidates.empty())
    throw UsageError("--prefix is needed: no configured network has IPv4");
  std::string names;
  for (const Prefix& prefix : candidates) names += " " + prefix.ToString();
  if (candidates.size() > 1)
    std::erase_if(candidates, [&](const Prefix& prefix) {
      TimeRange read = range;
      return ReadLedgerVolumes(ledger, prefix, read).empty();
    });
  if (candidates.size() == 1) return candidates.front();
  throw UsageError("--prefix is needed; there are" + names);
}

// Seconds that a ledger may lag behind now.
constexpr std::time_t kMostBehind = 900;

// What is not over yet is no part of the picture, which keeps its length. What
// is stale is not moved to look live.
void FollowLedger(const LedgerReader& ledger, TimeRange& range) {
  const std::time_t behind = range.end - ledger.LastEnd().value_or(0);
  if (behind <= 0 || behind > kMostBehind) return;
  range.start -= behind;
  range.end -= behind;
}

// Volumes of the addresses of `prefix`, and what the range really is.
std::vector<AddressVolume> ReadVolumes(const GraphOptions& options,
                                       const Config& config,
                                       const RrdStore& store, Prefix& prefix,
                                       TimeRange& range) {
  if (const std::string path = ChooseLedger(options, config); !path.empty()) {
    const LedgerReader ledger(path);
    FollowLedger(ledger, range);
    prefix = ChoosePrefixOfLedger(options, config, store, ledger, range);
    return ReadLedgerVolumes(ledger, prefix, range);
  }
  const std::string network = ChooseNetwork(options, store);
  prefix = ChoosePrefix(options, config, store, network);
  std::vector<Problem> problems;
  auto volumes = ReadHostVolumes(store, network, range, problems);
  Complain(problems);
  if (Within(volumes, prefix).empty())
    throw std::runtime_error(
        fmt::format("no data yet: no RRD of a host in {} below {}",
                    prefix.ToString(), store.directory().string()));
  return volumes;
}

// Values of an address-domain picture; writes the address RRD to `file`.
void SetAddressDomain(const GraphOptions& options, const Config& config,
                      const RrdStore& store, TimeRange range,
                      const std::filesystem::path& file, TemplateRow& values) {
  Prefix prefix;
  const auto volumes = ReadVolumes(options, config, store, prefix, range);
  const auto inside = Within(volumes, prefix);
  const auto width = static_cast<std::size_t>(options.look.width);
  const auto axis = prefix.IsIpv4() ? MakeAddressAxis(prefix, width)
                                    : MakeRankAxis(prefix, inside, width);
  if (!axis)
    throw std::runtime_error(fmt::format("no data: {} had no traffic in {}",
                                         prefix.ToString(), HumanRange(range)));
  WriteAddressRrd(*axis, volumes, file);
  SetAxisValues(*axis, file, values);
  values["title"] = fmt::format(
      "{}   {} per address   {}", prefix.ToString(),
      options.template_name.find("packets") == std::string::npos ? "bytes"
                                                                 : "packets",
      HumanRange(range));
  if (options.address_rrd.empty()) return;
  for (const char* name : {"file", "start", "end", "x_grid", "bar_seconds"})
    std::cout << fmt::format("{}={}\n", name, values[name]);
}

// "eth0" or "eth0:sent": an interface and a way, received if none is named.
std::pair<std::string, std::string> SplitBooks(const std::string& text) {
  if (text.empty())
    throw UsageError(
        "--interface is needed; write e.g. eth0, or eth0:sent for what it "
        "sends");
  const std::size_t colon = text.rfind(':');
  const std::string way =
      colon == std::string::npos ? "received" : text.substr(colon + 1);
  if (way != "received" && way != "sent")
    throw UsageError(
        fmt::format("--interface {}: after ':' write received or sent", text));
  return {text.substr(0, colon), way};
}

void RefuseWrongSubject(const GraphOptions& options, const std::string& kind) {
  const bool of_network = kind == "network" || kind == "services";
  const bool of_host = kind == "time-domain" || kind == "packets";
  if (of_network && !options.host.empty())
    throw UsageError(fmt::format(
        "--host {}: {} is of a network; time-domain and packets are of a host",
        options.host, kind));
  if (of_host && options.host.empty())
    throw UsageError(fmt::format(
        "--host is needed, since {} is of a host; write an address", kind));
}

// The RRD of a host or network, which `subject` then is.
std::optional<std::filesystem::path> FileOfSubject(const GraphOptions& options,
                                                   const RrdStore& store,
                                                   const std::string& kind,
                                                   std::string& subject,
                                                   TemplateValues& values) {
  RefuseWrongSubject(options, kind);
  const std::string network = ChooseNetwork(options, store);
  values.lists["service"] = ServiceRows(store.Services(network));
  subject = options.host.empty() ? network : options.host;
  if (options.host.empty()) return store.NetworkFile(network);
  const auto address = Address::Parse(options.host);
  if (!address)
    throw UsageError(fmt::format("--host {}: write an address", options.host));
  auto file = store.HostFile(network, *address);
  if (file && kind == "packets")
    file->replace_filename(
        fmt::format("{}-{}.rrd", kHostPacketsType, AddressInstance(*address)));
  return file;
}

// What the ledger knows of the percentiles of a host, or a network.
std::vector<TemplateRow> Percentiles(const GraphOptions& options,
                                     const Config& config,
                                     const std::string& network,
                                     TimeRange range) {
  const std::string path = ChooseLedger(options, config);
  if (path.empty()) return {};
  const LedgerReader ledger(path);
  const auto host = Address::Parse(options.host);
  if (!host)
    return PercentileRows(
        NetworkSamples(ledger, config.networks, network, range), range);
  const Prefix prefix{*host, 128};
  return PercentileRows(HostSamples(ledger, {&prefix, 1}, range, {&*host, 1},
                                    [](Address) { return true; })
                            .OfHost(*host, range),
                        range);
}

// Values of a time-domain picture of a host or a network.
void SetTimeDomain(const GraphOptions& options, const Config& config,
                   const RrdStore& store, const Template& body, TimeRange range,
                   const TemplateRow& variables, TemplateValues& values) {
  const std::string kind = std::filesystem::path(body.name()).stem().string();
  values.values["start"] = std::to_string(range.start);
  values.values["end"] = std::to_string(range.end);
  values.values["title"] = HumanRange(range);
  if (variables.contains("file")) return;
  std::optional<std::filesystem::path> file;
  std::string subject = options.host.empty() ? options.network : options.host;
  if (kind == "martians" || kind == "queue") {
    file = store.directory() / store.collectd_host() /
           (kind == "queue" ? "iptrk-queue/iptrk_queue.rrd"
                            : "iptrk-all/iptrk_martian.rrd");
    subject = kind;
  } else if (kind == "books") {
    const auto [interface, way] = SplitBooks(options.interface);
    for (const BooksRrd& books : store.Books())
      if (books.interface == interface && books.direction == way)
        file = books.path;
    subject = fmt::format("{} {}", interface, way);
  } else {
    file = FileOfSubject(options, store, kind, subject, values);
  }
  if (!file || !std::filesystem::exists(*file))
    throw std::runtime_error(fmt::format("no data yet: no RRD of {} below {}",
                                         subject, store.directory().string()));
  values.values["file"] = file->string();
  values.values["title"] = fmt::format("{}   {}", subject, HumanRange(range));
  if (body.Uses("percentile"))
    values.lists["percentile"] =
        Percentiles(options, config, ChooseNetwork(options, store), range);
}

// The one picture that is no template's.
void DrawHeat(const GraphOptions& options, const Config& config,
              const RrdStore& store) {
  const std::string path = ChooseLedger(options, config);
  if (path.empty())
    throw std::runtime_error(
        "no ledger: heat is drawn from one alone; name it with --ledger");
  const std::filesystem::path output =
      options.output.empty() ? "heat.svg" : options.output;
  if (output.extension() != ".svg")
    throw UsageError(fmt::format(
        "--output {}: heat is SVG; write e.g. heat.svg", output.string()));
  TimeRange range = ParseRange(options.start, options.end);
  const LedgerReader ledger(path);
  FollowLedger(ledger, range);
  const Prefix prefix =
      ChoosePrefixOfLedger(options, config, store, ledger, range);
  TimeRange read = range;
  const auto axis =
      MakeHeatAxis(prefix, ReadLedgerVolumes(ledger, prefix, read));
  if (!axis)
    throw std::runtime_error(fmt::format("no data: {} had no traffic in {}",
                                         prefix.ToString(), HumanRange(range)));
  const HeatMap map =
      ReadHeatMap(ledger, *axis, range, [](Address) { return true; });
  WriteOutput(output, HeatSvg(map,
                              fmt::format("{}{}   {}", prefix.ToString(),
                                          axis->Unit(), HumanRange(map.range)),
                              "iptrk"));
}

// A PNG has only so many pixels a side; a frame stands around the graph.
void RefuseTooLarge(const Look& look, const std::filesystem::path& output) {
  constexpr int kMost = 32767;
  constexpr int kFrameWidth = 100;
  constexpr int kFrameHeight = 200;
  if (output.extension() == ".svg" || output.extension() == ".pdf") return;
  const auto check = [&](const char* option, int pixels, int frame) {
    if ((pixels + frame) * look.zoom > kMost)
      throw UsageError(fmt::format(
          "{} {} with --zoom {}: a PNG has at most {} pixels a side; write "
          "less, or to .svg or .pdf",
          option, pixels, look.zoom, kMost));
  };
  check("--width", look.width, kFrameWidth);
  check("--height", look.height, kFrameHeight);
}

void Draw(GraphOptions options, const Config& config) {
  const RrdStore store(options.rrd_directory.empty()
                           ? config.collectd.rrd_directory
                           : options.rrd_directory,
                       options.collectd_host);
  RefuseUnknownNetwork(options, config, store);
  if (options.log && !options.template_name.starts_with("histogram"))
    throw UsageError("--log: only histograms have a logarithmic axis");
  if (options.template_name == "heat") return DrawHeat(options, config, store);
  TemplateShelf shelf(TemplateDirectory(options.templates));
  if (options.log) options.template_name += "-log";
  const Template& body = shelf.Get(options.template_name);
  const bool addresses = body.Uses("x_grid");
  options.look.height = options.height != 0 ? options.height
                        : addresses         ? 320
                                            : 240;
  const std::filesystem::path output =
      options.output.empty()
          ? std::filesystem::path(body.name()).stem().string() + ".png"
          : options.output;
  RefuseTooLarge(options.look, output);
  const TimeRange range = ParseRange(options.start, options.end);
  const TemplateRow variables = ParseVariables(options.variables);
  if (const auto problem = NamedButEmpty(store, !options.rrd_directory.empty(),
                                         options.collectd_host))
    throw std::runtime_error(
        fmt::format("{}: {}", problem->path, problem->what));

  TemplateValues values;
  values.values["watermark"] = "iptrk";
  values.lists["service"];
  values.lists["percentile"];
  std::unique_ptr<TemporaryDirectory> temporary;
  if (addresses && !variables.contains("file")) {
    std::filesystem::path file = options.address_rrd;
    if (file.empty()) {
      temporary = std::make_unique<TemporaryDirectory>();
      file = temporary->path() / "address.rrd";
    }
    SetAddressDomain(options, config, store, range, file, values.values);
  } else {
    SetTimeDomain(options, config, store, body, range, variables, values);
  }
  for (const auto& [name, value] : variables) values.values[name] = value;

  std::string image;
  const Picture picture =
      RenderImage(FillThemed(shelf, body, values, options.look), output,
                  addresses ? TimeZone::kUtc : TimeZone::kLocal, image);
  WriteOutput(output, image);
  for (const std::string& line : picture.prints) std::cout << line << "\n";
}

void AddOptions(CLI::App& command, GraphOptions& options) {
  command
      .add_option("TEMPLATE", options.template_name,
                  "histogram, histogram-internal, histogram-packets, "
                  "heat, time-domain, network, services, martians, books, "
                  "queue, packets, or a path")
      ->required();
  command
      .add_option("--var", options.variables,
                  "a value for a placeholder: name=value")
      ->allow_extra_args(false);
  command.add_option("--network", options.network,
                     "name of the network; default: the only one with data");
  command.add_option("--host", options.host, "address of an own host");
  command.add_option("--interface", options.interface,
                     "of books: eth0, or eth0:sent");
  command.add_option("--prefix", options.prefix,
                     "addresses of a histogram or heat map; default: the "
                     "network's, or of several the only one with data");
  command.add_option("--start", options.start,
                     "begin, as rrdtool writes times (default end-1d)");
  command.add_option("--end", options.end, "end, likewise (default now)");
  command.add_option("--width", options.look.width, "of the graph in pixels")
      ->check(CLI::Range(16, 8192));
  command.add_option("--height", options.height, "of the graph in pixels")
      ->check(CLI::Range(16, 8192));
  command
      .add_option("--zoom", options.look.zoom,
                  "pixels of the file for each pixel")
      ->check(CLI::Range(1, 8));
  command.add_option("--theme", options.look.theme, "light, dark or your own");
  command.add_option("--font", options.look.font,
                     "name of the font for all text (default: the template's)");
  command.add_option("--output", options.output,
                     "file, .png, .svg or .pdf (default TEMPLATE.png)");
  command.add_option("--templates", options.templates,
                     "directory of templates (default $IPTRK_TEMPLATES, then "
                     "the installed ones)");
  command.add_option("--rrd-directory", options.rrd_directory,
                     "where collectd keeps RRDs (default: the configured one)");
  command.add_option("--ledger", options.ledger,
                     "where a histogram's volumes come from (default: the "
                     "configured ledger; RRDs where there is none)");
  command.add_flag("--log", options.log,
                   "histogram of in and out together on a logarithmic axis");
  command.add_option("--collectd-host", options.collectd_host,
                     "whose RRDs; default: the one updated last");
  command.add_option("--address-rrd", options.address_rrd,
                     "keep a histogram's address RRD in this file and print "
                     "its values");
}

}  // namespace

void AddGraphCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "graph", "draw one picture of a host, a network or its addresses");
  auto options = std::make_shared<GraphOptions>();
  AddOptions(*command, *options);
  command->callback([options, &context]() {
    const auto config = context.LoadConfigOrComplain();
    if (!config) return;
    try {
      Draw(*options, *config);
    } catch (const UsageError& error) {
      std::cerr << "iptrk graph: " << error.what() << "\n";
      context.exit_code = 2;
    } catch (const std::exception& error) {
      std::cerr << "iptrk graph: " << error.what() << "\n";
      context.exit_code = 1;
    }
  });
}

}  // namespace iptrk
