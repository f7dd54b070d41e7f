// SPDX-License-Identifier: GPL-2.0-only
// Bills as text for people, as CSV and as JSON.
#ifndef IPTRK_LIB_REPORT_TEXT_H_
#define IPTRK_LIB_REPORT_TEXT_H_

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "lib/report.h"

namespace iptrk {

// What a bill's figures are, in one paragraph; for every format that people
// read.
extern const char kBillUnits[];

// Figures with three decimals; those of volumes are cut, not rounded.
std::string Megabits(const Percentile& percentile);
std::string Gigabytes(const Volume& volume);
std::string CoverageText(const Bill& bill);  // "99.98 %", cut too

// Which slot gave the figure, and by which rule; a paragraph.
std::string AuditText(const Bill& bill, const Percentile& percentile,
                      Convention convention);

// A table per time zone; with `audit` the slot that gave each figure.
std::string BillsToText(std::span<const Bill> bills, bool audit);

// RFC 4180, with a header: a line per customer and convention, or with
// `audit` per slot.
std::string BillsToCsv(std::span<const Bill> bills, bool audit);

nlohmann::json BillsToJson(std::span<const Bill> bills, bool audit);

}  // namespace iptrk

#endif  // IPTRK_LIB_REPORT_TEXT_H_
