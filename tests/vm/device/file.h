// SPDX-License-Identifier: GPL-2.0-only
// The device as a program without our library has it. Errors of the device
// throw std::runtime_error, but for those of Watch(), which are returned.
#ifndef IPTRK_TESTS_VM_DEVICE_FILE_H_
#define IPTRK_TESTS_VM_DEVICE_FILE_H_

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "lib/queue.h"

namespace iptrk {

// The error number of a system call that returned `result`; 0: none.
inline int ErrorOf(long result) { return result < 0 ? errno : 0; }

inline iptrk_attach AttachArgument(const char* name,
                                   std::uint32_t records = 1024) {
  iptrk_attach attach{};
  attach.abi_version = IPTRK_ABI_VERSION;
  std::strcpy(attach.name, name);
  attach.records = records;
  attach.watermark = records / 4;
  return attach;
}

inline iptrk_watch WatchArgument(const std::vector<std::string>& patterns) {
  iptrk_watch watch{};
  watch.count = static_cast<std::uint32_t>(patterns.size());
  for (std::size_t i = 0; i < patterns.size(); ++i)
    std::strcpy(watch.patterns[i], patterns[i].c_str());
  return watch;
}

class File {
 public:
  explicit File(int flags = O_NONBLOCK)
      : file_(open(kDevicePath, O_RDWR | O_CLOEXEC | flags)) {
    if (file_ < 0) throw std::runtime_error("no device");
  }
  // Attached; "" is a private queue.
  explicit File(const char* name, std::uint32_t records = 1024,
                int flags = O_NONBLOCK)
      : File(flags) {
    iptrk_attach attach = AttachArgument(name, records);
    if (ioctl(file_, IPTRK_ATTACH, &attach) != 0)
      throw std::runtime_error(std::string("attach: ") + std::strerror(errno));
    stride_ = attach.ring_stride * attach.cpus;
    commit_ = attach.commit_bytes;
  }
  ~File() { close(file_); }
  File(const File&) = delete;
  operator int() const { return file_; }

  std::size_t rings_bytes() const { return stride_; }
  std::size_t commit_bytes() const { return commit_; }

  int Watch(const iptrk_watch& watch) const {
    return ErrorOf(ioctl(file_, IPTRK_WATCH, &watch));
  }
  iptrk_state State() const {
    iptrk_state state{};
    if (ioctl(file_, IPTRK_STATE, &state) != 0)
      throw std::runtime_error("no state");
    return state;
  }
  // All that the device says of an interface; of none, its name is empty.
  iptrk_interface Interface(const std::string& name) const {
    std::vector<iptrk_interface> rows(IPTRK_INTERFACES_MAX);
    iptrk_interfaces argument{};
    argument.rows = reinterpret_cast<std::uintptr_t>(rows.data());
    argument.capacity = static_cast<std::uint32_t>(rows.size());
    if (ioctl(file_, IPTRK_INTERFACES, &argument) != 0)
      throw std::runtime_error("no interfaces");
    for (std::uint32_t i = 0; i < argument.count; ++i)
      if (name == rows[i].name) return rows[i];
    return {};
  }

 private:
  const int file_;
  std::size_t stride_ = 0;
  std::size_t commit_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_TESTS_VM_DEVICE_FILE_H_
