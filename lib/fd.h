// SPDX-License-Identifier: GPL-2.0-only
// A file descriptor that is closed by whoever owns it.
#ifndef IPTRK_LIB_FD_H_
#define IPTRK_LIB_FD_H_

#include <unistd.h>

#include <utility>

namespace iptrk {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}  // negative: none
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_FD_H_
