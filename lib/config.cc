// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "lib/naming.h"
#include "lib/protocol.h"

namespace iptrk {
namespace {

constexpr std::size_t kMaxName = 32;  // also a directory name in collectd

// Collects faults while walking the tables of one file.
class Reader {
 public:
  Reader(std::string file, std::vector<ConfigError>& errors)
      : file_(std::move(file)), errors_(errors) {}

  void Fault(const toml::node& at, std::string message) {
    Fault(at.source().begin, std::move(message));
  }
  void Fault(toml::source_position at, std::string message) {
    errors_.push_back({file_, at.line, at.column, std::move(message)});
  }

  // Says which keys `table` may have, and the nearest one to a wrong one.
  void OnlyKeys(const toml::table& table, std::string_view where,
                std::initializer_list<std::string_view> known) {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end())
        continue;
      Fault(key.source().begin,
            fmt::format("{}{} is not a key; known here: {}", where, key.str(),
                        fmt::join(known, ", ")));
    }
  }

  const toml::table* Table(const toml::table& parent, std::string_view key) {
    const toml::node* node = parent.get(key);
    if (!node) return nullptr;
    if (!node->is_table())
      Fault(*node, fmt::format("{} is not a section; write [{}]", key, key));
    return node->as_table();
  }

  void String(const toml::table& table, std::string_view key,
              std::string& value) {
    const toml::node* node = table.get(key);
    if (!node) return;
    if (const auto text = node->value<std::string>())
      value = *text;
    else
      Fault(*node, fmt::format("{} must be text in quotes", key));
  }

  void Bool(const toml::table& table, std::string_view key, bool& value) {
    const toml::node* node = table.get(key);
    if (!node) return;
    if (const auto flag = node->value_exact<bool>())
      value = *flag;
    else
      Fault(*node, fmt::format("{} must be true or false", key));
  }

  template <typename T>
  void Number(const toml::table& table, std::string_view key, T least, T most,
              T& value) {
    const toml::node* node = table.get(key);
    if (!node) return;
    const auto number = node->value<double>();
    if (!number || node->is_boolean() ||
        !(*number >= static_cast<double>(least) &&
          *number <= static_cast<double>(most)) ||
        (std::is_integral_v<T> && !node->is_integer())) {
      Fault(*node,
            fmt::format("{} must be a number from {} to {}", key, least, most));
      return;
    }
    value = static_cast<T>(*number);
  }

  // Every element of the array `key` that is text, with its place.
  template <typename Each>
  void Strings(const toml::table& table, std::string_view key, Each each) {
    const toml::node* node = table.get(key);
    if (!node) return;
    const toml::array* array = node->as_array();
    if (!array) {
      Fault(*node, fmt::format("{} must be a list such as [\"…\"]", key));
      return;
    }
    for (const toml::node& element : *array) {
      if (const auto text = element.value<std::string>())
        each(*text, element);
      else
        Fault(element, fmt::format("{} must hold text in quotes", key));
    }
  }

  // A name that becomes a directory and a word in lists.
  bool Name(const toml::key& key, std::string_view what) {
    const std::string_view name = key.str();
    const bool good =
        !name.empty() && name.size() <= kMaxName && name[0] != '.' &&
        std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return std::isalnum(c) || c == '-' || c == '_' || c == '.';
        });
    if (!good)
      Fault(key.source().begin,
            fmt::format("'{}' can't name a {}; use up to {} letters, digits, "
                        "'-', '_' or '.', not starting with '.'",
                        name, what, kMaxName));
    return good;
  }

 private:
  std::string file_;
  std::vector<ConfigError>& errors_;
};

void ReadQueue(const toml::table& root, Reader& reader, QueueConfig& queue) {
  const toml::table* table = reader.Table(root, "queue");
  if (!table) return;
  reader.OnlyKeys(*table, "queue.",
                  {"name", "interfaces", "records", "promiscuous"});
  reader.String(*table, "name", queue.name);
  if (queue.name.empty() || queue.name.size() > 31)
    reader.Fault(*table->get("name"), "name must have 1 to 31 characters");
  reader.Strings(
      *table, "interfaces",
      [&](const std::string& pattern, const toml::node& node) {
        if (pattern.empty() || pattern.size() > 15)
          reader.Fault(
              node,
              fmt::format("'{}' is no interface name or pattern of 1 to 15 "
                          "characters, such as \"eth0\" or \"eth*\"",
                          pattern));
        else
          queue.interfaces.push_back(pattern);
      });
  reader.Number<std::uint32_t>(*table, "records", 1024, 1u << 24,
                               queue.records);
  if (queue.records & (queue.records - 1))
    reader.Fault(*table->get("records"),
                 fmt::format("records must be a power of two, such as {}",
                             1u << (31 - __builtin_clz(queue.records))));
  reader.Bool(*table, "promiscuous", queue.promiscuous);
}

