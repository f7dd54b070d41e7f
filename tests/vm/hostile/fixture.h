// SPDX-License-Identifier: GPL-2.0-only
// A pair of interfaces, and raw files of the device that read them.
#ifndef IPTRK_TESTS_VM_HOSTILE_FIXTURE_H_
#define IPTRK_TESTS_VM_HOSTILE_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/volume.h"
#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"

namespace iptrk {

class Hostile : public testing::Test {
 protected:
  Hostile() { StayOn(0); }
  void SendUdp(int count) {
    for (int i = 0; i < count; ++i)
      left_.Send(UdpFrame(static_cast<std::uint32_t>(i)));
    AwaitBacklog();
  }
  // A reader of what left0 sends to right0.
  static Device Reader(const std::string& name = "",
                       std::uint32_t records = kRecords) {
    Device device;
    EXPECT_EQ(device.Attach(Request(name, records)), 0);
    EXPECT_EQ(device.Watch("right0"), 0);
    return device;
  }
  // The device still does its work, after whatever was done to it.
  void StillWorks() {
    Queue queue = Queue::Read(Named(""));
    SendUdp(10);
    EXPECT_EQ(DrainAll(queue, 10).size(), 10u);
  }

  Pair pair_;
  Sender left_{"left0"};
};

inline std::vector<iptrk_interface> Rows(const Device& device) {
  std::vector<iptrk_interface> rows(64);
  iptrk_interfaces request{};
  request.rows = reinterpret_cast<std::uintptr_t>(rows.data());
  request.capacity = static_cast<std::uint32_t>(rows.size());
  EXPECT_EQ(device.Call(IPTRK_INTERFACES, &request), 0);
  rows.resize(std::min(request.count, request.capacity));
  return rows;
}

}  // namespace iptrk

#endif  // IPTRK_TESTS_VM_HOSTILE_FIXTURE_H_
