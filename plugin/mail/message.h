// SPDX-License-Identifier: GPL-2.0-only
// A letter as an internet message (RFC 5322), ready for SMTP.
//
// Threads: Composer is immutable after construction; the thread that composes
// is the one that templates tell their faults.
// Errors: the constructor throws std::invalid_argument for an address that is
// none; Compose() throws only std::bad_alloc.
#ifndef IPTRK_PLUGIN_MAIL_MESSAGE_H_
#define IPTRK_PLUGIN_MAIL_MESSAGE_H_

#include <string>
#include <vector>

#include "plugin/mail/audience.h"
#include "plugin/mail/letter.h"
#include "plugin/mail/picture.h"
#include "plugin/mail/templates.h"

namespace iptrk::mail {

// What SMTP is told: bare addresses ("root@example.org"), plain ASCII.
struct Envelope {
  std::string from;
  std::vector<std::string> to;
};

struct Message {
  // The Message-ID without its angle brackets. The same letter always gets the
  // same one, different letters different ones.
  std::string id;
  std::string subject;  // as read, not as encoded
  Envelope envelope;
  std::string eml;  // whole message, 7 bit, lines end with CRLF
};

class Composer {
 public:
  // `from` and the audiences' addresses may carry names ("iptrk
  // <iptrk@example.org>"). Without `from` it is iptrk@<host name>.
  // `config_file` is named to the reader.
  Composer(const std::string& from, const std::vector<Audience>& audiences,
           std::string config_file, Templates templates);

  // The text first, then HTML with the picture, if there is one:
  // multipart/alternative of both, the latter multipart/related.
  //
  // All mails of one incident refer to one Message-ID that no mail has, made
  // from the incident's id, so they thread whichever of them arrives first.
  Message Compose(const Letter& letter, const Audience& audience,
                  const Picture& picture) const;

 private:
  struct Mailbox {
    std::string name;
    std::string address;
  };
  static Mailbox ParseMailbox(const std::string& text, const char* key);

  Mailbox from_;
  std::string domain_;  // right of the @ in our Message-IDs
  std::string config_file_;
  Templates templates_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_MESSAGE_H_
