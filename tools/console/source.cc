// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/local_networks.h"
#include "lib/queue.h"
#include "lib/seconds.h"
#include "lib/steady_clock.h"
#include "tools/capture.h"

namespace iptrk::console {
namespace {

// A record's time is never later than the clock; what a CPU is about to
// publish is there after this.
constexpr std::uint64_t kGrace = 20'000'000;  // ns

std::vector<std::string> WatchedNames(
    const std::vector<iptrk_interface>& interfaces) {
  std::vector<std::string> names;
  for (const iptrk_interface& interface : interfaces)
    if (interface.watched) names.emplace_back(interface.name);
  return names;
}

std::string NoInterface(const QueueConfig& queue) {
  std::vector<std::string> here;
  if (struct if_nameindex* list = if_nameindex()) {
    for (const auto* at = list; at->if_name; ++at)
      here.emplace_back(at->if_name);
    if_freenameindex(list);
  }
  return fmt::format(
      "no interface matches queue.interfaces ({}); there are {}",
      queue.interfaces.empty()
          ? "every device, without lo"
          : fmt::format("{}", fmt::join(queue.interfaces, ", ")),
      here.empty() ? "none" : fmt::format("{}", fmt::join(here, ", ")));
}

QueueConfig Private(QueueConfig config) {
  config.name.clear();
  return config;
}

class QueueSource : public Source {
 public:
  explicit QueueSource(const Config& config)
      : config_(config), queue_(Queue::Read(Private(config.queue))) {
    const auto interfaces = queue_.Interfaces();
    const auto names = WatchedNames(interfaces);
    if (names.empty()) throw QueueError(ENODEV, NoInterface(config.queue));
    name_ = fmt::format("{}", fmt::join(names, ","));
    if (config_.networks.empty()) config_.networks = LocalNetworks(interfaces);
    queue_.Own(config_.networks);
    second_end_ = (clock_.Now() / kSecond + 1) * kSecond;
  }

  bool Read(const Sink& sink, const Second& second) override {
    constexpr int kWait = 50;  // ms
    const bool there = queue_.Wait(kWait);
    const std::uint64_t now = clock_.Now();
    for (;;) {
      queue_.Drain(second_end_, sink);
      queue_.Commit(queue_.Position());
      if (now < second_end_ + kGrace) break;
      second(second_end_);
      second_end_ += kSecond;
    }
    if (!there)
      throw QueueError(ENODEV,
                       "the queue is gone: the module was unloaded, or its "
                       "network namespace ended");
    return true;
  }

  std::vector<iptrk_interface> Interfaces() const override {
    return queue_.Interfaces();
  }
  double Fill() const override { return queue_.Fill(); }
  std::uint64_t Begin() const override { return queue_.attach().created_ns; }
  const Config& config() const override { return config_; }
  std::string Name() const override { return name_; }

 private:
  Config config_;
  Queue queue_;
  std::string name_;
  SteadyClock clock_;
  std::uint64_t second_end_ = 0;
};

class CaptureSource : public Source {
 public:
  CaptureSource(const Config& config, const std::string& path, double speed)
      : config_(config), path_(path), capture_(path), speed_(speed) {
    next_ = capture_.Next();
    if (!next_) throw CaptureError(path + ": no packet in it");
    first_ns_ = next_->time_ns;
    second_end_ = (first_ns_ / kSecond + 1) * kSecond;
    started_ = std::chrono::steady_clock::now();
  }

