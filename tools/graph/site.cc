// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/site.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "lib/ledger_sum.h"
#include "lib/readable.h"
#include "tools/graph/books_page.h"
#include "tools/graph/host_pages.h"
#include "tools/graph/humanise.h"
#include "tools/graph/ledger_pages.h"
#include "tools/graph/network_pages.h"
#include "tools/graph/network_volumes.h"
#include "tools/graph/site_context.h"

namespace iptrk {
namespace {

// How far a range moves at once: an hour at every run, a day each quarter of an
// hour, a week each hour, a month each three, a year once a day. Less can
// hardly be seen and would draw everything again for it.
constexpr std::time_t kFinest = 10;  // collectd's default interval
constexpr std::array<std::time_t, 6> kGrains = {60,    kLedgerSlot, 900,
                                                kHour, 3 * kHour,   kDay};
constexpr std::time_t kParts = 96;  // of a range, at least

std::time_t GrainOf(std::time_t length) {
  std::time_t grain = kFinest;
  for (const std::time_t next : kGrains)
    if (length > kHour && next * kParts <= length) grain = next;
  return grain;
}

// A range shorter than this is no graph.
constexpr std::time_t kShortest = 120;

// Every configured network, with data or not, and those that have data.
std::vector<std::string> NetworkNames(const SiteContext& context) {
  std::set<std::string> names;
  for (const Network& network : context.options.networks)
    names.insert(network.name);
  for (const std::string& name : context.store.Networks()) names.insert(name);
  return {names.begin(), names.end()};
}

PageData ProblemRows(const std::vector<Problem>& problems) {
  PageData rows(PageData::type::list);
  for (const Problem& problem : problems) {
    PageData row;
    row.set("path", problem.path);
    row.set("what", problem.what);
    rows << row;
  }
  return rows;
}

void WriteIndex(SiteContext& context, const std::vector<NetworkView>& networks,
                const PageData& sections) {
  std::time_t as_of = 0;
  for (const NetworkView& network : networks)
    as_of = std::max(as_of, network.as_of);
  PageData page = CommonData(context, "", as_of);
  page.set("networks", sections);
  SetOverview(context, networks, page);
  page.set("has_networks", !networks.empty());
  page.set("rrd_directory", context.options.rrd_directory.string());
  if (context.store.CollectdHosts().size() > 1)
    page.set("collectd_host", context.store.collectd_host());
  page.set("ledger_lost", false);
  if (!context.ledger_lost.empty())
    page.set("ledger_lost", context.ledger_lost);
  page.set("has_problems", !context.problems.empty());
  page.set("problems", ProblemRows(context.problems));
  context.gallery.Write("index.html",
                        context.page_templates.Fill("index", page));
}

// Begin of the first row of the last `length` seconds that has a value.
std::optional<std::time_t> FirstKnown(const std::filesystem::path& file,
                                      std::time_t as_of, std::time_t length) {
  Problem problem;  // told by whoever reads the file for its values
  const auto series =
      FetchSeries(file, kNetworkSources, as_of - length, as_of, problem);
  for (std::size_t row = 0; series && row < series->Rows(); ++row)
    if (std::isfinite(series->At(row, 0)))
      return series->start + static_cast<std::time_t>(row) * series->step;
  return {};
}

// The earliest by any archive: a coarse one starts late by up to a row, and a
// fine one does not reach back far.
std::time_t FirstKnown(const SiteContext& context) {
  std::time_t first = 0;
  for (const std::string& name : context.store.Networks()) {
    const auto file = context.store.NetworkFile(name);
    Problem problem;
    const auto as_of = file ? NewestValue(*file, problem) : std::nullopt;
    if (!as_of) continue;
    for (const Span& span : kSpans)
      if (const auto found = FirstKnown(*file, *as_of, span.length))
        if (first == 0 || *found < first) first = *found;
  }
  return first;
}

void ReadNames(SiteContext& context) {
  if (context.options.names.empty()) return;
  try {
    context.names = HostNames::Load(context.options.names);
    context.names.RollUp(context.options.networks);
  } catch (const std::runtime_error& error) {
    context.problems.push_back({"[pages] names", error.what()});
  }
}

// A ledger that can't be read is told, and RRDs have to do. So is one that is
// not there, if somebody named it.
void ReadLedger(SiteContext& context) {
  const SiteOptions& options = context.options;
  if (!context.ledger_lost.empty() || options.ledger.empty() ||
      (!options.ledger_named && IsMissing(options.ledger)))
    return;
  try {
    auto ledger = std::make_unique<LedgerReader>(options.ledger.string());
    const auto end = ledger->LastEnd();
    if (!end) return;  // nothing in it yet
    context.ledger_end = *end;
    // The slot that it is in has its own end yet to come.
    const auto slots =
        ledger->Totals(*end - kSpans.back().length, SlotEnd(*end));
    if (!slots.empty()) context.first_known = slots.front().end - kLedgerSlot;
    context.incidents =
        ledger->Incidents(*end - kIncidentDays * kDay, *end + kDay);
    context.ledger = std::move(ledger);
  } catch (const LedgerError& error) {
    context.ledger_lost = error.what();
  }
}

}  // namespace

bool ShowsMore(const SiteContext& context, std::time_t as_of,
               std::time_t shorter) {
  return context.first_known < as_of - shorter;
}

TimeRange LastRange(const SiteContext& context, std::time_t as_of,
                    std::time_t length, std::time_t phase) {
  // What is younger than that begins where it began, not anew at every run.
  const bool young = !ShowsMore(context, as_of, length);
  if (young)
    length = std::clamp(as_of - context.first_known, kShortest, length);
  const std::time_t grain = GrainOf(length);
  const std::time_t end = as_of - (as_of + phase) % grain;
  return {young ? std::min(context.first_known, end - kShortest) : end - length,
          end};
}

std::string NetworkPage(const std::string& network) {
  return fmt::format("network-{}.html", FileNamePart(network));
}

PageData CommonData(const SiteContext& context, const std::string& page_title,
                    std::time_t as_of) {
  PageData data;
  const std::string& site = context.options.title;
  data.set("site", site);
  data.set("page_title", page_title.empty()
                             ? site
                             : fmt::format("{} – {}", page_title, site));
  data.set("has_books", context.has_books);
  data.set("written", LocalTime(context.options.now));
  data.set("known", as_of != 0);
  data.set("has_ledger", context.ledger != nullptr);
  data.set("has_bills",
           context.ledger != nullptr && !context.options.customers.empty());
  data.set("stale", false);
  if (as_of == 0) return data;
  const std::time_t age = std::max<std::time_t>(0, context.options.now - as_of);
  const std::time_t stale_after =
      context.ledger ? kLedgerStaleAfter : kRrdStaleAfter;
  data.set("as_of", LocalTime(as_of));
  data.set("as_of_iso", IsoTime(as_of));
  data.set("age", DurationText(age));
  data.set("stale", age > stale_after);
  return data;
}

namespace {

void WriteAll(SiteContext& context) {
  ReadNames(context);
  ReadLedger(context);
  if (!context.ledger_lost.empty())
    context.problems.push_back({"[ledger]", context.ledger_lost});
  if (auto problem = NamedButEmpty(context.store, context.options.rrds_named,
                                   context.options.collectd_host))
    context.problems.push_back(std::move(*problem));
  context.has_books = !context.store.Books().empty();
  if (!context.ledger) context.first_known = FirstKnown(context);
  std::vector<NetworkView> networks;
  for (const std::string& name : NetworkNames(context))
    networks.push_back(ReadNetwork(context, name));

  // Hosts before the pages that link to them, so that a link never dangles.
  PageData sections(PageData::type::list);
  context.gallery.Write("style.css", context.page_templates.Text("style.css"));
  for (const NetworkView& network : networks) {
    WriteHostPages(context, network, networks);
    WriteNetworkPage(context, network);
    sections << NetworkSection(context, network);
  }
  if (context.ledger) WriteIncidentsPage(context, networks);
  if (context.ledger && !context.options.customers.empty())
    WriteBillsPage(context);
  WriteBooksPage(context);
  WriteIndex(context, networks, sections);
}

// `ledger_lost`: why it can't be read, if that is known.
SiteReport WriteOnce(const SiteOptions& options,
                     const std::string& ledger_lost) {
  SiteContext context(options);
  context.ledger_lost = ledger_lost;
  try {
    WriteAll(context);
    // Its pages stay until it can be read again.
    if (context.ledger_lost.empty())
      context.gallery.Finish();
    else
      context.gallery.Abandon();
  } catch (...) {
    context.gallery.Abandon();
    throw;
  }
  SiteReport report;
  report.pages = context.gallery.written();
  report.pictures_drawn = context.gallery.drawn();
  report.pictures_kept = context.gallery.kept();
  report.problems = std::move(context.problems);
  return report;
}

}  // namespace

SiteReport WriteSite(const SiteOptions& options) {
  try {
    return WriteOnce(options, "");
  } catch (const LedgerError& error) {
    // Damaged where it is read late: as if it could not be read at all.
    return WriteOnce(options, error.what());
  }
}

}  // namespace iptrk
