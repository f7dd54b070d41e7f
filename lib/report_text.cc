// SPDX-License-Identifier: GPL-2.0-only
#include "lib/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace iptrk {
namespace {

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string CsvVolumes(const CustomerVolume& v) {
  return fmt::format("{},{},{},{},{},{},{},{}", v.in.bytes, v.in.packets,
                     v.out.bytes, v.out.packets, v.internal_in.bytes,
                     v.internal_in.packets, v.internal_out.bytes,
                     v.internal_out.packets);
}
constexpr char kCsvVolumes[] =
    "in_bytes,in_packets,out_bytes,out_packets,internal_in_bytes,"
    "internal_in_packets,internal_out_bytes,internal_out_packets";

nlohmann::json VolumesToJson(const CustomerVolume& v) {
  const auto json = [](const Volume& volume) {
    return nlohmann::json{{"bytes", volume.bytes}, {"packets", volume.packets}};
  };
  return {{"in", json(v.in)},
          {"out", json(v.out)},
          {"internal_in", json(v.internal_in)},
          {"internal_out", json(v.internal_out)}};
}

// The conventions whose figure this slot gave, separated by blanks.
std::string GaveFigure(const Bill& bill, std::int64_t slot_end) {
  std::string names;
  for (const auto& [convention, p95] : bill.percentiles)
    if (p95 && p95->sample.end == slot_end)
      names += (names.empty() ? "" : " ") + std::string(ToString(convention));
  return names;
}

std::string Utc(std::int64_t time) { return FormatDate(time, "UTC"); }

void AppendBill(const Bill& bill, std::size_t width, bool audit,
                std::string& text) {
  std::string name = bill.request.customer;
  std::string volume = fmt::format("{:>14} {:>14}", Gigabytes(bill.volume.in),
                                   Gigabytes(bill.volume.out));
  for (const auto& [convention, p95] : bill.percentiles) {
    text += fmt::format(
        "{:<{}} {} {:>12} {:<10} {:<6} {:>13} {:>11} {:>9}{}{}\n", name, width,
        volume, p95 ? Megabits(*p95) : "-", ToString(convention),
        p95 ? p95->direction : "-",
        p95 ? fmt::format("{} of {}", p95->rank, p95->samples) : "-",
        fmt::format("{}/{}", bill.seen, bill.expected), CoverageText(bill),
        bill.billable ? "" : "  NOT BILLABLE",
        bill.request.configured ? "" : "  not configured");
    name.clear();
    volume = fmt::format("{:>14} {:>14}", "", "");
  }
  if (!audit) return;
  for (const auto& [convention, p95] : bill.percentiles)
    if (p95) text += "    " + AuditText(bill, *p95, convention) + "\n";
}

}  // namespace

const char kBillUnits[] =
    "GB = 10^9 bytes, Mbit = 10^6 bits. Bytes are those of layer 2 without "
    "FCS; traffic between own addresses is not in the figures. 95th "
    "percentile: nearest rank; of the 5-minute samples (bytes * 8 / 300 s) in "
    "descending order the first 5 % (rounded down) are dropped and the next "
    "one is billed. Samples that are missing are left out, not filled; below "
    "99 % coverage nothing is billable.";

std::string Megabits(const Percentile& percentile) {
  return fmt::format("{:.3f}", percentile.BitsPerSecond() / 1e6);
}

std::string Gigabytes(const Volume& volume) {
  constexpr std::uint64_t kThousandth = 1'000'000;  // of a GB
  return fmt::format("{}.{:03}", volume.bytes / kThousandth / 1000,
                     volume.bytes / kThousandth % 1000);
}

