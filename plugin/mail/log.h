// SPDX-License-Identifier: GPL-2.0-only
// Where the parts of the mail plugin tell what happened.
#ifndef IPTRK_PLUGIN_MAIL_LOG_H_
#define IPTRK_PLUGIN_MAIL_LOG_H_

#include <functional>
#include <string>

namespace iptrk::mail {

enum class LogLevel { kError, kWarning, kInfo };

// Called from the sender's thread; must not throw. The text is one line.
using Log = std::function<void(LogLevel, const std::string&)>;

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_LOG_H_
