// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugin/mail/event.h"
#include "plugin/mail/figures.h"
#include "plugin/mail/message.h"
#include "plugin/mail/text.h"

namespace iptrk::mail {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] = "/etc/iptrk/iptrk.toml";

Event Opened() {
  Event event;
  event.severity = Severity::kFailure;
  event.time =
      std::chrono::system_clock::from_time_t(1795390452);  // 23:34:12 UTC
  event.host = "gw1";
  event.plugin = "iptrk";
  event.message = "packets: 10.1.0.216 in 31250 packets/s";
  event.meta = {
      {"incident", "20261122T233412Z-packets-10.1.0.216"},
      {"kind", "packets"},
      {"subject", "10.1.0.216"},
      {"direction", "in"},
      {"state", "open"},
      {"start", "2026-11-22T23:34:12Z"},
      {"duration", "3"},
      {"rule", "more than 1000 packets/s to one host in 3 of 5 s"},
      {"value", "31250"},
      {"limit", "1000"},
      {"unit", "packets/s"},
      {"peak", "40100"},
      {"total_packets", "93750"},
      {"total_bytes", "5625000"},
      {"distinct_peers", "1204"},
      {"network", "lan"},
      {"peers", R"([{"address":"203.0.113.9","packets":54375,"share":0.58},)"
                R"({"address":"2001:db8::9","packets":9001,"share":0.096}])"},
      {"ports",
       R"([{"port":53,"protocol":"udp","packets":60000,"share":0.64},)"
       R"({"port":0,"protocol":"icmp","packets":10,"share":0.0001}])"}};
  return event;
}

Event Cleared() {
  Event event = Opened();
  event.severity = Severity::kOkay;
  event.time += std::chrono::seconds(72);
  event.meta["state"] = "cleared";
  event.meta["end"] = "2026-11-22T23:35:24Z";
  event.meta["duration"] = "72";
  return event;
}

Event FromThreshold() {
  Event event;
  event.severity = Severity::kWarning;
  event.time = std::chrono::system_clock::from_time_t(1795390452);
  event.host = "gw1";
  event.plugin = "df";
  event.plugin_instance = "root";
  event.type = "percent_bytes";
  event.type_instance = "used";
  event.message = "Data source \"value\" is currently 91.5.";
  event.meta = {{"CurrentValue", "91.5"}, {"WarningMax", "90"}};
  return event;
}

Composer ToOp() {
  return Composer("iptrk@gw1.example.org", {"op@example.org"}, kConfig);
}

// The header fields of a message, unfolded.
std::vector<std::string> Headers(const std::string& eml) {
  std::vector<std::string> headers;
  std::istringstream lines(eml.substr(0, eml.find("\r\n\r\n") + 2));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!headers.empty() && (line[0] == ' ' || line[0] == '\t')) {
      headers.back() += line;
    } else {
      headers.push_back(line);
    }
  }
  return headers;
}

std::string Header(const Message& message, const std::string& name) {
  for (const std::string& header : Headers(message.eml)) {
    if (header.starts_with(name + ": ")) return header.substr(name.size() + 2);
  }
  return {};
}

std::multiset<std::string> HeaderNames(const std::string& eml) {
  std::multiset<std::string> names;
  for (const std::string& header : Headers(eml)) {
    names.insert(header.substr(0, header.find(':')));
  }
  return names;
}

TEST(MailSubject, SaysWhoWhatAndHowMuchWhenAnIncidentOpens) {
  EXPECT_EQ(Describe(Opened(), kConfig).subject,
            "[iptrk] FAILURE packets: 10.1.0.216 in 31,250 packets/s "
            "(limit 1,000)");
}

TEST(MailSubject, SaysHowLongAndThePeakWhenAnIncidentClears) {
  EXPECT_EQ(Describe(Cleared(), kConfig).subject,
            "[iptrk] OKAY packets: 10.1.0.216 cleared after 1 min 12 s, "
            "peak 40,100 packets/s");
}

TEST(MailSubject, SaysWhereAnotherPluginsNotificationComesFrom) {
  EXPECT_EQ(Describe(FromThreshold(), kConfig).subject,
            "[iptrk] WARNING df/root on gw1: Data source \"value\" is "
            "currently 91.5.");
}

TEST(MailBody, AnswersWhoWhatSinceWhenWhyAndHowToSilence) {
  EXPECT_EQ(Describe(Opened(), kConfig).body,
            R"(10.1.0.216 receives 31,250 packets/s; the limit is 1,000.

Who       10.1.0.216, network lan
What      packets, in
Since     2026-11-22 23:34:12 UTC
Lasted    3 s
Rule      more than 1000 packets/s to one host in 3 of 5 s
Measured  31,250 packets/s
Limit     1,000 packets/s
Peak      40,100 packets/s
Total     93,750 packets, 5.6 MB
Peers     about 1,204 addresses
Seen by   gw1

Top senders
  203.0.113.9  54,375 packets  58 %
  2001:db8::9   9,001 packets  10 %

Top ports
  53/udp  60,000 packets  64 %
  icmp        10 packets  <1 %

To silence this, set a higher limit, or enabled = false, under [detect.packets]
in /etc/iptrk/iptrk.toml on gw1.
Incident 20261122T233412Z-packets-10.1.0.216
)");
}

