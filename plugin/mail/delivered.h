// SPDX-License-Identifier: GPL-2.0-only
// The Message-IDs of the mails that are done with, in a file: a server took
// them, or refused them for ever.
//
// It is what keeps a mail from going out twice when we die between the
// server's yes and the removal of the mail, or when the event is told again
// after a crash: the id is on disk before the mail is removed.
//
// Threads: thread-compatible. Errors: std::system_error.
#ifndef IPTRK_PLUGIN_MAIL_DELIVERED_H_
#define IPTRK_PLUGIN_MAIL_DELIVERED_H_

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_set>

namespace iptrk::mail {

class Delivered {
 public:
  // Reads the file; one that is missing is empty.
  explicit Delivered(std::string path);

  bool Contains(const std::string& id) const { return known_.contains(id); }

  // Remembers `id` even if writing it throws.
  void Add(const std::string& id);

 private:
  // So many are remembered, and the file is rewritten at twice as many lines.
  static constexpr std::size_t kRemembered = 1000;

  void Remember(const std::string& id);
  void Rewrite();

  std::string path_;
  std::deque<std::string> order_;  // oldest first
  std::unordered_set<std::string> known_;
  std::size_t lines_ = 0;  // in the file
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_DELIVERED_H_
