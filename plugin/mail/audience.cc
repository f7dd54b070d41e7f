// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/audience.h"

#include <algorithm>
#include <string_view>

namespace iptrk::mail {
namespace {

bool Allows(const std::vector<std::string>& names, std::string_view name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

}  // namespace

bool Audience::Concerns(const Event& event) const {
  if (!event.IsIncident()) {
    return filter.networks.empty() && filter.customers.empty() &&
           Allows(filter.kinds, event.plugin);
  }
  return Allows(filter.kinds, event.Meta("kind")) &&
         Allows(filter.networks, event.Meta("network")) &&
         Allows(filter.customers, event.Meta("customer"));
}

bool Audience::IsSevere(const Event& event) const {
  switch (event.severity) {
    case Severity::kFailure:
      return true;
    case Severity::kWarning:
      return filter.severity != "failure";
    case Severity::kOkay:
      return filter.severity == "okay";
  }
  return true;
}

std::vector<Audience> AudiencesOf(const MailConfig& config) {
  std::vector<Audience> audiences;
  if (!config.to.empty()) audiences.push_back({"", config.to, config.filter});
  for (const MailRecipient& recipient : config.recipients) {
    audiences.push_back(
        {recipient.name, {recipient.address}, recipient.filter});
  }
  return audiences;
}

}  // namespace iptrk::mail