TEST(MailBody, SaysFirstThatAClearedIncidentIsOver) {
  const std::string body = Describe(Cleared(), kConfig).body;
  EXPECT_TRUE(body.starts_with(
      "10.1.0.216 is back to normal after 1 min 12 s; the peak was 40,100 "
      "packets/s.\n"));
  EXPECT_THAT(body, HasSubstr("Until     2026-11-22 23:35:24 UTC\n"));
}

TEST(MailBody, LeavesOutWhateverIsMissing) {
  Event event = Opened();
  const auto all = event.meta;
  for (const auto& [name, value] : all) {
    if (name == "incident") continue;
    event.meta = all;
    event.meta.erase(name);
    const Text text = Describe(event, kConfig);
    EXPECT_THAT(text.body, Not(HasSubstr("  \n"))) << name;
    EXPECT_THAT(text.subject, Not(HasSubstr("  "))) << name;
  }
  event.meta = {{"incident", "only-this"}};
  const Text text = Describe(event, kConfig);
  EXPECT_EQ(text.subject, "[iptrk] FAILURE incident");
  EXPECT_EQ(text.body,
            "packets: 10.1.0.216 in 31250 packets/s\n\n"
            "Seen by   gw1\n\nIncident only-this\n");
}

TEST(MailBody, SurvivesTablesThatAreNone) {
  for (const char* bad :
       {"", "[", "{}", "[1,\"x\",null,[]]", "[{}]", "[{\"address\":7}]",
        R"([{"address":"a\nb","packets":"many","share":"half"}])",
        R"([{"address":"a","packets":-1,"share":1e999}])"}) {
    Event event = Opened();
    event.meta["peers"] = bad;
    event.meta["ports"] = bad;
    EXPECT_THAT(Describe(event, kConfig).body, HasSubstr("Seen by   gw1\n"))
        << bad;
  }
}

TEST(MailBody, ShowsEveryFieldOfAnotherPluginsNotification) {
  EXPECT_EQ(Describe(FromThreshold(), kConfig).body,
            R"(Data source "value" is currently 91.5.

Severity  WARNING
Time      2026-11-22 23:34:12 UTC
Host      gw1
Plugin    df / root
Type      percent_bytes / used

CurrentValue  91.5
WarningMax    90
)");
}

TEST(MailBody, IsNeverWiderThanEightyColumns) {
  Event event = Opened();
  event.meta["rule"] = std::string(300, 'x') + " and words " +
                       std::string(100, 'y') + " " + std::string(70, 'z');
  event.meta["peers"] = "[{\"address\":\"" + std::string(500, 'a') +
                        "\",\"packets\":18446744073709551615,\"share\":1}]";
  Event plain = FromThreshold();
  plain.meta[std::string(120, 'n')] = "value";
  plain.message = "Grüße " + std::string(200, '-');
  for (const Event& any : {event, plain}) {
    std::istringstream lines(Describe(any, kConfig).body);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(Width(line), 80u) << line;
    }
  }
}

TEST(MailMessage, CarriesTheHeadersOfAnAutomaticMail) {
  const Message message =
      Composer("iptrk <iptrk@gw1.example.org>",
               {"Op <op@example.org>", "night@example.org"}, kConfig)
          .Compose(Opened());
  EXPECT_EQ(message.envelope.from, "iptrk@gw1.example.org");
  EXPECT_THAT(message.envelope.to,
              ElementsAre("op@example.org", "night@example.org"));
  EXPECT_EQ(Header(message, "From"), "iptrk <iptrk@gw1.example.org>");
  EXPECT_EQ(Header(message, "To"), "Op <op@example.org>, night@example.org");
  EXPECT_EQ(Header(message, "Date"), "Sun, 22 Nov 2026 23:34:12 +0000");
  EXPECT_EQ(Header(message, "Auto-Submitted"), "auto-generated");
  EXPECT_EQ(Header(message, "X-iptrk-Incident"),
            "20261122T233412Z-packets-10.1.0.216");
  EXPECT_EQ(Header(message, "Message-Id"), "<" + message.id + ">");
  EXPECT_EQ(Header(message, "MIME-Version"), "1.0");
  EXPECT_EQ(Header(message, "Content-Type"), "text/plain; charset=utf-8");
}

