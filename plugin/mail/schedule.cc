// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/json_text.h"

namespace iptrk::mail {

using nlohmann::json;

Schedule::Schedule(const std::vector<Audience>& audiences, Pace pace,
                   Hushed hushed, Time now) {
  for (const Audience& audience : audiences) {
    desks_.emplace_back(audience, pace, hushed, now);
  }
}

bool Schedule::Take(const Event& event, Time now) {
  const Event clean = Cleaned(event);
  const std::string digest = Digest(clean.Identity());
  if (known_.contains(digest)) return false;
  Remember(digest);
  for (Desk& desk : desks_) desk.Take(clean, now);
  return true;
}

void Schedule::Remember(const std::string& digest) {
  if (!known_.insert(digest).second) return;
  seen_.push_back(digest);
  if (seen_.size() <= kRemembered) return;
  known_.erase(seen_.front());
  seen_.pop_front();
}

bool Schedule::Write(Time now) {
  bool any = false;
  for (Desk& desk : desks_) {
    for (Letter& letter : desk.Due(now)) {
      // The number alone would come again after a lost file.
      letter.id = Digest(fmt::format("{} {} {}", desk.audience().name,
                                     Nanoseconds(now), ++number_));
      letters_.push_back(std::move(letter));
      any = true;
    }
  }
  return any;
}

Time Schedule::NextDue(Time now) const {
  Time next = Time::max();
  for (const Desk& desk : desks_) next = std::min(next, desk.NextDue(now));
  return next;
}

const Audience* Schedule::FindAudience(const std::string& name) const {
  for (const Desk& desk : desks_) {
    if (desk.audience().name == name) return &desk.audience();
  }
  return nullptr;
}

std::size_t Schedule::waiting() const {
  std::size_t waiting = letters_.size();
  for (const Desk& desk : desks_) waiting += desk.waiting();
  return waiting;
}

std::string Schedule::Save() const {
  json desks = json::object();
  for (const Desk& desk : desks_) desks[desk.audience().name] = desk.Save();
  json letters = json::array();
  for (const Letter& letter : letters_) letters.push_back(ToJson(letter));
  const json saved = {{"number", number_},
                      {"seen", seen_},
                      {"desks", std::move(desks)},
                      {"letters", std::move(letters)}};
  return JsonText(saved) + "\n";
}

void Schedule::Restore(const std::string& text) {
  const json saved = json::parse(text);
  std::deque<Letter> letters;
  for (const json& object : saved.at("letters")) {
    Letter letter = LetterFromJson(object);
    if (FindAudience(letter.audience)) letters.push_back(std::move(letter));
  }
  for (Desk& desk : desks_) {
    const auto found = saved.at("desks").find(desk.audience().name);
    if (found != saved.at("desks").end()) desk.Restore(*found);
  }
  for (const json& digest : saved.at("seen")) {
    Remember(digest.get<std::string>());
  }
  number_ = saved.at("number");
  letters_ = std::move(letters);
}

}  // namespace iptrk::mail
