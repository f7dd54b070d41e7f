// SPDX-License-Identifier: GPL-2.0-only
// A capture file as the records the kernel would have made of its frames.
#ifndef IPTRK_TOOLS_CAPTURE_H_
#define IPTRK_TOOLS_CAPTURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "kernel/uapi/iptrk.h"

struct pcap;

namespace iptrk {

// "FILE: what is wrong and what would be right", or "FILE: packet N: ...".
class CaptureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Reads pcap and pcapng. Thread-compatible.
class Capture {
 public:
  // Throws CaptureError when the file can't be opened or its link type is
  // not one of Ethernet, raw IP, Linux cooked (v1, v2) and BSD loopback.
  explicit Capture(const std::string& path);
  ~Capture();
  Capture(const Capture&) = delete;

  // The next frame, or nothing at the end. A record's bytes are the frame's
  // original length, as capinfos counts it. Throws CaptureError, naming the
  // packet, where the file is damaged.
  std::optional<iptrk_record> Next();

  // Share of the file read so far, 0 to 1.
  double Progress() const;

 private:
  std::string path_;
  std::unique_ptr<pcap, void (*)(pcap*)> file_;
  int link_type_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_TOOLS_CAPTURE_H_
