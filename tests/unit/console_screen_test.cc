// SPDX-License-Identifier: GPL-2.0-only
// Screens as text, from fixed snapshots; IPTRK_GOLDEN=write writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <utility>

#include "tests/unit/records.h"
#include "tools/console/output.h"
#include "tools/console/view.h"

namespace iptrk::console {
namespace {

constexpr std::uint64_t kStart = 1'790'000'000 * kSecond;

Config Ours() {
  Config config;
  config.networks = {{"lan",
                      {Prefix::Parse("10.1.0.0/24").value(),
                       Prefix::Parse("2001:db8:1::/64").value()}}};
  config.detect[IncidentKind::kPackets].limit = 500;
  return config;
}

class ConsoleScreen : public testing::Test {
 protected:
  ConsoleScreen() {
    setenv("TZ", "UTC", 1);
    tzset();
    view_.ascii = false;
  }

  void Take(const Packet& packet) {
    const iptrk_record record = Record(packet);
    model_.Take({&record, 1});
    view_.AddLines(model_.TakeStream());
  }

  // Seconds of traffic that differs from one to the next, and a flood in the
  // last ones.
  void Traffic(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      const std::uint64_t time = std::exchange(now_, now_ + kSecond);
      const auto wave = static_cast<std::uint32_t>(i % 10 + 1);
      for (int host = 1; host <= 40; ++host) {
        const std::string own = "10.1.0." + std::to_string(host * 6);
        const auto bytes = static_cast<std::uint32_t>(host * 1500) * wave;
        Take({.src = "192.0.2." + std::to_string(host),
              .dst = own,
              .sport = 40000,
              .dport = 443,
              .bytes = bytes,
              .packets = wave,
              .time_ns = time});
        Take({.src = own,
              .dst = "192.0.2.7",
              .protocol = IPPROTO_UDP,
              .sport = 53,
              .dport = 5353,
              .bytes = bytes / 10,
              .packets = 1,
              .time_ns = time});
      }
      Take({.src = "2001:db8::7",
            .dst = "2001:db8:1::f00d:1234:5678:9abc",
            .protocol = IPPROTO_ICMPV6,
            .bytes = 118,
            .time_ns = time});
      Take({.src = "10.1.0.6",
            .dst = "10.1.0.12",
            .dport = 22,
            .bytes = 9000,
            .packets = 6,
            .time_ns = time});
      Take({.src = "127.0.0.1",
            .dst = "10.1.0.12",
            .bytes = 60,
            .time_ns = time});
      if (i + 12 >= seconds)
        Take({.src = "198.51.100.9",
              .dst = "10.1.0.216",
              .protocol = IPPROTO_UDP,
              .sport = 53,
              .dport = 9,
              .bytes = 600000,
              .packets = 1000,
              .time_ns = time + 1000});
      snapshot_ = model_.EndSecond(time + kSecond);
      view_.EndStreamSecond();
    }
  }

  std::string Draw(int width, int height) {
    return Render(view_, snapshot_.get(), status_, width, height).ToText();
  }
  void Press(const std::string& keys) {
    for (const char key : keys) {
      Key pressed{Key::Kind::kCharacter, static_cast<char32_t>(key)};
      if (key == '\n') pressed = {Key::Kind::kEnter};
      if (key == '\x1b') pressed = {Key::Kind::kEscape};
      HandleKey(view_, pressed, snapshot_.get(), 80, 24);
    }
  }
  void Golden(const std::string& name, int width, int height) {
    const std::string path =
        std::string(IPTRK_SOURCE_DIR) + "/tests/unit/fixtures/console/" + name +
        "-" + std::to_string(width) + "x" + std::to_string(height) + ".txt";
    const std::string drawn = Draw(width, height);
    if (const char* mode = std::getenv("IPTRK_GOLDEN"); mode && *mode)
      std::ofstream(path) << drawn;
    std::stringstream expected;
    expected << std::ifstream(path).rdbuf();
    EXPECT_EQ(drawn, expected.str()) << path;
  }
  void GoldenOfAllSizes(const std::string& name) {
    Golden(name, 80, 24);
    Golden(name, 120, 40);
    Golden(name, 200, 60);
  }

