// SPDX-License-Identifier: GPL-2.0-only
// The configuration: one TOML file, read by the plugins and the command alike.
//
// Every key has a default that works for a first run; an empty Config is a
// valid one. Config is a plain value: copy it, share it as const.
#ifndef IPTRK_LIB_CONFIG_H_
#define IPTRK_LIB_CONFIG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/address.h"
#include "lib/detect_rule.h"

namespace iptrk {

inline constexpr char kDefaultConfigPath[] = "/etc/iptrk/iptrk.toml";

// Ten thousand customers take less; what is larger is another file.
inline constexpr std::size_t kMostConfigBytes = 1 << 20;

struct QueueConfig {
  std::string name = "collectd";
  // Interface names or shell patterns. Empty: every device that has no
  // watched device below it, without lo.
  std::vector<std::string> interfaces;
  // Interfaces, named likewise, behind which all is ours and none is. No
  // interface is in both lists.
  std::vector<std::string> inside;
  std::vector<std::string> outside;
  std::uint32_t records = 65536;  // room per CPU; a power of two, 64 B each
  bool promiscuous = false;
};

struct CollectdConfig {
  int interval = 10;         // seconds; the slot of networks and services
  int host_interval = 60;    // seconds; a multiple of `interval`; divides 300
  int forget_after = 86400;  // seconds a silent host goes on getting zeros
  // Where collectd's rrdtool or rrdcached plugin keeps its RRDs; `iptrk
  // graph` and `iptrk pages` read them there.
  std::string rrd_directory = "/var/lib/collectd/rrd";
};

struct Network {
  std::string name;
  std::vector<Prefix> prefixes;
  int ipv6_prefix = 128;  // 16..128: what counts as one IPv6 host
  std::vector<RuleOverride> detect = {};  // for its hosts
};

// Whom a bill goes to. Of nested prefixes the longest match counts.
struct Customer {
  std::string name;
  std::vector<Prefix> prefixes;
  std::string timezone = "UTC";  // of IANA's list; what a month is
  // How a 95th percentile is taken: one of kConventions.
  std::string convention = "max-of-p95";
  std::vector<RuleOverride> detect =
      {};  // for his hosts; wins over the network's
};

inline constexpr std::array<std::string_view, 5> kConventions = {
    "max-of-p95", "p95-of-max", "p95-of-sum", "in", "out"};

struct ServicePort {
  std::uint8_t protocol = 0;  // IPPROTO_*
  std::uint16_t port = 0;     // 0: every port of the protocol
};

struct Service {
  std::string name;
  std::vector<ServicePort> ports;
};

// Minutes since midnight, 0 to 1439, where this machine is.
struct QuietHours {
  int from = 0;
  int to = 0;  // differs from `from`; may be before it, past midnight
};

// What those who get their mails together want to be told of.
struct MailFilter {
  // The least severe: one of kMailSeverities.
  std::string severity = "warning";
  // Kinds of incidents, or plugins; networks; customers. Empty: all of them.
  std::vector<std::string> kinds;
  std::vector<std::string> networks;
  std::vector<std::string> customers;
  std::optional<QuietHours> quiet;
  std::optional<int> daily_digest = 7 * 60;  // minutes since midnight
};

inline constexpr std::array<std::string_view, 3> kMailSeverities = {
    "failure", "warning", "okay"};

// [mail.recipients.NAME]: somebody whose mails are his own.
struct MailRecipient {
  std::string name;
  std::string address;
  MailFilter filter;  // what he doesn't say is as in [mail]
};

struct MailConfig {
  bool enabled = false;  // true as soon as [mail] names a receiver
  std::string server = "localhost";
  int port = 25;
  std::string from;                       // default: iptrk@<host name>
  std::vector<std::string> to;            // they get one mail together
  MailFilter filter;                      // of `to`
  std::vector<MailRecipient> recipients;  // sorted by name
  std::string tls = "none";   // "none", "starttls" (required when set)
  std::string ca_file;        // PEM; "": those that the system trusts
  std::string user;           // with password_file: AUTH
  std::string password_file;  // first line; not world readable
  std::string spool = "/var/spool/iptrk";
  std::string templates = "/etc/iptrk/mail-templates";
  int group = 30;         // seconds in which incidents become one mail
  int hourly_limit = 12;  // mails to each of `to` and the recipients
};

struct LedgerConfig {
  std::string path = "/var/lib/iptrk/ledger.sqlite";  // "": no ledger
  // Days that each kind of row is kept.
  int keep_slots = 800;      // customers, five minutes
  int keep_host_slots = 2;   // hosts, five minutes
  int keep_host_hours = 62;  // hosts, hours
  int keep_host_days = 400;  // hosts, days

  friend bool operator==(const LedgerConfig&, const LedgerConfig&) = default;
};

// How remote addresses are kept in incidents: whole, as /24 or /48, not at
// all.
enum class PeerPrivacy : std::uint8_t { kFull, kPrefix, kNone };

struct PrivacyConfig {
  PeerPrivacy peers = PeerPrivacy::kFull;
};

struct PagesConfig {
  std::string directory = "/var/lib/iptrk/pages";
  std::string title = "iptrk";
  // A file like /etc/hosts with names of own hosts; "": none. Never DNS.
  std::string names;
};

// The services used when the file has no [services].
std::vector<Service> DefaultServices();

struct Config {
  QueueConfig queue;
  CollectdConfig collectd;
  std::vector<Network> networks;    // sorted by name; may be empty
  std::vector<Customer> customers;  // likewise
  std::vector<Service> services = DefaultServices();  // no port is in two
  DetectConfig detect;
  MailConfig mail;
  LedgerConfig ledger;
  PagesConfig pages;
  PrivacyConfig privacy;
};

// One fault of a file: "file:line:column: what; remedy". Control characters
// of the file are escaped.
struct ConfigError {
  std::string file;
  unsigned line = 0;  // 0: the file as a whole
  unsigned column = 0;
  std::string message;  // what is wrong and what would be right

  std::string ToString() const;
};

struct ConfigResult {
  Config config;                      // meaningful only without errors
  std::vector<ConfigError> errors;    // every fault found, in file order
  std::vector<ConfigError> warnings;  // legal, but hardly meant; likewise
  bool ok() const { return errors.empty(); }
};

// Never throws for what is in the file; a file that can't be read is an error
// of line 0. `interfaces` are those of this machine, when given: it is a
// warning that a pattern matches none of them.
ConfigResult LoadConfig(const std::string& path,
                        const std::vector<std::string>* interfaces = nullptr);
ConfigResult ParseConfig(const std::string& text, const std::string& name,
                         const std::vector<std::string>* interfaces = nullptr);
// The same, but where nobody named the file its absence means the defaults.
ConfigResult LoadConfigOrDefaults(const std::string& path, bool named);

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_H_
