// SPDX-License-Identifier: GPL-2.0-only
#include "lib/silence.h"

#include <utility>

#include "lib/address.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_schema.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

constexpr std::int64_t kEndedKept = 30 * 86400;  // seconds
constexpr int kBusyMs = 100;

bool Names(const std::string& wanted, std::string_view name) {
  return wanted == kEvery || wanted == name;
}

bool HoldsSubject(const std::string& wanted, std::string_view subject) {
  if (Names(wanted, subject)) return true;
  const auto outer = Prefix::Parse(wanted);
  const auto inner = Prefix::Parse(subject);
  return outer && inner && outer->length <= inner->length &&
         outer->Contains(inner->first);
}

}  // namespace

bool Silence::Covers(std::string_view of_kind, std::string_view of_subject,
                     std::string_view of_network, std::int64_t now) const {
  return now < until && Names(kind, of_kind) && Names(network, of_network) &&
         HoldsSubject(subject, of_subject);
}

std::vector<Silence> ReadSilences(const LedgerDatabase& database) {
  std::vector<Silence> silences;
  LedgerStatement query = database.Prepare(
      "SELECT id, kind, subject, network, until, made, who, note FROM silence "
      "ORDER BY id");
  while (query.Next())
    silences.push_back({query.Integer(0), query.Text(1), query.Text(2),
                        query.Text(3), query.Integer(4), query.Integer(5),
                        query.Text(6), query.Text(7)});
  return silences;
}

std::vector<Acknowledgement> ReadAcknowledgements(
    const LedgerDatabase& database) {
  std::vector<Acknowledgement> all;
  LedgerStatement query = database.Prepare(
      "SELECT incident, made, who, note FROM acknowledgement ORDER BY made, "
      "incident");
  while (query.Next())
    all.push_back(
        {query.Text(0), query.Integer(1), query.Text(2), query.Text(3)});
  return all;
}

std::int64_t AddSilence(LedgerDatabase& database, const Silence& silence) {
  LedgerTransaction transaction(database);
  database.Prepare("DELETE FROM silence WHERE until < ?")
      .Run(silence.made - kEndedKept);
  database
      .Prepare(
          "INSERT INTO silence (kind, subject, network, until, made, who, "
          "note) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .Run(silence.kind, silence.subject, silence.network, silence.until,
           silence.made, silence.who, silence.note);
  const std::int64_t id = sqlite3_last_insert_rowid(database.get());
  transaction.Commit();
  return id;
}

bool RemoveSilence(LedgerDatabase& database, std::int64_t id) {
  database.Prepare("DELETE FROM silence WHERE id = ?").Run(id);
  return sqlite3_changes(database.get()) > 0;
}

void Acknowledge(LedgerDatabase& database, const Acknowledgement& what) {
  database.Prepare("INSERT OR REPLACE INTO acknowledgement VALUES (?, ?, ?, ?)")
      .Run(what.incident, what.made, what.who, what.note);
}

bool TakeBackAcknowledgement(LedgerDatabase& database,
                             const std::string& incident) {
  database.Prepare("DELETE FROM acknowledgement WHERE incident = ?")
      .Run(incident);
  return sqlite3_changes(database.get()) > 0;
}

SilenceReader::Stamp SilenceReader::StampOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size,
          status.st_mtim.tv_sec * static_cast<std::int64_t>(kSecond) +
              status.st_mtim.tv_nsec};
}

void SilenceReader::ReadIfChanged() {
  if (path_.empty()) return;
  const std::array<Stamp, 2> now{StampOf(path_), StampOf(path_ + "-wal")};
  if (now == seen_ && problem_.empty()) return;
  seen_ = now;
  silences_.clear();
  acknowledged_.clear();
  problem_.clear();
  if (now[0] == Stamp{}) return;
  try {
    LedgerDatabase database(path_, LedgerDatabase::Mode::kRead);
    sqlite3_busy_timeout(database.get(), kBusyMs);
    CheckLedger(database);
    silences_ = ReadSilences(database);
    for (Acknowledgement& one : ReadAcknowledgements(database))
      acknowledged_.insert(std::move(one.incident));
  } catch (const LedgerError& error) {
    problem_ = error.what();
  }
}

bool SilenceReader::Silenced(std::string_view kind, std::string_view subject,
                             std::string_view network, std::int64_t now) {
  ReadIfChanged();
  for (const Silence& silence : silences_)
    if (silence.Covers(kind, subject, network, now)) return true;
  return false;
}

bool SilenceReader::Acknowledged(const std::string& incident) {
  ReadIfChanged();
  return acknowledged_.contains(incident);
}

}  // namespace iptrk
