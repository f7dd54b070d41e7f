// SPDX-License-Identifier: GPL-2.0-only
// Every key that the configuration file may have: the one list of them, for
// the parser, its suggestions, and the tests of the manual.
#ifndef IPTRK_LIB_CONFIG_KEYS_H_
#define IPTRK_LIB_CONFIG_KEYS_H_

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace iptrk {

// NAME stands for a name of the sysop's choice.
struct ConfigSection {
  std::string_view name;  // "queue", "networks.NAME"
  std::span<const std::string_view> keys;
};

namespace config_keys {
inline constexpr std::string_view kQueue[] = {
    "name", "interfaces", "inside", "outside", "records", "promiscuous"};
inline constexpr std::string_view kCollectd[] = {
    "interval", "host_interval", "forget_after", "rrd_directory"};
inline constexpr std::string_view kNetwork[] = {"prefixes", "ipv6_prefix"};
inline constexpr std::string_view kCustomer[] = {"prefixes", "timezone",
                                                 "convention"};
inline constexpr std::string_view kServices[] = {"NAME"};
inline constexpr std::string_view kOverride[] = {"enabled", "limit"};
inline constexpr std::string_view kRate[] = {"enabled", "limit", "hosts",
                                             "allow"};
inline constexpr std::string_view kAnswered[] = {"enabled",  "limit", "times",
                                                 "answered", "hosts", "allow"};
inline constexpr std::string_view kHammering[] = {
    "enabled", "limit", "times", "share", "answered", "hosts", "allow"};
inline constexpr std::string_view kCarpet[] = {"enabled", "limit", "times",
                                               "share", "allow"};
inline constexpr std::string_view kScan[] = {"enabled",          "limit",
                                             "limit_unused",     "limit_own",
                                             "limit_own_unused", "allow"};
inline constexpr std::string_view kMartian[] = {"enabled", "limit", "allow"};
inline constexpr std::string_view kSilent[] = {"enabled", "limit", "times",
                                               "learn",   "hosts", "allow"};
inline constexpr std::string_view kMirrorLost[] = {"enabled", "limit", "learn"};
inline constexpr std::string_view kBooks[] = {"enabled", "limit"};
inline constexpr std::string_view kMail[] = {
    "to",           "from",          "server",       "port",     "tls",
    "user",         "password_file", "ca_file",      "severity", "quiet",
    "daily_digest", "group",         "hourly_limit", "spool",    "templates"};
inline constexpr std::string_view kMailRecipient[] = {
    "address",   "severity", "kinds",       "networks",
    "customers", "quiet",    "daily_digest"};
inline constexpr std::string_view kLedger[] = {
    "path", "keep_slots", "keep_host_slots", "keep_host_hours",
    "keep_host_days"};
inline constexpr std::string_view kPages[] = {"directory", "names", "title"};
inline constexpr std::string_view kPrivacy[] = {"peers"};
}  // namespace config_keys

inline constexpr ConfigSection kConfigSections[] = {
    {"queue", config_keys::kQueue},
    {"collectd", config_keys::kCollectd},
    {"networks.NAME", config_keys::kNetwork},
    {"customers.NAME", config_keys::kCustomer},
    {"services", config_keys::kServices},
    {"networks.NAME.detect.KIND", config_keys::kOverride},
    {"customers.NAME.detect.KIND", config_keys::kOverride},
    {"detect.packets", config_keys::kAnswered},
    {"detect.volume", config_keys::kAnswered},
    {"detect.syn-flood", config_keys::kRate},
    {"detect.udp-flood", config_keys::kAnswered},
    {"detect.icmp-flood", config_keys::kRate},
    {"detect.fragment-flood", config_keys::kRate},
    {"detect.amplification", config_keys::kRate},
    {"detect.hammering", config_keys::kHammering},
    {"detect.carpet", config_keys::kCarpet},
    {"detect.port-scan", config_keys::kScan},
    {"detect.host-scan", config_keys::kScan},
    {"detect.martian", config_keys::kMartian},
    {"detect.silent", config_keys::kSilent},
    {"detect.mirror-lost", config_keys::kMirrorLost},
    {"detect.books", config_keys::kBooks},
    {"mail", config_keys::kMail},
    {"mail.recipients.NAME", config_keys::kMailRecipient},
    {"ledger", config_keys::kLedger},
    {"pages", config_keys::kPages},
    {"privacy", config_keys::kPrivacy},
};

// The one of `known` that `word` is most likely a slip of; "" when none is
// near. Case, and '-' for '_', are no difference.
std::string_view NearestWord(std::string_view word,
                             std::span<const std::string_view> known);

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_KEYS_H_
