// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "lib/fd.h"

namespace iptrk {
namespace {

// Reads what is needed to parse it, or to refuse it as too large. Returns an
// errno.
int ReadText(const std::string& path, std::string& text) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return errno;
  text.resize(kMostConfigBytes + 1);
  std::size_t size = 0;
  int error = 0;
  while (size < text.size()) {
    const ssize_t got =
        read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(error ? 0 : size);
  return error;
}

ConfigResult Unreadable(const std::string& path, const std::string& why) {
  ConfigResult result;
  result.errors.push_back({path, 0, 0, why});
  return result;
}

constexpr int kNoFile = -1;  // a directory or pipe, and no errno

bool IsAbsent(int error) { return error == ENOENT || error == ENOTDIR; }

ConfigResult Unreadable(const std::string& path, int error) {
  return Unreadable(path,
                    error == kNoFile
                        ? "can't be read: it is no regular file"
                        : fmt::format("can't be read: {}",
                                      std::generic_category().message(error)));
}

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

ConfigResult LoadConfig(const std::string& path,
                        const std::vector<std::string>* interfaces) {
  std::string text;
  if (const int error = ReadText(path, text)) return Unreadable(path, error);
  return ParseConfig(text, path, interfaces);
}

ConfigResult LoadConfigOrDefaults(const std::string& path, bool named) {
  if (!named && access(path.c_str(), F_OK) != 0 && IsAbsent(errno)) return {};
  return LoadConfig(path);
}

ConfigFile::Identity ConfigFile::Look() const {
  struct stat status;
  Identity identity;
  if (stat(path_.c_str(), &status) != 0) {
    identity.error = errno;
    return identity;
  }
  identity.regular = S_ISREG(status.st_mode);
  identity.device = status.st_dev;
  identity.inode = status.st_ino;
  identity.size = status.st_size;
  identity.modified_ns = Nanoseconds(status.st_mtim);
  identity.changed_ns = Nanoseconds(status.st_ctim);
  return identity;
}

// Whoever asks once a second can't wait for the writer of a pipe.
ConfigFile::Contents ConfigFile::Read(const Identity& identity) const {
  Contents contents;
  contents.error = identity.error;
  if (!contents.error && !identity.regular) contents.error = kNoFile;
  if (!contents.error) contents.error = ReadText(path_, contents.text);
  return contents;
}

ConfigResult ConfigFile::Load() {
  taken_ = pending_ = Look();
  contents_ = Read(taken_);
  if (IsAbsent(contents_.error) && !named_) return {};
  if (contents_.error) return Unreadable(path_, contents_.error);
  return ParseConfig(contents_.text, path_);
}

std::optional<ConfigResult> ConfigFile::Changed() {
  const Identity now = Look();
  if (now != pending_) {
    pending_ = now;
    return std::nullopt;
  }
  if (now == taken_) return std::nullopt;
  Contents contents = Read(now);
  if (const Identity after = Look(); after != now) {
    pending_ = after;
    return std::nullopt;
  }
  taken_ = now;
  if (contents == contents_) return std::nullopt;
  contents_ = std::move(contents);
  if (IsAbsent(contents_.error))
    return Unreadable(path_,
                      "is gone; what was read before holds until it is back");
  if (contents_.error) return Unreadable(path_, contents_.error);
  return ParseConfig(contents_.text, path_);
}

}  // namespace iptrk
