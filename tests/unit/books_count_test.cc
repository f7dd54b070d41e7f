// SPDX-License-Identifier: GPL-2.0-only
#include "lib/books_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace iptrk {
namespace {

iptrk_interface Interface(const char* name, std::uint64_t received) {
  iptrk_interface interface {};
  std::strcpy(interface.name, name);
  interface.received.seen = {.packets = received / 100, .bytes = received};
  interface.received.recorded = interface.received.seen;
  interface.received.nic = {.packets = received / 100 + 1,
                            .bytes = received + 14};
  return interface;
}

TEST(BooksCount, SaysWhatEachDirectionGained) {
  const BooksCount before({Interface("eth0", 1000)});
  const BooksCount now({Interface("eth0", 1700), Interface("eth1", 300)});

  const std::vector<BooksEntry> gained = now.Since(before);

  ASSERT_EQ(gained.size(), 4u);
  EXPECT_EQ(gained[0].interface, "eth0");
  EXPECT_FALSE(gained[0].sent);
  EXPECT_EQ(gained[0].seen, (Volume{700, 7}));
  EXPECT_EQ(gained[0].nic, (Volume{700, 7}));
  EXPECT_TRUE(gained[1].sent);
  EXPECT_EQ(gained[1].seen, (Volume{0, 0}));
  // It came later: all it counted is gain.
  EXPECT_EQ(gained[2].recorded, (Volume{300, 3}));
}

TEST(BooksCount, GoesOnWhereADeviceIsRenamed) {
  const BooksCount before({Interface("eth0", 1000)});
  const BooksCount now({Interface("wan", 1200)});

  const std::vector<BooksEntry> gained = now.Since(before);

  EXPECT_EQ(gained[0].interface, "wan");
  EXPECT_EQ(gained[0].seen, (Volume{200, 2}));
}

TEST(BooksCount, GainsNothingWhenADeviceSetsItsCounterBack) {
  iptrk_interface back = Interface("eth0", 1000);
  back.received.nic = {.packets = 1, .bytes = 10};
  const BooksCount before({Interface("eth0", 1000)}), now({back});

  EXPECT_EQ(now.Since(before)[0].nic, (Volume{0, 0}));
}

TEST(BooksCount, IsWrittenWhateverAnInterfaceIsCalled) {
  const BooksCount count({Interface("eth\xff", 1000)});

  const auto read = BooksCount::Parse(count.ToText());

  ASSERT_TRUE(read);
  EXPECT_EQ(BooksCount({Interface("eth\xff", 1700)}).Since(*read)[0].seen,
            (Volume{700, 7}));
}

TEST(BooksCount, IsTheSameAfterBeingWritten) {
  const BooksCount count({Interface("eth0", 1000), Interface("eth1", 7)});

  const auto read = BooksCount::Parse(count.ToText());

  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->ToText(), count.ToText());
  for (const char* other : {"", "{}{", "[1]", "[[\"eth0\",false,[1,2]]]"})
    EXPECT_FALSE(BooksCount::Parse(other).has_value()) << other;
}

TEST(BooksCount, SharesOutWhatPassedInBetweenAndLosesNothing) {
  const BooksCount before({Interface("eth0", 1000)});
  const BooksCount now({Interface("eth0", 2000), Interface("eth1", 11)});

  Volume sum, sum_of_new;
  BooksCount last = before;
  for (int left = 3; left >= 1; --left) {
    const BooksCount next = now.Between(last, 1.0 / left);
    sum += next.Since(last)[0].seen;
    sum_of_new += next.Since(last)[2].seen;
    last = next;
  }

  EXPECT_EQ(sum, (Volume{1000, 10}));
  EXPECT_EQ(sum_of_new, (Volume{11, 0}));
  EXPECT_EQ(last.ToText(), now.ToText());
  EXPECT_NEAR(static_cast<double>(
                  now.Between(before, 0.25).Since(before)[0].seen.bytes),
              250, 1);
}

}  // namespace
}  // namespace iptrk
