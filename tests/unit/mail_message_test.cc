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
#include "tests/unit/mail_letters.h"

namespace iptrk::mail {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Text Describe(const Event& event, const std::string& config) {
  return Describe(LetterOf(event), Picture(), {config, true}, BuiltIn());
}

Audience To(const std::vector<std::string>& to) { return {"", to, {}}; }

Composer For(const std::vector<std::string>& to,
             const std::string& from = "iptrk@gw1.example.org") {
  return Composer(from, {To(to)}, kConfig, BuiltIn());
}

Message Compose(const Event& event) {
  return For({"op@example.org"})
      .Compose(LetterOf(event), To({"op@example.org"}), Picture());
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
  EXPECT_EQ(Describe(Opened(), kConfig).plain,
            R"(10.1.0.216 receives 31,250 packets/s; the limit is 1,000.

Who       10.1.0.216, network lan
Customer  acme
What      packets, in
Since     2026-11-22 23:34:12 UTC
Open for  3 s
Rule      more than 1000 packets/s to one host in 3 of 5 s
Measured  31,250 packets/s
Limit     1,000 packets/s
Baseline  140 packets/s
Window    5 s
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

To silence this for two hours:
  iptrk incidents silence packets --subject 10.1.0.216 --for 2h
For good: a higher limit, or enabled = false, under [detect.packets] in
/etc/iptrk/iptrk.toml on gw1.

Incident 20261122T233412Z-packets-10.1.0.216
)");
}

// An incident that measures `value` of something.
Event Of(const char* kind, const char* subject, const char* direction,
         const char* value, const char* unit, const char* limit) {
  Event event = Opened();
  event.meta["kind"] = kind;
  event.meta["subject"] = subject;
  event.meta["direction"] = direction;
  event.meta["value"] = value;
  event.meta["unit"] = unit;
  event.meta["limit"] = limit;
  return event;
}

TEST(MailBody, SaysOfEachKindWhoDidWhat) {
  struct Case {
    Event event;
    const char* sentence;
  };
  for (const auto& [event, sentence] : std::vector<Case>{
           {Of("host-scan", "203.0.113.9", "in", "31", "targets", "20"),
            "203.0.113.9 tries 31 targets; the limit is 20.\n"},
           {Of("port-scan", "10.1.0.7", "out", "31", "targets", "20"),
            "10.1.0.7 tries 31 targets; the limit is 20.\n"},
           {Of("martian", "spoofed", "in", "120", "packets/min", "100"),
            "120 packets/min are martians (spoofed); the limit is 100.\n"},
           {Of("silent", "10.1.0.7", "out", "450", "s", "300"),
            "10.1.0.7 has sent nothing for 7 min 30 s; the limit is 5 min 0 "
            "s.\n"},
           {Of("mirror-lost", "lan", "in", "12", "s", "10"),
            "No packet of lan has been seen for 12 s; the limit is 10 s.\n"},
           {Of("mirror-lost", "lan", "in", "2", "s", "10"),
            "Most hosts of lan are silent at once.\n"},
           {Of("books", "eth0", "in", "7", "%", "5"),
            "The books of eth0 lack 7 % of its packets; the limit is 5 %.\n"},
           {Of("books", "eth0", "in", "0", "%", "0"),
            "The books of eth0 do not balance.\n"},
           {Of("volume", "10.1.0.7", "out", "31", "bit/s", "20"),
            "10.1.0.7 sends 31 bit/s; the limit is 20.\n"}}) {
    EXPECT_THAT(Describe(event, kConfig).plain, StartsWith(sentence));
  }
}

TEST(MailBody, CallsThoseWhomAScannerTriesTargets) {
  for (const char* kind : {"host-scan", "port-scan"}) {
    const std::string body =
        Describe(Of(kind, "203.0.113.9", "in", "31", "targets", "20"), kConfig)
            .plain;
    EXPECT_THAT(body, HasSubstr("\nTop targets\n"));
    EXPECT_THAT(body, Not(HasSubstr("Top senders")));
  }
}

TEST(MailBody, SaysFirstThatAClearedIncidentIsOver) {
  const std::string body = Describe(Cleared(), kConfig).plain;
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
    EXPECT_THAT(text.plain, Not(HasSubstr("  \n"))) << name;
    EXPECT_THAT(text.subject, Not(HasSubstr("  "))) << name;
  }
  event.meta = {{"incident", "only-this"}};
  const Text text = Describe(event, kConfig);
  EXPECT_EQ(text.subject, "[iptrk] FAILURE incident");
  EXPECT_EQ(text.plain,
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
    EXPECT_THAT(Describe(event, kConfig).plain, HasSubstr("Seen by   gw1\n"))
        << bad;
  }
}

