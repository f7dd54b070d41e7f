// SPDX-License-Identifier: GPL-2.0-only
// Whose an address is: for notifications that don't say, and for pictures.
//
// Immutable after construction. Never throws but for memory.
#ifndef IPTRK_PLUGIN_MAIL_PLACES_H_
#define IPTRK_PLUGIN_MAIL_PLACES_H_

#include <optional>
#include <vector>

#include "lib/config.h"
#include "lib/prefix_map.h"
#include "plugin/mail/audience.h"
#include "plugin/mail/letter.h"
#include "plugin/mail/picture.h"

namespace iptrk::mail {

class Places {
 public:
  explicit Places(const Config& config);

  // Adds "network" and "customer" to an incident that lacks them, if its whole
  // subject, a host or a prefix, is of one.
  void Complete(Event& event) const;

  // What to draw for a mail: the prefix around the subject of its first
  // incident that has one; for customers one of theirs only. Nothing for mails
  // about no IPv4 addresses of ours: IPv6 has no address axis.
  std::optional<PictureSubject> PictureFor(const Letter& letter,
                                           const Audience& audience) const;

 private:
  std::vector<Network> networks_;
  std::vector<Customer> customers_;
  PrefixMap<int> network_of_;
  PrefixMap<int> customer_of_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_PLACES_H_
