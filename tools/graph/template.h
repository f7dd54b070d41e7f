// SPDX-License-Identifier: GPL-2.0-only
// An *.rrdgraph template: text with one argument of `rrdtool graph` a line.
//
//   # a comment               lines that begin with '#', and empty ones
//   --title={title}           an option, always with '='
//   DEF:in={file}:in:AVERAGE  {name} is replaced by the value given for it
//   %each service             the lines down to %end once per row of the
//   ...                       list "service"; a row's own names win over the
//   %end                      general ones. Blocks do not nest.
//
// {{ and }} stand for a brace. In a line that is no option a ':' of a value is
// escaped as rrdgraph wants it, so that a path, an IPv6 address or a title
// can't end a field. A '\' or a control character there is refused: rrdgraph
// has no way to carry it.
//
// A theme is a template of --color options, put in front of another.
#ifndef IPTRK_TOOLS_GRAPH_TEMPLATE_H_
#define IPTRK_TOOLS_GRAPH_TEMPLATE_H_

#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace iptrk {

// "file:line: what; what would be right". Line 0 is left out.
class TemplateError : public std::runtime_error {
 public:
  TemplateError(const std::string& file, unsigned line,
                const std::string& what);
};

using TemplateRow = std::map<std::string, std::string, std::less<>>;

struct TemplateValues {
  TemplateRow values;
  std::map<std::string, std::vector<TemplateRow>, std::less<>> lists;
};

// Immutable once made; safe to share between threads.
class Template {
 public:
  // Throws TemplateError. `name` is what errors call the text.
  static Template Parse(std::string_view text, std::string name);
  static Template Load(const std::filesystem::path& path);

  // The arguments in file order. Throws TemplateError for a placeholder or
  // list without a value, listing the known ones.
  std::vector<std::string> Fill(const TemplateValues& values) const;

  // Whether a placeholder or a list of that name occurs.
  bool Uses(std::string_view name) const { return names_.contains(name); }
  const std::string& name() const { return name_; }

 private:
  struct Piece {
    std::string text;
    bool placeholder = false;
  };
  struct Line {
    unsigned number = 0;
    bool option = false;  // "--...": values go in as they are
    std::vector<Piece> pieces;
  };
  struct Block {
    std::string list;  // empty: its lines are used once
    unsigned number = 0;
    std::vector<Line> lines;
  };

  Line ParseLine(std::string_view text, unsigned number);
  std::string FillLine(const Line& line, const TemplateRow& general,
                       const TemplateRow* row) const;
  std::string ValueFor(const Line& line, const std::string& placeholder,
                       const TemplateRow& general,
                       const TemplateRow* row) const;

  std::string name_;
  std::vector<Block> blocks_;
  std::set<std::string, std::less<>> names_;
};

// NAME as a path if it is one ("x/y" or an existing "*.rrdgraph" file), else
// NAME.rrdgraph in the first of `directories` that has it. Throws
// TemplateError naming where it looked.
std::filesystem::path FindTemplate(
    const std::string& name,
    const std::vector<std::filesystem::path>& directories);

// Where templates are looked for: `given` if not empty, else $IPTRK_TEMPLATES
// if set, else the installed ones.
std::filesystem::path TemplateDirectory(const std::string& given);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_TEMPLATE_H_
