// SPDX-License-Identifier: GPL-2.0-only
// iptrk report: bills per customer and month, from the ledger alone.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "lib/json_text.h"
#include "lib/ledger_reader.h"
#include "lib/report.h"
#include "lib/report_text.h"
#include "tools/commands.h"
#include "tools/graph/atomic_file.h"
#include "tools/graph/page.h"
#include "tools/graph/report_page.h"

namespace iptrk {
namespace {

struct ReportOptions {
  std::vector<std::string> customers;
  std::string month;
  std::string from;
  std::string to;
  std::string timezone;
  std::string convention;
  BillOptions bill;
  bool audit = false;
  std::string format = "text";
  bool json = false;
  std::string output;
  std::string ledger;
  std::string page_templates;
};

// What is wrong with the call itself.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::int64_t ParseBound(const char* option, const std::string& text,
                        const std::string& zone) {
  const auto time = ParseDate(text, zone);
  if (!time)
    throw UsageError(fmt::format(
        "{} {}: no time; write e.g. 2026-10-01, 2026-10-01T12:30 or "
        "2026-10-01T12:30:00Z",
        option, text));
  if (*time % kLedgerSlot != 0)
    throw UsageError(fmt::format(
        "{} {}: the ledger has slots of five minutes; write e.g. {}", option,
        text, FormatDate(*time / kLedgerSlot * kLedgerSlot, zone)));
  return *time;
}

// Sets the period and span of a request whose zone is known.
void SetSpan(const ReportOptions& options, std::int64_t now,
             BillRequest& request) {
  const std::string& zone = request.timezone;
  if (options.from.empty()) {
    request.period =
        options.month.empty() ? LastMonth(now, zone) : options.month;
    const auto span = MonthSpan(request.period, zone);
    if (!span)
      throw UsageError(fmt::format("--month {}: no month; write e.g. {}",
                                   options.month, LastMonth(now, zone)));
    request.span = *span;
    return;
  }
  request.period = fmt::format("{} to {}", options.from, options.to);
  request.span = {ParseBound("--from", options.from, zone),
                  ParseBound("--to", options.to, zone)};
  if (request.span.from >= request.span.to)
    throw UsageError(fmt::format("--from {} is not before --to {}",
                                 options.from, options.to));
}

BillRequest RequestFor(const Customer& customer, bool configured,
                       const ReportOptions& options, std::int64_t now) {
  BillRequest request;
  request.customer = customer.name;
  request.configured = configured;
  request.timezone =
      options.timezone.empty() ? customer.timezone : options.timezone;
  if (!IsTimeZone(request.timezone))
    throw UsageError(
        fmt::format("--timezone {}: no time zone; write one of timedatectl "
                    "list-timezones, such as Europe/Berlin or UTC",
                    request.timezone));
  const std::string& name =
      options.convention.empty() ? customer.convention : options.convention;
  const auto convention = ParseConvention(name);
  if (!convention)
    throw UsageError(fmt::format("--convention {}: unknown; known are {}", name,
                                 ConventionNames()));
  request.convention = *convention;
  SetSpan(options, now, request);
  return request;
}

// Those asked for, or all that are configured or in the ledger.
std::vector<BillRequest> Requests(const ReportOptions& options,
                                  const Config& config,
                                  const LedgerReader& ledger) {
  const std::int64_t now = std::time(nullptr);
  const auto wanted = [&](const std::string& name) {
    return std::find(options.customers.begin(), options.customers.end(),
                     name) != options.customers.end();
  };
  std::set<std::string> known;
  std::vector<BillRequest> requests;
  for (const Customer& customer : config.customers) {
    known.insert(customer.name);
    if (options.customers.empty() || wanted(customer.name))
      requests.push_back(RequestFor(customer, true, options, now));
  }
  for (const std::string& name : ledger.Customers()) {
    if (!known.insert(name).second) continue;
    Customer removed;
    removed.name = name;
    if (options.customers.empty() || wanted(name))
      requests.push_back(RequestFor(removed, false, options, now));
  }
  for (const std::string& name : options.customers)
    if (!known.contains(name))
      throw UsageError(fmt::format(
          "{}: no such customer; those configured or in the ledger:{}", name,
          [&] {
            std::string names;
            for (const std::string& one : known) names += " " + one;
            return names.empty() ? " none" : names;
          }()));
  // Of a zone together, so that each table has one range.
  std::stable_sort(requests.begin(), requests.end(),
                   [](const BillRequest& a, const BillRequest& b) {
                     return std::tie(a.timezone, a.span) <
                            std::tie(b.timezone, b.span);
                   });
  return requests;
}

std::string Format(const std::vector<Bill>& bills,
                   const ReportOptions& options) {
  if (options.format == "json")
    return JsonText(BillsToJson(bills, options.audit), 2) + "\n";
  if (options.format == "csv") return BillsToCsv(bills, options.audit);
  if (options.format == "html")
    return BillsToHtml(
        bills, options.audit,
        PageTemplates(PageTemplateDirectory(options.page_templates)));
  return BillsToText(bills, options.audit);
}

bool HasNone(const CustomerVolume& volume) {
  return (volume.in + volume.out + volume.internal_in + volume.internal_out) ==
         Volume{};
}

// The exit code.
int Run(ReportOptions options, const Config& config) {
  if (options.json) options.format = "json";
  if (options.from.empty() != options.to.empty())
    throw UsageError("--from and --to are needed both");
  if (!options.from.empty() && !options.month.empty())
    throw UsageError("--month or --from and --to, not both");
  options.bill.slots =
      options.audit && options.format != "text" && options.format != "html";
  const std::string path =
      options.ledger.empty() ? config.ledger.path : options.ledger;
  if (path.empty())
    throw UsageError("no ledger is configured; give --ledger PATH");

  const std::vector<BillRequest> requests =
      Requests(options, config, LedgerReader(path));
  std::vector<Bill> bills = MakeBills(path, requests, options.bill);
  // Who was removed long ago isn't told of for ever.
  if (options.customers.empty())
    std::erase_if(bills, [](const Bill& bill) {
      return !bill.request.configured && HasNone(bill.volume);
    });
  if (bills.empty())
    throw std::runtime_error(
        fmt::format("no customers: none is configured as [customers.NAME], "
                    "and none has traffic in {} then",
                    path));
  const std::string text = Format(bills, options);
  if (options.output.empty())
    std::cout << text << std::flush;
  else
    WriteOutput(options.output, text);
  if (!std::cout) throw std::runtime_error("can't write the report");

  const auto gaps = std::count_if(bills.begin(), bills.end(),
                                  [](const Bill& b) { return !b.billable; });
  if (gaps == 0) return 0;
  fmt::print(stderr,
             "iptrk report: {} of {} are not billable: less than {:.0f} % is "
             "covered; --allow-gaps bills what was seen\n",
             gaps, bills.size(), kLeastCoverage * 100);
  return 1;
}

void AddOptions(CLI::App& command, ReportOptions& options) {
  command.add_option("CUSTOMER", options.customers, "default: all");
  command.add_option("--month", options.month,
                     "e.g. 2026-10, in each customer's time zone (default: the "
                     "last one that is over)");
  command.add_option("--from", options.from,
                     "instead of a month: 2026-10-01, 2026-10-01T12:30, also "
                     "with Z or +02:00");
  command.add_option("--to", options.to, "the end, which is not in it");
  command.add_option("--timezone", options.timezone,
                     "instead of each customer's own");
  command.add_option("--convention", options.convention,
                     "instead of each customer's own: " + ConventionNames());
  command.add_flag("--all-conventions", options.bill.every_convention,
                   "all of them side by side");
  command.add_flag("--allow-gaps", options.bill.allow_gaps,
                   "also billable where less than 99 % is covered");
  command.add_flag("--audit", options.audit,
                   "which slot gave the figure, and in csv and json every "
                   "slot");
  command.add_option("--format", options.format, "text, csv, json or html")
      ->check(CLI::IsMember({"text", "csv", "json", "html"}))
      ->capture_default_str();
  command.add_flag("--json", options.json, "the same as --format json");
  command.add_option("--output", options.output,
                     "a file, written whole or not at all (default: stdout)");
  command.add_option("--ledger", options.ledger,
                     "the ledger's file (default: the configured one)");
  command.add_option("--page-templates", options.page_templates,
                     "directory of *.mustache (default: the installed ones)");
}

}  // namespace

void AddReportCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "report", "bills: volume and 95th percentile per customer and month");
  auto options = std::make_shared<ReportOptions>();
  AddOptions(*command, *options);
  command->callback([options, &context] {
    const auto config = context.LoadConfigOrComplain();
    if (!config) return;
    try {
      context.exit_code = Run(*options, *config);
    } catch (const UsageError& error) {
      std::cerr << "iptrk report: " << error.what() << "\n";
      context.exit_code = 2;
    } catch (const std::exception& error) {
      std::cerr << "iptrk report: " << error.what() << "\n";
      context.exit_code = 1;
    }
  });
}

}  // namespace iptrk
