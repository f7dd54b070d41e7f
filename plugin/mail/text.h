// SPDX-License-Identifier: GPL-2.0-only
// What the mail about an event says: its subject and its body.
//
// Pure functions. The body is UTF-8, lines of at most 80 columns that end
// with '\n', readable alone. A field that is missing leaves its line out; no
// field can start a line of its own.
#ifndef IPTRK_PLUGIN_MAIL_TEXT_H_
#define IPTRK_PLUGIN_MAIL_TEXT_H_

#include <string>

#include "plugin/mail/event.h"

namespace iptrk::mail {

struct Text {
  std::string subject;
  std::string body;
};

// `config_file` is the one the reader is told to edit to silence the rule.
Text Describe(const Event& event, const std::string& config_file);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_TEXT_H_
