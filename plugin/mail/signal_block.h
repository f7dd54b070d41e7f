// SPDX-License-Identifier: GPL-2.0-only
#ifndef IPTRK_PLUGIN_MAIL_SIGNAL_BLOCK_H_
#define IPTRK_PLUGIN_MAIL_SIGNAL_BLOCK_H_

#include <pthread.h>
#include <signal.h>

namespace iptrk::mail {

// Threads started while this lives get no signals: those are the daemon's.
class SignalBlock {
 public:
  SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  sigset_t before_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_SIGNAL_BLOCK_H_