  std::uint64_t now_ = kStart;
  Model model_{Ours()};
  View view_;
  Status status_{Health::kLive, "eth0", "", 0.2};
  std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(ConsoleScreen, ShowsTheHostsThatAreHitTheMost) {
  Traffic(70);
  GoldenOfAllSizes("hosts");
}

TEST_F(ConsoleScreen, ShowsWhoIsDoingIt) {
  model_.SetDetail(Address::Parse("10.1.0.216"));
  Traffic(70);
  Press("\n");
  EXPECT_EQ(view_.host, Address::Parse("10.1.0.216"));
  GoldenOfAllSizes("host");
}

TEST_F(ConsoleScreen, ShowsPacketsAsTheyPass) {
  Traffic(3);
  Press("2");
  GoldenOfAllSizes("stream");
}

TEST_F(ConsoleScreen, ShowsTheAddressesOfANetworkAsBars) {
  Traffic(70);
  Press("3");
  GoldenOfAllSizes("addresses");
}

TEST_F(ConsoleScreen, DrawsWithAsciiAloneWhereAskedTo) {
  Traffic(70);
  view_.ascii = true;
  for (const char* screen : {"1", "\n", "2", "3", "?"}) {
    Press(screen);
    for (const char byte : Draw(120, 40)) EXPECT_GT(byte, 0);
  }
}

TEST_F(ConsoleScreen, NeverShowsOldNumbersAsLive) {
  Traffic(3);
  status_.health = Health::kStale;
  status_.age = 7;
  EXPECT_NE(Draw(80, 24).find("STALE: no data for 7 s"), std::string::npos);
  EXPECT_EQ(Draw(80, 24).find("live"), std::string::npos);
}

TEST_F(ConsoleScreen, SaysThatNothingIsThereYet) {
  status_.health = Health::kWaiting;
  EXPECT_NE(Draw(80, 24).find("the first second is being counted"),
            std::string::npos);
}

TEST_F(ConsoleScreen, SaysWhyItFailed) {
  Traffic(3);
  status_.health = Health::kFailed;
  status_.message = "the queue is gone";
  EXPECT_NE(Draw(80, 24).find("the queue is gone"), std::string::npos);
}

TEST_F(ConsoleScreen, DrawsAtAnySize) {
  Traffic(3);
  for (const char* screen : {"1", "\n", "2", "3", "?"}) {
    Press(screen);
    for (int width : {1, 5, 39, 40, 79, 80, 133, 300})
      for (int height : {1, 2, 11, 12, 23, 24, 100}) Draw(width, height);
  }
}

TEST_F(ConsoleScreen, PointsAtTheWrongWordOfAFilter) {
  Traffic(3);
  Press("ftcp and prot\n");
  EXPECT_EQ(view_.prompt, Prompt::kFilter);
  const std::string drawn = Draw(80, 24);
  EXPECT_NE(drawn.find("not known; known are host"), std::string::npos);
  EXPECT_NE(drawn.find("\n                ▼\nfilter: tcp and prot"),
            std::string::npos)
      << drawn;
  Press("\x1b");
  EXPECT_EQ(view_.filter, "");
}

TEST_F(ConsoleScreen, SortsByAnyColumnAndReversed) {
  Traffic(3);
  const auto first = [&] {
    return SortedHosts(view_, *snapshot_)[0]->address.ToString();
  };
  EXPECT_EQ(first(), "10.1.0.216");
  view_.sort = Column::kInternal;
  EXPECT_EQ(first(), "10.1.0.12");
  Press("s");
  EXPECT_EQ(first(), "10.1.0.6");
  view_.sort = Column::kAddress;
  EXPECT_EQ(first(), "10.1.0.6");
  Press("R");
  EXPECT_EQ(first(), "2001:db8:1:0:f00d:1234:5678:9abc");
}

// --- the model

TEST_F(ConsoleScreen, CountsEachByteInOneRowOfThePanel) {
  Traffic(70);
  Volume rows;
  for (const PanelRow& row : snapshot_->panel)
    for (const Volume& volume : row.volume[2]) rows += volume;
  EXPECT_EQ(rows, snapshot_->Total(Period::kTotal));
  // in and internal, and what came from where it can't be: hosts have all.
  Volume received;
  for (const HostRow& row : snapshot_->hosts)
    for (const HostKind kind : {HostKind::kInTcp, HostKind::kInUdp,
                                HostKind::kInOther, HostKind::kInternalIn})
      received += row.volume[2][static_cast<std::size_t>(kind)];
  EXPECT_EQ(received, snapshot_->Of(Period::kTotal, Direction::kIn) +
                          snapshot_->Of(Period::kTotal, Direction::kInternal) +
                          snapshot_->Of(Period::kTotal, Direction::kMartian));
}

TEST_F(ConsoleScreen, ShowsTheSecondThatEndedAndTheMinute) {
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t time = kStart + static_cast<std::uint64_t>(i) * kSecond;
    Take({.src = "192.0.2.7",
          .dst = "10.1.0.80",
          .bytes = static_cast<std::uint32_t>(i + 1),
          .time_ns = time});
    snapshot_ = model_.EndSecond(time + kSecond);
    const auto in = [&](std::size_t period) {
      return snapshot_->hosts[0]
          .volume[period][static_cast<std::size_t>(HostKind::kInTcp)]
          .bytes;
    };
    EXPECT_EQ(in(0), static_cast<std::uint64_t>(i + 1));
    std::uint64_t minute = 0;
    EXPECT_LE(snapshot_->minute_seconds, 60u);
    for (int k = 0; k < static_cast<int>(snapshot_->minute_seconds); ++k)
      minute += static_cast<std::uint64_t>(i + 1 - k);
    EXPECT_EQ(in(1), minute) << i;
    EXPECT_EQ(snapshot_->Of(Period::kMinute, Direction::kIn).bytes, minute);
  }
}

// One model ends every second of a capture with pauses, the other leaves out
// those in which nothing came.
TEST_F(ConsoleScreen, CountsTheSecondsOfAPause) {
  Model leaping(Ours());
  std::uint64_t time = kStart;
  for (const unsigned pause :
       {1u, 1u, 8u, 1u, 29u, 60u, 2u, 61u, 1u, 59u, 300u, 9u, 1u}) {
    const iptrk_record record = Record(
        {.src = "192.0.2.7", .dst = "10.1.0.80", .bytes = 7, .time_ns = time});
    model_.Take({&record, 1});
    leaping.Take({&record, 1});
    std::shared_ptr<const Snapshot> leap = leaping.EndSecond(time + kSecond);
    for (unsigned i = 1; i <= pause; ++i) {
      time += kSecond;
      snapshot_ = model_.EndSecond(time);
    }
    if (pause > 1) leap = leaping.EndSecond(time);
    EXPECT_EQ(leap->seconds, (time - kStart) / kSecond);
    EXPECT_EQ(ToJson(*leap, ""), ToJson(*snapshot_, "")) << pause;
    for (std::size_t i = 0; i < leap->panel.size(); ++i)
      EXPECT_EQ(leap->panel[i].history, snapshot_->panel[i].history) << pause;
  }
}

TEST_F(ConsoleScreen, CountsOnlyWhatTheFilterLetsPass) {
  Traffic(3);
  model_.SetFilter("udp");
  Traffic(3);
  EXPECT_EQ(snapshot_->seconds, 3u);
  EXPECT_EQ(snapshot_->Of(Period::kTotal, Direction::kInternal).bytes, 0u);
  EXPECT_EQ(snapshot_->Of(Period::kTotal, Direction::kIn).bytes, 3u * 600000u);
  model_.SetFilter("");
  Traffic(1);
  EXPECT_EQ(snapshot_->seconds, 7u);
}

TEST_F(ConsoleScreen, ClearsAnIncidentInThePauseOfACapture) {
  Traffic(70);
  EXPECT_EQ(snapshot_->incidents.size(), 1u);
  snapshot_ = model_.EndSecond(kStart + 86400 * kSecond);
  EXPECT_TRUE(snapshot_->incidents.empty());
}

TEST(ConsolePeers, KeepsWhoSendsMuchInAFloodOfRandomSources) {
  PeerTable table;
  const auto received = [&](const iptrk_record& record) {
    const Exchange exchange{&record, 1, Way::kReceived};
    table.Add({&exchange, 1}, [](const iptrk_record&) { return 0; });
  };
  iptrk_record heavy = Record({.src = "192.0.2.7", .dst = "10.1.0.80"});
  heavy.bytes = 1'000'000;
  received(heavy);
  iptrk_record random = heavy;
  random.bytes = 60;
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < 3u << 20; ++i) {
    Address::FromIpv4(0x40000000u + i).ToBytes(random.src);
    received(random);
  }
  bool found = false;
  table.ForEach(1, [&](std::size_t, const Peer& peer) {
    sum += peer.bytes_in;
    found = found || peer.bytes_in == 1'000'000;
  });
  EXPECT_TRUE(found);
  EXPECT_LE(table.size(), PeerTable::kMostPeers);
  EXPECT_EQ(table.size() + table.evicted(), (3u << 20) + 1u);
}

