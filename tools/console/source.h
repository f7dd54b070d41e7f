// SPDX-License-Identifier: GPL-2.0-only
// Where records come from, and the thread that reads them.
//
// The reader never waits for the screen: it leaves a finished snapshot behind
// a pointer and takes the latest wish at a second's end. The lock between
// them is held for the exchange of a pointer or a few lines only.
#ifndef IPTRK_TOOLS_CONSOLE_SOURCE_H_
#define IPTRK_TOOLS_CONSOLE_SOURCE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "lib/config.h"
#include "tools/console/model.h"
#include "tools/console/snapshot.h"

namespace iptrk::console {

// Records in order of time, cut into seconds. Thread-compatible.
class Source {
 public:
  virtual ~Source() = default;
  // Gives records to `sink`, and says by `second(end_ns)` when one ended, or
  // several without a record. May wait for some, at most about 50 ms. False
  // at the end for good.
  using Sink = std::function<void(std::span<const iptrk_record>)>;
  using Second = std::function<void(std::uint64_t end_ns)>;
  virtual bool Read(const Sink& sink, const Second& second) = 0;

  virtual std::vector<iptrk_interface> Interfaces() const { return {}; }
  virtual double Fill() const { return 0; }
  // When its records begin, ns since the epoch.
  virtual std::uint64_t Begin() const = 0;
  // The configuration, with the networks that are ours.
  virtual const Config& config() const = 0;
  virtual std::string Name() const = 0;
};

// A private queue, that ends with it. Throws QueueError, also when there is no
// interface to watch. Needs no collectd, and takes nothing from its queue.
std::unique_ptr<Source> OpenQueueSource(const Config& config);

// A capture at `speed` times its own pace; 0: without a pause. Throws
// CaptureError.
std::unique_ptr<Source> OpenCaptureSource(const Config& config,
                                          const std::string& path,
                                          double speed);

class Reader {
 public:
  struct Wish {
    std::string filter;  // was parsed before
    std::optional<Address> host;
  };
  struct Latest {
    std::shared_ptr<const Snapshot> snapshot;  // null at first
    std::chrono::steady_clock::time_point when;
    bool ended = false;
    std::string error;  // why, when it failed
  };

  // Owns `source` and reads it in a thread of its own until destroyed.
  Reader(std::unique_ptr<Source> source, Wish wish);
  ~Reader();

  Latest Get() const;
  StreamBatch TakeStream();
  void Ask(Wish wish);

 private:
  static constexpr std::size_t kMostWaiting = 4 * Model::kMostLines;  // lines

  void Run(std::stop_token stop);
  void PassStream(Model& model);

  std::unique_ptr<Source> source_;
  mutable std::mutex mutex_;  // of what follows
  Wish wish_;
  Latest latest_;
  StreamBatch stream_;
  std::jthread thread_;
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_SOURCE_H_
