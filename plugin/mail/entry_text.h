// SPDX-License-Identifier: GPL-2.0-only
// What a mail says about one topic: the values of {{#incidents}} in the
// templates, and the subject of a mail about it alone.
//
// Pure functions. Whatever field is missing leaves its line out; no field can
// start a line of its own.
#ifndef IPTRK_PLUGIN_MAIL_ENTRY_TEXT_H_
#define IPTRK_PLUGIN_MAIL_ENTRY_TEXT_H_

#include <kainjow/mustache.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/mail/letter.h"

namespace iptrk::mail {

// A list of {name, value, line}.
class FactList {
 public:
  // `column`: where values begin. Nothing is added when there is no value.
  void Add(std::string_view name, std::string_view value,
           std::size_t column = kColumn);
  kainjow::mustache::data Take() { return std::move(list_); }

 private:
  static constexpr std::size_t kColumn = 10;

  kainjow::mustache::data list_{kainjow::mustache::data::type::list};
};

struct TableRow {
  std::vector<std::string> cells;
  double share = -1;  // 0 to 1; negative: none
};

// {heading, rows: {cells: {text}, line, percent, bar}} appended to `tables`,
// if there are rows.
void AddTable(kainjow::mustache::data& tables, std::string_view heading,
              const std::vector<TableRow>& rows);

std::string EntrySubject(const Entry& entry, Time now);

// `how_to_silence`: whether the reader may silence rules; then `config_file`
// is named to him.
kainjow::mustache::data EntryValues(const Entry& entry, Time now,
                                    bool how_to_silence,
                                    const std::string& config_file);

// "opened 3 times, cleared 2 times"; empty if all is zero.
std::string CountsText(const Counts& counts);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_ENTRY_TEXT_H_