// Many at once, of which some are the same pair: each is counted once.
TEST(ConsolePeers, CountsEachExchangeOfABatch) {
  PeerTable table;
  std::vector<iptrk_record> records;
  for (std::uint32_t i = 0; i < 100; ++i) {
    records.push_back(Record({.src = "192.0.2.7", .dst = "10.1.0.80"}));
    Address::FromIpv4(0xc0000200u + i % 3).ToBytes(records.back().src);
    records.back().bytes = 100;
  }
  std::vector<Exchange> exchanges;
  for (const iptrk_record& record : records) {
    exchanges.push_back({&record, 7, Way::kReceived});
    exchanges.push_back({&record, 8, Way::kSent});
  }
  int asked = 0;
  table.Add(exchanges, [&](const iptrk_record&) { return ++asked; });
  EXPECT_EQ(asked, 4);  // three sources of host 7, one peer of host 8
  EXPECT_EQ(table.size(), 4u);
  std::uint64_t in = 0, out = 0;
  table.ForEach(7, [&](std::size_t, const Peer& peer) { in += peer.bytes_in; });
  table.ForEach(8,
                [&](std::size_t, const Peer& peer) { out += peer.bytes_out; });
  EXPECT_EQ(in, 10'000u);
  EXPECT_EQ(out, 10'000u);
}

}  // namespace
}  // namespace iptrk::console