void ReadCollectd(const toml::table& root, Reader& reader,
                  CollectdConfig& collectd) {
  const toml::table* table = reader.Table(root, "collectd");
  if (!table) return;
  reader.OnlyKeys(
      *table, "collectd.",
      {"interval", "host_interval", "forget_after", "rrd_directory"});
  reader.Number(*table, "interval", 1, 300, collectd.interval);
  if (300 % collectd.interval)
    reader.Fault(*table->get("interval"),
                 "interval must divide 300 s, such as 10");
  reader.Number(*table, "host_interval", 1, 3600, collectd.host_interval);
  if (collectd.interval && collectd.host_interval % collectd.interval) {
    const toml::node* node = table->get("host_interval");
    reader.Fault(node ? *node : *table->get("interval"),
                 fmt::format("host_interval ({}) must be a multiple of "
                             "interval ({})",
                             collectd.host_interval, collectd.interval));
  }
  reader.Number(*table, "forget_after", 60, 366 * 86400, collectd.forget_after);
  reader.String(*table, "rrd_directory", collectd.rrd_directory);
}

void ReadNetworks(const toml::table& root, Reader& reader,
                  std::vector<Network>& networks) {
  const toml::table* table = reader.Table(root, "networks");
  if (!table) return;
  std::set<Prefix> taken;
  for (const auto& [key, node] : *table) {
    if (!reader.Name(key, "network")) continue;
    if (key.str() == kAllNetworks || key.str() == kQueueInstance ||
        key.str().starts_with(kInterfacePrefix)) {
      reader.Fault(key.source().begin,
                   fmt::format("'{}' is a name of iptrk's own; choose another",
                               key.str()));
      continue;
    }
    const toml::table* section = node.as_table();
    if (!section) {
      reader.Fault(node, fmt::format("write [networks.{}] and prefixes = "
                                     "[\"10.1.0.0/24\"]",
                                     key.str()));
      continue;
    }
    reader.OnlyKeys(*section, fmt::format("networks.{}.", key.str()),
                    {"prefixes"});
    Network network{std::string(key.str()), {}};
    reader.Strings(
        *section, "prefixes",
        [&](const std::string& text, const toml::node& element) {
          const auto prefix = Prefix::Parse(text);
          if (!prefix)
            reader.Fault(
                element,
                fmt::format("'{}' is no prefix; write the first address "
                            "and a length, such as 10.1.0.0/24 or "
                            "2001:db8:1::/48",
                            text));
          else if (!taken.insert(*prefix).second)
            reader.Fault(element,
                         fmt::format("{} is in a network already", text));
          else
            network.prefixes.push_back(*prefix);
        });
    if (const toml::array* given = section->get_as<toml::array>("prefixes");
        !given || given->empty())
      reader.Fault(node, fmt::format("network {} has no prefixes", key.str()));
    networks.push_back(std::move(network));
  }
  std::sort(networks.begin(), networks.end(),
            [](const Network& a, const Network& b) { return a.name < b.name; });
}

// "tcp/80", "udp/443", "icmp", "47".
std::optional<ServicePort> ParseServicePort(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto protocol = ProtocolOfName(text.substr(0, slash));
  if (!protocol) return std::nullopt;
  ServicePort result{*protocol, 0};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, result.port);
    if (error != std::errc{} || at != end || result.port == 0 ||
        !HasPorts(*protocol))
      return std::nullopt;
  }
  return result;
}

void ReadServices(const toml::table& root, Reader& reader,
                  std::vector<Service>& services) {
  const toml::table* table = reader.Table(root, "services");
  if (!table) return;
  services.clear();
  for (const auto& [key, node] : *table) {
    if (!reader.Name(key, "service")) continue;
    Service service{std::string(key.str()), {}};
    reader.Strings(
        *table, key.str(),
        [&](const std::string& text, const toml::node& element) {
          if (const auto port = ParseServicePort(text))
            service.ports.push_back(*port);
          else
            reader.Fault(element, fmt::format("'{}' is no service port; write "
                                              "\"tcp/80\", \"udp/53\" or a "
                                              "protocol such as \"gre\"",
                                              text));
        });
    services.push_back(std::move(service));
  }
}

void ReadDetect(const toml::table& root, Reader& reader, DetectConfig& detect) {
  const toml::table* table = reader.Table(root, "detect");
  if (!table) return;
  reader.OnlyKeys(*table, "detect.", {"packets"});
  if (const toml::table* packets = reader.Table(*table, "packets")) {
    reader.OnlyKeys(*packets, "detect.packets.", {"enabled", "limit"});
    reader.Bool(*packets, "enabled", detect.packets.enabled);
    reader.Number(*packets, "limit", 1.0, 1e9, detect.packets.limit);
  }
}

