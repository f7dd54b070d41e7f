// SPDX-License-Identifier: GPL-2.0-only
// [mail] and [mail.recipients.NAME]: who is told of what, and by which server.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lib/config_keys.h"
#include "lib/config_sections.h"
#include "lib/mail_address.h"

namespace iptrk {
namespace {

constexpr int kTlsPort = 465;

void CheckAddress(const std::string& text, const toml::node& node,
                  ConfigReader& reader, std::string_view example) {
  if (IsMailAddress(text)) return;
  reader.Fault(node, fmt::format("'{}' is no mail address; write one, such as "
                                 "\"{}\"",
                                 Shown(text), example));
}

// "07:30" as minutes since midnight.
std::optional<int> TimeOfDay(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    return text[i] >= '0' && text[i] <= '9';
  };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) ||
      !digit(3) || !digit(4))
    return std::nullopt;
  const auto two = [&](std::size_t i) {
    return (text[i] - '0') * 10 + (text[i + 1] - '0');
  };
  if (two(0) > 23 || two(3) > 59) return std::nullopt;
  return two(0) * 60 + two(3);
}

std::optional<QuietHours> Quiet(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto from = TimeOfDay(text.substr(0, dash));
  const auto to = TimeOfDay(text.substr(dash + 1));
  if (!from || !to || *from == *to) return std::nullopt;
  return QuietHours{*from, *to};
}

// What [mail] and its recipients both have.
void ReadFilter(const toml::table& table, ConfigReader& reader,
                MailFilter& filter) {
  reader.Word(table, "severity", kMailSeverities, filter.severity);
  std::string text;
  if (const toml::node* node = reader.String(table, "quiet", text)) {
    filter.quiet = Quiet(text);
    if (!filter.quiet && !text.empty())
      reader.Fault(*node, fmt::format("quiet = \"{}\" must be two times of "
                                      "day, such as \"22:00-06:30\", or \"\"",
                                      Shown(text)));
  }
  if (const toml::node* node = reader.String(table, "daily_digest", text)) {
    filter.daily_digest = TimeOfDay(text);
    if (!filter.daily_digest && !text.empty())
      reader.Fault(*node, fmt::format("daily_digest = \"{}\" must be a time of "
                                      "day, such as \"07:00\", or \"\" for "
                                      "none",
                                      Shown(text)));
  }
}

// Names that have to be those of sections [group.NAME].
void ReadNames(const toml::table& root, const toml::table& table,
               ConfigReader& reader, std::string_view key,
               std::vector<std::string>& names) {
  std::vector<std::string_view> known;
  if (const toml::table* group = root.get_as<toml::table>(key))
    for (const auto& [name, section] : *group) known.push_back(name.str());
  reader.Strings(
      table, key, [&](const std::string& name, const toml::node& node) {
        names.push_back(name);
        if (std::find(known.begin(), known.end(), name) != known.end()) return;
        const std::string_view nearest = NearestWord(name, known);
        reader.Fault(
            node,
            fmt::format("there is no [{}.{}]; {}", key, Shown(name),
                        nearest.empty() ? "name one that has such a section"
                                        : fmt::format("did you mean \"{}\"?",
                                                      Shown(nearest))));
      });
}

void ReadRecipients(const toml::table& root, const toml::table& mail_table,
                    ConfigReader& reader, MailConfig& mail) {
  const toml::table* group =
      reader.Table(mail_table, "recipients", "mail.recipients.NAME");
  if (!group) return;
  for (const auto& [key, node] : *group) {
    if (!reader.Name(key, "recipient")) continue;
    const toml::table* table = node.as_table();
    if (!table) {
      reader.Fault(key, fmt::format("every recipient has a section; write "
                                    "[mail.recipients.{}] and below it "
                                    "address = \"sysop@example.net\"",
                                    key.str()));
      continue;
    }
    reader.OnlyKeys(*table, "mail.recipients.NAME",
                    fmt::format("mail.recipients.{}", key.str()));
    MailRecipient recipient{std::string(key.str()), "", mail.filter};
    if (const toml::node* address =
            reader.String(*table, "address", recipient.address))
      CheckAddress(recipient.address, *address, reader, "sysop@example.net");
    else if (!table->get("address"))
      reader.Fault(key, fmt::format("recipient {} has no address; write such "
                                    "as address = \"sysop@example.net\"",
                                    key.str()));
    ReadFilter(*table, reader, recipient.filter);
    reader.Strings(*table, "kinds",
                   [&](const std::string& kind, const toml::node&) {
                     recipient.filter.kinds.push_back(kind);
                   });
    ReadNames(root, *table, reader, "networks", recipient.filter.networks);
    ReadNames(root, *table, reader, "customers", recipient.filter.customers);
    mail.recipients.push_back(std::move(recipient));
  }
  std::sort(mail.recipients.begin(), mail.recipients.end(),
            [](const MailRecipient& a, const MailRecipient& b) {
              return a.name < b.name;
            });
}