TEST(MailBody, ShowsEveryFieldOfAnotherPluginsNotification) {
  EXPECT_EQ(Describe(FromThreshold(), kConfig).plain,
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
    std::istringstream lines(Describe(any, kConfig).plain);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(Width(line), 80u) << line;
    }
  }
}

TEST(MailBody, TellsHowToSilenceOnlyToThoseWhoCan) {
  const Text customers =
      Describe(LetterOf(Opened()), Picture(), {kConfig, false}, BuiltIn());
  EXPECT_THAT(customers.plain, Not(HasSubstr("silence")));
  EXPECT_THAT(customers.plain, Not(HasSubstr(kConfig)));
  EXPECT_THAT(customers.html, Not(HasSubstr("silence packets")));
}

// It will be pasted into a shell of root.
TEST(MailBody, SuggestsNoCommandThatCouldBeAnotherOne) {
  for (const char* subject :
       {"10.1.0.1; reboot", "$(reboot)", "`id`", "a b", "--for", "x\nreboot"}) {
    Event event = Opened();
    event.meta["subject"] = subject;
    EXPECT_THAT(Describe(event, kConfig).plain,
                Not(HasSubstr("iptrk incidents silence")))
        << subject;
  }
  Event event = Opened();
  event.meta["subject"] = "2001:db8::1";
  EXPECT_THAT(Describe(event, kConfig).plain,
              HasSubstr("silence packets --subject 2001:db8::1 --for 2h\n"));
}

TEST(MailBody, SaysThatAReminderHasNothingNew) {
  Letter letter = LetterOf(Opened());
  letter.entries[0].reminder = true;
  letter.entries[0].counts = {};
  letter.time = Opened().time + std::chrono::minutes(75);
  const Text text = Describe(letter, Picture(), {kConfig, true}, BuiltIn());
  EXPECT_EQ(text.subject,
            "[iptrk] FAILURE packets: 10.1.0.216 in still open after 1 h 15 "
            "min");
  EXPECT_TRUE(text.plain.starts_with(
      "Still open after 1 h 15 min, nothing new is known. 10.1.0.216 "))
      << text.plain;
}

TEST(MailBody, ListsManyShowsTheFirstThreeInFullAndCountsTheRest) {
  Letter letter = LetterOf(Opened());
  for (int i = 1; i < 50; ++i) {
    Event event = i % 2 ? Opened() : Cleared();
    event.meta["subject"] = "10.1.0." + std::to_string(i);
    letter.entries.push_back(EntryOf(event));
  }
  letter.more_entries = 7;
  letter.tally.Add(Opened(), {.opened = 7, .cleared = 3});
  const Text text = Describe(letter, Picture(), {kConfig, true}, BuiltIn());
  EXPECT_THAT(text.subject,
              StartsWith("[iptrk] FAILURE 57 incidents: 26 or more open: "
                         "packets 10.1.0.216 in, packets 10.1.0.1 in"));
  EXPECT_TRUE(text.plain.starts_with("57 incidents: 26 or more open.\n"));
  EXPECT_THAT(text.plain, HasSubstr("\n6. packets 10.1.0.5 in: open\n"));
  EXPECT_THAT(text.plain, HasSubstr("\n49. packets 10.1.0.48 in: cleared\n"));
  EXPECT_THAT(text.plain,
              HasSubstr("\n    and 7 more: opened 7 times, cleared 3 times\n"));
  EXPECT_THAT(text.plain, HasSubstr("\n3. 10.1.0.2 is back to normal"));
  EXPECT_THAT(text.plain, Not(HasSubstr("\n4. 10.1.0.3")));
}