void ReadMail(const toml::table& root, Reader& reader, MailConfig& mail) {
  const toml::table* table = reader.Table(root, "mail");
  if (!table) return;
  reader.OnlyKeys(*table, "mail.",
                  {"server", "port", "from", "to", "tls", "user",
                   "password_file", "spool"});
  reader.String(*table, "server", mail.server);
  reader.Number(*table, "port", 1, 65535, mail.port);
  reader.String(*table, "from", mail.from);
  reader.Strings(
      *table, "to", [&](const std::string& receiver, const toml::node& node) {
        if (receiver.find_first_of("\r\n ") != receiver.npos ||
            receiver.empty())
          reader.Fault(node, fmt::format("'{}' is no mail address", receiver));
        else
          mail.to.push_back(receiver);
      });
  mail.enabled = !mail.to.empty();
  reader.String(*table, "tls", mail.tls);
  if (mail.tls != "none" && mail.tls != "starttls")
    reader.Fault(*table->get("tls"), "tls must be \"none\" or \"starttls\"");
  reader.String(*table, "user", mail.user);
  reader.String(*table, "password_file", mail.password_file);
  if (!mail.user.empty() && mail.password_file.empty())
    reader.Fault(*table->get("user"), "user needs a password_file beside it");
  reader.String(*table, "spool", mail.spool);
}

void ReadPages(const toml::table& root, Reader& reader, PagesConfig& pages) {
  const toml::table* table = reader.Table(root, "pages");
  if (!table) return;
  reader.OnlyKeys(*table, "pages.", {"directory", "title"});
  reader.String(*table, "directory", pages.directory);
  reader.String(*table, "title", pages.title);
}

}  // namespace

std::string ConfigError::ToString() const {
  if (line == 0) return fmt::format("{}: {}", file, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

std::vector<Service> DefaultServices() {
  constexpr std::uint8_t kTcp = IPPROTO_TCP, kUdp = IPPROTO_UDP;
  return {{"web", {{kTcp, 80}, {kTcp, 443}, {kUdp, 443}, {kTcp, 8080}}},
          {"dns", {{kUdp, 53}, {kTcp, 53}, {kTcp, 853}}},
          {"mail",
           {{kTcp, 25},
            {kTcp, 465},
            {kTcp, 587},
            {kTcp, 143},
            {kTcp, 993},
            {kTcp, 110},
            {kTcp, 995}}},
          {"ssh", {{kTcp, 22}}},
          {"file",
           {{kTcp, 20},
            {kTcp, 21},
            {kTcp, 445},
            {kTcp, 139},
            {kTcp, 873},
            {kTcp, 2049},
            {kUdp, 2049}}},
          {"ntp", {{kUdp, 123}}},
          {"icmp", {{IPPROTO_ICMP, 0}, {IPPROTO_ICMPV6, 0}}}};
}

ConfigResult ParseConfig(const std::string& text, const std::string& name) {
  ConfigResult result;
  try {
    const toml::table root = toml::parse(text, name);
    Reader reader(name, result.errors);
    reader.OnlyKeys(root, "",
                    {"queue", "collectd", "networks", "services", "detect",
                     "mail", "pages"});
    ReadQueue(root, reader, result.config.queue);
    ReadCollectd(root, reader, result.config.collectd);
    ReadNetworks(root, reader, result.config.networks);
    ReadServices(root, reader, result.config.services);
    ReadDetect(root, reader, result.config.detect);
    ReadMail(root, reader, result.config.mail);
    ReadPages(root, reader, result.config.pages);
  } catch (const toml::parse_error& error) {
    result.errors.push_back({name, error.source().begin.line,
                             error.source().begin.column,
                             std::string(error.description())});
  }
  std::stable_sort(result.errors.begin(), result.errors.end(),
                   [](const ConfigError& a, const ConfigError& b) {
                     return std::tie(a.line, a.column) <
                            std::tie(b.line, b.column);
                   });
  return result;
}

ConfigResult LoadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.fail()) {
    ConfigResult result;
    result.errors.push_back(
        {path, 0, 0,
         fmt::format("can't be read: {}",
                     std::generic_category().message(errno ? errno : EIO))});
    return result;
  }
  return ParseConfig(text.str(), path);
}

ConfigResult LoadConfigOrDefaults(const std::string& path, bool named) {
  if (!named && access(path.c_str(), F_OK) != 0) return {};
  return LoadConfig(path);
}

}  // namespace iptrk