// A file that has to be here when mail is sent.
void WarnOfFile(const toml::node& node, ConfigReader& reader,
                std::string_view key, const std::string& path, bool secret) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0)
    reader.Warn(node, fmt::format("{} {}: {}; mail waits until it is there",
                                  key, Shown(path), std::strerror(errno)));
  else if (secret && (status.st_mode & S_IROTH))
    reader.Warn(node, fmt::format("{} {} is readable for everybody, so it is "
                                  "not used; run: chmod o-r {}",
                                  key, Shown(path), Shown(path)));
}

void ReadServer(const toml::table& table, ConfigReader& reader,
                MailConfig& mail, bool here) {
  if (const toml::node* node = reader.String(table, "server", mail.server);
      node && (mail.server.empty() ||
               mail.server.find_first_of(": /") != mail.server.npos))
    reader.Fault(*node, fmt::format("server must be a host name, not \"{}\"; "
                                    "its port goes into port",
                                    Shown(mail.server)));
  if (const toml::node* node =
          reader.Number(table, "port", 1, 65535, mail.port);
      node && mail.port == kTlsPort)
    reader.Fault(*node,
                 "port 465 wants TLS before SMTP, which iptrk doesn't speak; "
                 "write port = 587 and tls = \"starttls\"");
  constexpr std::array<std::string_view, 2> kTls = {"none", "starttls"};
  reader.Word(table, "tls", kTls, mail.tls);
  if (const toml::node* node = reader.Path(table, "ca_file", mail.ca_file,
                                           /*may_be_empty=*/true);
      node && !mail.ca_file.empty()) {
    if (mail.tls == "none")
      reader.Warn(*node,
                  "ca_file is not used without tls = \"starttls\" beside it");
    else if (here)
      WarnOfFile(*node, reader, "ca_file", mail.ca_file, /*secret=*/false);
  }
  const toml::node* user = reader.String(table, "user", mail.user);
  const toml::node* file =
      reader.Path(table, "password_file", mail.password_file,
                  /*may_be_empty=*/true);
  if (user && !mail.user.empty() && mail.password_file.empty())
    reader.Fault(*user,
                 "user needs a password_file beside it, such as "
                 "\"/etc/iptrk/mail-password\"");
  if (file && !mail.password_file.empty()) {
    if (mail.user.empty())
      reader.Warn(*file, "password_file is not used without user beside it");
    else if (here)
      WarnOfFile(*file, reader, "password_file", mail.password_file,
                 /*secret=*/true);
  }
}

}  // namespace

void ReadMail(const toml::table& root, ConfigReader& reader, Config& config,
              const std::vector<std::string>* interfaces) {
  const toml::table* table = reader.Table(root, "mail");
  if (!table) return;
  MailConfig& mail = config.mail;
  reader.OnlyKeys(*table, "mail");
  reader.Strings(*table, "to",
                 [&](const std::string& receiver, const toml::node& node) {
                   CheckAddress(receiver, node, reader, "sysop@example.net");
                   mail.to.push_back(receiver);
                 });
  if (const toml::node* node = reader.String(*table, "from", mail.from);
      node && !mail.from.empty())
    CheckAddress(mail.from, *node, reader, "iptrk@example.net");
  ReadServer(*table, reader, mail, interfaces != nullptr);
  reader.Path(*table, "spool", mail.spool);
  reader.Path(*table, "templates", mail.templates, /*may_be_empty=*/true);
  reader.Number(*table, "group", 0, 3600, mail.group);
  reader.Number(*table, "hourly_limit", 1, 1000, mail.hourly_limit);
  ReadFilter(*table, reader, mail.filter);
  ReadRecipients(root, *table, reader, mail);
  mail.enabled = !mail.to.empty() || !mail.recipients.empty();
}

}  // namespace iptrk
