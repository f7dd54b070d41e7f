// SPDX-License-Identifier: GPL-2.0-only
// The manual doc/iptrk.toml.5.scd, the example packaging/iptrk.toml and the
// parser know the same keys, with the same defaults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "lib/config.h"
#include "lib/config_keys.h"

namespace iptrk {
namespace {

constexpr char kExample[] = IPTRK_SOURCE_DIR "/packaging/iptrk.toml";
constexpr char kManual[] = IPTRK_SOURCE_DIR "/doc/iptrk.toml.5.scd";

std::vector<std::string> LinesOf(const char* path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The example with the marks of its keys and sections taken away.
std::vector<std::string> Uncommented() {
  static const std::regex marked("^#(\\[.*|[a-z0-9_]+ = .*)$");
  std::vector<std::string> lines = LinesOf(kExample);
  for (std::string& line : lines) line = std::regex_replace(line, marked, "$1");
  return lines;
}

// "networks.lan" as "networks.NAME".
std::string General(const std::string& section) {
  for (const char* group : {"networks", "customers", "mail.recipients"})
    if (section.starts_with(std::string(group) + "."))
      return std::string(group) + ".NAME" +
             (section.find(".detect.") == section.npos ? "" : ".detect.KIND");
  return section;
}

// "queue.records" -> "65536". `header` has the section for a group, `entry` the
// key and its value.
std::map<std::string, std::string> KeysIn(const std::vector<std::string>& lines,
                                          const std::regex& header,
                                          const std::regex& entry) {
  std::map<std::string, std::string> keys;
  std::string section;
  for (const std::string& line : lines) {
    std::smatch match;
    if (std::regex_match(line, match, header)) {
      section = General(match[1]);
    } else if (std::regex_match(line, match, entry)) {
      const std::string key =
          section == "services" ? "NAME" : std::string(match[1]);
      keys.emplace(section + "." + key, match[2]);
    }
  }
  return keys;
}

std::map<std::string, std::string> KeysOfExample() {
  return KeysIn(Uncommented(), std::regex("\\[(.*)\\]"),
                std::regex("([a-z0-9_]+) = (.*)"));
}

std::map<std::string, std::string> KeysOfManual() {
  auto keys = KeysIn(LinesOf(kManual), std::regex("## \\[(.*)\\]"),
                     std::regex("\\*([A-Za-z0-9_]+)\\* = (.*)"));
  for (auto& [key, value] : keys)  // scdoc's mark before '@' and the like
    value = std::regex_replace(value, std::regex("\\\\(.)"), "$1");
  return keys;
}

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys;
  for (const ConfigSection& section : kConfigSections)
    for (const std::string_view key : section.keys)
      keys.push_back(std::string(section.name) + "." + std::string(key));
  return keys;
}

std::vector<std::string> Names(const std::map<std::string, std::string>& keys) {
  std::vector<std::string> names;
  for (const auto& [name, value] : keys) names.push_back(name);
  return names;
}

void ExpectRight(const std::string& text, const char* what) {
  const ConfigResult result = ParseConfig(text, what);
  for (const ConfigError& error : result.errors)
    ADD_FAILURE() << error.ToString();
  for (const ConfigError& warning : result.warnings)
    ADD_FAILURE() << warning.ToString();
}

TEST(ConfigManual, HasEveryKeyOfTheParserAndNoOther) {
  EXPECT_THAT(Names(KeysOfManual()),
              testing::UnorderedElementsAreArray(KnownKeys()));
}

TEST(ConfigManual, SaysOfEveryKeyWhatTheExampleSays) {
  for (const auto& [key, value] : KeysOfExample())
    if (!key.ends_with("NAME")) {
      EXPECT_EQ(KeysOfManual()[key], value) << key;
    }
}

TEST(ConfigManual, HasExamplesThatAreRight) {
  std::string block;
  int blocks = 0;
  bool inside = false;
  for (const std::string& line : LinesOf(kManual)) {
    if (line == "```") {
      if (inside) {
        ExpectRight(block, "example");
        ++blocks;
      }
      block.clear();
      inside = !inside;
    } else if (inside) {
      block += line + "\n";
    }
  }
  EXPECT_EQ(blocks, 3);
}

TEST(ConfigExample, HasEveryKeyOfTheParserAndNoOther) {
  EXPECT_THAT(Names(KeysOfExample()),
              testing::UnorderedElementsAreArray(KnownKeys()));
}

TEST(ConfigExample, IsRightAsItIsAndWithEveryKeyUncommented) {
  ExpectRight(Joined(LinesOf(kExample)), "iptrk.toml");
  ExpectRight(Joined(Uncommented()), "iptrk.toml uncommented");
}

TEST(ConfigExample, ShowsTheDefaults) {
  const Config shown = ParseConfig(Joined(Uncommented()), "iptrk.toml").config;
  const Config config;
  EXPECT_EQ(shown.queue.name, config.queue.name);
  EXPECT_EQ(shown.queue.records, config.queue.records);
  EXPECT_EQ(shown.queue.promiscuous, config.queue.promiscuous);
  EXPECT_EQ(shown.collectd.interval, config.collectd.interval);
  EXPECT_EQ(shown.collectd.host_interval, config.collectd.host_interval);
  EXPECT_EQ(shown.collectd.forget_after, config.collectd.forget_after);
  EXPECT_EQ(shown.collectd.rrd_directory, config.collectd.rrd_directory);
  ASSERT_EQ(shown.networks.size(), 1u);
  EXPECT_EQ(shown.networks[0].ipv6_prefix, Network{}.ipv6_prefix);
  ASSERT_EQ(shown.customers.size(), 1u);
  EXPECT_EQ(shown.customers[0].timezone, Customer{}.timezone);
  EXPECT_EQ(shown.customers[0].convention, Customer{}.convention);
  for (std::size_t i = 0; i < kIncidentKinds; ++i) {
    const DetectRule& rule = shown.detect.rules[i];
    const DetectRule& built_in = config.detect.rules[i];
    SCOPED_TRACE(kIncidentKindNames[i]);
    EXPECT_EQ(rule.enabled, built_in.enabled);
    EXPECT_EQ(rule.limit, built_in.limit);
    EXPECT_EQ(rule.times, built_in.times);
    EXPECT_EQ(rule.share, built_in.share);
    EXPECT_EQ(rule.answered, built_in.answered);
    EXPECT_EQ(rule.limit_unused, built_in.limit_unused);
    EXPECT_EQ(rule.limit_own, built_in.limit_own);
    EXPECT_EQ(rule.limit_own_unused, built_in.limit_own_unused);
    EXPECT_EQ(rule.learn, built_in.learn);
  }
  EXPECT_EQ(shown.mail.server, config.mail.server);
  EXPECT_EQ(shown.mail.port, config.mail.port);
  EXPECT_EQ(shown.mail.tls, config.mail.tls);
  EXPECT_EQ(shown.mail.user, config.mail.user);
  EXPECT_EQ(shown.mail.password_file, config.mail.password_file);
  EXPECT_EQ(shown.mail.ca_file, config.mail.ca_file);
  EXPECT_EQ(shown.mail.spool, config.mail.spool);
  EXPECT_EQ(shown.mail.templates, config.mail.templates);
  EXPECT_EQ(shown.mail.group, config.mail.group);
  EXPECT_EQ(shown.mail.hourly_limit, config.mail.hourly_limit);
  ASSERT_EQ(shown.mail.recipients.size(), 1u);
  for (const MailFilter& filter :
       {shown.mail.filter, shown.mail.recipients[0].filter}) {
    EXPECT_EQ(filter.severity, config.mail.filter.severity);
    EXPECT_EQ(filter.quiet.has_value(), config.mail.filter.quiet.has_value());
    EXPECT_EQ(filter.daily_digest, config.mail.filter.daily_digest);
  }
  EXPECT_EQ(shown.ledger.path, config.ledger.path);
  EXPECT_EQ(shown.ledger.keep_slots, config.ledger.keep_slots);
  EXPECT_EQ(shown.ledger.keep_host_slots, config.ledger.keep_host_slots);
  EXPECT_EQ(shown.ledger.keep_host_hours, config.ledger.keep_host_hours);
  EXPECT_EQ(shown.ledger.keep_host_days, config.ledger.keep_host_days);
  EXPECT_EQ(shown.pages.directory, config.pages.directory);
  EXPECT_EQ(shown.pages.title, config.pages.title);
  EXPECT_EQ(shown.privacy.peers, config.privacy.peers);
  // Services come sorted from a file.
  std::map<std::string, std::size_t> ports, built_in;
  for (const Service& service : shown.services)
    ports[service.name] = service.ports.size();
  for (const Service& service : config.services)
    built_in[service.name] = service.ports.size();
  EXPECT_EQ(ports, built_in);
}

}  // namespace
}  // namespace iptrk
