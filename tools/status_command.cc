// SPDX-License-Identifier: GPL-2.0-only
// iptrk status: do the books close, and is the queue well?
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lib/books.h"
#include "lib/json_text.h"
#include "lib/queue.h"
#include "tools/commands.h"

namespace iptrk {
namespace {

nlohmann::json ToJson(const iptrk_volume& volume) {
  return {{"packets", volume.packets}, {"bytes", volume.bytes}};
}

const char* ConventionName(unsigned convention) {
  constexpr const char* kNames[] = {"wire", "buffers", "network", "polled"};
  return convention < std::size(kNames) ? kNames[convention] : "unknown";
}

nlohmann::json BooksToJson(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  const Balance balance = BalanceOf(interface, sent);
  return {
      {"nic", ToJson(books.nic)},
      {"seen", ToJson(books.seen)},
      {"recorded", ToJson(books.recorded)},
      {"merged", ToJson(books.merged)},
      {"unattributed", ToJson(books.unattributed)},
      {"elsewhere", ToJson(books.elsewhere)},
      {"buffers", ToJson(books.buffers)},
      {"expected",
       {{"packets", balance.expected.packets},
        {"bytes", balance.expected.bytes}}},
      {"unseen",
       {{"packets", balance.unseen_packets}, {"bytes", balance.unseen_bytes}}},
      {"convention", ConventionName(interface.convention[sent])},
      {"closed", balance.closed},
      {"balanced", balance.balanced()}};
}

// What the mail plugin could not get rid of, by the files of its spool.
struct MailState {
  std::size_t waiting = 0;
  std::size_t refused = 0;
  std::chrono::seconds oldest{};  // of those that wait
  std::string problem;            // why that is not known
};

MailState MailStateOf(const std::string& spool) {
  MailState state;
  std::error_code error;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (std::filesystem::directory_iterator entry(spool, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string suffix = entry->path().extension();
    if (suffix == ".refused") ++state.refused;
    if (suffix != ".eml") continue;
    ++state.waiting;
    std::error_code gone;  // delivered this moment
    const auto written = entry->last_write_time(gone);
    if (gone) continue;
    state.oldest = std::max(
        state.oldest,
        std::chrono::duration_cast<std::chrono::seconds>(now - written));
  }
  // The plugin makes it when it starts.
  if (error && error != std::errc::no_such_file_or_directory)
    state.problem = error.message();
  return state;
}

void PrintMail(const MailConfig& mail) {
  if (!mail.enabled) return;
  const MailState state = MailStateOf(mail.spool);
  if (!state.problem.empty())
    fmt::print("mail: {} can't be read: {}\n", mail.spool, state.problem);
  else if (state.waiting + state.refused == 0)
    fmt::print("mail: none waits\n");
  else
    fmt::print(
        "mail: {} wait{}, the oldest for {} min, and {} {} refused, in {}\n",
        state.waiting, state.waiting == 1 ? "s" : "", state.oldest.count() / 60,
        state.refused, state.refused == 1 ? "is" : "are", mail.spool);
}

nlohmann::json MailToJson(const MailConfig& mail) {
  if (!mail.enabled) return nullptr;
  const MailState state = MailStateOf(mail.spool);
  if (!state.problem.empty()) return {{"problem", state.problem}};
  return {{"waiting", state.waiting},
          {"refused", state.refused},
          {"oldest_s", state.oldest.count()}};
}

nlohmann::json StatusToJson(const iptrk_state& state,
                            const std::vector<iptrk_interface>& interfaces,
                            const MailConfig& mail) {
  auto rows = nlohmann::json::array();
  for (const iptrk_interface& interface : interfaces)
    rows.push_back({{"name", interface.name},
                    {"kind", interface.kind},
                    {"ifindex", interface.ifindex},
                    {"index", interface.index},
                    {"watched", interface.watched != 0},
                    {"received", BooksToJson(interface, false)},
                    {"sent", BooksToJson(interface, true)}});
  return {{"queue",
           {{"name", state.name},
            {"records", state.records},
            {"cpus", state.cpus},
            {"reader", state.reader != 0},
            {"created_ns", state.created_ns},
            {"waiting", state.waiting},
            {"fill", static_cast<double>(state.fullest) / state.records},
            {"produced", state.produced},
            {"merge_waiting", state.merge_waiting},
            {"bad_commits", state.bad_commits},
            {"refused", state.refused}}},
          {"interfaces", rows},
          {"mail", MailToJson(mail)}};
}

void PrintRow(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  const Balance balance = BalanceOf(interface, sent);
  fmt::print("{:<15} {:<8} {:>16} {:>16} {:>14} {:>12} {:>14} {:>10}  {}\n",
             sent ? "" : interface.name, sent ? "sent" : "received",
             books.seen.bytes, books.recorded.bytes, books.merged.bytes,
             books.unattributed.bytes, books.elsewhere.bytes,
             balance.unseen_bytes,
             !balance.closed      ? "BOOKS DO NOT CLOSE"
             : balance.balanced() ? "balanced"
                                  : "differs from the device's count");
}

void PrintText(const iptrk_state& state,
               const std::vector<iptrk_interface>& interfaces) {
  fmt::print("queue '{}': {}, {:.1f} % full, {} records so far", state.name,
             state.reader ? "has a reader" : "NO READER (collectd is down?)",
             100.0 * static_cast<double>(state.fullest) / state.records,
             state.produced);
  if (state.merge_waiting)
    fmt::print(", {} merged records wait for room", state.merge_waiting);
  fmt::print("\n\n{:<15} {:<8} {:>16} {:>16} {:>14} {:>12} {:>14} {:>10}\n",
             "bytes", "", "seen", "recorded", "merged", "unattributed",
             "elsewhere", "unseen");
  if (interfaces.empty()) fmt::print("no interface matches queue.interfaces\n");
  for (const iptrk_interface& interface : interfaces) {
    PrintRow(interface, false);
    PrintRow(interface, true);
  }
}

void Run(bool json, CommandContext& context) {
  const auto config = context.LoadConfigOrComplain();
  if (!config) return;
  try {
    const Queue queue = Queue::Observe(config->queue.name);
    const iptrk_state state = queue.State();
    const std::vector<iptrk_interface> interfaces = queue.Interfaces();
    if (json)
      fmt::print("{}\n",
                 JsonText(StatusToJson(state, interfaces, config->mail), 2));
    else
      PrintText(state, interfaces);
    for (const iptrk_interface& interface : interfaces)
      for (const bool sent : {false, true})
        if (!BalanceOf(interface, sent).closed) context.exit_code = 1;
  } catch (const QueueError& error) {
    fmt::print(stderr, "iptrk status: {}\n", error.what());
    context.exit_code = 1;
  }
  if (!json) PrintMail(config->mail);
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandContext& context) {
  CLI::App* status = app.add_subcommand(
      "status", "the books of each interface, and the queue's state");
  auto json = std::make_shared<bool>(false);
  status->add_flag("--json", *json, "for machines");
  status->callback([&context, json] { Run(*json, context); });
}

}  // namespace iptrk
