// SPDX-License-Identifier: GPL-2.0-only
// iptrk top and iptrk stream: this second, on a screen or for a pipe.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lib/json_text.h"
#include "lib/queue.h"
#include "tools/capture.h"
#include "tools/commands.h"
#include "tools/console/output.h"
#include "tools/console/source.h"
#include "tools/console/terminal.h"
#include "tools/console/view.h"

namespace iptrk {
namespace {

using console::Health;
using console::Reader;
using console::Source;
using console::Status;
using console::View;

constexpr double kStaleAfter = 2.5;  // seconds

struct ConsoleOptions {
  std::string filter;
  std::vector<std::string> networks;
  std::vector<std::string> interfaces;
  std::string replay;
  double speed = 1;
  bool json = false;
  // of top
  bool once = false;
  unsigned seconds = 1;
  std::string units = "bits";
  std::string theme = "dark";
  bool ascii = false;
  bool no_mouse = false;
  // of stream
  bool text = false;  // the default
  std::uint64_t count = 0;
};

std::optional<Config> ConfigOf(const ConsoleOptions& options,
                               CommandContext& context) {
  auto config = context.LoadConfigOrComplain();
  if (!config) return std::nullopt;
  if (!options.interfaces.empty())
    config->queue.interfaces = options.interfaces;
  if (options.networks.empty()) return config;
  config->networks = {{"given", {}}};
  for (const std::string& text : options.networks) {
    const auto prefix = Prefix::Parse(text);
    if (!prefix) {
      fmt::print(stderr, "--network {}: no prefix; write 10.1.0.0/24\n", text);
      context.exit_code = 2;
      return std::nullopt;
    }
    config->networks[0].prefixes.push_back(*prefix);
  }
  return config;
}

bool GoodFilter(const ConsoleOptions& options, const Config& config,
                CommandContext& context) {
  try {
    const console::Filter filter(options.filter,
                                 Classifier(config).ServiceNames());
    return true;
  } catch (const console::FilterError& error) {
    fmt::print(stderr, "--filter:\n{}\n", error.Pointing(options.filter));
    context.exit_code = 2;
    return false;
  }
}

std::unique_ptr<Source> Open(const ConsoleOptions& options,
                             const Config& config, double speed) {
  return options.replay.empty()
             ? console::OpenQueueSource(config)
             : console::OpenCaptureSource(config, options.replay, speed);
}

int Once(const ConsoleOptions& options, const Config& config) {
  const auto source = Open(options, config, 0);
  console::Model model(source->config());
  model.SetFilter(options.filter);
  model.SetInterfaces(source->Interfaces());
  std::shared_ptr<console::Snapshot> snapshot;
  unsigned ended = 0;
  // The second in which we began is not a whole one.
  const bool live = options.replay.empty();
  if (!live) model.KeepIncidents();
  const unsigned wanted = live ? options.seconds + 1 : ~0u;
  std::optional<CaptureError> damage;
  try {
    bool more = true;
    while (more && ended < wanted)
      more = source->Read(
          [&](std::span<const iptrk_record> records) {
            model.Take(records);
            model.TakeStream();
          },
          [&](std::uint64_t end_ns) {
            if (ended == wanted) return;
            snapshot = model.EndSecond(end_ns);
            ++ended;
          });
  } catch (const CaptureError& error) {
    damage = error;
  }
  if (!live) model.Finish(*snapshot);
  snapshot->interfaces = source->Interfaces();
  snapshot->fill = source->Fill();
  if (options.json) {
    nlohmann::json object = console::ToJson(*snapshot, source->Name());
    object["begin_ns"] = source->Begin();
    fmt::print("{}\n", JsonText(object, 2));
  } else {
    fmt::print("{}", console::Summary(*snapshot, source->Name()));
  }
  if (damage) throw *damage;
  return 0;
}

Status StatusOf(const Reader::Latest& latest, const std::string& source) {
  Status status;
  status.source = source;
  status.message = latest.error;
  if (latest.snapshot)
    status.age = std::chrono::duration<double>(
                     std::chrono::steady_clock::now() - latest.when)
                     .count();
  status.health = !latest.error.empty()      ? Health::kFailed
                  : latest.ended             ? Health::kEnded
                  : !latest.snapshot         ? Health::kWaiting
                  : status.age > kStaleAfter ? Health::kStale
                                             : Health::kLive;
  return status;
}

View FirstView(const ConsoleOptions& options, bool utf8) {
  View view;
  view.filter = options.filter;
  view.ascii = options.ascii || !utf8;
  view.unit = options.units == "bits"    ? console::Unit::kBits
              : options.units == "bytes" ? console::Unit::kBytes
                                         : console::Unit::kPackets;
  const auto theme = std::find(std::begin(console::kThemes),
                               std::end(console::kThemes), options.theme);
  view.theme = static_cast<int>(theme - std::begin(console::kThemes));
  return view;
}

int Watch(const ConsoleOptions& options, const Config& config) {
  constexpr int kFrame = 200;  // ms between two looks at the reader
  View view = FirstView(options, console::Utf8Locale());
  auto source = Open(options, config, options.speed);
  const std::string name = source->Name();
  Reader reader(std::move(source), {options.filter, std::nullopt});
  std::shared_ptr<const console::Snapshot> shown;
  std::uint64_t second_end = 0;  // of the latest, shown or not
  Status status;
  {
    console::Terminal terminal(!options.no_mouse);
    while (!view.quit && !terminal.ended()) {
      const Reader::Latest latest = reader.Get();
      view.AddLines(reader.TakeStream());
      if (latest.snapshot && latest.snapshot->end_ns != second_end) {
        second_end = latest.snapshot->end_ns;
        view.EndStreamSecond();
      }
      if (!view.paused || !shown) shown = latest.snapshot;
      status = StatusOf(latest, name);
      terminal.Show(console::Render(view, shown.get(), status, terminal.width(),
                                    terminal.height()),
                    view.theme);
      const auto key = terminal.Wait(kFrame);
      if (!key) continue;
      console::HandleKey(view, *key, shown.get(), terminal.width(),
                         terminal.height());
      reader.Ask({view.filter, view.host});
    }
  }
  const Reader::Latest latest = reader.Get();
  if (latest.snapshot)
    fmt::print("{}", console::Summary(*latest.snapshot, name));
  if (!latest.error.empty())
    fmt::print(stderr, "iptrk top: {}\n", latest.error);
  return latest.error.empty() ? 0 : 1;
}

int Stream(const ConsoleOptions& options, const Config& config) {
  // Who reads us may end first.
  std::signal(SIGPIPE, SIG_IGN);
  const auto source = Open(options, config, options.speed);
  const bool ascii = options.ascii || !console::Utf8Locale();
  Account account(source->config());
  const auto& services = account.classifier().ServiceNames();
  const console::Filter filter(options.filter, services);
  console::Model model(source->config());
  std::vector<iptrk_interface> interfaces = source->Interfaces();
  model.SetInterfaces(interfaces);
  std::uint64_t printed = 0;
  int error = 0;  // of writing
  const auto done = [&] {
    return error != 0 || (options.count > 0 && printed >= options.count);
  };
  bool more = true;
  while (more && !done()) {
    more = source->Read(
        [&](std::span<const iptrk_record> records) {
          std::string text;
          for (const iptrk_record& record : records) {
            const Verdict verdict = model.Judge(record);
            if (done() || !filter.Matches(record, verdict)) continue;
            const console::StreamLine line{record, verdict};
            text +=
                options.json
                    ? JsonText(console::ToJson(line, interfaces, services))
                    : console::StreamText(line, interfaces, services, ascii);
            text += '\n';
            ++printed;
          }
          if (error == 0 &&
              std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
            error = errno;
        },
        [&](std::uint64_t) {
          interfaces = source->Interfaces();
          model.SetInterfaces(interfaces);
        });
    if (error == 0 && std::fflush(stdout) != 0) error = errno;
  }
  if (error != 0 && error != EPIPE)
    throw std::system_error(error, std::generic_category(), "standard output");
  std::clearerr(stdout);  // who reads us ended first
  return 0;
}

void Run(const char* name, const ConsoleOptions& options,
         CommandContext& context,
         int (*run)(const ConsoleOptions&, const Config&)) {
  const auto config = ConfigOf(options, context);
  if (!config || !GoodFilter(options, *config, context)) return;
  try {
    context.exit_code = run(options, *config);
  } catch (const std::exception& error) {
    fmt::print(stderr, "iptrk {}: {}\n", name, error.what());
    context.exit_code = 1;
  }
}

void AddCommon(CLI::App& command, ConsoleOptions& options) {
  command.add_option("--filter", options.filter,
                     "only these packets, e.g. 'udp and not service dns'");
  command.add_option("--network", options.networks,
                     "a prefix that is ours, instead of the configured ones");
  command.add_option("--interface", options.interfaces,
                     "a name or shell pattern, instead of the configured ones");
  command.add_option("--replay", options.replay,
                     "a capture instead of live traffic");
  command
      .add_option("--speed", options.speed,
                  "of a replay; 2 is twice as fast, 0 without a pause")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--ascii", options.ascii, "no characters beyond ASCII");
}

}  // namespace

void AddTopCommand(CLI::App& app, CommandContext& context) {
  CLI::App* top = app.add_subcommand(
      "top", "what is being hit the most, and who is doing it, this second");
  auto options = std::make_shared<ConsoleOptions>();
  AddCommon(*top, *options);
  CLI::Option* once =
      top->add_flag("--once", options->once, "measure, print and end");
  top->add_flag("--json", options->json, "with --once: for machines")
      ->needs(once);
  top->add_option("--seconds", options->seconds, "with --once: how long")
      ->capture_default_str()
      ->check(CLI::Range(1u, 86400u))
      ->needs(once);
  top->add_option("--units", options->units, "bits, bytes or packets")
      ->capture_default_str()
      ->check(CLI::IsMember({"bits", "bytes", "packets"}));
  top->add_option("--theme", options->theme, "dark, light, blind or mono")
      ->capture_default_str()
      ->check(CLI::IsMember({"dark", "light", "blind", "mono"}));
  top->add_flag("--no-mouse", options->no_mouse,
                "the mouse stays the terminal's");
  top->callback([&context, options] {
    Run("top", *options, context, options->once ? Once : Watch);
  });
}

void AddStreamCommand(CLI::App& app, CommandContext& context) {
  CLI::App* stream =
      app.add_subcommand("stream", "packets as they pass, a line each");
  auto options = std::make_shared<ConsoleOptions>();
  AddCommon(*stream, *options);
  CLI::Option* json =
      stream->add_flag("--json", options->json, "an object a line");
  stream->add_flag("--text", options->text, "for people (default)")
      ->excludes(json);
  stream->add_option("--count", options->count, "end after so many lines");
  stream->callback(
      [&context, options] { Run("stream", *options, context, Stream); });
}

}  // namespace iptrk
