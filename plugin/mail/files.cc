// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "lib/fd.h"

namespace iptrk::mail {
namespace {

[[noreturn]] void Fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

void WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail(path);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fsync(fd) != 0) Fail(path);
}

void SyncDirectory(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) Fail(path);
}

}  // namespace

std::optional<std::string> ReadFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    Fail(path);
  }
  std::string text;
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t n = read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail(path);
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void WriteFile(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp";
  try {
    const Fd fd(open(temporary.c_str(),
                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                     0600));
    if (fd.get() < 0) Fail(temporary);
    WriteAll(fd.get(), text, temporary);
    if (rename(temporary.c_str(), path.c_str()) != 0) Fail(path);
  } catch (const std::system_error&) {
    unlink(temporary.c_str());  // a full disk needs the room
    throw;
  }
  SyncDirectory(std::filesystem::path(path).parent_path());
}

void AppendToFile(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(),
                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                   0600));
  if (fd.get() < 0) Fail(path);
  WriteAll(fd.get(), text, path);
}

void MakePrivateDirectory(const std::string& path) {
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) Fail(path);
  const Fd fd(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status = {};
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0) Fail(path);
  if (status.st_uid != geteuid()) {
    errno = EPERM;
    Fail(path + " belongs to another user");
  }
  if ((status.st_mode & 07777) != 0700 && fchmod(fd.get(), 0700) != 0) {
    Fail(path);
  }
}

}  // namespace iptrk::mail