TEST(MailBody, OfADigestHasExactCounts) {
  Letter letter;
  letter.kind = Letter::Kind::kDigest;
  letter.time = Opened().time;
  letter.since = letter.time - std::chrono::hours(1);
  letter.tally.Add(Opened(), {.opened = 12000, .cleared = 11999});
  letter.tally.Add(FromThreshold(), {.changed = 3, .silenced = 4});
  letter.open = {"packets 10.1.0.216 in"};
  letter.open_count = 1;
  const Text text = Describe(letter, Picture(), {kConfig, true}, BuiltIn());
  EXPECT_EQ(text.subject,
            "[iptrk] digest: 12,000 opened, 11,999 cleared, 1 open now");
  EXPECT_EQ(
      text.plain,
      R"(There was more to tell than mails allowed in an hour. This is what was held back
since 2026-11-22 22:34:12 UTC.

Topics    2
Opened    12,000
Changed   3
Cleared   11,999
Silenced  4
Open now  1

By kind
           opened  changed  cleared  silenced
  df            0        3        0         4
  packets  12,000        0   11,999         0

Each
                                     opened  changed  cleared  silenced
  packets 10.1.0.216 in              12,000        0   11,999         0
  df/root percent_bytes/used on gw1       0        3        0         4

Open now
  packets 10.1.0.216 in
)");
}

TEST(MailBody, SaysWhyThereIsNoPicture) {
  const Picture none{"", "", "no data"};
  const Text text =
      Describe(LetterOf(Opened()), none, {kConfig, true}, BuiltIn());
  EXPECT_THAT(text.plain, HasSubstr("\nThere is no picture of the addresses: "
                                    "no data\n"));
  EXPECT_THAT(text.html, HasSubstr("no data"));
}

