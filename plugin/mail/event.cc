// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/event.h"

#include <initializer_list>

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

}  // namespace iptrk::mail
