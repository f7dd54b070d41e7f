// SPDX-License-Identifier: GPL-2.0-only
#include "lib/peer_privacy.h"

#include <gtest/gtest.h>

namespace iptrk {
namespace {

TEST(PeerPrivacy, KeepsTheAddressItsPrefixOrNothing) {
  const Address v4 = *Address::Parse("203.0.113.9");
  const Address v6 = *Address::Parse("2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(PeerText(v4, PeerPrivacy::kFull), "203.0.113.9");
  EXPECT_EQ(PeerText(v6, PeerPrivacy::kFull), "2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(PeerText(v4, PeerPrivacy::kPrefix), "203.0.113.0/24");
  EXPECT_EQ(PeerText(v6, PeerPrivacy::kPrefix), "2001:db8:1::/48");
  EXPECT_EQ(PeerText(v4, PeerPrivacy::kNone), "");
  EXPECT_EQ(PeerText(v6, PeerPrivacy::kNone), "");
}

TEST(PeerPrivacy, CountsAsOneWhatReadsAlike) {
  const char* const peers[] = {
      "203.0.113.9",        "203.0.113.255", "203.0.114.9", "2001:db8:1::1",
      "2001:db8:1:ffff::1", "2001:db8:2::1", "::1"};
  for (const PeerPrivacy privacy :
       {PeerPrivacy::kFull, PeerPrivacy::kPrefix, PeerPrivacy::kNone})
    for (const char* a : peers)
      for (const char* b : peers) {
        const Address one = *Address::Parse(a), other = *Address::Parse(b);
        EXPECT_EQ(PeerKey(one, privacy) == PeerKey(other, privacy),
                  PeerText(one, privacy) == PeerText(other, privacy))
            << a << " " << b;
      }
}

}  // namespace
}  // namespace iptrk
