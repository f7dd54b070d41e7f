// SPDX-License-Identifier: GPL-2.0-only
#include "lib/config_syntax.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace iptrk {
namespace {

constexpr int kMostErrors = 50;        // each costs another parse
constexpr std::size_t kMaxParts = 32;  // of a dotted key

// toml++ speaks of grammar; a sysop thinks of quotes and commas. The first
// row whose `error` and `scope` are in its description holds. {0} in a message
// is the word at the place.
struct Phrase {
  std::string_view error;
  std::string_view scope;  // what was being parsed
  std::string_view message;
};

constexpr Phrase kPhrases[] = {
    {"invalid utf-8", "",
     "this character is not UTF-8; save the file as UTF-8"},
    {"maximum nested value depth", "",
     "lists are nested too deep; no key takes such a value"},
    // Sections.
    {"end-of-file", "table header",
     "] is missing; a section is written [name]"},
    {"expected ']'", "table header",
     "] is missing; a section is written [name]"},
    {"blank bare keys", "", "the section has no name; write such as [queue]"},
    {"comment or whitespace", "table header",
     "'{0}' stands behind a [section]; write its keys on the lines below"},
    // Lists.
    {"end-of-file", "array",
     "the list has no end; write ] behind its last element"},
    {"expected comma or closing ']'", "",
     "a comma or ] is missing before '{0}'; a list is written [\"a\", \"b\"]"},
    {"saw comma", "array",
     "there is a comma too many; a list is written [\"a\", \"b\"]"},
    {"", "inline table",
     "}} is missing or a comma wrong; this is written {{ a = 1, b = 2 }} on "
     "one line"},
    // Text.
    {"end-of-file", "string", "the quote at the end of this text is missing"},
    {"unknown escape sequence", "",
     "a backslash has a meaning here; write it twice, or the text in 'single "
     "quotes'"},
    {"hex digit", "unicode",
     "\\u wants four hexadecimal digits, such as \\u00e4"},
    // Keys.
    {"expected value,", "",
     "a value is missing; a key is written name = value"},
    {"end-of-file", "key-value pair",
     "a value is missing; a key is written name = value"},
    {"expected '=',", "",
     "= is missing before '{0}'; a key is written name = value"},
    {"bare key starting", "",
     "'{0}' is no name of a key, such as host_interval"},
    {"comment or whitespace", "",
     "'{0}' is too much here; text is in quotes, several values are a list "
     "[\"a\", \"b\"], a remark stands behind #"},
    {"keys, tables, whitespace", "",
     "'{0}' is no [section], no name = value, and no remark behind #"},
    // Values.
    {"control character", "", "there is a control character; take it out"},
    {"", "boolean",
     "'{0}' is no value; write true or false in small letters, and text in "
     "quotes: \"{0}\""},
    {"leading zeroes", "", "'{0}' begins with 0; write it without"},
    {"not representable in 64 bits", "", "'{0}' is too large"},
    {"exceeds length limit", "", "'{0}' is too large"},
    {"", "time", "'{0}' is no value; text must be in quotes: \"{0}\""},
    {"", "date", "'{0}' is no value; text must be in quotes: \"{0}\""},
    {"", "floating-point",
     "'{0}' is no number; text must be in quotes: \"{0}\""},
    {"", "integer", "'{0}' is no number; text must be in quotes: \"{0}\""},
    {"", "value", "'{0}' is no value; text must be in quotes: \"{0}\""},
};

std::string_view LineOf(std::string_view text, std::size_t number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Where character `column`, counted from 1, of `line` begins; or its end.
std::size_t ByteOf(std::string_view line, std::size_t column) {
  std::size_t at = 0;
  for (; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;
    if (begins && --column == 0) break;
  }
  return at;
}

// The word of `line` that byte `at` is in, or that ends there.
std::string_view WordAt(std::string_view line, std::size_t at) {
  constexpr std::string_view kAround = " \t\r,=[]{}#";
  std::size_t begin = line.substr(0, at).find_last_of(kAround);
  begin = begin == line.npos ? 0 : begin + 1;
  const std::size_t end =
      std::min(line.find_first_of(kAround, at), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  return word.empty() && at < line.size() ? line.substr(at, 1) : word;
}

// "cannot redefine existing table 'x'": what is in the last quotes, or "".
std::string_view Quoted(std::string_view text) {
  const std::size_t end = text.rfind('\'');
  if (end == text.npos || end == 0) return {};
  const std::size_t begin = text.rfind('\'', end - 1);
  if (begin == text.npos) return {};
  return text.substr(begin + 1, end - begin - 1);
}

std::string Rephrased(const toml::parse_error& fault, std::string_view text) {
  constexpr std::string_view kBefore = "Error while parsing ";
  const std::string_view description = fault.description();
  std::string_view scope, error = description;
  if (error.starts_with(kBefore)) {
    error.remove_prefix(kBefore.size());
    const std::size_t colon = std::min(error.find(": "), error.size());
    scope = error.substr(0, colon);
    error.remove_prefix(std::min(colon + 2, error.size()));
  }
  if (error.starts_with("cannot redefine") ||
      error.starts_with("cannot insert")) {
    const std::string_view name = Quoted(error);
    const bool section = scope == "table header";
    return fmt::format("{}{}{} is there already; write it once",
                       section ? "[" : "", name.empty() ? "this" : Shown(name),
                       section ? "]" : "");
  }
  const toml::source_position at = fault.source().begin;
  const std::string_view line = LineOf(text, at.line);
  const std::size_t byte = ByteOf(line, at.column);
  // toml++ takes the end of a line for a character that is wrong.
  if (byte == line.size() &&
      (scope.find("string") != scope.npos || error.starts_with("expected '='")))
    error = "end-of-file";
  const std::string word = Shown(WordAt(line, byte));
  for (const Phrase& phrase : kPhrases)
    if (error.find(phrase.error) != error.npos &&
        scope.find(phrase.scope) != scope.npos)
      return fmt::format(fmt::runtime(phrase.message), word);
  return fmt::format("this is not TOML: {}", Shown(error));
}

struct Hazard {
  toml::source_position at;
  std::string message;
};

// What toml++ 3.3 would not survive: a key of so many parts that its tables,
// nested in each other, overflow the stack; a [ that no name follows, a } in a
// list, and letters beyond ASCII outside quotes, which its parser assumes away.
std::optional<Hazard> FindHazard(std::string_view text) {
  toml::source_position at{1, 0};
  std::size_t parts = 0;
  std::string open;         // brackets that are
  bool line_begins = true;  // nothing but blanks so far
  std::string_view until;   // the quotes or line end that we are within
  std::size_t i = text.starts_with("\xef\xbb\xbf") ? 3 : 0;  // behind a BOM
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if ((c & 0xc0) != 0x80) ++at.column;  // characters, not bytes
    if (c == '\n') {
      ++at.line;
      at.column = 0;
      line_begins = true;
    }
    if (!until.empty()) {
      if (c == '\\' && until[0] == '"' && i + 1 < text.size() &&
          text[i + 1] != '\n') {
        ++i;
        ++at.column;
      } else if (text.substr(i).starts_with(until) ||
                 (until.size() == 1 && c == '\n')) {
        i += until.size() - 1;
        at.column += static_cast<toml::source_index>(until.size() - 1);
        until = {};
      }
      continue;
    }
    if ((c & 0x80) != 0)
      return Hazard{{at.line, std::max<toml::source_index>(at.column, 1)},
                    "a character that must be in quotes; names are of "
                    "letters a to z, digits, - and _"};
    switch (c) {
      case '#':
        until = "\n";
        break;
      case '"':
      case '\'': {
        const std::string_view triple = c == '"' ? "\"\"\"" : "'''";
        const bool is_triple = text.substr(i).starts_with(triple);
        until = triple.substr(0, is_triple ? 3 : 1);
        if (is_triple) {
          i += 2;
          at.column += 2;
        }
        break;
      }
      case '.':
        if (++parts >= kMaxParts)
          return Hazard{at, fmt::format("no key has more than {} parts; is a "
                                        "quote missing before?",
                                        kMaxParts)};
        break;
      case '[':
        if (open.empty() && line_begins) {
          // One bracket, or two for a list of sections; no third.
          std::size_t next = text.find_first_not_of(" \t", i + 1);
          if (next != text.npos && text[next] == '[')
            next = text.find_first_not_of(" \t", next + 1);
          if (next == text.npos ||
              (!std::isalnum(static_cast<unsigned char>(text[next])) &&
               std::string_view("_-\"']").find(text[next]) ==
                   std::string_view::npos))
            return Hazard{at,
                          "a section begins with [ and its name, such as "
                          "[queue]"};
        }
        open += c;
        parts = 0;
        break;
      case '}':
        if (open.ends_with('['))
          return Hazard{at, "a list ends with ], not with }"};
        [[fallthrough]];
      case ']':
        if (!open.empty()) open.pop_back();
        parts = 0;
        break;
      case '{':
        open += c;
        parts = 0;
        break;
      case '\n':
      case '=':
      case ',':
        parts = 0;
        break;
    }
    line_begins = line_begins && (c == ' ' || c == '\t' || c == '\n');
  }
  return std::nullopt;
}

// The lines of a text, counted from 1, and which of them begin a section.
class Sections {
 public:
  explicit Sections(std::string& text) : text_(text) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      lines_.push_back(
          {begin, IsHeader(std::string_view(text).substr(begin, end - begin))});
      begin = end + 1;
    }
  }

