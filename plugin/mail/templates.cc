// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/templates.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>
#include <utility>

#include "plugin/mail/files.h"
#include "plugin/mail/layout.h"

namespace iptrk::mail {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

// Nothing, and why in `fault`, when `text` is no template.
std::optional<std::string> Filled(const std::string& text, bool escape,
                                  const data& values, std::string& fault) {
  mustache body(text);
  if (!escape) {
    body.set_custom_escape([](const std::string& value) { return value; });
  }
  std::string filled;
  if (body.is_valid()) filled = body.render(values);
  if (!body.is_valid()) {
    fault = body.error_message();
  } else if (filled.find_first_not_of(" \n") == std::string::npos) {
    fault = "it gives an empty mail";
  } else {
    return filled;
  }
  return std::nullopt;
}

}  // namespace

std::string Templates::Text(const data& values) const {
  return Tidied(Fill("mail.text.mustache", kTextTemplate, false, values));
}

std::string Templates::Html(const data& values) const {
  return Fill("mail.html.mustache", kHtmlTemplate, true, values);
}

std::string Templates::Fill(const char* name, const char* built_in, bool escape,
                            const data& values) const {
  std::string fault;
  if (!directory_.empty()) {
    const std::string path = fmt::format("{}/{}", directory_, name);
    try {
      if (const auto text = ReadFile(path)) {
        if (text->size() > kMostBytes) {
          fault = fmt::format("it has more than {} bytes", kMostBytes);
        } else if (auto filled = Filled(*text, escape, values, fault)) {
          return *filled;
        }
      }
    } catch (const std::system_error& error) {
      fault = error.code().message();
    }
    if (!fault.empty()) {
      log_(LogLevel::kError,
           fmt::format("{}: {}; the built-in template is used instead", path,
                       fault));
    }
  }
  return Filled(built_in, escape, values, fault).value_or("");
}

}  // namespace iptrk::mail
