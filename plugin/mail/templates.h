// SPDX-License-Identifier: GPL-2.0-only
// The mustache templates of mails: the sysop's, or else those built in.
//
// A file of the sysop is read each time, so a change needs no restart. One that
// can't be read or isn't a template is told to `log`, and the built-in one
// takes its place: no alert is lost for want of a brace.
//
// Threads: thread-compatible. No function throws but for memory.
#ifndef IPTRK_PLUGIN_MAIL_TEMPLATES_H_
#define IPTRK_PLUGIN_MAIL_TEMPLATES_H_

#include <kainjow/mustache.hpp>
#include <string>
#include <string_view>

#include "plugin/mail/log.h"

namespace iptrk::mail {

// Generated from plugin/mail/templates/.
extern const char kTextTemplate[];
extern const char kHtmlTemplate[];

class Templates {
 public:
  // `directory` may be "" or lack any of the files.
  Templates(std::string directory, Log log)
      : directory_(std::move(directory)), log_(std::move(log)) {}

  // mail.text.mustache: values go in as they are, lines are wrapped.
  std::string Text(const kainjow::mustache::data& values) const;
  // mail.html.mustache: values are escaped.
  std::string Html(const kainjow::mustache::data& values) const;

 private:
  static constexpr std::size_t kMostBytes = 256 << 10;

  std::string Fill(const char* name, const char* built_in, bool escape,
                   const kainjow::mustache::data& values) const;

  std::string directory_;
  Log log_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_TEMPLATES_H_
