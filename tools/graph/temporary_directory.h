// SPDX-License-Identifier: GPL-2.0-only
// A directory of our own that is gone when we are done with it.
#ifndef IPTRK_TOOLS_GRAPH_TEMPORARY_DIRECTORY_H_
#define IPTRK_TOOLS_GRAPH_TEMPORARY_DIRECTORY_H_

#include <filesystem>

namespace iptrk {

// Made with mode 0700 below $TMPDIR or /tmp; removed with all it holds.
class TemporaryDirectory {
 public:
  // Throws std::system_error if it can't be made.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_TEMPORARY_DIRECTORY_H_
