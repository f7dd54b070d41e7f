// SPDX-License-Identifier: GPL-2.0-only
// Reads values out of the tables of one TOML file and collects its faults.
//
// A reading function leaves `value` alone when the key is missing or wrong,
// and says in a fault where and what would be right. It returns the node of
// the key when that was there and right, so that the caller can find further
// fault with it. Lives while one file is parsed, in one thread; borrows what
// it is given.
#ifndef IPTRK_LIB_CONFIG_READER_H_
#define IPTRK_LIB_CONFIG_READER_H_

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/config.h"

namespace iptrk {

// `text` as part of a message: control characters and bytes that are no UTF-8
// are escaped, and what is too long is cut.
std::string Shown(std::string_view text);

class ConfigReader {
 public:
  ConfigReader(std::string file, ConfigResult& result)
      : file_(std::move(file)), result_(result) {}

  void Fault(toml::source_position at, std::string message) {
    result_.errors.push_back({file_, at.line, at.column, std::move(message)});
  }
  void Fault(const toml::node& at, std::string message) {
    Fault(at.source().begin, std::move(message));
  }
  void Fault(const toml::key& at, std::string message) {
    Fault(at.source().begin, std::move(message));
  }
  void Warn(const toml::node& at, std::string message) {
    const toml::source_position place = at.source().begin;
    result_.warnings.push_back(
        {file_, place.line, place.column, std::move(message)});
  }

  // The table of `key`, written "[shown]" in the file.
  const toml::table* Table(const toml::table& parent, std::string_view key,
                           std::string_view shown);
  const toml::table* Table(const toml::table& parent, std::string_view key) {
    return Table(parent, key, key);
  }

  // Finds fault with sections that no file has.
  void OnlySections(const toml::table& root);
  // Finds fault with keys that kConfigSections[section] doesn't have; `shown`
  // is the section's own name.
  void OnlyKeys(const toml::table& table, std::string_view section,
                std::string_view shown);
  void OnlyKeys(const toml::table& table, std::string_view section) {
    OnlyKeys(table, section, section);
  }

  // A name that becomes a directory and a word in lists.
  bool Name(const toml::key& key, std::string_view what);

  const toml::node* String(const toml::table& table, std::string_view key,
                           std::string& value);
  // An absolute path, or "" when that is allowed.
  const toml::node* Path(const toml::table& table, std::string_view key,
                         std::string& value, bool may_be_empty = false);
  const toml::node* Bool(const toml::table& table, std::string_view key,
                         bool& value);

  template <typename T>
  const toml::node* Number(const toml::table& table, std::string_view key,
                           T least, T most, T& value) {
    const toml::node* node = table.get(key);
    if (!node) return nullptr;
    const auto number = node->value<double>();
    // Written so that NaN is out of range.
    if (!number || !node->is_number() ||
        !(*number >= static_cast<double>(least) &&
          *number <= static_cast<double>(most)) ||
        (std::is_integral_v<T> && !node->is_integer())) {
      Fault(*node,
            fmt::format("{} must be a {} from {} to {}", key,
                        std::is_integral_v<T> ? "whole number" : "number",
                        least, most));
      return nullptr;
    }
    value = static_cast<T>(*number);
    return node;
  }

  // One of few words.
  const toml::node* Word(const toml::table& table, std::string_view key,
                         std::span<const std::string_view> words,
                         std::string& value);
  template <typename T, std::size_t n>
  const toml::node* Choice(
      const toml::table& table, std::string_view key,
      const std::array<std::pair<std::string_view, T>, n>& choices, T& value) {
    std::array<std::string_view, n> words;
    for (std::size_t i = 0; i < n; ++i) words[i] = choices[i].first;
    std::string word;
    const toml::node* node = Word(table, key, words, word);
    for (const auto& [name, meaning] : choices)
      if (node && word == name) value = meaning;
    return node;
  }

  // Calls `each(text, node)` with every element of the list `key` that is
  // text.
  template <typename Each>
  const toml::array* Strings(const toml::table& table, std::string_view key,
                             Each each) {
    const toml::array* list = List(table, key);
    if (!list) return nullptr;
    for (const toml::node& element : *list)
      if (const std::string* text = Text(element, key)) each(*text, element);
    return list;
  }

 private:
  const toml::array* List(const toml::table& table, std::string_view key);
  const std::string* Text(const toml::node& node, std::string_view key);

  std::string file_;
  ConfigResult& result_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_CONFIG_READER_H_
