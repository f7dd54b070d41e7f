// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_reader.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "lib/config_keys.h"

namespace iptrk {
namespace {

constexpr std::size_t kMaxName = 32;    // also a directory name in collectd
constexpr std::size_t kMaxText = 4000;  // no longer than a path
constexpr std::size_t kMaxShown = 60;   // of it in a message

// Bytes of the UTF-8 sequence at the start of `text`; 0: it is none, or one of
// a control character.
std::size_t Sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(i < text.size() ? text[i] : 0);
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (first == 0xc2 && byte(1) < 0xa0) return 0;  // C1 controls
  const std::size_t length = first >= 0xf0   ? 4
                             : first >= 0xe0 ? 3
                             : first >= 0xc2 ? 2
                                             : 0;
  if (first > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return length;
}

// "queue" of "queue", "networks" of "networks.NAME".
std::string_view First(std::string_view section) {
  return section.substr(0, section.find('.'));
}

// Whether there is such as [mail.recipients.NAME] for "mail" and "recipients".
bool HasSubsection(std::string_view section, std::string_view name) {
  const std::string start = fmt::format("{}.{}.", section, name);
  for (const ConfigSection& other : kConfigSections)
    if (other.name.starts_with(start)) return true;
  return false;
}

}  // namespace

std::string Shown(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    if (shown.size() >= kMaxShown) return shown + "…";
    const std::size_t length = Sequence(text);
    if (length)
      shown += text.substr(0, length);
    else if (text[0] == '\n')
      shown += "\\n";
    else if (text[0] == '\r')
      shown += "\\r";
    else if (text[0] == '\t')
      shown += "\\t";
    else
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

const toml::table* ConfigReader::Table(const toml::table& parent,
                                       std::string_view key,
                                       std::string_view shown) {
  const toml::node* node = parent.get(key);
  if (!node) return nullptr;
  if (!node->is_table())
    Fault(*node,
          fmt::format("{} is a section; write [{}] on a line of its own and "
                      "its keys below",
                      shown, shown));
  return node->as_table();
}

void ConfigReader::OnlySections(const toml::table& root) {
  std::vector<std::string_view> known;
  for (const ConfigSection& section : kConfigSections)
    if (const std::string_view name = First(section.name);
        std::find(known.begin(), known.end(), name) == known.end())
      known.push_back(name);
  for (const auto& [key, node] : root) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (!node.is_table()) {
      std::string_view home;
      for (const ConfigSection& section : kConfigSections)
        if (std::count(section.keys.begin(), section.keys.end(), name))
          home = section.name;
      Fault(key, home.empty()
                     ? fmt::format("{} is in no section; every key is below a "
                                   "line such as [queue]",
                                   Shown(name))
                     : fmt::format("{} is in no section; write it below [{}]",
                                   Shown(name), home));
      continue;
    }
    const std::string_view nearest = NearestWord(name, known);
    if (nearest.empty())
      Fault(key, fmt::format("[{}] is not a section; there are {}", Shown(name),
                             fmt::join(known, ", ")));
    else
      Fault(key, fmt::format("[{}] is not a section; did you mean [{}]?",
                             Shown(name), nearest));
  }
}

void ConfigReader::OnlyKeys(const toml::table& table, std::string_view section,
                            std::string_view shown) {
  std::span<const std::string_view> known;
  for (const ConfigSection& one : kConfigSections)
    if (one.name == section) known = one.keys;
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (HasSubsection(section, name)) continue;
    std::string remedy = fmt::format("known here: {}", fmt::join(known, ", "));
    for (const ConfigSection& other : kConfigSections)
      if (std::count(other.keys.begin(), other.keys.end(), name))
        remedy = fmt::format("it belongs below [{}]", other.name);
    if (const std::string_view nearest = NearestWord(name, known);
        !nearest.empty())
      remedy = fmt::format("did you mean {}?", nearest);
    Fault(key,
          fmt::format("{}.{} is not a key; {}", shown, Shown(name), remedy));
  }
}

bool ConfigReader::Name(const toml::key& key, std::string_view what) {
  const std::string_view name = key.str();
  const bool good =
      !name.empty() && name.size() <= kMaxName && name[0] != '.' &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '_' || c == '.';
      });
  if (!good)
    Fault(key, fmt::format("'{}' can't name a {}; use up to {} letters, "
                           "digits, '-', '_' or '.', not starting with '.'",
                           Shown(name), what, kMaxName));
  return good;
}

const std::string* ConfigReader::Text(const toml::node& node,
                                      std::string_view key) {
  const toml::value<std::string>* value = node.as_string();
  if (!value) {
    Fault(node, fmt::format("{} must be text in quotes", Shown(key)));
    return nullptr;
  }
  const std::string& text = value->get();
  if (text.size() > kMaxText) {
    Fault(node, fmt::format("{} has {} characters; {} are enough", Shown(key),
                            text.size(), kMaxText));
    return nullptr;
  }
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    Fault(node, fmt::format("{} must have no control characters: '{}'",
                            Shown(key), Shown(text)));
    return nullptr;
  }
  return &text;
}

const toml::node* ConfigReader::String(const toml::table& table,
                                       std::string_view key,
                                       std::string& value) {
  const toml::node* node = table.get(key);
  const std::string* text = node ? Text(*node, key) : nullptr;
  if (!text) return nullptr;
  value = *text;
  return node;
}

const toml::node* ConfigReader::Path(const toml::table& table,
                                     std::string_view key, std::string& value,
                                     bool may_be_empty) {
  std::string path;
  const toml::node* node = String(table, key, path);
  if (!node) return nullptr;
  if (path.empty() ? !may_be_empty : path[0] != '/') {
    Fault(*node, fmt::format("{} = \"{}\" must be a whole path, such as \"{}\"",
                             key, Shown(path), value.empty() ? "/…" : value));
    return nullptr;
  }
  value = path;
  return node;
}

const toml::node* ConfigReader::Bool(const toml::table& table,
                                     std::string_view key, bool& value) {
  const toml::node* node = table.get(key);
  if (!node) return nullptr;
  const auto flag = node->value_exact<bool>();
  if (!flag) {
    Fault(*node, fmt::format("{} must be true or false, without quotes", key));
    return nullptr;
  }
  value = *flag;
  return node;
}

const toml::node* ConfigReader::Word(const toml::table& table,
                                     std::string_view key,
                                     std::span<const std::string_view> words,
                                     std::string& value) {
  std::string word;
  const toml::node* node = String(table, key, word);
  if (!node) return nullptr;
  if (std::find(words.begin(), words.end(), word) == words.end()) {
    const std::string_view nearest = NearestWord(word, words);
    Fault(*node,
          fmt::format("{} must be one of \"{}\", not \"{}\"{}", key,
                      fmt::join(words, "\", \""), Shown(word),
                      nearest.empty()
                          ? ""
                          : fmt::format("; did you mean \"{}\"?", nearest)));
    return nullptr;
  }
  value = word;
  return node;
}

const toml::array* ConfigReader::List(const toml::table& table,
                                      std::string_view key) {
  const toml::node* node = table.get(key);
  if (!node) return nullptr;
  if (!node->is_array()) {
    // Most often the brackets were forgotten.
    const auto text = node->value_exact<std::string>();
    Fault(*node, fmt::format("{} must be a list such as [\"{}\"]", Shown(key),
                             text ? Shown(*text) : "…"));
  }
  return node->as_array();
}

}  // namespace iptrk
