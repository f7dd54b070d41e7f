// SPDX-License-Identifier: GPL-2.0-only
// iptrk replay: what a capture adds up to, by the live code.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/json_text.h"
#include "lib/replay.h"
#include "tools/capture.h"
#include "tools/commands.h"

namespace iptrk {
namespace {

constexpr std::size_t kTopHosts = 20;
constexpr std::uint64_t kPacketsPerProgress = 1 << 18;

struct ReplayOptions {
  std::vector<std::string> files;
  std::vector<std::string> networks;
  bool json = false;
};

// Whether there is a terminal to show it on.
bool ShowProgress(double share) {
  if (!isatty(STDERR_FILENO)) return false;
  constexpr int kWidth = 40;
  const int done = static_cast<int>(share * kWidth);
  fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {:3.0f} %", "", done, "",
             kWidth - done, share * 100);
  return true;
}

// False, with a line on stderr, when a file was unreadable or damaged; what
// was read before that counts.
bool ReadAll(const ReplayOptions& options, Replay& replay) {
  bool good = true;
  bool shown = false;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    try {
      Capture capture(options.files[i]);
      std::uint64_t count = 0;
      while (const auto record = capture.Next()) {
        replay.Take(*record);
        if (++count % kPacketsPerProgress == 0)
          shown = ShowProgress((static_cast<double>(i) + capture.Progress()) /
                               static_cast<double>(options.files.size()));
      }
    } catch (const CaptureError& error) {
      fmt::print(stderr, "{}\n", error.what());
      good = false;
    }
  }
  if (shown) fmt::print(stderr, "\r{:60}\r", "");
  replay.Finish();
  return good;
}

void PrintVolume(const char* name, const Volume& volume) {
  fmt::print("  {:<10} {:>14} packets {:>18} bytes\n", name, volume.packets,
             volume.bytes);
}

void PrintText(const Replay& replay) {
  const NetworkVolume& all = replay.account().all();
  PrintVolume("total", replay.total());
  for (int i = 0; i < kDirections; ++i)
    PrintVolume(ToString(static_cast<Direction>(i)),
                all.Of(static_cast<Direction>(i)));
  PrintVolume("(non-IP)", replay.NonIp());

  const std::vector<const Host*> hosts = replay.HostsByBytes();
  if (!hosts.empty())
    fmt::print("\n  {:<39} {:>16} {:>16} {:>12}\n", "own host",
               "bytes received", "bytes sent", "packets");
  for (std::size_t i = 0; i < std::min(hosts.size(), kTopHosts); ++i) {
    const Volume received = hosts[i]->Total(Way::kReceived);
    const Volume sent = hosts[i]->Total(Way::kSent);
    fmt::print("  {:<39} {:>16} {:>16} {:>12}\n", hosts[i]->address.ToString(),
               received.bytes, sent.bytes, received.packets + sent.packets);
  }
  if (hosts.size() > kTopHosts)
    fmt::print("  … and {} more; --json lists all\n", hosts.size() - kTopHosts);

  for (const Incident& incident : replay.incidents())
    fmt::print("\n  {}", incident.Message());
  if (!replay.incidents().empty()) fmt::print("\n");
}

// --network replaces the configured ones, for captures of other places.
bool AddNetworks(const ReplayOptions& options, Config& config) {
  if (options.networks.empty()) return true;
  config.networks = {{"given", {}}};
  for (const std::string& text : options.networks) {
    const auto prefix = Prefix::Parse(text);
    if (!prefix) {
      fmt::print(stderr, "--network {}: no prefix; write 10.1.0.0/24\n", text);
      return false;
    }
    config.networks[0].prefixes.push_back(*prefix);
  }
  return true;
}

void Run(const ReplayOptions& options, CommandContext& context) {
  auto config = context.LoadConfigOrComplain();
  if (!config) return;
  if (!AddNetworks(options, *config)) {
    context.exit_code = 2;
    return;
  }
  if (config->networks.empty())
    fmt::print(stderr,
               "no networks are ours, so everything is martian; configure "
               "[networks.NAME] or give --network PREFIX\n");
  Replay replay(*config);
  if (!ReadAll(options, replay)) context.exit_code = 1;
  if (options.json)
    fmt::print("{}\n", JsonText(replay.ToJson(), 2));
  else
    PrintText(replay);
}

}  // namespace

void AddReplayCommand(CLI::App& app, CommandContext& context) {
  CLI::App* replay = app.add_subcommand(
      "replay", "account for a capture, by the same code as live traffic");
  auto options = std::make_shared<ReplayOptions>();
  replay->add_option("FILE", options->files, "pcap or pcapng, in order of time")
      ->required();
  // One each: what follows it is a file.
  replay
      ->add_option("--network", options->networks,
                   "a prefix that is ours, instead of the configured ones")
      ->allow_extra_args(false);
  replay->add_flag("--json", options->json, "for machines");
  replay->callback([&context, options] { Run(*options, context); });
}

}  // namespace iptrk
