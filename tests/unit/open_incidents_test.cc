// SPDX-License-Identifier: GPL-2.0-only
#include "lib/open_incidents.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "lib/seconds.h"

namespace iptrk {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Incident Flood(const std::string& id, std::uint64_t start) {
  Incident incident;
  incident.id = id;
  incident.kind = "packets";
  incident.subject = "10.1.0.80";
  incident.direction = "in";
  incident.start_ns = start * kSecond;
  incident.opened_ns = (start + 3) * kSecond;
  incident.rule = "more than 1000 packets/s";
  incident.unit = "packets/s";
  incident.peak = 5000;
  incident.packets = 77;
  incident.peers = {{"44.1.2.3", 70, .9, 7000, .8}};
  incident.ports = {{17, 53, 70, .9}};
  return incident;
}

TEST(OpenIncidents, EndsWhatCantBeFoundAgain) {
  OpenIncidents open;
  open.Told(Flood("old", 100));
  open.Told(Flood("young", 200));
  open.Told(Flood("lost", 201));
  const auto over = open.BeginAnew(180 * kSecond);
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].id, "old");
  EXPECT_FALSE(over[0].open);
  EXPECT_EQ(over[0].end_ns, 180 * kSecond);
  open.Told(over[0]);
  const auto others = open.EndOthers({Flood("young", 200)}, 300 * kSecond);
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_EQ(others[0].id, "lost");
  EXPECT_EQ(others[0].end_ns, 300 * kSecond);
  open.Told(others[0]);
  EXPECT_THAT(open.EndOthers({Flood("young", 200)}, 400 * kSecond), IsEmpty());
  EXPECT_FALSE(open.empty());
}

TEST(OpenIncidents, KnowsThoseOfTheLedgerWithAllTheyHad) {
  const Incident flood = Flood("a", 100);
  LedgerIncident row;
  row.id = "a";
  row.json = ToJson(flood).dump();
  OpenIncidents open;
  LedgerIncident other, damaged;
  other.json = "{}";
  damaged.json = "nothing";
  open.Add({row, other, damaged});
  const auto over = open.BeginAnew(180 * kSecond);
  ASSERT_THAT(over, SizeIs(1));
  Incident expected = flood;
  expected.open = false;
  expected.end_ns = 180 * kSecond;
  expected.rule = over[0].rule;
  EXPECT_EQ(ToJson(over[0]), ToJson(expected));
}

}  // namespace
}  // namespace iptrk
