// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/delivered.h"

#include "plugin/mail/files.h"

namespace iptrk::mail {

Delivered::Delivered(std::string path) : path_(std::move(path)) {
  const std::string text = ReadFile(path_).value_or("");
  std::size_t start = 0;
  // A last line without its end was being written when we died; its mail is
  // still there, so to forget it here is right.
  for (std::size_t end = text.find('\n'); end != text.npos;
       start = end + 1, end = text.find('\n', start)) {
    Remember(text.substr(start, end - start));
    ++lines_;
  }
  if (start != text.size()) Rewrite();
}

void Delivered::Add(const std::string& id) {
  if (known_.contains(id)) return;
  Remember(id);
  if (lines_ >= 2 * kRemembered) {
    Rewrite();
    return;
  }
  AppendToFile(path_, id + "\n");
  ++lines_;
}

void Delivered::Remember(const std::string& id) {
  if (!known_.insert(id).second) return;
  order_.push_back(id);
  if (order_.size() <= kRemembered) return;
  known_.erase(order_.front());
  order_.pop_front();
}

void Delivered::Rewrite() {
  std::string text;
  for (const std::string& id : order_) text += id + "\n";
  WriteFile(path_, text);
  lines_ = order_.size();
}

}  // namespace iptrk::mail
