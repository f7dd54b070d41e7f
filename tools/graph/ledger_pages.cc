// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/ledger_pages.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/civil_month.h"
#include "lib/ledger_sum.h"
#include "lib/report.h"
#include "lib/report_text.h"
#include "tools/graph/humanise.h"
#include "tools/graph/incident_view.h"

namespace iptrk {
namespace {

constexpr std::size_t kMostShown = 200;  // cleared incidents on the page
constexpr std::size_t kLatestShown = 5;  // on the overview

// The open ones first, each part the latest first.
std::vector<const LedgerIncident*> InOrder(const SiteContext& context) {
  std::vector<const LedgerIncident*> order;
  for (const LedgerIncident& incident : context.incidents)
    order.push_back(&incident);
  std::stable_partition(order.begin(), order.end(),
                        [](const auto* i) { return i->open; });
  return order;
}

// The month `period` up to the last slot that is over at `until`.
BillRequest RequestFor(const Customer& customer, std::string period,
                       std::time_t until) {
  BillRequest request;
  request.customer = customer.name;
  request.timezone = customer.timezone;
  request.convention =
      ParseConvention(customer.convention).value_or(Convention::kMaxOfP95);
  request.span = MonthSpan(period, customer.timezone).value_or(TimeSpan{});
  request.span.to = std::min<std::int64_t>(request.span.to,
                                           until / kLedgerSlot * kLedgerSlot);
  request.period = std::move(period);
  return request;
}

PageData BillRow(const Bill& bill) {
  PageData row;
  row.set("customer", bill.request.customer);
  row.set("in", HumanBytes(static_cast<double>(bill.volume.in.bytes)));
  row.set("out", HumanBytes(static_cast<double>(bill.volume.out.bytes)));
  const auto& [convention, p95] = bill.percentiles.front();
  row.set("p95", p95 ? Megabits(*p95) + " Mbit/s" : "–");
  row.set("convention", ToString(convention));
  row.set("samples", fmt::format("{} of {}", bill.seen, bill.expected));
  row.set("coverage", CoverageText(bill));
  row.set("complete", bill.billable);
  row.set("timezone", bill.request.timezone);
  return row;
}

// None in the first minutes of a month, which has no slot yet.
void AddBillTable(const SiteContext& context, const std::string& heading,
                  std::vector<BillRequest> requests, PageData& tables) {
  std::erase_if(requests, [](const BillRequest& request) {
    return request.span.to <= request.span.from;
  });
  if (requests.empty()) return;
  PageData rows(PageData::type::list);
  for (const Bill& bill :
       MakeBills(context.options.ledger.string(), requests, BillOptions{}))
    rows << BillRow(bill);
  PageData table;
  table.set("heading", heading);
  table.set("rows", rows);
  tables << table;
}

// "2026-10", that holds `time`.
std::string MonthOf(std::time_t time, const std::string& zone) {
  return FormatDate(time, zone).substr(0, 7);
}

}  // namespace

void WriteIncidentsPage(SiteContext& context,
                        const std::vector<NetworkView>& networks) {
  PageData page = CommonData(context, "Incidents", context.ledger_end);
  PageData list(PageData::type::list);
  std::size_t shown = 0;
  for (const LedgerIncident* incident : InOrder(context)) {
    if (!incident->open && ++shown > kMostShown) break;
    list << IncidentData(context, *incident, networks);
  }
  page.set("incidents", list);
  page.set("any", !context.incidents.empty());
  page.set("days", std::to_string(kIncidentDays));
  page.set("cut", shown > kMostShown);
  page.set("most", std::to_string(kMostShown));
  context.gallery.Write("incidents.html",
                        context.page_templates.Fill("incidents", page));
}

void WriteBillsPage(SiteContext& context) {
  PageData page = CommonData(context, "Bills", context.ledger_end);
  const std::time_t end = context.ledger_end;
  std::vector<BillRequest> running;
  std::vector<BillRequest> last;
  for (const Customer& customer : context.options.customers) {
    running.push_back(
        RequestFor(customer, MonthOf(end, customer.timezone), end));
    last.push_back(
        RequestFor(customer, LastMonth(end, customer.timezone), end));
  }
  page.set("any", !running.empty());
  PageData tables(PageData::type::list);
  AddBillTable(context, "This month so far", std::move(running), tables);
  AddBillTable(context, "Last month", std::move(last), tables);
  page.set("tables", tables);
  page.set("units", kBillUnits);
  context.gallery.Write("bills.html",
                        context.page_templates.Fill("bills", page));
}

void SetOverview(SiteContext& context, const std::vector<NetworkView>& networks,
                 PageData& page) {
  page.set("has_ledger", context.ledger != nullptr);
  if (!context.ledger) return;
  PageData open(PageData::type::list);
  PageData latest(PageData::type::list);
  std::size_t opened = 0;
  std::size_t cleared = 0;
  for (const LedgerIncident* incident : InOrder(context)) {
    if (incident->open) {
      ++opened;
      open << IncidentData(context, *incident, networks);
    } else if (context.ledger_end - incident->end < kWeek &&
               ++cleared <= kLatestShown) {
      latest << IncidentData(context, *incident, networks);
    }
  }
  page.set("open_tables", IncidentTable(open));
  page.set("any_open", opened != 0);
  page.set("latest_tables", IncidentTable(latest));
  page.set("any_latest", cleared != 0);
  const bool stale =
      context.options.now - context.ledger_end > kLedgerStaleAfter;
  page.set("headline", stale         ? "Unknown: no fresh data"
                       : opened == 0 ? "All quiet"
                       : opened == 1
                           ? "1 incident is open"
                           : fmt::format("{} incidents are open", opened));
  page.set("alarm", opened != 0 || stale);

  double seen = 0;
  double merged = 0;
  double unattributed = 0;
  const std::int64_t end = SlotEnd(context.ledger_end);
  for (const BooksSlot& slot : context.ledger->Books(end - kHour, end)) {
    seen += static_cast<double>(slot.books.seen.bytes);
    merged += static_cast<double>(slot.books.merged.bytes);
    unattributed += static_cast<double>(slot.books.unattributed.bytes);
  }
  page.set("books_seen", HumanBytes(seen));
  page.set("books_merged", HumanBytes(merged));
  page.set("books_unattributed", HumanBytes(unattributed));
  page.set("books_lack", unattributed > 0);
}

}  // namespace iptrk
