// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/event.h"

#include <fmt/format.h>
#include <glib.h>

#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>

#include "plugin/mail/figures.h"
#include "plugin/mail/times.h"

namespace iptrk::mail {
namespace {

// Every field ends with a NUL, which no field can hold: "ab","c" and "a","bc"
// stay two things.
void Append(std::string& out, std::initializer_list<std::string_view> fields) {
  for (const std::string_view field : fields) {
    out.append(field);
    out.push_back('\0');
  }
}

}  // namespace

std::string_view SeverityWord(Severity severity) {
  switch (severity) {
    case Severity::kFailure:
      return "FAILURE";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kOkay:
      return "OKAY";
  }
  return "FAILURE";
}

std::string_view Event::Meta(std::string_view name) const {
  const auto found = meta.find(std::string(name));
  return found == meta.end() ? std::string_view() : found->second;
}

bool Event::IsIncident() const {
  return plugin == "iptrk" && !Meta("incident").empty();
}

std::string Event::Identity() const {
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(
                               time.time_since_epoch())
                               .count();
  std::string identity;
  Append(identity,
         {SeverityWord(severity), std::to_string(nanoseconds), host, plugin});
  if (IsIncident()) {
    Append(identity, {Meta("incident"), Meta("direction"), Meta("state")});
    return identity;
  }
  Append(identity, {plugin_instance, type, type_instance, message});
  for (const auto& [name, value] : meta) Append(identity, {name, value});
  return identity;
}

std::string Event::Topic() const {
  std::string topic;
  if (IsIncident()) {
    Append(topic, {plugin, host, Meta("kind"), Meta("subject"),
                   Meta("direction"), Meta("network")});
  } else {
    // collectd's threshold plugin watches each data source by itself.
    Append(topic, {plugin, host, plugin_instance, type, type_instance,
                   Meta("DataSource")});
  }
  return topic;
}

std::string Event::Name() const {
  const auto join = [](std::string_view a, std::string_view glue,
                       std::string_view b) {
    return a.empty() || b.empty() ? fmt::format("{}{}", a, b)
                                  : fmt::format("{}{}{}", a, glue, b);
  };
  if (IsIncident()) {
    return Clean(
        join(join(Meta("kind"), " ", Meta("subject")), " ", Meta("direction")));
  }
  const std::string what = join(plugin, "/", plugin_instance);
  const std::string which = join(type, "/", type_instance);
  return Clean(join(join(what, " ", which), " on ", host));
}

Event Cleaned(const Event& event) {
  Event clean = event;
  for (const auto field :
       {&Event::host, &Event::plugin, &Event::plugin_instance, &Event::type,
        &Event::type_instance, &Event::message}) {
    clean.*field = Clean(event.*field);
  }
  clean.meta.clear();
  for (const auto& [name, value] : event.meta) {
    clean.meta[Clean(name)] = Clean(value);
  }
  return clean;
}

nlohmann::json ToJson(const Event& event) {
  return {{"severity", SeverityWord(event.severity)},
          {"time", Nanoseconds(event.time)},
          {"host", event.host},
          {"plugin", event.plugin},
          {"plugin_instance", event.plugin_instance},
          {"type", event.type},
          {"type_instance", event.type_instance},
          {"message", event.message},
          {"meta", event.meta}};
}

Event EventFromJson(const nlohmann::json& object) {
  Event event;
  const std::string severity = object.at("severity");
  if (severity == "WARNING") event.severity = Severity::kWarning;
  if (severity == "OKAY") event.severity = Severity::kOkay;
  event.time = TimeOf(object.at("time"));
  event.host = object.at("host");
  event.plugin = object.at("plugin");
  event.plugin_instance = object.at("plugin_instance");
  event.type = object.at("type");
  event.type_instance = object.at("type_instance");
  event.message = object.at("message");
  event.meta = object.at("meta");
  return event;
}

std::string Digest(std::string_view text) {
  const std::unique_ptr<char, decltype(&g_free)> hex(
      g_compute_checksum_for_data(G_CHECKSUM_SHA256,
                                  reinterpret_cast<const guchar*>(text.data()),
                                  text.size()),
      g_free);
  return std::string(hex.get()).substr(0, 16);
}

}  // namespace iptrk::mail
