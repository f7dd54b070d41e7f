// SPDX-License-Identifier: GPL-2.0-only
// A file that appears whole or not at all.
#ifndef IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_
#define IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_

#include <filesystem>
#include <string_view>

namespace iptrk {

// A name beside `target`, on the same file system, that is renamed to it by
// Commit() and removed otherwise. Whoever reads `target` meanwhile sees the
// old file or the new one.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }
  // Throws std::system_error.
  void Commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

// Throws std::system_error naming the file.
void WriteAtomically(const std::filesystem::path& path, std::string_view text);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_
