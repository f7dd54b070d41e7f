// SPDX-License-Identifier: GPL-2.0-only
// How the benchmark's readers run: until SIGTERM, and quiet in between.
#ifndef IPTRK_TESTS_BENCH_POLLING_H_
#define IPTRK_TESTS_BENCH_POLLING_H_

#include <signal.h>

#include <cstdio>

class Polling {
 public:
  Polling() {
    sigemptyset(&end_);
    sigaddset(&end_, SIGTERM);
    sigprocmask(SIG_BLOCK, &end_, nullptr);
  }

  // Tells the script that packets may come.
  static void Ready() {
    std::puts("ready");
    std::fflush(stdout);
  }

  // Sleeps for 10 ms. False when it is time to end.
  bool Sleep() const {
    const timespec pause{0, 10'000'000};
    return sigtimedwait(&end_, nullptr, &pause) < 0;
  }

  // Without a pause.
  static bool Ended() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) == 1;
  }

  void SleepForever() const {
    int signal;
    sigwait(&end_, &signal);
  }

 private:
  sigset_t end_;
};

#endif  // IPTRK_TESTS_BENCH_POLLING_H_
