// SPDX-License-Identifier: GPL-2.0-only
#include "lib/books_count.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/books.h"
#include "lib/json_text.h"

namespace iptrk {
namespace {

constexpr Volume BooksEntry::*kVolumes[] = {
    &BooksEntry::nic,    &BooksEntry::seen,         &BooksEntry::recorded,
    &BooksEntry::merged, &BooksEntry::unattributed, &BooksEntry::elsewhere};

BooksEntry Counted(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  return {
      .interface = interface.name,
      .sent = sent,
      .nic = NicOnWire(interface, sent),
      .seen = {books.seen.bytes, books.seen.packets},
      .recorded = {books.recorded.bytes, books.recorded.packets},
      .merged = {books.merged.bytes, books.merged.packets},
      .unattributed = {books.unattributed.bytes, books.unattributed.packets},
      .elsewhere = {books.elsewhere.bytes, books.elsewhere.packets}};
}

std::uint64_t Gain(std::uint64_t before, std::uint64_t now) {
  return now - std::min(before, now);
}

Volume Gain(const Volume& before, const Volume& now) {
  return {Gain(before.bytes, now.bytes), Gain(before.packets, now.packets)};
}

std::uint64_t Part(std::uint64_t whole, double share) {
  return std::min(whole, static_cast<std::uint64_t>(
                             std::llround(static_cast<double>(whole) * share)));
}

}  // namespace

BooksCount::BooksCount(const std::vector<iptrk_interface>& interfaces) {
  for (const iptrk_interface& interface : interfaces)
    for (const bool sent : {false, true})
      rows_.push_back(Counted(interface, sent));
}

std::string BooksCount::ToText() const {
  auto rows = nlohmann::json::array();
  for (const BooksEntry& row : rows_) {
    auto volumes = nlohmann::json::array();
    for (const auto volume : kVolumes) {
      volumes.push_back((row.*volume).bytes);
      volumes.push_back((row.*volume).packets);
    }
    rows.push_back({row.interface, row.sent, std::move(volumes)});
  }
  return JsonText(rows);
}

std::optional<BooksCount> BooksCount::Parse(const std::string& text) try {
  BooksCount count;
  for (const auto& row : nlohmann::json::parse(text)) {
    BooksEntry entry;
    entry.interface = row.at(0);
    entry.sent = row.at(1);
    std::size_t i = 0;
    for (const auto volume : kVolumes) {
      (entry.*volume).bytes = row.at(2).at(i++);
      (entry.*volume).packets = row.at(2).at(i++);
    }
    count.rows_.push_back(std::move(entry));
  }
  return count;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

std::vector<BooksEntry> BooksCount::Since(const BooksCount& before) const {
  std::vector<BooksEntry> gained = rows_;
  for (std::size_t i = 0; i < std::min(rows_.size(), before.rows_.size()); ++i)
    for (const auto volume : kVolumes)
      gained[i].*volume = Gain(before.rows_[i].*volume, rows_[i].*volume);
  return gained;
}

BooksCount BooksCount::Between(const BooksCount& before, double share) const {
  BooksCount between = *this;
  between.rows_ = Since(before);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (const auto volume : kVolumes) {
      const Volume gain = between.rows_[i].*volume;
      Volume& at = between.rows_[i].*volume;
      // Counted from now, so that a counter that was set back ends there.
      at.bytes =
          (rows_[i].*volume).bytes - gain.bytes + Part(gain.bytes, share);
      at.packets =
          (rows_[i].*volume).packets - gain.packets + Part(gain.packets, share);
    }
  }
  return between;
}

}  // namespace iptrk
