// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/letter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace iptrk::mail {

using nlohmann::json;

namespace {

std::uint64_t Sum(const Counts& counts) {
  return counts.opened + counts.changed + counts.cleared + counts.silenced;
}

json ToJson(const Entry& entry) {
  return {{"event", ToJson(entry.event)},
          {"thread", entry.thread},
          {"counts", ToJson(entry.counts)},
          {"open", entry.open},
          {"reminder", entry.reminder}};
}

Entry EntryFromJson(const json& object) {
  return {EventFromJson(object.at("event")), object.at("thread"),
          CountsFromJson(object.at("counts")), object.at("open"),
          object.at("reminder")};
}

json RowsToJson(const std::map<std::string, Counts>& rows) {
  json list = json::object();
  for (const auto& [name, counts] : rows) list[name] = ToJson(counts);
  return list;
}

std::map<std::string, Counts> RowsFromJson(const json& object) {
  std::map<std::string, Counts> rows;
  for (const auto& [name, counts] : object.items()) {
    rows[name] = CountsFromJson(counts);
  }
  return rows;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  opened += other.opened;
  changed += other.changed;
  cleared += other.cleared;
  silenced += other.silenced;
  return *this;
}

void Tally::Add(const Event& event, const Counts& counts) {
  if (counts.empty()) return;
  total_ += counts;
  const std::string kind(event.IsIncident() ? event.Meta("kind")
                                            : event.plugin);
  if (kinds_.contains(kind) || kinds_.size() < kMostKinds) {
    kinds_[kind] += counts;
  }
  const std::string name = event.Name();
  if (topics_.contains(name) || topics_.size() < kMostTopics) {
    topics_[name] += counts;
  } else {
    ++beyond_;
  }
}

std::vector<Tally::Row> Tally::Kinds() const {
  std::vector<Row> rows;
  for (const auto& [name, counts] : kinds_) rows.push_back({name, counts});
  return rows;
}

std::vector<Tally::Row> Tally::Topics(std::size_t most) const {
  std::vector<Row> rows;
  for (const auto& [name, counts] : topics_) rows.push_back({name, counts});
  std::ranges::stable_sort(rows, [](const Row& a, const Row& b) {
    return Sum(a.counts) > Sum(b.counts);
  });
  if (rows.size() > most) rows.resize(most);
  return rows;
}

json ToJson(const Counts& counts) {
  return {counts.opened, counts.changed, counts.cleared, counts.silenced};
}

Counts CountsFromJson(const json& object) {
  return {object.at(0), object.at(1), object.at(2), object.at(3)};
}

json ToJson(const Tally& tally) {
  return {{"total", ToJson(tally.total_)},
          {"kinds", RowsToJson(tally.kinds_)},
          {"topics", RowsToJson(tally.topics_)},
          {"beyond", tally.beyond_}};
}

Tally TallyFromJson(const json& object) {
  Tally tally;
  tally.total_ = CountsFromJson(object.at("total"));
  tally.kinds_ = RowsFromJson(object.at("kinds"));
  tally.topics_ = RowsFromJson(object.at("topics"));
  tally.beyond_ = object.at("beyond");
  return tally;
}

json ToJson(const Letter& letter) {
  json entries = json::array();
  for (const Entry& entry : letter.entries) entries.push_back(ToJson(entry));
  json object = {{"id", letter.id},
                 {"audience", letter.audience},
                 {"kind", static_cast<int>(letter.kind)},
                 {"time", Nanoseconds(letter.time)},
                 {"entries", std::move(entries)},
                 {"more_entries", letter.more_entries},
                 {"since", Nanoseconds(letter.since)},
                 {"tally", ToJson(letter.tally)},
                 {"open", letter.open},
                 {"open_count", letter.open_count},
                 {"mails", letter.mails}};
  if (letter.held_until) object["held_until"] = Nanoseconds(*letter.held_until);
  return object;
}

Letter LetterFromJson(const json& object) {
  Letter letter;
  letter.id = object.at("id");
  letter.audience = object.at("audience");
  letter.kind =
      static_cast<Letter::Kind>(std::clamp(object.at("kind").get<int>(), 0, 2));
  letter.time = TimeOf(object.at("time"));
  for (const json& entry : object.at("entries")) {
    letter.entries.push_back(EntryFromJson(entry));
  }
  letter.more_entries = object.at("more_entries");
  letter.since = TimeOf(object.at("since"));
  letter.tally = TallyFromJson(object.at("tally"));
  letter.open = object.at("open").get<std::vector<std::string>>();
  letter.open_count = object.at("open_count");
  letter.mails = object.at("mails");
  if (object.contains("held_until")) {
    letter.held_until = TimeOf(object.at("held_until"));
  }
  return letter;
}

}  // namespace iptrk::mail
