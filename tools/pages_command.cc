// SPDX-License-Identifier: GPL-2.0-only
// `iptrk pages`: writes the static site, from cron or a timer.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>

#include "lib/fd.h"
#include "tools/commands.h"
#include "tools/graph/page.h"
#include "tools/graph/site.h"
#include "tools/graph/template.h"

namespace iptrk {
namespace {

struct PagesOptions {
  std::string output;
  std::string templates;
  std::string page_templates;
  std::string rrd_directory;
  std::string ledger;
  std::string collectd_host;
};

// Held while pages are written, so that slow runs do not pile up. The kernel
// gives it back however we end.
class OutputLock {
 public:
  // Throws std::system_error if it can't be had at all.
  explicit OutputLock(const std::filesystem::path& output) {
    const std::string path = (output / ".lock").string();
    file_ = Fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (file_.get() < 0)
      throw std::system_error(errno, std::generic_category(), path);
    held_ = flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
  }

  bool held() const { return held_; }

 private:
  Fd file_;
  bool held_ = false;
};

// The exit code.
int WritePages(const PagesOptions& options, const Config& config) {
  SiteOptions site;
  site.output =
      options.output.empty() ? config.pages.directory : options.output;
  site.templates = TemplateDirectory(options.templates);
  site.page_templates = PageTemplateDirectory(options.page_templates);
  site.rrd_directory = options.rrd_directory.empty()
                           ? config.collectd.rrd_directory
                           : options.rrd_directory;
  site.rrds_named = !options.rrd_directory.empty();
  site.ledger_named = !options.ledger.empty();
  site.collectd_host = options.collectd_host;
  // Whoever names RRDs and no ledger wants those.
  if (!options.ledger.empty())
    site.ledger = options.ledger;
  else if (options.rrd_directory.empty())
    site.ledger = config.ledger.path;
  site.names = config.pages.names;
  site.customers = config.customers;
  site.title = config.pages.title;
  site.networks = config.networks;
  site.now = std::time(nullptr);

  std::filesystem::create_directories(site.output);
  const OutputLock lock(site.output);
  if (!lock.held()) {
    std::cerr << fmt::format(
        "iptrk pages: another run is still writing {}; nothing done\n",
        site.output.string());
    return 1;
  }
  const SiteReport report = WriteSite(site);
  for (const Problem& problem : report.problems)
    std::cerr << fmt::format("iptrk pages: {}: {}\n", problem.path,
                             problem.what);
  if (isatty(STDOUT_FILENO))
    std::cout << fmt::format("{}: {} files, {} pictures drawn, {} unchanged\n",
                             site.output.string(), report.pages,
                             report.pictures_drawn, report.pictures_kept);
  return report.problems.empty() ? 0 : 1;
}

}  // namespace

void AddPagesCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("pages", "write the static pages, for cron");
  auto options = std::make_shared<PagesOptions>();
  command->add_option("--output", options->output,
                      "directory to write (default: [pages] directory)");
  command->add_option("--templates", options->templates,
                      "directory of *.rrdgraph (default $IPTRK_TEMPLATES, "
                      "then the installed ones)");
  command->add_option("--page-templates", options->page_templates,
                      "directory of *.mustache (default: the installed ones)");
  command->add_option("--rrd-directory", options->rrd_directory,
                      "where collectd keeps RRDs (default: the configured "
                      "one)");
  command->add_option("--ledger", options->ledger,
                      "where volumes, incidents and bills come from (default: "
                      "the configured ledger; RRDs where there is none)");
  command->add_option("--collectd-host", options->collectd_host,
                      "whose RRDs; default: the one updated last");
  command->callback([options, &context]() {
    const auto config = context.LoadConfigOrComplain();
    if (!config) return;
    try {
      context.exit_code = WritePages(*options, *config);
    } catch (const std::exception& error) {
      std::cerr << fmt::format(
          "iptrk pages: {}; what was there is still whole, the next run goes "
          "on\n",
          error.what());
      context.exit_code = 1;
    }
  });
}

}  // namespace iptrk
