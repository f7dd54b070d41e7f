// SPDX-License-Identifier: GPL-2.0-only
// What a mail says: its subject, and both of its parts.
//
// The plain part is UTF-8 in lines of at most 80 columns, readable alone.
#ifndef IPTRK_PLUGIN_MAIL_TEXT_H_
#define IPTRK_PLUGIN_MAIL_TEXT_H_

#include <string>

#include "plugin/mail/letter.h"
#include "plugin/mail/picture.h"
#include "plugin/mail/templates.h"

namespace iptrk::mail {

struct Text {
  std::string subject;
  std::string plain;
  std::string html;
};

struct Context {
  std::string config_file;     // where a rule is changed
  bool how_to_silence = true;  // whether the reader may do that
};

// The same values for both parts; the names are in collectd-iptrk(5).
Text Describe(const Letter& letter, const Picture& picture,
              const Context& context, const Templates& templates);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_TEXT_H_
