// SPDX-License-Identifier: GPL-2.0-only
// What a desk owes, as JSON: see Save() and Restore().
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "plugin/mail/desk.h"

namespace iptrk::mail {

using nlohmann::json;

json Desk::ToJson(const Topic& topic) {
  json object = {{"latest", mail::ToJson(topic.latest)},
                 {"thread", topic.thread},
                 {"counts", mail::ToJson(topic.counts)},
                 {"open", topic.open},
                 {"told", topic.told},
                 {"worst_told", static_cast<int>(topic.worst_told)},
                 {"last_event", Nanoseconds(topic.last_event)},
                 {"not_before", Nanoseconds(topic.not_before)},
                 {"delay", topic.delay.count()}};
  if (topic.pending) object["pending"] = Nanoseconds(*topic.pending);
  return object;
}

Desk::Topic Desk::TopicFromJson(const json& object) {
  Topic topic;
  topic.latest = EventFromJson(object.at("latest"));
  topic.thread = object.at("thread");
  topic.counts = CountsFromJson(object.at("counts"));
  topic.open = object.at("open");
  topic.told = object.at("told");
  topic.worst_told = static_cast<Severity>(
      std::clamp(object.at("worst_told").get<int>(), 0, 2));
  topic.last_event = TimeOf(object.at("last_event"));
  topic.not_before = TimeOf(object.at("not_before"));
  topic.delay = std::chrono::seconds(object.at("delay").get<std::int64_t>());
  if (object.contains("pending")) {
    topic.pending = TimeOf(object.at("pending"));
  }
  return topic;
}

json Desk::Save() const {
  json topics = json::array();
  for (const auto& [key, topic] : topics_) topics.push_back(ToJson(topic));
  json sent = json::array();
  for (const Time time : sent_) sent.push_back(Nanoseconds(time));
  json saved = {{"topics", std::move(topics)},
                {"sent", std::move(sent)},
                {"held_since", Nanoseconds(held_since_)},
                {"held", mail::ToJson(held_)},
                {"held_mails", held_mails_},
                {"day_since", Nanoseconds(day_since_)},
                {"day", mail::ToJson(day_)},
                {"day_mails", day_mails_}};
  if (held_until_) saved["held_until"] = Nanoseconds(*held_until_);
  if (next_daily_ != Time::max()) saved["daily"] = Nanoseconds(next_daily_);
  return saved;
}

void Desk::Restore(const json& saved) {
  Topics topics;
  for (const json& object : saved.at("topics")) {
    Topic topic = TopicFromJson(object);
    std::string key = topic.latest.Topic();
    topics.emplace(std::move(key), std::move(topic));
  }
  std::deque<Time> sent;
  for (const json& time : saved.at("sent")) sent.push_back(TimeOf(time));
  Tally held = TallyFromJson(saved.at("held"));
  Tally day = TallyFromJson(saved.at("day"));
  const Time held_since = TimeOf(saved.at("held_since"));
  const std::uint64_t held_mails = saved.at("held_mails");
  const Time day_since = TimeOf(saved.at("day_since"));
  const std::uint64_t day_mails = saved.at("day_mails");
  std::optional<Time> held_until;
  if (saved.contains("held_until")) held_until = TimeOf(saved["held_until"]);
  // A digest that fell due meanwhile is late, not lost.
  if (next_daily_ != Time::max() && saved.contains("daily")) {
    next_daily_ = std::min(next_daily_, TimeOf(saved["daily"]));
  }
  topics_ = std::move(topics);
  sent_ = std::move(sent);
  held_until_ = held_until;
  held_since_ = held_since;
  held_ = std::move(held);
  held_mails_ = held_mails;
  day_since_ = day_since;
  day_ = std::move(day);
  day_mails_ = day_mails;
}

}  // namespace iptrk::mail
