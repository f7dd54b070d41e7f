// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/atomic_file.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

namespace iptrk {
namespace fs = std::filesystem;

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)) {
  // The extension stays last: librrd and web servers go by it.
  temporary_ = target_.parent_path() /
               ("." + target_.stem().string() + "." + std::to_string(getpid()) +
                target_.extension().string());
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!committed_) fs::remove(temporary_, ignored);
}

void AtomicFile::Commit() {
  std::error_code error;
  fs::rename(temporary_, target_, error);
  if (error) throw std::system_error(error, target_.string());
  committed_ = true;
}

void WriteAtomically(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  std::ofstream out(file.temporary(), std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out)
    throw std::system_error(errno, std::generic_category(), path.string());
  file.Commit();
}

}  // namespace iptrk
