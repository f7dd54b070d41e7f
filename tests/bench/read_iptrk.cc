// SPDX-License-Identifier: GPL-2.0-only
// A reader of iptrk for the benchmark: read_iptrk HOW RECORDS INTERFACE...
//
//   hold   attaches and leaves every record where it is
//   live   every 10 ms takes what came, and counts it by host
//   wait   as live, but sleeps in poll() until the kernel wakes it
//
// Prints "ready", and after SIGTERM the books of all interfaces as one line.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "hosts.h"
#include "lib/queue.h"
#include "polling.h"

namespace {

volatile std::sig_atomic_t ended = 0;

class Reader {
 public:
  explicit Reader(const iptrk::QueueConfig& config)
      : queue_(iptrk::Queue::Read(config)) {
#ifdef IPTRK_OWN  // since version 2 of the interface
    queue_.Own({{"us",
                 {*iptrk::Prefix::Parse("127.0.0.0/24"),
                  *iptrk::Prefix::Parse("2001:db8::/112")}}});
#endif
  }

  void Hold() const { polling_.SleepForever(); }

  void Live() {
    do Drain();
    while (polling_.Sleep());
    Drain();
  }

  void Wait() {
    struct sigaction action {};
    action.sa_handler = [](int) { ended = 1; };
    sigaction(SIGTERM, &action, nullptr);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &term, nullptr);
    while (!ended && queue_.Wait(1000)) {
      if (Drain() > 0) wakeups_++;
    }
    Drain();
  }

  void Report() const {
    iptrk_volume seen{}, recorded{}, merged{}, unattributed{}, elsewhere{};
    const auto add = [](iptrk_volume& sum, const iptrk_volume& part) {
      sum.packets += part.packets;
      sum.bytes += part.bytes;
    };
    for (const iptrk_interface& interface : queue_.Interfaces()) {
      for (const iptrk_books* books : {&interface.received, &interface.sent}) {
        add(seen, books->seen);
        add(recorded, books->recorded);
        add(merged, books->merged);
        add(unattributed, books->unattributed);
        add(elsewhere, books->elsewhere);
      }
    }
    std::printf(
        "seen=%llu recorded=%llu merged=%llu unattributed=%llu elsewhere=%llu "
        "produced=%llu read=%llu wakeups=%llu\n",
        seen.packets, recorded.packets, merged.packets, unattributed.packets,
        elsewhere.packets, queue_.State().produced,
        static_cast<unsigned long long>(read_),
        static_cast<unsigned long long>(wakeups_));
  }

 private:
  std::size_t Drain() {
    const std::size_t taken =
        queue_.Drain(std::numeric_limits<std::uint64_t>::max(),
                     [this](const iptrk_record& record) {
                       hosts_.Add(Hosts::Load(record.src + 12),
                                  Hosts::Load(record.dst + 12), record.bytes);
                     });
    queue_.Commit(queue_.Position());
    read_ += taken;
    return taken;
  }

  Polling polling_;
  iptrk::Queue queue_;
  Hosts hosts_;
  std::uint64_t read_ = 0;
  std::uint64_t wakeups_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string how = argv[1];
  iptrk::QueueConfig config;
  config.name.clear();
  config.records =
      static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 0));
  config.interfaces.assign(argv + 3, argv + argc);
  try {
    Reader reader(config);
    Polling::Ready();
    if (how == "hold")
      reader.Hold();
    else if (how == "live")
      reader.Live();
    else if (how == "wait")
      reader.Wait();
    else
      return 2;
    reader.Report();
  } catch (const iptrk::QueueError& error) {
    std::fprintf(stderr, "read_iptrk: %s\n", error.what());
    return 1;
  }
  return 0;
}
