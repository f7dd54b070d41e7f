// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/report_page.h"

#include <fmt/format.h>

#include <optional>

#include "lib/report_text.h"

namespace iptrk {
namespace {

PageData Row(const Bill& bill, Convention convention,
             const std::optional<Percentile>& p95, bool audit) {
  PageData row;
  row.set("customer", bill.request.customer);
  row.set("removed", !bill.request.configured);
  row.set("in", Gigabytes(bill.volume.in));
  row.set("out", Gigabytes(bill.volume.out));
  row.set("p95", p95 ? Megabits(*p95) : "–");
  row.set("convention", ToString(convention));
  row.set("direction", p95 ? p95->direction : "–");
  row.set("rank", p95 ? fmt::format("{} of {}", p95->rank, p95->samples) : "–");
  row.set("seen", fmt::format("{} of {}", bill.seen, bill.expected));
  row.set("coverage", CoverageText(bill));
  row.set("billable", bill.billable);
  row.set("has_audit", audit && p95);
  row.set("audit", audit && p95 ? AuditText(bill, *p95, convention) : "");
  return row;
}

PageData Section(const Bill& bill) {
  const BillRequest& request = bill.request;
  PageData section;
  section.set("period", request.period);
  section.set("timezone", request.timezone);
  section.set("from", FormatDate(request.span.from, request.timezone));
  section.set("to", FormatDate(request.span.to, request.timezone));
  section.set("expected", std::to_string(bill.expected));
  section.set("has_unattributed", bill.unattributed.bytes > 0);
  section.set("unattributed", std::to_string(bill.unattributed.bytes));
  return section;
}

}  // namespace

std::string BillsToHtml(std::span<const Bill> bills, bool audit,
                        const PageTemplates& templates) {
  PageData sections(PageData::type::list);
  for (std::size_t i = 0; i < bills.size();) {
    PageData section = Section(bills[i]);
    PageData rows(PageData::type::list);
    const BillRequest& first = bills[i].request;
    for (; i < bills.size() && bills[i].request.span == first.span &&
           bills[i].request.timezone == first.timezone;
         ++i)
      for (const auto& [convention, p95] : bills[i].percentiles)
        rows << Row(bills[i], convention, p95, audit);
    section.set("rows", rows);
    sections << section;
  }
  PageData page;
  page.set("title", bills.empty() ? "" : bills[0].request.period);
  page.set("sections", sections);
  page.set("units", kBillUnits);
  return templates.Fill("report", page);
}

}  // namespace iptrk
