// SPDX-License-Identifier: GPL-2.0-only
//
// JSON as text. Names of interfaces, hosts and files come from outside and
// need not be UTF-8, as JSON has to be: each byte that is not becomes U+FFFD,
// where nlohmann's own default is to throw.
#ifndef IPTRK_LIB_JSON_TEXT_H_
#define IPTRK_LIB_JSON_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace iptrk {

// On one line, or indented by INDENT spaces a level.
inline std::string JsonText(const nlohmann::json& json, int indent = -1) {
  return json.dump(indent, ' ', false,
                   nlohmann::json::error_handler_t::replace);
}

// TEXT with U+FFFD for each byte that is not UTF-8.
inline std::string Utf8Text(const std::string& text) {
  return nlohmann::json::parse(JsonText(text)).get<std::string>();
}

}  // namespace iptrk

#endif  // IPTRK_LIB_JSON_TEXT_H_
