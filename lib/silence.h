// SPDX-License-Identifier: GPL-2.0-only
// What nobody wants to be told of: silences for a time, and incidents that
// somebody has acknowledged. They stand in the ledger; `iptrk incidents`
// writes them, whoever sends mail asks.
//
//   SilenceReader silences(config.ledger.path);
//   if (silences.Silenced(kind, subject, network, now)) ...   // new incidents
//   if (silences.Acknowledged(incident_id)) ...               // reminders
//
// An incident that is silenced is still recorded and shown; only nobody is
// told. A silence is asked anew for each message, so that one that ends, or is
// taken back, speaks again.
#ifndef IPTRK_LIB_SILENCE_H_
#define IPTRK_LIB_SILENCE_H_

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ledger_database.h"

namespace iptrk {

inline constexpr char kEvery[] = "*";

struct Silence {
  std::int64_t id = 0;           // given by the ledger
  std::string kind = kEvery;     // of incidents: "syn-flood"
  std::string subject = kEvery;  // an address, a prefix for all in it, or
                                 // another subject's whole text: "eth0"
  std::string network = kEvery;  // its name
  std::int64_t until = 0;        // UTC seconds; not in it
  std::int64_t made = 0;
  std::string who;
  std::string note;

  bool Covers(std::string_view of_kind, std::string_view of_subject,
              std::string_view of_network, std::int64_t now) const;
};

struct Acknowledgement {
  std::string incident;  // its id
  std::int64_t made = 0;
  std::string who;
  std::string note;
};

// These throw LedgerError. `database` is a ledger that PrepareLedger() or
// CheckLedger() found right.
std::vector<Silence> ReadSilences(const LedgerDatabase& database);
std::vector<Acknowledgement> ReadAcknowledgements(
    const LedgerDatabase& database);
// Returns its id. Those that ended long ago go.
std::int64_t AddSilence(LedgerDatabase& database, const Silence& silence);
// False: there is none of this id.
bool RemoveSilence(LedgerDatabase& database, std::int64_t id);
void Acknowledge(LedgerDatabase& database, const Acknowledgement& what);
bool TakeBackAcknowledgement(LedgerDatabase& database,
                             const std::string& incident);

// Asks a ledger that others write, as it is now: it is read again only when
// its file has changed, which takes about a millisecond and never waits for
// its writer for longer than a tenth of a second.
//
// Threads: thread-compatible; one thread asks, or a lock is held.
// Errors: none. A ledger that is missing, none ("") or can't be read silences
// nothing: Problem() says why.
class SilenceReader {
 public:
  explicit SilenceReader(std::string path) : path_(std::move(path)) {}

  // Times are UTC seconds.
  bool Silenced(std::string_view kind, std::string_view subject,
                std::string_view network, std::int64_t now);
  bool Acknowledged(const std::string& incident);

  // Empty: the ledger was read, or there is none yet.
  const std::string& Problem() const { return problem_; }

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = 0;
    std::int64_t changed_ns = 0;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp StampOf(const std::string& path);
  void ReadIfChanged();

  std::string path_;
  std::array<Stamp, 2> seen_{};  // of the file and its log
  std::vector<Silence> silences_;
  std::set<std::string> acknowledged_;
  std::string problem_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_SILENCE_H_
