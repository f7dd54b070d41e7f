// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/books_page.h"

#include <algorithm>
#include <cmath>

#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

enum : std::size_t {
  kNic,
  kSeen,
  kRecorded,
  kMerged,
  kUnattributed,
  kElsewhere
};

// RRDs keep rates as floating point; sums of them differ in the last places.
constexpr double kRounding = 1e-6;
// The device's counters are read a moment after ours: what passed in between
// is no fault.
constexpr double kUnderWay = 1e-3;

PageData BooksRow(const BooksRrd& books, const std::vector<double>& bytes) {
  const double explained = bytes[kRecorded] + bytes[kMerged] +
                           bytes[kUnattributed] + bytes[kElsewhere];
  const double off = bytes[kSeen] - explained;
  const bool balanced =
      std::abs(off) <= std::max(1.0, kRounding * bytes[kSeen]);
  const double unseen = bytes[kNic] - bytes[kSeen];
  PageData row;
  row.set("interface", books.interface);
  row.set("direction", books.direction);
  row.set("nic", HumanBytes(bytes[kNic]));
  row.set("seen", HumanBytes(bytes[kSeen]));
  row.set("recorded", HumanBytes(bytes[kRecorded]));
  row.set("merged", HumanBytes(bytes[kMerged]));
  row.set("unattributed", HumanBytes(bytes[kUnattributed]));
  row.set("elsewhere", HumanBytes(bytes[kElsewhere]));
  row.set("unseen", HumanBytes(unseen));
  row.set("all_seen", std::abs(unseen) <= kUnderWay * bytes[kSeen]);
  row.set("balanced", balanced);
  if (!balanced) row.set("off", HumanBytes(off));
  return row;
}

PageData BooksTable(SiteContext& context, const std::vector<BooksRrd>& books,
                    const char* heading, TimeRange range, bool complain) {
  PageData rows(PageData::type::list);
  for (const BooksRrd& rrd : books) {
    Problem problem;
    const auto series =
        FetchSeries(rrd.path, kBooksSources, range.start, range.end, problem);
    if (series)
      rows << BooksRow(rrd, SumOver(*series, range).bytes);
    else if (complain)
      context.problems.push_back(problem);
  }
  PageData table;
  table.set("heading", heading);
  table.set("range", HumanRange(range));
  table.set("rows", rows);
  return table;
}

}  // namespace

void WriteBooksPage(SiteContext& context) {
  const std::vector<BooksRrd> books = context.store.Books();
  std::time_t as_of = 0;
  for (const BooksRrd& rrd : books) {
    Problem problem;
    if (const auto newest = NewestValue(rrd.path, problem))
      as_of = std::max(as_of, *newest);
  }
  PageData page = CommonData(context, "Books", as_of);
  page.set("has_data", as_of != 0);
  if (as_of != 0) {
    PageData tables(PageData::type::list);
    const bool has_day = ShowsMore(context, as_of, kHour);
    tables << BooksTable(context, books, "Last hour",
                         LastRange(context, as_of, kHour), !has_day);
    if (has_day)
      tables << BooksTable(context, books, "Last day",
                           LastRange(context, as_of, kDay), true);
    page.set("tables", tables);
  }
  context.gallery.Write("books.html",
                        context.page_templates.Fill("books", page));
}

}  // namespace iptrk
