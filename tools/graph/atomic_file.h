// SPDX-License-Identifier: GPL-2.0-only
// A file that appears whole or not at all.
#ifndef IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_
#define IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_

#include <filesystem>
#include <string_view>

namespace iptrk {

// Writes beside `path`, on the same file system, and renames: whoever reads
// `path` meanwhile sees the old file or the new one. Throws std::system_error
// naming the file.
void WriteAtomically(const std::filesystem::path& path, std::string_view text);

// The same for a name that a user gave: a device or a pipe is written to, not
// replaced, and a link stays one.
void WriteOutput(const std::filesystem::path& path, std::string_view text);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_ATOMIC_FILE_H_
