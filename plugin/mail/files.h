// SPDX-License-Identifier: GPL-2.0-only
// Files that are either whole on the disk or not there.
//
// Blocking; any thread. New files are for their owner alone (0600). Errors:
// std::system_error with the path.
#ifndef IPTRK_PLUGIN_MAIL_FILES_H_
#define IPTRK_PLUGIN_MAIL_FILES_H_

#include <optional>
#include <string>
#include <string_view>

namespace iptrk::mail {

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
