// SPDX-License-Identifier: GPL-2.0-only
// The configuration file over time: who asks once a second learns of a change.
//
// A file that an editor is still writing is not taken: a change counts once
// two questions in a row found the file the same. Writing in place, renaming
// over it, and a new target of a symbolic link are all changes; touching it
// is none. When the file is gone, that is one result with one error: what was
// read before goes on to hold, and coming back is a change again.
//
// Asking costs one stat(). Thread-compatible.
#ifndef IPTRK_LIB_CONFIG_FILE_H_
#define IPTRK_LIB_CONFIG_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "lib/config.h"

namespace iptrk {

class ConfigFile {
 public:
  // As for LoadConfigOrDefaults().
  ConfigFile(std::string path, bool named)
      : path_(std::move(path)), named_(named) {}

  const std::string& path() const { return path_; }

  // What the file says now. Changes are told from here on.
  ConfigResult Load();

  // What the file says when it has changed; once for each change. Call Load()
  // before, and let a second or so pass between calls: stat() can't tell two
  // writes of the same clock tick apart.
  std::optional<ConfigResult> Changed();

 private:
  // What stat() says of the file; without an error all of it is known.
  struct Identity {
    int error = 0;  // errno
    bool regular = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;  // contents
    std::int64_t changed_ns = 0;   // the same, and owner, mode, links

    friend bool operator==(const Identity&, const Identity&) = default;
  };
  // What was read.
  struct Contents {
    int error = 0;  // errno, or -1 when it is no regular file
    std::string text;

    friend bool operator==(const Contents&, const Contents&) = default;
  };

  Identity Look() const;
  Contents Read(const Identity& identity) const;

  std::string path_;
  bool named_;
  Identity taken_;     // of the file when contents_ were read
  Identity pending_;   // of a change that was seen once
  Contents contents_;  // as last told
};

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_FILE_H_