TEST(MailMessage, ThreadsTheMailsOfAnIncident) {
  const Message opened = ToOp().Compose(Opened());
  const Message cleared = ToOp().Compose(Cleared());
  EXPECT_NE(opened.id, cleared.id);
  EXPECT_EQ(Header(opened, "References"),
            "<20261122T233412Z-packets-10.1.0.216@gw1.example.org>");
  EXPECT_EQ(Header(cleared, "References"), Header(opened, "References"));
  EXPECT_EQ(Header(cleared, "In-Reply-To"), Header(opened, "References"));

  Event other = Opened();
  other.meta["incident"] = "20261122T233412Z-packets-2001:db8::1";
  const std::string root = Header(ToOp().Compose(other), "References");
  EXPECT_NE(root, Header(opened, "References"));
  EXPECT_THAT(root.substr(0, root.find('@')), Not(HasSubstr(":")));
}

TEST(MailMessage, HasTheSameIdForTheSameEventOnly) {
  std::set<std::string> ids;
  Event event = FromThreshold();
  ids.insert(ToOp().Compose(event).id);
  EXPECT_TRUE(ids.contains(ToOp().Compose(event).id));
  event.time += std::chrono::nanoseconds(1);
  EXPECT_TRUE(ids.insert(ToOp().Compose(event).id).second);
  event.meta["CurrentValue"] = "92";
  EXPECT_TRUE(ids.insert(ToOp().Compose(event).id).second);
  event.severity = Severity::kFailure;
  EXPECT_TRUE(ids.insert(ToOp().Compose(event).id).second);

  // A slot replayed after a crash may give another figure.
  Event replayed = Opened();
  replayed.meta["total_packets"] = "93751";
  EXPECT_EQ(ToOp().Compose(replayed).id, ToOp().Compose(Opened()).id);
  replayed.meta["direction"] = "out";
  EXPECT_NE(ToOp().Compose(replayed).id, ToOp().Compose(Opened()).id);
  replayed = Opened();
  replayed.severity = Severity::kWarning;
  EXPECT_NE(ToOp().Compose(replayed).id, ToOp().Compose(Opened()).id);
}

TEST(MailMessage, HasOnlySevenBitLinesThatEveryServerTakes) {
  Event event = FromThreshold();
  event.message = "Grüße aus Köln: " + std::string(3000, 'x');
  event.host = "gw-ü";
  const Message message = ToOp().Compose(event);
  EXPECT_TRUE(std::ranges::all_of(message.eml, [](char c) {
    return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
  }));
  std::size_t start = 0;
  for (std::size_t end = message.eml.find('\n'); end != std::string::npos;
       start = end + 1, end = message.eml.find('\n', start)) {
    ASSERT_GT(end, start);
    EXPECT_EQ(message.eml[end - 1], '\r');
    EXPECT_LE(end - start, 998u);
  }
  EXPECT_EQ(start, message.eml.size()) << "the last line has its end";
}

// Puts `poison` into one field after the other.
std::vector<Event> Poisoned(const Event& healthy, const std::string& poison) {
  std::vector<Event> events;
  for (const auto field : {&Event::host, &Event::plugin_instance, &Event::type,
                           &Event::type_instance, &Event::message}) {
    events.push_back(healthy);
    events.back().*field += poison;
  }
  for (const auto& [name, value] : healthy.meta) {
    events.push_back(healthy);
    events.back().meta[name] = value + poison;
    events.push_back(healthy);
    events.back().meta[name] = poison;
  }
  events.push_back(healthy);
  events.back().meta[poison] = "value";
  return events;
}

TEST(MailMessage, CannotBeGivenAHeaderByAnyField) {
  for (const std::string end :
       {"\r\n", "\n", "\r", "\v", "\f", "\xc2\x85", "\xe2\x80\xa8"}) {
    const std::string poison = end + "Bcc: evil@example.net" + end + end +
                               "Evil body" + end + "." + end + "QUIT";
    for (const Event& healthy : {Opened(), Cleared(), FromThreshold()}) {
      const auto expected = HeaderNames(ToOp().Compose(healthy).eml);
      for (const Event& event : Poisoned(healthy, poison)) {
        const Message message = ToOp().Compose(event);
        EXPECT_EQ(HeaderNames(message.eml), expected);
        EXPECT_THAT(message.eml, Not(HasSubstr("\n.\r\n")));
      }
    }
  }
}

TEST(MailMessage, RefusesAnAddressThatIsNone) {
  for (const char* bad :
       {"", "two words", "a@b@c d", "op@example.org\r\nBcc: x", "<>",
        "op@example.org, b@example.org", "@example.org",
        "group: a@example.org;"}) {
    EXPECT_THROW(Composer("", {bad}, kConfig), std::invalid_argument) << bad;
  }
  EXPECT_THROW(Composer("", {}, kConfig), std::invalid_argument);
  EXPECT_THAT(Composer("", {"root"}, kConfig).Compose(Opened()).envelope.to,
              ElementsAre("root"));
}

TEST(MailMessage, ComesFromThisHostUnlessToldOtherwise) {
  const Message message =
      Composer("", {"op@example.org"}, kConfig).Compose(Opened());
  EXPECT_TRUE(message.envelope.from.starts_with("iptrk@"));
  EXPECT_GT(message.envelope.from.size(), 6u);
}

}  // namespace
}  // namespace iptrk::mail
