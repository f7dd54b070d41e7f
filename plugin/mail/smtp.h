// SPDX-License-Identifier: GPL-2.0-only
// One attempt to hand one message to the mail server.
//
// By libesmtp, whose traps are dealt with in smtp.cc alone.
//
// Threads: Deliver() may run in any thread, also in several at once. It blocks:
// as long as the timeouts below allow at each step, and while a name is looked
// up and a connection made as long as the system does (minutes at worst). So
// it wants a thread that can be left behind; it shares nothing with anybody.
#ifndef IPTRK_PLUGIN_MAIL_SMTP_H_
#define IPTRK_PLUGIN_MAIL_SMTP_H_

#include <chrono>
#include <string>
#include <vector>

#include "lib/config.h"
#include "plugin/mail/message.h"
#include "plugin/mail/spool.h"

namespace iptrk::mail {

struct SmtpServer {
  std::string host;
  int port = 25;
  bool starttls = false;  // then required, and the certificate is verified
  std::string ca_file;    // by these; empty: by those that the system trusts
  std::string user;       // empty: no AUTH
  std::string password_file;

  std::chrono::milliseconds reply_timeout = std::chrono::seconds(30);
  // For the reply after the whole message. Long, as RFC 5321 asks for: a
  // server that scans the mail first and is not waited for has taken it, and
  // the next attempt makes it two.
  std::chrono::milliseconds final_timeout = std::chrono::minutes(5);
};

// Throws std::invalid_argument for a server that can't be one.
SmtpServer ServerOf(const MailConfig& config);

// What became of one attempt. Each receiver of the message is in exactly one
// of the three lists.
struct Delivery {
  std::vector<std::string> accepted;
  std::vector<std::string> open;  // to be tried again later
  std::vector<Refusal> refused;   // never: the server said 5xx to this mail
  // Whether the server answered about this very message. If not, others
  // would fare no better now.
  bool answered = false;
  std::string reason;  // why some are open, in one line
};

Delivery Deliver(const SmtpServer& server, const Message& message);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_SMTP_H_
