// SPDX-License-Identifier: GPL-2.0-only
// The reader that never rests: drains a queue, closes seconds and slots.
//
// A record's own time decides its second and its slot. A slot is closed when
// all rings were drained to its end; its values then go to the output, a host
// interval's sums to the ledger, and when they are on disk, and whoever writes
// values had an interval's time to, the records go back to the kernel.
//
// Where each slot ended is kept in the ledger, as positions in the rings. A
// crash repeats what was not given back with the same ends, so that every slot
// holds the same bytes again; whoever has them already takes no notice. That
// holds for intervals that were changed meanwhile, too: a slot ends where one
// ended before, or where the configuration says.
//
// Threads: Run() is for a thread of its own; the output is called from it.
#ifndef IPTRK_LIB_COLLECTOR_H_
#define IPTRK_LIB_COLLECTOR_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "lib/account.h"
#include "lib/checkpoint.h"
#include "lib/config.h"
#include "lib/config_file.h"
#include "lib/incident.h"
#include "lib/ledger_entry.h"
#include "lib/ledger_writer.h"
#include "lib/open_incidents.h"
#include "lib/queue.h"
#include "lib/slot_note.h"
#include "lib/steady_clock.h"

namespace iptrk {

struct QueueSlot {
  double fill = 0;                  // of the fullest ring, 0 to 1
  std::uint64_t records = 0;        // drained in the slot
  std::uint64_t early_commits = 0;  // before an interval was over
  double lag = 0;  // seconds from the slot's end to its closing
};

// What values are of.
struct Span {
  std::uint64_t end_ns = 0;
  int seconds = 0;   // how long it was
  int interval = 0;  // how long such a span is as a rule; the RRDs' step
};

// What values are told of.
struct ToldNames {
  std::vector<std::string> networks, services;
};

class CollectorOutput {
 public:
  virtual ~CollectorOutput() = default;
  // A slot ended; the account holds its networks.
  virtual void OnSlot(const Span& slot, const Account& account,
                      const std::vector<Network>& networks) = 0;
  // From the slot's end on there are others; new ones, too, need a value before
  // their first one.
  virtual void OnReconfigured(const Span& slot, const ToldNames& before,
                              const ToldNames& after) = 0;
  // The same as OnSlot() for hosts, which have an interval of their own.
  // Host::announced is the output's: a new host needs such a value, too.
  virtual void OnHosts(const Span& span, Account& account,
                       const std::vector<Network>& networks) = 0;
  // What the books of each interface gained in a slot.
  virtual void OnBooks(const Span& slot,
                       const std::vector<BooksEntry>& gained) = 0;
  virtual void OnQueue(const Span& slot, const QueueSlot& queue) = 0;
  virtual void OnIncident(const Incident& incident) = 0;
  // Something of ours, "configuration", "ledger" or "collector", is wrong, or
  // was and is well again.
  virtual void OnHealth(const std::string& part, bool well,
                        const std::string& text) = 0;
  // Grows at least each second while somebody writes the values. It stands
  // still when the host is on its way out, which may take minutes: what it is
  // told then, nobody writes.
  virtual std::uint64_t Beats() const = 0;
  virtual void OnInfo(const std::string& text) = 0;
  virtual void OnError(const std::string& text) = 0;
};

class Collector {
 public:
  // `file` (may be null) is asked for changes; it and `output` must outlive
  // the collector.
  Collector(Config config, ConfigFile* file, CollectorOutput& output);
  ~Collector();

  // Until stopped. A module that is missing or unloaded is waited for.
  void Run(std::stop_token stop);

 private:
  // One attachment's state: what is summed is lost with it, and drained
  // again from the committed position.
  struct Session;

  void OpenLedger();
  std::vector<Prefix> NewPrefixes(
      const std::vector<iptrk_interface>& interfaces) const;
  Config Effective(const Queue& queue);
  void Attend(Queue& queue, std::stop_token stop);
  // Returns what it goes on from.
  std::optional<Checkpoint> Begin(Session& session);
  void BeginSlots(Session& session);
  void Resume(Session& session, const Checkpoint& checkpoint);
  void Advance(Session& session, std::stop_token stop);
  std::size_t Drain(Session& session, std::uint64_t until_ns);
  bool SkipPause(Session& session, std::uint64_t now_ns);
  void EndSecond(Session& session, std::uint64_t now_ns);
  void Tell(const std::vector<Incident>& incidents);
  void TellWhatIsOver(const Session& session);
  void EndSlot(Session& session, std::uint64_t now_ns);
  std::vector<BooksEntry> EndBooks(Session& session, const Span& slot,
                                   const LedgerPosition* past,
                                   std::uint64_t now_ns);
  void TakeNote(const LedgerPosition& mark);
  void EndHosts(Session& session, const LedgerPosition& mark);
  void GiveBack(Session& session, std::uint64_t now_ns);
  void KeepAside(Session& session);
  void TakeChange();
  static ToldNames NamesToTell(const Session& session);
  void Reconfigure(Session& session);

  Config config_;
  ConfigFile* file_;
  CollectorOutput& output_;
  std::unique_ptr<LedgerWriter> ledger_;  // null: none wanted
  SlotNote note_;                         // written with a ledger only
  bool said_note_ = false;
  CheckpointFile checkpoint_;
  bool has_checkpoint_ = false;
  bool said_checkpoint_ = false;
  bool changed_ = false;           // config_, since the session has it
  std::vector<Prefix> connected_;  // ours while no networks are configured
  std::uint64_t ask_file_at_ = 0;
  SteadyClock clock_;
  OpenIncidents open_;
  bool knows_start_ = false;         // what the ledger had
  std::string baselines_;            // of the queue before this one
  std::uint64_t look_again_at_ = 0;  // for those not found again
  std::string last_error_;           // of the device
  std::string failing_;              // why, until a host interval has ended
};

}  // namespace iptrk

#endif  // IPTRK_LIB_COLLECTOR_H_
