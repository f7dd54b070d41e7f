// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/atomic_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace iptrk {
namespace fs = std::filesystem;
namespace {

constexpr int kMostLinks = 40;  // as the kernel's

void Write(const fs::path& path, std::string_view text,
           std::ios::openmode mode) {
  std::ofstream out(path, std::ios::binary | mode);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out)
    throw std::system_error(errno, std::generic_category(), path.string());
}

// Who could not read the old file can't read the new one.
void KeepAccess(const fs::path& old, const fs::path& fresh) {
  struct stat status {};
  if (stat(old.c_str(), &status) != 0) return;
  if (geteuid() == 0 && chown(fresh.c_str(), status.st_uid, status.st_gid) != 0)
    throw std::system_error(errno, std::generic_category(), fresh.string());
  fs::permissions(fresh, static_cast<fs::perms>(status.st_mode & 0777));
}

// Where a link leads, also to what is not there yet.
fs::path Followed(fs::path path) {
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

}  // namespace

void WriteAtomically(const fs::path& path, std::string_view text) {
  // The extension stays last: web servers go by it.
  const fs::path temporary =
      path.parent_path() / fmt::format(".{}.{}{}", path.stem().string(),
                                       getpid(), path.extension().string());
  try {
    Write(temporary, "", std::ios::trunc);
    KeepAccess(path, temporary);
    Write(temporary, text, std::ios::trunc);
    fs::rename(temporary, path);
  } catch (const std::system_error& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw std::system_error(error.code(), path.string());
  }
}

void WriteOutput(const fs::path& path, std::string_view text) {
  const fs::path file = Followed(path);
  std::error_code ignored;
  // /dev/stdout leads to a name that is none, such as "pipe:[77]", or to a file
  // that others write to as well: it is for the shell to say what becomes of
  // what is in it.
  if (path.native().starts_with("/dev/") ||
      (fs::exists(path, ignored) && !fs::is_regular_file(file, ignored)))
    Write(path, text, std::ios::app);
  else
    WriteAtomically(file, text);
}

}  // namespace iptrk
