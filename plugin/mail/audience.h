// SPDX-License-Identifier: GPL-2.0-only
// Those who get their mails together, and what concerns them.
//
// Plain values; share them as const.
#ifndef IPTRK_PLUGIN_MAIL_AUDIENCE_H_
#define IPTRK_PLUGIN_MAIL_AUDIENCE_H_

#include <string>
#include <vector>

#include "lib/config.h"
#include "plugin/mail/event.h"

namespace iptrk::mail {

struct Audience {
  std::string name;             // "" for [mail] to
  std::vector<std::string> to;  // at least one
  MailFilter filter;

  // Whether the event is of a kind, network and customer asked for. Severity
  // is another question: the end of what was mailed is mailed, too.
  bool Concerns(const Event& event) const;

  // Whether it is severe enough to be told of.
  bool IsSevere(const Event& event) const;

  // Customers have no shell here, and nothing to see of others' hosts.
  bool IsOfCustomers() const { return !filter.customers.empty(); }
};

std::vector<Audience> AudiencesOf(const MailConfig& config);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_AUDIENCE_H_
