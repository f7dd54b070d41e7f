// SPDX-License-Identifier: GPL-2.0-only
// A queue of one CPU in a file, as kernel/uapi/iptrk.h has it: tests of what
// comes behind the queue run at the speed of this machine, without the module.
//
// Offset 0: struct iptrk_commit. kInfo: Info. IPTRK_MMAP_RINGS: the ring. The
// file is sparse; put it on a tmpfs. Every frame has kFrameBytes and comes in
// at one interface, so that the head tells the books too.
#ifndef IPTRK_TESTS_STAND_IN_QUEUE_FILE_H_
#define IPTRK_TESTS_STAND_IN_QUEUE_FILE_H_

#include <sys/types.h>

#include <cstdint>

#include "kernel/uapi/iptrk.h"

namespace iptrk::stand_in {

constexpr off_t kPage = 4096;
constexpr off_t kInfo = kPage;
constexpr std::uint32_t kFrameBytes = 60;

struct Info {
  std::uint64_t created_ns;
  std::uint32_t records;
};

constexpr std::uint64_t RingBytes(std::uint32_t records) {
  return kPage + std::uint64_t{records} * sizeof(iptrk_record);
}

}  // namespace iptrk::stand_in

#endif  // IPTRK_TESTS_STAND_IN_QUEUE_FILE_H_
