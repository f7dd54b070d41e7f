// SPDX-License-Identifier: GPL-2.0-only
// The mails that no server has taken yet, on disk.
//
// The directory (0700) holds for each mail NAME.eml, the message as it goes
// out, and NAME.envelope, a small JSON object: id, subject, from, to (the
// receivers still open), refused (whom a server refused for ever, its words).
// NAME sorts by age. The .eml is written last and removed first, so a mail
// exists exactly as long as its .eml; an .envelope alone is a leftover. Once
// nobody is open any more and somebody was refused, the .eml becomes
// NAME.refused and stays for the sysop. `delivered` see delivered.h; `lock`
// is locked as long as a Spool lives. `schedule` is the sender's.
//
// A disk that can't be written doesn't hold an alert back: such a mail is kept
// in memory until it can be, and is lost if we end before that or before it is
// sent.
//
// Threads: thread-compatible, one thread uses it.
// Errors: the constructor throws std::system_error; the rest tells `log`.
#ifndef IPTRK_PLUGIN_MAIL_SPOOL_H_
#define IPTRK_PLUGIN_MAIL_SPOOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "plugin/mail/delivered.h"
#include "plugin/mail/files.h"
#include "plugin/mail/log.h"
#include "plugin/mail/message.h"

namespace iptrk::mail {

// A receiver to whom the server will never take this mail.
struct Refusal {
  std::string address;
  std::string words;  // the server's
};

class Spool {
 public:
  // What is kept, refused mails included. At the limit the oldest refused
  // mail goes first, then the oldest of all.
  struct Limits {
    std::size_t mails = 1000;
    std::uint64_t bytes = std::uint64_t{32} << 20;
  };

  // Takes up the mails found there. Throws also when another process has it.
  Spool(const std::string& directory, Limits limits, Log log);

  // False: this event's mail was taken before, or waits already.
  bool Add(const Message& message);

  // The name of the oldest mail that waits and is younger than `after` ("" is
  // older than all); empty if there is none.
  std::string OldestAfter(const std::string& after) const;

  // What to send for that name. Nothing if the file has gone or is damaged;
  // then the mail is forgotten and `log` told.
  std::optional<Message> Read(const std::string& name);

  // What became of it: who is still open, and who refused. With nobody open
  // the mail leaves the queue.
  void Settle(const std::string& name, const std::vector<std::string>& open,
              const std::vector<Refusal>& refused);

  // Whether mails wait in memory only, and an attempt to change that, which
  // throws std::system_error when the disk still takes none.
  bool HasUnwritten() const;
  void WriteUnwritten();

  // For the sender's schedule; the spool doesn't touch it.
  std::string SchedulePath() const { return directory_ + "/schedule"; }
  const std::string& directory() const { return directory_; }

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t refused() const { return refused_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  // Mails thrown away for want of room since construction.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Waiting {
    std::string id;
    std::string subject;
    Envelope envelope;
    std::vector<Refusal> refused;
    std::uint64_t bytes = 0;
    std::string unwritten_eml;  // only of a mail kept in memory
  };

  std::string Path(const std::string& name, const char* suffix) const;
  std::string NextName();
  void TakeUp();
  void WriteEnvelope(const std::string& name, const Waiting& mail);
  void MakeRoom(std::uint64_t bytes);
  void Remove(const std::string& name, const char* suffix);
  void Forget(const std::string& name);

  std::string directory_;
  Limits limits_;
  Log log_;
  Fd lock_;
  std::optional<Delivered> delivered_;      // always there after construction
  std::map<std::string, Waiting> waiting_;  // by name, so by age
  std::map<std::string, std::uint64_t> refused_;  // name -> bytes
  std::uint64_t bytes_ = 0;                       // of both
  std::uint64_t dropped_ = 0;
  std::string last_name_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_SPOOL_H_
