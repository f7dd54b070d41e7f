// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/mail/entry_text.h"
#include "plugin/mail/figures.h"
#include "plugin/mail/layout.h"

namespace iptrk::mail {
namespace {

using kainjow::mustache::data;

constexpr std::size_t kSubject = 120;  // no client shows more
constexpr std::size_t kInFull = 3;     // topics; the others get a line
constexpr std::size_t kRows = 20;      // of a digest's table

std::string Number(std::uint64_t number) {
  return Grouped(std::to_string(number));
}

std::string Plural(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", Number(number), what, number == 1 ? "" : "s");
}

// "3 incidents: 2 open, 1 cleared".
std::string Several(const Letter& letter) {
  const auto open = static_cast<std::uint64_t>(
      std::ranges::count(letter.entries, true, &Entry::open));
  const std::uint64_t all = letter.entries.size() + letter.more_entries;
  const bool ours = std::ranges::all_of(letter.entries, [](const Entry& entry) {
    return entry.event.IsIncident();
  });
  std::string text = Plural(all, ours ? "incident" : "notification") + ": ";
  if (letter.more_entries != 0) return text + Number(open) + " or more open";
  if (open != 0) text += Number(open) + " open";
  if (open != 0 && open != all) text += ", ";
  if (open != all) text += Number(all - open) + " cleared";
  return text;
}

// The kinds and subjects of the first few, the same word once.
std::string Names(const Letter& letter) {
  std::set<std::string> told;
  std::vector<std::string> names;
  for (const Entry& entry : letter.entries) {
    const std::string name = entry.event.Name();
    if (told.insert(name).second) names.push_back(name);
    if (names.size() == 3) break;
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Severity Worst(const Letter& letter) {
  Severity worst = Severity::kOkay;
  for (const Entry& entry : letter.entries) {
    if (entry.open) worst = std::min(worst, entry.event.severity);
  }
  return worst;
}

std::string NewsSubject(const Letter& letter) {
  if (letter.entries.size() == 1 && letter.more_entries == 0) {
    return EntrySubject(letter.entries[0], letter.time);
  }
  return fmt::format("[iptrk] {} {}: {}", SeverityWord(Worst(letter)),
                     Several(letter), Names(letter));
}

std::string DigestSubject(const Letter& letter) {
  const Counts& total = letter.tally.total();
  return fmt::format(
      "[iptrk] {}: {} opened, {} cleared, {} open now",
      letter.kind == Letter::Kind::kDaily ? "daily digest" : "digest",
      Number(total.opened), Number(total.cleared), Number(letter.open_count));
}

std::string BriefLine(const Entry& entry) {
  const char* state = entry.reminder ? "still open"
                      : entry.open   ? "open"
                                     : "cleared";
  std::string line = fmt::format("{}: {}", entry.event.Name(), state);
  if (entry.counts.opened + entry.counts.cleared > 1) {
    line += " (" + CountsText(entry.counts) + ")";
  }
  return line;
}

void SetNews(const Letter& letter, const Context& context, data& values) {
  data incidents(data::type::list);
  data briefs(data::type::list);
  const bool several = letter.entries.size() + letter.more_entries > 1;
  if (several) values.set("headline", Paragraph(Several(letter) + "."));
  values.set("several", several);
  std::size_t number = 0;
  for (const Entry& entry : letter.entries) {
    if (++number <= kInFull) {
      data incident = EntryValues(entry, letter.time, context.how_to_silence,
                                  context.config_file);
      incident.set("number", std::to_string(number));
      incidents.push_back(incident);
    }
    data brief;
    brief.set("line",
              Paragraph(fmt::format("{}. {}", number, BriefLine(entry)), 4));
    briefs.push_back(brief);
  }
  values.set("incidents", incidents);
  if (!several) return;
  data overview;
  overview.set("list", briefs);
  if (letter.more_entries != 0) {
    overview.set("rest", Paragraph(fmt::format(
                             "and {} more: {}", Number(letter.more_entries),
                             CountsText(letter.tally.total()))));
  }
  values.set("overview", overview);
}

std::vector<TableRow> CountRows(const std::vector<Tally::Row>& rows) {
  std::vector<TableRow> table;
  if (rows.empty()) return table;
  table.push_back({{"", "opened", "changed", "cleared", "silenced"}, -1});
  for (const auto& [name, counts] : rows) {
    table.push_back(
        {{Shortened(name, 34), Number(counts.opened), Number(counts.changed),
          Number(counts.cleared), Number(counts.silenced)},
         -1});
  }
  return table;
}

void SetDigest(const Letter& letter, data& values) {
  const Counts& total = letter.tally.total();
  const bool daily = letter.kind == Letter::Kind::kDaily;
  const std::string since = Timestamp(letter.since);
  values.set(
      "headline",
      Paragraph(
          daily ? fmt::format("What happened since {}.", since)
                : fmt::format("There was more to tell than mails allowed in "
                              "an hour. This is what was held back since {}.",
                              since)));
  FactList facts;
  facts.Add("Topics", Number(letter.tally.topics()));
  facts.Add("Opened", Number(total.opened));
  facts.Add("Changed", Number(total.changed));
  facts.Add("Cleared", Number(total.cleared));
  facts.Add("Silenced", Number(total.silenced));
  facts.Add("Open now", Number(letter.open_count));
  if (daily) facts.Add("Mails", Number(letter.mails));
  data tables(data::type::list);
  AddTable(tables, "By kind", CountRows(letter.tally.Kinds()));
  const std::vector<Tally::Row> topics = letter.tally.Topics(kRows);
  AddTable(tables,
           letter.tally.topics() > kRows
               ? fmt::format("The {} most frequent", kRows)
               : "Each",
           CountRows(topics));
  std::vector<TableRow> open;
  for (const std::string& name : letter.open) open.push_back({{name}, -1});
  if (letter.open_count > letter.open.size()) {
    open.push_back(
        {{fmt::format("and {} more", letter.open_count - letter.open.size())},
         -1});
  }
  AddTable(tables, "Open now", open);
  data digest;
  digest.set("facts", facts.Take());
  digest.set("tables", tables);
  values.set("digest", digest);
}

}  // namespace

Text Describe(const Letter& letter, const Picture& picture,
              const Context& context, const Templates& templates) {
  const bool news = letter.kind == Letter::Kind::kNews;
  data values;
  Text text;
  text.subject = Shortened(
      Clean(news ? NewsSubject(letter) : DigestSubject(letter)), kSubject);
  if (news) {
    SetNews(letter, context, values);
  } else {
    SetDigest(letter, values);
  }
  values.set("title", text.subject);
  if (letter.held_until) {
    values.set("held", Paragraph(fmt::format(
                           "That is as many mails as are allowed in an "
                           "hour. What comes now is held back until {} and "
                           "comes as one digest.",
                           Timestamp(*letter.held_until))));
  }
  if (!picture.png.empty()) {
    data shown;
    shown.set("cid", std::string(kPictureId));
    shown.set("file", std::string(kPictureFile));
    shown.set("what", Paragraph(picture.what));
    values.set("picture", shown);
  } else if (!picture.trouble.empty()) {
    values.set("no_picture",
               Paragraph(fmt::format(
                   "There is no picture of the addresses{}{}",
                   context.how_to_silence ? ": " : ".",
                   context.how_to_silence ? Clean(picture.trouble) : "")));
  }
  text.plain = templates.Text(values);
  text.html = templates.Html(values);
  return text;
}

}  // namespace iptrk::mail