  bool Read(const Sink& sink, const Second& second) override {
    constexpr std::size_t kMost = 4096;
    if (damage_) throw *damage_;
    const std::uint64_t until = Reached();
    records_.clear();
    while (next_ && next_->time_ns <= until && records_.size() < kMost) {
      if (next_->time_ns >= second_end_) break;
      records_.push_back(*next_);
      Advance();
    }
    if (!records_.empty()) sink(records_);
    if (!next_ || (next_->time_ns >= second_end_ && until >= second_end_)) {
      second(second_end_);
      // Without a pace, nothing is to be seen of a pause.
      const std::uint64_t begin = next_ && speed_ == 0
                                      ? next_->time_ns / kSecond * kSecond
                                      : second_end_;
      if (begin > second_end_) second(begin);
      second_end_ = begin + kSecond;
      return next_ || damage_;
    }
    if (records_.empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return true;
  }

  std::uint64_t Begin() const override { return first_ns_; }
  const Config& config() const override { return config_; }
  std::string Name() const override {
    return path_.substr(path_.find_last_of('/') + 1);
  }

 private:
  // The time in the capture that is now.
  std::uint64_t Reached() const {
    if (speed_ == 0) return ~std::uint64_t{0};
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - started_;
    return first_ns_ + static_cast<std::uint64_t>(passed.count() * speed_);
  }

  // What is read before the damage is passed on before it is told.
  void Advance() {
    try {
      next_ = capture_.Next();
    } catch (const CaptureError& error) {
      next_.reset();
      damage_ = error;
    }
  }

  Config config_;
  std::string path_;
  Capture capture_;
  double speed_;
  std::optional<iptrk_record> next_;
  std::optional<CaptureError> damage_;  // of the packet behind the last one
  std::vector<iptrk_record> records_;
  std::uint64_t first_ns_ = 0;
  std::uint64_t second_end_ = 0;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace

std::unique_ptr<Source> OpenQueueSource(const Config& config) {
  return std::make_unique<QueueSource>(config);
}

std::unique_ptr<Source> OpenCaptureSource(const Config& config,
                                          const std::string& path,
                                          double speed) {
  return std::make_unique<CaptureSource>(config, path, speed);
}

Reader::Reader(std::unique_ptr<Source> source, Wish wish)
    : source_(std::move(source)), wish_(std::move(wish)) {
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

Reader::~Reader() {
  thread_.request_stop();
  thread_.join();
}

Reader::Latest Reader::Get() const {
  const std::scoped_lock lock(mutex_);
  return latest_;
}

StreamBatch Reader::TakeStream() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(stream_, {});
}

void Reader::Ask(Wish wish) {
  const std::scoped_lock lock(mutex_);
  wish_ = std::move(wish);
}

void Reader::PassStream(Model& model) {
  StreamBatch batch = model.TakeStream();
  const std::scoped_lock lock(mutex_);
  stream_.passed += batch.passed;
  for (StreamLine& line : batch.lines)
    if (stream_.lines.size() < kMostWaiting) stream_.lines.push_back(line);
}

void Reader::Run(std::stop_token stop) {
  std::string error;
  try {
    Model model(source_->config());
    const auto take_wish = [&] {
      Wish wish;
      {
        const std::scoped_lock lock(mutex_);
        wish = wish_;
      }
      model.SetFilter(wish.filter);
      model.SetDetail(wish.host);
    };
    const auto take = [&](std::span<const iptrk_record> records) {
      model.Take(records);
    };
    const auto second = [&](std::uint64_t end_ns) {
      std::shared_ptr<Snapshot> snapshot = model.EndSecond(end_ns);
      snapshot->interfaces = source_->Interfaces();
      snapshot->fill = source_->Fill();
      model.SetInterfaces(snapshot->interfaces);
      std::shared_ptr<const Snapshot> old;  // freed outside the lock
      const std::scoped_lock lock(mutex_);
      old = std::exchange(latest_.snapshot, std::move(snapshot));
      latest_.when = std::chrono::steady_clock::now();
    };
    model.SetInterfaces(source_->Interfaces());
    bool more = true;
    while (more && !stop.stop_requested()) {
      take_wish();
      more = source_->Read(take, second);
      PassStream(model);
    }
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  const std::scoped_lock lock(mutex_);
  latest_.ended = true;
  latest_.error = error;
}

}  // namespace iptrk::console
