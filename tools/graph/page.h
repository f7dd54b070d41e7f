// SPDX-License-Identifier: GPL-2.0-only
// HTML pages from mustache templates. Every value is escaped: the templates
// use {{name}} only, never the forms that don't escape.
#ifndef IPTRK_TOOLS_GRAPH_PAGE_H_
#define IPTRK_TOOLS_GRAPH_PAGE_H_

#include <filesystem>
#include <kainjow/mustache.hpp>
#include <string>

namespace iptrk {

using PageData = kainjow::mustache::data;

class PageTemplates {
 public:
  explicit PageTemplates(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  // NAME.mustache filled with `data`; {{>part}} takes in part.mustache. Throws
  // std::runtime_error naming the file and what is wrong with it.
  std::string Fill(const std::string& name, PageData data) const;

  // A file of the directory as it is. Throws likewise.
  std::string Text(const std::string& file) const;

 private:
  std::filesystem::path directory_;
};

// Where page templates are: `given` if not empty, else the installed ones.
std::filesystem::path PageTemplateDirectory(const std::string& given);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_PAGE_H_