  // Whether line `number` begins a section.
  bool IsHeader(std::size_t number) const {
    return number >= 1 && number <= lines_.size() && lines_[number - 1].header;
  }

  // Blanks the section with line `number`. False: it is blank already.
  bool Blank(std::size_t number) {
    if (lines_.empty()) return false;
    const std::size_t line = std::clamp<std::size_t>(number, 1, lines_.size());
    std::size_t first = line - 1, last = line;
    while (first > 0 && !lines_[first].header) --first;
    while (last < lines_.size() && !lines_[last].header) ++last;
    const std::size_t end =
        last < lines_.size() ? lines_[last].begin : text_.size();
    bool was_blank = true;
    for (std::size_t i = lines_[first].begin; i < end; ++i) {
      if (text_[i] == '\n') continue;
      was_blank = was_blank && text_[i] == ' ';
      text_[i] = ' ';
    }
    return !was_blank;
  }

 private:
  struct Line {
    std::size_t begin;
    bool header;
  };

  // "[queue]", also where the bracket at its end is missing; but not a list.
  static bool IsHeader(std::string_view line) {
    const std::size_t bracket = line.find_first_not_of(" \t");
    if (bracket == line.npos || line[bracket] != '[') return false;
    line.remove_prefix(bracket + 1);
    const std::string_view name = line.substr(0, line.find_first_of("]#"));
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
             return std::isalnum(c) || std::isspace(c) ||
                    std::string_view("[._-").find(static_cast<char>(c)) !=
                        std::string_view::npos;
           });
  }

  std::string& text_;
  std::vector<Line> lines_;
};

}  // namespace

toml::table ParseTables(std::string text, ConfigReader& reader) {
  Sections sections(text);
  for (int errors = 0; errors < kMostErrors; ++errors) {
    toml::source_position at;
    std::string message;
    bool open_list = false;
    if (std::optional<Hazard> hazard = FindHazard(text)) {
      at = hazard->at;
      message = std::move(hazard->message);
    } else {
      try {
        return toml::parse(std::string_view(text));
      } catch (const toml::parse_error& error) {
        at = error.source().begin;
        // A list that has no end takes the next section for an element.
        open_list =
            sections.IsHeader(at.line) &&
            error.description().find("table header") == std::string_view::npos;
        message = open_list ? "the list before this section has no end; write "
                              "] behind its last element"
                            : Rephrased(error, text);
      }
    }
    const bool is_new = sections.Blank(open_list ? at.line - 1 : at.line);
    if (is_new || errors == 0) reader.Fault(at, std::move(message));
    if (!is_new) break;
  }
  return {};
}

}  // namespace iptrk