std::string CoverageText(const Bill& bill) {
  const auto hundredths = static_cast<std::int64_t>(bill.Coverage() * 1e4);
  return fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

std::string AuditText(const Bill& bill, const Percentile& percentile,
                      Convention convention) {
  return fmt::format(
      "{}: {}. Slot ending {} ({}): {} bytes in, {} out; {} counts: {} bytes "
      "* 8 / 300 s = {:.3f} bit/s. Of {} samples in descending order the first "
      "{} are dropped, this is number {}.",
      ToString(convention), Rule(convention),
      FormatDate(percentile.sample.end, bill.request.timezone),
      Utc(percentile.sample.end), percentile.sample.in, percentile.sample.out,
      percentile.direction, percentile.bytes, percentile.BitsPerSecond(),
      percentile.samples, percentile.dropped, percentile.rank);
}

std::string BillsToText(std::span<const Bill> bills, bool audit) {
  std::size_t width = 8;
  for (const Bill& bill : bills)
    width = std::max(width, bill.request.customer.size());
  std::string text;
  const Bill* before = nullptr;
  for (const Bill& bill : bills) {
    const BillRequest& request = bill.request;
    if (!before || before->request.span != request.span ||
        before->request.timezone != request.timezone) {
      text += fmt::format(
          "{}{} in {}: from {} to {}, {} samples of 5 minutes\n",
          before ? "\n" : "", request.period, request.timezone,
          FormatDate(request.span.from, request.timezone),
          FormatDate(request.span.to, request.timezone), bill.expected);
      if (bill.unattributed.bytes > 0)
        text += fmt::format(
            "{} bytes of all traffic could not be attributed to an address, "
            "and so to no customer\n",
            bill.unattributed.bytes);
      text += fmt::format(
          "{:<{}} {:>14} {:>14} {:>12} {:<10} {:<6} {:>13} {:>11} {:>9}\n",
          "customer", width, "GB in", "GB out", "p95 Mbit/s", "convention",
          "way", "rank", "samples", "coverage");
    }
    AppendBill(bill, width, audit, text);
    before = &bill;
  }
  return text + "\n" + kBillUnits + "\n";
}

std::string BillsToCsv(std::span<const Bill> bills, bool audit) {
  std::string text;
  if (audit) {
    text = fmt::format(
        "customer,slot_end,covered_seconds,sample,{},figure_of"
        "\r\n",
        kCsvVolumes);
    for (const Bill& bill : bills) {
      const std::string name = Quoted(bill.request.customer);
      for (const BillSlot& slot : bill.slots)
        text +=
            fmt::format("{},{},{},{},{},{}\r\n", name, Utc(slot.end),
                        slot.covered, slot.covered > 0 ? 1 : 0,
                        CsvVolumes(slot.volume), GaveFigure(bill, slot.end));
    }
    return text;
  }
  text = fmt::format(
      "customer,configured,timezone,from,to,convention,p95_bits_per_second,"
      "p95_bytes,p95_slot_end,p95_direction,rank,dropped,samples_seen,"
      "samples_expected,coverage,billable,{},unattributed_bytes\r\n",
      kCsvVolumes);
  for (const Bill& bill : bills)
    for (const auto& [convention, p95] : bill.percentiles) {
      const BillRequest& request = bill.request;
      text += fmt::format(
          "{},{:d},{},{},{},{},{},{},{},{:.6f},{:d},{},{}\r\n",
          Quoted(request.customer), request.configured, request.timezone,
          FormatDate(request.span.from, request.timezone),
          FormatDate(request.span.to, request.timezone), ToString(convention),
          p95 ? fmt::format("{:.3f},{},{},{},{},{}", p95->BitsPerSecond(),
                            p95->bytes, Utc(p95->sample.end), p95->direction,
                            p95->rank, p95->dropped)
              : ",,,,,",
          bill.seen, bill.expected, bill.Coverage(), bill.billable,
          CsvVolumes(bill.volume), bill.unattributed.bytes);
    }
  return text;
}

nlohmann::json BillsToJson(std::span<const Bill> bills, bool audit) {
  auto list = nlohmann::json::array();
  for (const Bill& bill : bills) {
    const BillRequest& request = bill.request;
    auto percentiles = nlohmann::json::array();
    for (const auto& [convention, p95] : bill.percentiles) {
      nlohmann::json one = {{"convention", ToString(convention)},
                            {"rule", Rule(convention)},
                            {"agreed", convention == request.convention},
                            {"bits_per_second", nullptr}};
      if (p95)
        one.update({{"bits_per_second", p95->BitsPerSecond()},
                    {"bytes", p95->bytes},
                    {"direction", p95->direction},
                    {"slot_end", Utc(p95->sample.end)},
                    {"slot_in_bytes", p95->sample.in},
                    {"slot_out_bytes", p95->sample.out},
                    {"rank", p95->rank},
                    {"dropped", p95->dropped},
                    {"samples", p95->samples}});
      percentiles.push_back(std::move(one));
    }
    nlohmann::json customer = {
        {"customer", request.customer},
        {"configured", request.configured},
        {"timezone", request.timezone},
        {"period", request.period},
        {"from", FormatDate(request.span.from, request.timezone)},
        {"to", FormatDate(request.span.to, request.timezone)},
        {"from_unix", request.span.from},
        {"to_unix", request.span.to},
        {"samples", {{"expected", bill.expected}, {"seen", bill.seen}}},
        {"covered_seconds", bill.covered},
        {"coverage", bill.Coverage()},
        {"billable", bill.billable},
        {"volume", VolumesToJson(bill.volume)},
        {"unattributed_bytes", bill.unattributed.bytes},
        {"p95", std::move(percentiles)}};
    if (audit) {
      auto slots = nlohmann::json::array();
      for (const BillSlot& slot : bill.slots) {
        nlohmann::json one = VolumesToJson(slot.volume);
        one["end"] = Utc(slot.end);
        one["covered_seconds"] = slot.covered;
        one["sample"] = slot.covered > 0;
        slots.push_back(std::move(one));
      }
      customer["slots"] = std::move(slots);
    }
    list.push_back(std::move(customer));
  }
  return {{"units", kBillUnits},
          {"slot_seconds", kLedgerSlot},
          {"least_coverage", kLeastCoverage},
          {"customers", std::move(list)}};
}

}  // namespace iptrk
