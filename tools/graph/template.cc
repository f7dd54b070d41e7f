// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace iptrk {
namespace {

constexpr std::string_view kSuffix = ".rrdgraph";

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

template <typename Map>
std::string KeysOf(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys.empty() ? "none" : fmt::format("{}", fmt::join(keys, ", "));
}

std::string Message(const std::string& file, unsigned line,
                    const std::string& what) {
  return line == 0 ? fmt::format("{}: {}", file, what)
                   : fmt::format("{}:{}: {}", file, line, what);
}

}  // namespace

TemplateError::TemplateError(const std::string& file, unsigned line,
                             const std::string& what)
    : std::runtime_error(Message(file, line, what)) {}

Template Template::Parse(std::string_view text, std::string name) {
  Template result;
  result.name_ = std::move(name);
  result.blocks_.emplace_back();
  unsigned number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (Trimmed(line).empty() || line.starts_with('#')) continue;
    if (!line.starts_with('%')) {
      result.blocks_.back().lines.push_back(result.ParseLine(line, number));
      continue;
    }
    const bool inside = !result.blocks_.back().list.empty();
    const std::string_view word = line.substr(0, line.find_first_of(" \t"));
    const std::string_view rest = Trimmed(line.substr(word.size()));
    if (word == "%each" && !inside && IsName(rest)) {
      result.names_.emplace(rest);
      result.blocks_.push_back({std::string(rest), number, {}});
    } else if (word == "%end" && inside && rest.empty()) {
      result.blocks_.emplace_back();
    } else if (word == "%each" && inside) {
      throw TemplateError(result.name_, number,
                          fmt::format("%each inside the %each of line {}; end "
                                      "that one with %end first",
                                      result.blocks_.back().number));
    } else if (word == "%each") {
      throw TemplateError(result.name_, number,
                          fmt::format("'{}' is no name of a list; write e.g. "
                                      "%each service",
                                      rest));
    } else if (word == "%end") {
      throw TemplateError(result.name_, number,
                          inside ? "text after %end; leave it alone"
                                 : "%end without an %each before it");
    } else {
      throw TemplateError(
          result.name_, number,
          fmt::format("unknown '{}'; known are %each NAME and %end", word));
    }
  }
  if (!result.blocks_.back().list.empty())
    throw TemplateError(result.name_, result.blocks_.back().number,
                        "%each without an %end after it");
  return result;
}

Template Template::Load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw TemplateError(path.string(), 0, "can't be read; is the path right?");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return Parse(text, path.string());
}

Template::Line Template::ParseLine(std::string_view text, unsigned number) {
  Line line{number, text.starts_with("--"), {}};
  std::string literal;
  while (!text.empty()) {
    if (text.starts_with("{{") || text.starts_with("}}")) {
      literal += text[0];
      text.remove_prefix(2);
    } else if (text[0] == '{') {
      const std::size_t end = text.find('}');
      const std::string_view name =
          text.substr(1, end == std::string_view::npos ? end : end - 1);
      if (end == std::string_view::npos || !IsName(name))
        throw TemplateError(name_, number,
                            fmt::format("'{{{}' is no placeholder; write "
                                        "{{name}} with a-z, 0-9 and _, or "
                                        "{{{{ for a brace",
                                        name));
      names_.emplace(name);
      line.pieces.push_back({std::exchange(literal, {}), false});
      line.pieces.push_back({std::string(name), true});
      text.remove_prefix(end + 1);
    } else if (text[0] == '}') {
      throw TemplateError(name_, number,
                          "'}' without a '{'; write }} for a brace");
    } else {
      literal += text[0];
      text.remove_prefix(1);
    }
  }
  line.pieces.push_back({std::move(literal), false});
  return line;
}

std::string Template::ValueFor(const Line& line, const std::string& placeholder,
                               const TemplateRow& general,
                               const TemplateRow* row) const {
  const std::string* value = nullptr;
  if (row != nullptr) {
    const auto found = row->find(placeholder);
    if (found != row->end()) value = &found->second;
  }
  if (value == nullptr) {
    const auto found = general.find(placeholder);
    if (found == general.end()) {
      std::string known = KeysOf(general);
      if (row != nullptr) known += "; in this block also " + KeysOf(*row);
      throw TemplateError(name_, line.number,
                          fmt::format("nothing is known as {{{}}}; known: {}",
                                      placeholder, known));
    }
    value = &found->second;
  }
  std::string escaped;
  for (const char c : *value) {
    const bool control = static_cast<unsigned char>(c) < ' ';
    if (control || (c == '\\' && !line.option))
      throw TemplateError(
          name_, line.number,
          fmt::format("the value of {{{}}} holds a {}, which rrdgraph can't "
                      "carry; rename what it stands for",
                      placeholder, control ? "control character" : "'\\'"));
    if (c == ':' && !line.option) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Template::FillLine(const Line& line, const TemplateRow& general,
                               const TemplateRow* row) const {
  std::string filled;
  for (const Piece& piece : line.pieces)
    filled += piece.placeholder ? ValueFor(line, piece.text, general, row)
                                : piece.text;
  return filled;
}

std::vector<std::string> Template::Fill(const TemplateValues& values) const {
  std::vector<std::string> arguments;
  for (const Block& block : blocks_) {
    if (block.list.empty()) {
      for (const Line& line : block.lines)
        arguments.push_back(FillLine(line, values.values, nullptr));
      continue;
    }
    const auto list = values.lists.find(block.list);
    if (list == values.lists.end())
      throw TemplateError(name_, block.number,
                          fmt::format("nothing is known as list '{}'; known: "
                                      "{}",
                                      block.list, KeysOf(values.lists)));
    for (const TemplateRow& row : list->second)
      for (const Line& line : block.lines)
        arguments.push_back(FillLine(line, values.values, &row));
  }
  return arguments;
}

std::filesystem::path FindTemplate(
    const std::string& name,
    const std::vector<std::filesystem::path>& directories) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (name.find('/') != std::string::npos ||
      (name.ends_with(kSuffix) && fs::is_regular_file(name, ignored)))
    return name;
  const std::string file =
      name.ends_with(kSuffix) ? name : name + std::string(kSuffix);
  for (const fs::path& directory : directories)
    if (fs::is_regular_file(directory / file, ignored)) return directory / file;
  std::vector<std::string> places;
  for (const fs::path& directory : directories)
    places.push_back(directory.string());
  throw TemplateError(
      file, 0,
      fmt::format("no such template in {}; name a path, or set --templates",
                  fmt::join(places, ", ")));
}

std::filesystem::path TemplateDirectory(const std::string& given) {
  if (!given.empty()) return given;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read once, while single-threaded.
  const char* environment = std::getenv("IPTRK_TEMPLATES");
  if (environment != nullptr && *environment != '\0') return environment;
  return IPTRK_TEMPLATE_DIR;
}

}  // namespace iptrk
