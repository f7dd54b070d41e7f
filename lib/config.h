// SPDX-License-Identifier: GPL-2.0-only
// The configuration: one TOML file, read by the plugins and the command alike.
//
// Every key has a default that works for a first run; an empty Config is a
// valid one. Config is a plain value: copy it, share it as const.
#ifndef IPTRK_LIB_CONFIG_H_
#define IPTRK_LIB_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/address.h"

namespace iptrk {

inline constexpr char kDefaultConfigPath[] = "/etc/iptrk/iptrk.toml";

struct QueueConfig {
  std::string name = "collectd";
  // Interface names or shell patterns. Empty: every device that has no
  // watched device below it, without lo.
  std::vector<std::string> interfaces;
  std::uint32_t records = 65536;  // room per CPU; a power of two, 64 B each
  bool promiscuous = false;
};

struct CollectdConfig {
  int interval = 10;         // seconds; the slot of networks and services
  int host_interval = 60;    // seconds; a multiple of `interval`
  int forget_after = 86400;  // seconds a silent host goes on getting zeros
  // Where collectd's rrdtool or rrdcached plugin keeps its RRDs; `iptrk
  // graph` and `iptrk pages` read them there.
  std::string rrd_directory = "/var/lib/collectd/rrd";
};

struct Network {
  std::string name;
  std::vector<Prefix> prefixes;
};

struct ServicePort {
  std::uint8_t protocol = 0;  // IPPROTO_*
  std::uint16_t port = 0;     // 0: every port of the protocol
};

struct Service {
  std::string name;
  std::vector<ServicePort> ports;
};

// The one rule so far: packets per second to or from one own host.
struct PacketsRule {
  bool enabled = true;
  double limit = 20000;  // packets/s; FastNetMon's shipped threshold
};

struct DetectConfig {
  PacketsRule packets;
};

struct MailConfig {
  bool enabled = false;  // true as soon as [mail] names a receiver
  std::string server = "localhost";
  int port = 25;
  std::string from;             // default: iptrk@<host name>
  std::vector<std::string> to;  // at least one when enabled
  std::string tls = "none";     // "none", "starttls" (required when set)
  std::string user;             // with password_file: AUTH
  std::string password_file;    // first line; not world readable
  std::string spool = "/var/spool/iptrk";
};

struct PagesConfig {
  std::string directory = "/var/lib/iptrk/pages";
  std::string title = "iptrk";
};

// The services used when the file has no [services].
std::vector<Service> DefaultServices();

struct Config {
  QueueConfig queue;
  CollectdConfig collectd;
  std::vector<Network> networks;  // sorted by name; may be empty
  std::vector<Service> services = DefaultServices();  // first match wins
  DetectConfig detect;
  MailConfig mail;
  PagesConfig pages;
};

// One fault of a file: "file:line:column: what; remedy".
struct ConfigError {
  std::string file;
  unsigned line = 0;  // 0: the file as a whole
  unsigned column = 0;
  std::string message;  // what is wrong and what would be right

  std::string ToString() const;
};

struct ConfigResult {
  Config config;                    // meaningful only without errors
  std::vector<ConfigError> errors;  // every fault found, in file order
  bool ok() const { return errors.empty(); }
};

// Never throws for what is in the file; a file that can't be read is an error
// of line 0.
ConfigResult LoadConfig(const std::string& path);
ConfigResult ParseConfig(const std::string& text, const std::string& name);
// The same, but where nobody named the file its absence means the defaults.
ConfigResult LoadConfigOrDefaults(const std::string& path, bool named);

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_H_