TEST(MailBody, EscapesInHtmlWhatOthersWrote) {
  Event event = FromThreshold();
  event.message = "<script>alert(1)</script>";
  event.meta["<b>"] = "a & \"b\"";
  const Text text =
      Describe(LetterOf(event), Picture(), {kConfig, true}, BuiltIn());
  EXPECT_THAT(text.html, Not(HasSubstr("<script>")));
  EXPECT_THAT(text.html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(text.html, HasSubstr("a &amp; &quot;b&quot;"));
  EXPECT_THAT(text.plain, HasSubstr("<script>alert(1)</script>\n"));
}

TEST(MailMessage, CarriesTheHeadersOfAnAutomaticMail) {
  const Message message =
      For({"op@example.org"}, "iptrk <iptrk@gw1.example.org>")
          .Compose(LetterOf(Opened()),
                   To({"Op <op@example.org>", "night@example.org"}), Picture());
  EXPECT_EQ(message.envelope.from, "iptrk@gw1.example.org");
  EXPECT_THAT(message.envelope.to,
              ElementsAre("op@example.org", "night@example.org"));
  EXPECT_EQ(Header(message, "From"), "iptrk <iptrk@gw1.example.org>");
  EXPECT_EQ(Header(message, "To"), "Op <op@example.org>, night@example.org");
  EXPECT_EQ(Header(message, "Date"), "Sun, 22 Nov 2026 23:34:42 +0000");
  EXPECT_EQ(Header(message, "Auto-Submitted"), "auto-generated");
  EXPECT_EQ(Header(message, "X-iptrk-Incident"),
            "20261122T233412Z-packets-10.1.0.216");
  EXPECT_EQ(Header(message, "Message-Id"), "<" + message.id + ">");
  EXPECT_EQ(Header(message, "MIME-Version"), "1.0");
  EXPECT_THAT(Header(message, "Content-Type"),
              StartsWith("multipart/alternative; boundary="));
}

TEST(MailMessage, ThreadsTheMailsOfAnIncident) {
  const Message opened = Compose(Opened());
  const Message cleared = Compose(Cleared());
  EXPECT_NE(opened.id, cleared.id);
  EXPECT_EQ(Header(opened, "References"),
            "<20261122T233412Z-packets-10.1.0.216@gw1.example.org>");
  EXPECT_EQ(Header(cleared, "References"), Header(opened, "References"));
  EXPECT_EQ(Header(cleared, "In-Reply-To"), Header(opened, "References"));

  Event other = Opened();
  other.meta["incident"] = "20261122T233412Z-packets-2001:db8::1";
  const std::string root = Header(Compose(other), "References");
  EXPECT_NE(root, Header(opened, "References"));
  EXPECT_THAT(root.substr(0, root.find('@')), Not(HasSubstr(":")));
}

TEST(MailMessage, HasTheSameIdForTheSameEventOnly) {
  std::set<std::string> ids;
  Event event = FromThreshold();
  ids.insert(Compose(event).id);
  EXPECT_TRUE(ids.contains(Compose(event).id));
  event.time += std::chrono::nanoseconds(1);
  EXPECT_TRUE(ids.insert(Compose(event).id).second);
  event.meta["CurrentValue"] = "92";
  EXPECT_TRUE(ids.insert(Compose(event).id).second);
  event.severity = Severity::kFailure;
  EXPECT_TRUE(ids.insert(Compose(event).id).second);

  // A slot replayed after a crash may give another figure.
  Event replayed = Opened();
  replayed.meta["total_packets"] = "93751";
  EXPECT_EQ(Compose(replayed).id, Compose(Opened()).id);
  replayed.meta["direction"] = "out";
  EXPECT_NE(Compose(replayed).id, Compose(Opened()).id);
  replayed = Opened();
  replayed.severity = Severity::kWarning;
  EXPECT_NE(Compose(replayed).id, Compose(Opened()).id);
}

TEST(MailMessage, ThreadsOneMailOfSeveralIncidentsWithEach) {
  Letter letter = LetterOf(Opened());
  Event other = Opened();
  other.meta["incident"] = "other";
  letter.entries.push_back(EntryOf(other));
  const Message message =
      For({"a@example.org"}).Compose(letter, To({"a@example.org"}), Picture());
  // A blank or, where it is folded, a tab is between them.
  EXPECT_THAT(
      Header(message, "References"),
      AllOf(StartsWith("<20261122T233412Z-packets-10.1.0.216@gw1.example.org>"),
            EndsWith("<other@gw1.example.org>")));
  EXPECT_EQ(Header(message, "X-iptrk-Incident"), "");
}

TEST(MailMessage, CarriesThePictureBesideTheHtmlThatShowsIt) {
  const std::string png("\x89PNG\r\n\x1a\n\0\xff", 10);
  const std::string eml =
      For({"a@example.org"})
          .Compose(LetterOf(Opened()), To({"a@example.org"}),
                   {png, "Bytes per address", ""})
          .eml;
  const std::size_t plain = eml.find("Content-Type: text/plain");
  const std::size_t related = eml.find("Content-Type: multipart/related");
  const std::size_t html = eml.find("Content-Type: text/html");
  const std::size_t image = eml.find("Content-Type: image/png");
  EXPECT_LT(plain, related);
  EXPECT_LT(related, html);
  EXPECT_LT(html, image);
  ASSERT_NE(image, std::string::npos);
  EXPECT_THAT(eml, HasSubstr("Content-Id: <histogram@iptrk>"));
  EXPECT_THAT(eml, HasSubstr("inline; filename=histogram.png"));
  EXPECT_THAT(eml, HasSubstr("iVBORw0KGgoA/w=="));
  EXPECT_THAT(eml, HasSubstr("cid:histogram@iptrk"));
}

TEST(MailMessage, HasOnlySevenBitLinesThatEveryServerTakes) {
  Event event = FromThreshold();
  event.message = "Grüße aus Köln: " + std::string(3000, 'x');
  event.host = "gw-ü";
  const Message message = Compose(event);
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
  for (const std::string end : {"\r\n", "\v", "\xe2\x80\xa8"}) {
    const std::string poison = end + "Bcc: evil@example.net" + end + end +
                               "Evil body" + end + "." + end + "QUIT";
    for (const Event& healthy : {Opened(), FromThreshold()}) {
      const auto expected = HeaderNames(Compose(healthy).eml);
      for (const Event& event : Poisoned(healthy, poison)) {
        const Message message = Compose(event);
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
    EXPECT_THROW(For({bad}), std::invalid_argument) << bad;
  }
  EXPECT_THROW(Composer("", {}, kConfig, BuiltIn()), std::invalid_argument);
  EXPECT_THAT(For({"root"})
                  .Compose(LetterOf(Opened()), To({"root"}), Picture())
                  .envelope.to,
              ElementsAre("root"));
}

TEST(MailMessage, ComesFromThisHostUnlessToldOtherwise) {
  const Message message =
      For({"op@example.org"}, "")
          .Compose(LetterOf(Opened()), To({"op@example.org"}), Picture());
  EXPECT_TRUE(message.envelope.from.starts_with("iptrk@"));
  EXPECT_GT(message.envelope.from.size(), 6u);
}

}  // namespace
}  // namespace iptrk::mail
