// SPDX-License-Identifier: GPL-2.0-only
// Files that are either whole on the disk or not there.
//
// Blocking; any thread. New files are for their owner alone (0600). Errors:
// std::system_error with the path.
#ifndef IPTRK_PLUGIN_MAIL_FILES_H_
#define IPTRK_PLUGIN_MAIL_FILES_H_

#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace iptrk::mail {

// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Nothing if there is no such file.
std::optional<std::string> ReadFile(const std::string& path);

// Under a temporary name (path + ".tmp") first, synced, then renamed, and the
// directory synced: after a power cut the old or the new contents are there.
void WriteFile(const std::string& path, std::string_view text);

// Synced before it returns. Makes the file when there is none.
void AppendToFile(const std::string& path, std::string_view text);

// Makes `path` with its parents, for its owner alone (0700), also if it was
// there with wider permissions. Throws if it belongs to somebody else.
void MakePrivateDirectory(const std::string& path);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_FILES_H_
