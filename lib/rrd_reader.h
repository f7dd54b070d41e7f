// SPDX-License-Identifier: GPL-2.0-only
// RRDs that somebody else writes, read without a lock.
//
// librrd locks each file that it reads, and whoever wants to write it at that
// moment does not wait: "could not lock RRD", and the value is lost. So a file
// that collectd writes is never given to librrd just to look at it.
//
// The format is that of rrd_format.h, version 3 and later (rrdtool 1.3). What
// is read is of one moment: a write that is going on is waited for.
//
// Throws std::runtime_error, which says why without naming the file, when that
// can't be read, is no RRD or never rests. Threads: any number at once.
#ifndef IPTRK_LIB_RRD_READER_H_
#define IPTRK_LIB_RRD_READER_H_

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/fd.h"

namespace iptrk {

// Seconds since the epoch.
std::time_t LastUpdate(const std::filesystem::path& rrd);

// Row i covers start + i*step (not included) to start + (i+1)*step.
struct RrdRows {
  std::time_t start = 0;
  std::time_t step = 1;
  std::vector<std::string> sources;
  std::vector<double> values;  // of all sources, row after row; NaN: unknown
};

// Averages of start..end, as `rrdtool fetch` has them: of the finest archive
// that goes back to `start`, or else of the one that goes back farthest.
RrdRows ReadAverages(const std::filesystem::path& rrd, std::time_t start,
                     std::time_t end);

// All of a file, in memory, to be given to librrd.
class RrdSnapshot {
 public:
  explicit RrdSnapshot(const std::filesystem::path& rrd);

  // Its name in this process, as long as this lives.
  const std::string& path() const { return path_; }

 private:
  Fd memory_;
  std::string path_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_RRD_READER_H_
