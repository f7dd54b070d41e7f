// SPDX-License-Identifier: GPL-2.0-only
#include "lib/pressing_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace iptrk {
namespace {

using testing::ElementsAre;

std::vector<std::string> All(PressingQueue<std::string>& queue) {
  std::vector<std::string> all;
  while (!queue.empty()) all.push_back(queue.Pop());
  return all;
}

TEST(PressingQueue, GivesOutInOrderAllThatFits) {
  PressingQueue<std::string> queue(3);
  queue.Push("scan", false);
  queue.Push("flood", true);
  queue.Push("silent", false);
  EXPECT_THAT(All(queue), ElementsAre("scan", "flood", "silent"));
  EXPECT_EQ(queue.TakeLost(), 0u);
}

TEST(PressingQueue, KeepsWhatPressesInAStormOfWhatDoesNot) {
  PressingQueue<std::string> queue(3);
  queue.Push("scan 1", false);
  queue.Push("flood", true);
  for (int i = 2; i <= 5; ++i) queue.Push("scan " + std::to_string(i), false);
  queue.Push("another flood", true);
  EXPECT_THAT(All(queue), ElementsAre("flood", "scan 5", "another flood"));
  EXPECT_EQ(queue.TakeLost(), 4u);
  EXPECT_EQ(queue.TakeLost(), 0u) << "each is told once";
}

TEST(PressingQueue, IsBoundedAlsoWhenAllPress) {
  PressingQueue<std::string> queue(2);
  for (int i = 1; i <= 3; ++i) queue.Push("flood " + std::to_string(i), true);
  queue.Push("scan", false);
  EXPECT_THAT(All(queue), ElementsAre("flood 2", "flood 3"));
  EXPECT_EQ(queue.TakeLost(), 2u);
}

}  // namespace
}  // namespace iptrk
