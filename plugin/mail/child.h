// SPDX-License-Identifier: GPL-2.0-only
// A program run to its end, within limits.
#ifndef IPTRK_PLUGIN_MAIL_CHILD_H_
#define IPTRK_PLUGIN_MAIL_CHILD_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace iptrk::mail {

struct ChildLimits {
  std::chrono::milliseconds time = std::chrono::seconds(20);
  std::uint64_t file_bytes = std::uint64_t{4} << 20;  // of any it writes
  std::size_t said_bytes = 2000;  // kept of what it prints; the rest is read
};

struct ChildResult {
  enum class End : std::uint8_t { kEnded, kNotStarted, kTooLong, kStopped };
  End end = End::kEnded;
  std::string said;  // on both its outputs
};

// Blocks until the program has ended, or was killed for want of time or because
// of `stop`. Its exit status is not told: in collectd another plugin's handler
// of SIGCHLD may have taken it. So judge a child by what it made.
//
// Any thread. The child has no files of ours but the pipe, default signals,
// a group of its own and low priority. Never throws but for memory.
ChildResult RunChild(const std::vector<std::string>& command,
                     const ChildLimits& limits, const std::stop_token& stop);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_CHILD_H_
