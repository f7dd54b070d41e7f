// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/page.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace iptrk {
namespace {

constexpr std::array<const char*, 6> kParts = {
    "head", "foot", "chart", "top-table", "incident-table", "shares"};

}  // namespace

std::string PageTemplates::Text(const std::string& file) const {
  const std::filesystem::path path = directory_ / file;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw std::runtime_error(fmt::format(
        "{}: can't be read; is --page-templates right?", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string PageTemplates::Fill(const std::string& name, PageData data) const {
  for (const char* part : kParts) {
    const kainjow::mustache::partial text = [this, part]() {
      return Text(std::string(part) + ".mustache");
    };
    data.set(part, text);
  }
  const std::string file = name + ".mustache";
  kainjow::mustache::mustache page(Text(file));
  std::string html;
  if (page.is_valid()) html = page.render(data);
  if (!page.is_valid() || !page.error_message().empty())
    throw std::runtime_error(fmt::format("{}: {}", (directory_ / file).string(),
                                         page.error_message()));
  return html;
}

std::filesystem::path PageTemplateDirectory(const std::string& given) {
  return given.empty() ? IPTRK_PAGE_DIR : given;
}

}  // namespace iptrk
