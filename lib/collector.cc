// SPDX-License-Identifier: GPL-2.0-only
#include "lib/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/books_count.h"
#include "lib/detect.h"
#include "lib/ledger_keeper.h"
#include "lib/local_networks.h"
#include "lib/seconds.h"

namespace iptrk {
namespace {

// A hook takes the time, then publishes; a virtual CPU may lose its host CPU
// in between. What comes later still is counted in the open second.
constexpr std::uint64_t kGrace = kSecond / 5;
constexpr int kWaitMs = 200;
constexpr auto kLedgerPatience = std::chrono::seconds(5);
constexpr auto kRetry = std::chrono::seconds(5);
constexpr double kEarlyCommitFill = 0.5;
constexpr double kUrgentFill = 0.75;
constexpr std::uint64_t kWriteTime = 2 * kSecond;
constexpr std::uint64_t kLedgerTime = 3 * kSecond;
constexpr std::uint64_t kLongestWait = 3600 * kSecond;
// What was open when an earlier reader ended is, by then.
constexpr std::uint64_t kTimeToFindAgain = 120 * kSecond;
constexpr std::uint64_t kStepWorthSaying = 2 * kSecond;
constexpr std::int64_t kBaselinesEvery = 600;  // seconds
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

std::uint64_t SecondAfter(std::uint64_t time_ns) {
  return (time_ns / kSecond + 1) * kSecond;
}

std::uint64_t Ns(std::int64_t seconds) {
  return static_cast<std::uint64_t>(seconds) * kSecond;
}

Span SpanSince(std::uint64_t begin_ns, std::uint64_t end_ns, int interval) {
  return {end_ns, static_cast<int>((end_ns - begin_ns) / kSecond), interval};
}

std::string RunPath(std::string queue, std::string_view what) {
  std::ranges::replace(queue, '/', '_');
  return fmt::format("/run/iptrk/{}.{}", queue, what);
}

// Whose sums a checkpoint has.
std::string NamesOf(const Config& config) {
  std::string names;
  const auto add = [&](const auto& parts) {
    for (const auto& part : parts) names += part.name + '\n';
    names += '\n';
  };
  add(config.networks);
  add(config.services);
  add(config.customers);
  return names;
}

}  // namespace

struct Collector::Session {
  Session(Config own_config, Queue& open_queue)
      : config(std::move(own_config)),
        queue(open_queue),
        account(config),
        detector(config, account),
        interfaces(queue.Interfaces()),
        // A queue that was just made counts from its beginning.
        books(queue.attach().existed ? BooksCount(interfaces) : BooksCount()) {
    account.SetInterfaces(interfaces);
  }

  Config config;  // with the networks that are ours when none is configured
  Queue& queue;
  Account account;
  Detector detector;
  std::uint64_t second_end = 0;             // of the open second
  std::uint64_t slot_begin = 0;             // of the open slot
  std::uint64_t hosts_begin = 0;            // of the open host interval
  std::vector<iptrk_interface> interfaces;  // when the last slot was closed
  BooksCount books;                         // at the last slot's end
  QueueSlot slot;
  std::uint64_t urgent_since = 0;  // 0: the queue has room
  bool said_step = false;
  // Slots that an earlier reader closed, and where; to be closed there again.
  std::deque<LedgerPosition> past;
  // Ends of host intervals whose records are not given back yet.
  struct Held {
    LedgerPosition end;
    std::uint64_t beats;  // when its values had been told
  };
  std::deque<Held> held;
  std::uint64_t slot_beats = 0;          // at the last slot's end
  std::unique_ptr<LedgerKeeper> keeper;  // null: no ledger
};

Collector::Collector(Config config, ConfigFile* file, CollectorOutput& output)
    : config_(std::move(config)),
      file_(file),
      output_(output),
      note_(RunPath(config_.queue.name, "mark")),
      checkpoint_(RunPath(config_.queue.name, "checkpoint")) {}

Collector::~Collector() = default;

void Collector::Run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    try {
      if (!ledger_ && !config_.ledger.path.empty()) OpenLedger();
      Queue queue = Queue::Read(config_.queue);
      output_.OnInfo(fmt::format(
          "attached to queue '{}': {} rings of {} records{}",
          config_.queue.name, queue.attach().cpus, queue.attach().records,
          queue.attach().existed ? ", continued" : ""));
      if (queue.attach().records != config_.queue.records)
        output_.OnError(fmt::format(
            "queue '{}' exists and keeps its {} records a ring; for {} stop "
            "collectd, load the module anew (modprobe -r iptrk; modprobe "
            "iptrk; what waits in the queue is lost) and start it",
            config_.queue.name, queue.attach().records, config_.queue.records));
      last_error_.clear();
      Attend(queue, stop);
    } catch (const QueueError& error) {
      if (last_error_ != error.what()) output_.OnError(error.what());
      last_error_ = error.what();
    } catch (const std::exception& error) {
      if (failing_ != error.what())
        output_.OnHealth("collector", false,
                         fmt::format("{}; it begins anew", error.what()));
      failing_ = error.what();
      // It writes what waits. Opened anew it says where to go on, by what it
      // holds and not by what it held when this process began.
      ledger_.reset();
    }
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kRetry, [] { return false; });
  }
  ledger_.reset();  // writes what waits
}

void Collector::OpenLedger() {
  const LedgerConfig& config = config_.ledger;
  LedgerWriterOptions options;
  options.path = config.path;
  options.retention.slots_days = config.keep_slots;
  options.retention.hosts = {config.keep_host_slots, config.keep_host_hours,
                             config.keep_host_days};
  ledger_ = std::make_unique<LedgerWriter>(
      std::move(options), [this](LedgerEvent event, const std::string& text) {
        output_.OnHealth("ledger", event == LedgerEvent::kMended, text);
      });
}

// Connected prefixes that are not known yet.
std::vector<Prefix> Collector::NewPrefixes(
    const std::vector<iptrk_interface>& interfaces) const {
  std::vector<Prefix> found;
  for (const Network& network : LocalNetworks(interfaces))
    for (const Prefix& prefix : network.prefixes)
      if (std::ranges::find(connected_, prefix) == connected_.end())
        found.push_back(prefix);
  return found;
}

// With no networks configured, those of the interfaces: all that they had since
// we began, for an address may come late, or leave for a while.
Config Collector::Effective(const Queue& queue) {
  Config config = config_;
  if (!config.networks.empty()) return config;
  for (const Prefix& prefix : NewPrefixes(queue.Interfaces())) {
    connected_.push_back(prefix);
    output_.OnInfo(fmt::format(
        "no [networks] configured: taking connected prefix {} as ours",
        prefix.ToString()));
  }
  if (!connected_.empty()) config.networks = {{kLocalNetwork, connected_}};
  return config;
}

void Collector::Attend(Queue& queue, std::stop_token stop) {
  changed_ = false;
  Session session(Effective(queue), queue);
  queue.Own(session.config.networks);
  const std::optional<Checkpoint> checkpoint = Begin(session);
  // Where an earlier process was ahead of a clock that was set back, so is this
  // one, or it would rest until that has caught up.
  const std::uint64_t begun =
      std::max(session.second_end - kSecond,
               session.past.empty() ? 0 : Ns(session.past.back().end));
  if (clock_.Now() < begun) clock_.ContinueFrom(begun);
  BeginSlots(session);
  if (checkpoint) Resume(session, *checkpoint);
  TellWhatIsOver(session);
  while (!stop.stop_requested()) {
    if (!queue.Wait(kWaitMs)) {
      output_.OnError("the queue was destroyed; attaching anew");
      baselines_ = session.detector.SaveBaselines();
      return;
    }
    Advance(session, stop);
  }
}

// Where an earlier reader's slots ended, this one's do. Without such marks the
// first record's time says which slot is open.
std::optional<Checkpoint> Collector::Begin(Session& session) {
  QueueMark here{session.queue.attach().created_ns, session.queue.Position()};
  // Of a queue that was never read, or of no use any more.
  std::optional<Checkpoint> checkpoint = checkpoint_.Read();
  if (checkpoint && !checkpoint->mark.Follows(here)) checkpoint.reset();
  has_checkpoint_ = checkpoint.has_value();
  if (checkpoint) {
    session.queue.Skip(checkpoint->mark.positions);
    here = checkpoint->mark;
  }
  const std::uint64_t now = clock_.Now(), oldest = session.queue.OldestTime();
  const bool dated = oldest != 0 && oldest <= now + kLongestWait;
  session.second_end =
      checkpoint ? checkpoint->second_end : SecondAfter(dated ? oldest : now);
  // Whoever gave back what it had not yet counted left a gap before that.
  const bool untouched =
      std::all_of(here.positions.begin(), here.positions.end(),
                  [](std::uint64_t position) { return position == 0; });
  std::uint64_t whole_from =
      untouched ? here.created_ns : session.second_end - kSecond;
  if (checkpoint) {
    whole_from = checkpoint->whole_from;
    session.slot_begin = checkpoint->slot_begin;
    session.hosts_begin = checkpoint->hosts_begin;
    if (auto books = BooksCount::Parse(checkpoint->books))
      session.books = std::move(*books);
  }
  if (!ledger_) return checkpoint;
  // A ledger that can't be opened by then is told by OnHealth(), and begins
  // when it can.
  const auto known = ledger_->WaitForStart(kLedgerPatience);
  const LedgerStart start = known.value_or(LedgerStart{});
  session.detector.RestoreBaselines(baselines_.empty() ? start.baselines
                                                       : baselines_);
  if (known && !std::exchange(knows_start_, true)) open_.Add(start.open);
  // A clock that was set back between two runs: time does not go back here.
  if (start.applied && Ns(start.applied->end) >= session.second_end) {
    const std::uint64_t end_ns = Ns(start.applied->end);
    if (end_ns > clock_.Now() + kLongestWait)
      output_.OnHealth(
          "ledger", false,
          fmt::format("{}: its last entry is of a time {} s ahead of this "
                      "clock, and takes none before that; set the clock, or "
                      "move the file away",
                      session.config.ledger.path,
                      (end_ns - clock_.Now()) / kSecond));
    else if (start.applied->mark.created_ns != here.created_ns)
      session.second_end = end_ns + kSecond;
  }
  bool found = false;
  for (const LedgerPosition& mark : start.marks) {
    if (!mark.mark.SameQueue(here)) continue;
    // Of several ends at one place, slots without traffic, the first.
    if (!found && !checkpoint && mark.mark == here) {
      found = true;
      session.second_end = Ns(mark.end) + kSecond;
      whole_from = std::min(whole_from, Ns(mark.end));
    } else if (Ns(mark.end) >= session.second_end && mark.mark.Follows(here)) {
      session.past.push_back(mark);
    }
    if (checkpoint || Ns(mark.end) >= session.second_end) continue;
    session.slot_begin = Ns(mark.end);
    if (auto books = BooksCount::Parse(mark.books))
      session.books = std::move(*books);
    if (mark.hosts) session.hosts_begin = Ns(mark.end);
  }
  // A slot that the ledger was not told of: told of in RRDs, or not.
  const auto last = note_.Read();
  if (last && last->mark.Follows(here) &&
      (start.marks.empty() || last->end > start.marks.back().end) &&
      (!checkpoint || Ns(last->end) >= session.second_end)) {
    session.second_end = std::min(session.second_end, Ns(last->end));
    session.past.push_back(*last);
  }
  session.keeper = std::make_unique<LedgerKeeper>(
      *ledger_, start, session.books, here.created_ns, whole_from);
  return checkpoint;
}

void Collector::Resume(Session& session, const Checkpoint& checkpoint) {
  const bool networks_too = session.account.Resume(
      checkpoint.sums, checkpoint.names == NamesOf(session.config));
  session.slot.records = checkpoint.records;
  if (!session.keeper) return;
  session.keeper->Resume(checkpoint.total);
  if (!networks_too)
    session.keeper->TakeSlot(checkpoint.sums.all, checkpoint.sums.martian);
}

// A slot of zeros before the first one: an RRD takes a value for the time
// since the one before, and without any the first slot's bytes would be lost.
void Collector::BeginSlots(Session& session) {
  const CollectdConfig& collectd = session.config.collectd;
  const auto begin = [&](std::uint64_t last_end, int interval) {
    const std::uint64_t now = session.second_end - kSecond;
    return std::max(last_end, now / Ns(interval) * Ns(interval));
  };
  session.slot_begin = begin(session.slot_begin, collectd.interval);
  session.hosts_begin = begin(session.hosts_begin, collectd.host_interval);
  const Span slot{session.slot_begin, collectd.interval, collectd.interval};
  output_.OnSlot(slot, session.account, session.config.networks);
  output_.OnBooks(slot, session.books.Since(session.books));
  output_.OnQueue(slot, session.slot);
}

std::size_t Collector::Drain(Session& session, std::uint64_t until_ns) {
  return session.queue.Drain(
      until_ns,
      session.past.empty() ? nullptr : &session.past.front().mark.positions,
      [&](std::span<const iptrk_record> records) {
        session.account.Take(records);
      },
      clock_.Now() + kLongestWait);
}

// A clock that was set forward, or a machine that slept, left time of which
// there is nothing to tell: it goes on at the next record's host interval, or
// at the present one.
bool Collector::SkipPause(Session& session, std::uint64_t now_ns) {
  const std::uint64_t interval = Ns(session.config.collectd.host_interval);
  const std::uint64_t begin = session.second_end - kSecond;
  if (session.hosts_begin != begin || session.slot_begin != begin) return false;
  const std::uint64_t oldest = session.queue.OldestTime();
  const std::uint64_t next =
      (oldest ? std::min(oldest, now_ns) : now_ns) / interval * interval;
  if (next < begin + kLongestWait) return false;
  output_.OnInfo(fmt::format(
      "nothing came for {} s, or the system clock was set forward by that; no "
      "values are told of it",
      (next - begin) / kSecond));
  session.slot_begin = session.hosts_begin = next;
  session.second_end = next + kSecond;
  BeginSlots(session);
  return true;
}

void Collector::Advance(Session& session, std::stop_token stop) {
  const std::uint64_t now = clock_.Now();
  if (!session.said_step && clock_.AheadNs() > kStepWorthSaying) {
    session.said_step = true;
    output_.OnError(fmt::format(
        "the system clock was set back by {} s; bytes go to the current slot "
        "until it has caught up",
        clock_.AheadNs() / kSecond));
  }
  while (!stop.stop_requested()) {
    session.slot.records += Drain(session, session.second_end);
    session.slot.fill = std::max(session.slot.fill, session.queue.Fill());
    if (!session.past.empty()) {
      const std::uint64_t end_ns = Ns(session.past.front().end);
      if (session.second_end >= end_ns)
        session.slot.records += Drain(session, kNoLimit);
      EndSecond(session, now);
      if (session.second_end > end_ns) session.past.pop_front();
      continue;
    }
    if (now < session.second_end + kGrace) break;
    if (!SkipPause(session, now)) EndSecond(session, now);
  }
  GiveBack(session, now);
  // Twice a second is enough for a file, and right for telling that it rests.
  if (file_ && now >= ask_file_at_) {
    ask_file_at_ = now + kSecond / 2;
    TakeChange();
  }
}

void Collector::EndSecond(Session& session, std::uint64_t now_ns) {
  Tell(session.detector.EndSecond(session.second_end));
  EndSlot(session, now_ns);
  session.second_end += kSecond;
}

void Collector::Tell(const std::vector<Incident>& incidents) {
  for (const Incident& incident : incidents) {
    open_.Told(incident);
    output_.OnIncident(incident);
    if (ledger_) ledger_->PushIncident(LedgerIncidentOf(incident));
  }
}

// What was open when the last queue, or process, ended.
void Collector::TellWhatIsOver(const Session& session) {
  Tell(open_.BeginAnew(session.hosts_begin));
  look_again_at_ = session.second_end + kTimeToFindAgain;
}

// A slot ends at a multiple of its interval, and also where an earlier reader
// with another one ended it: what that told already stays told once.
void Collector::EndSlot(Session& session, std::uint64_t now_ns) {
  const std::uint64_t end_ns = session.second_end;
  const CollectdConfig& collectd = session.config.collectd;
  const LedgerPosition* past =
      !session.past.empty() && Ns(session.past.front().end) == end_ns
          ? &session.past.front()
          : nullptr;
  if (!past && end_ns % Ns(collectd.interval) != 0) return;

  const Span slot = SpanSince(session.slot_begin, end_ns, collectd.interval);
  session.slot_begin = end_ns;
  const std::vector<BooksEntry> gained = EndBooks(session, slot, past, now_ns);
  const LedgerPosition mark{
      static_cast<std::int64_t>(end_ns / kSecond),
      {session.queue.attach().created_ns, session.queue.Position()},
      (past && past->hosts) || end_ns % Ns(collectd.host_interval) == 0,
      session.books.ToText()};
  if (ledger_) TakeNote(mark);
  output_.OnSlot(slot, session.account, session.config.networks);
  if (session.keeper)
    session.keeper->TakeSlot(session.account.all(), session.account.martian());
  session.account.ClearNetworks();
  output_.OnBooks(slot, gained);
  session.account.SetInterfaces(session.interfaces);
  session.slot.lag =
      now_ns > end_ns ? static_cast<double>(now_ns - end_ns) / 1e9 : 0;
  output_.OnQueue(slot, session.slot);
  session.slot = {};
  session.slot_beats = output_.Beats();
  if (ledger_) ledger_->PushMark(mark);
  if (mark.hosts) EndHosts(session, mark);
}

// Before anybody is told of the slot.
void Collector::TakeNote(const LedgerPosition& mark) {
  if (note_.Write(mark) || said_note_) return;
  said_note_ = true;
  output_.OnError(fmt::format(
      "{}: {}; until it can be written, RRDs of the books may be wrong by a "
      "slot after a crash",
      note_.path(), std::strerror(errno)));
}

// The books at a slot's end are what an earlier reader saw there. Elsewhere the
// slot gets its share of what came until they were seen next: at an end that
// is still ahead, of an earlier reader with a longer interval, or now.
std::vector<BooksEntry> Collector::EndBooks(Session& session, const Span& slot,
                                            const LedgerPosition* past,
                                            std::uint64_t now_ns) {
  std::vector<iptrk_interface> now = session.queue.Interfaces();
  Tell(session.detector.EndBooks(slot.end_ns, slot.seconds, session.interfaces,
                                 now));
  std::optional<BooksCount> books;
  std::uint64_t seen_ns = slot.end_ns;
  if (!session.past.empty()) {
    books = BooksCount::Parse(session.past.front().books);
    seen_ns = Ns(session.past.front().end);
  }
  if (!books) {
    books = BooksCount(now);
    seen_ns = past ? slot.end_ns : now_ns;
  }
  if (seen_ns > slot.end_ns + kSecond) {
    const double length = static_cast<double>(slot.seconds) * 1e9;
    books = books->Between(
        session.books,
        length / (length + static_cast<double>(seen_ns - slot.end_ns)));
  }
  std::vector<BooksEntry> gained = books->Since(session.books);
  session.books = std::move(*books);
  session.interfaces = std::move(now);
  return gained;
}

void Collector::EndHosts(Session& session, const LedgerPosition& mark) {
  const std::uint64_t end_ns = session.second_end;
  const CollectdConfig& collectd = session.config.collectd;
  const Span span =
      SpanSince(session.hosts_begin, end_ns, collectd.host_interval);
  session.hosts_begin = end_ns;
  output_.OnHosts(span, session.account, session.config.networks);
  if (session.keeper)
    session.keeper->EndInterval(mark, span.seconds, session.account,
                                session.config.customers, session.books,
                                // What was learnt before is not replaced by
                                // whoever could not read it.
                                knows_start_ && mark.end % kBaselinesEvery == 0
                                    ? session.detector.SaveBaselines()
                                    : std::string());
  session.account.ClearHosts(end_ns);
  session.account.Forget(end_ns - Ns(collectd.forget_after),
                         [&](Host& host) { session.detector.Forget(host); });
  session.held.push_back({mark, output_.Beats()});
  if (!std::exchange(failing_, {}).empty())
    output_.OnHealth("collector", true, "a whole host interval was accounted");
  if (config_.networks.empty() && !NewPrefixes(session.interfaces).empty())
    changed_ = true;
  if (changed_) Reconfigure(session);
  if (!open_.empty() && end_ns >= look_again_at_)
    Tell(open_.EndOthers(session.detector.Open(), end_ns));
}

// Back to the kernel goes what is in the ledger, and given to whoever writes
// values, who lived an interval later. When there is no more room for that,
// what is in the ledger; then also what is kept aside; and at last, unsafe as
// it is, all that was read.
void Collector::GiveBack(Session& session, std::uint64_t now_ns) {
  auto& held = session.held;
  std::optional<LedgerPosition> last;
  const auto give_back = [&](auto may) {
    while (!held.empty() && may() &&
           (!ledger_ || ledger_->AppliedEnd() >= held.front().end.end)) {
      last = std::move(held.front().end);
      held.pop_front();
    }
    if (!last) return;
    session.queue.Commit(last->mark.positions);
    if (std::exchange(has_checkpoint_, false)) checkpoint_.Remove();
  };
  const std::uint64_t beats = output_.Beats();
  give_back([&] { return held.size() > 1 && held[1].beats < beats; });
  // Whoever writes values gets some time for those of the last slot, and
  // another chance when nobody does.
  const double enough =
      now_ns < session.slot_begin + kWriteTime || session.slot_beats == beats
          ? kUrgentFill
          : kEarlyCommitFill;
  if (session.queue.Fill() > enough) give_back([] { return true; });
  // Stopped amid slots that an earlier reader ended: the next one ends them.
  if (!session.past.empty()) return;
  const double fill = session.queue.Fill();
  if (fill <= kUrgentFill) session.urgent_since = 0;
  if (fill <= enough) return;
  // The ledger gets some time too: meanwhile a full queue merges.
  if (!session.held.empty()) {
    if (fill <= kUrgentFill) return;
    if (session.urgent_since == 0) session.urgent_since = now_ns;
    if (now_ns < session.urgent_since + kLedgerTime) return;
    session.held.clear();
  }
  KeepAside(session);
  session.queue.Commit(session.queue.Position());
  ++session.slot.early_commits;
}

void Collector::KeepAside(Session& session) {
  const std::uint64_t whole_from =
      session.keeper ? session.keeper->whole_from_ns() : session.hosts_begin;
  has_checkpoint_ = checkpoint_.Write(
      {.mark = {session.queue.attach().created_ns, session.queue.Position()},
       .second_end = session.second_end,
       .slot_begin = session.slot_begin,
       .hosts_begin = session.hosts_begin,
       .whole_from = whole_from,
       .records = session.slot.records,
       .total = session.keeper ? session.keeper->total() : TotalVolume{},
       .books = session.books.ToText(),
       .names = NamesOf(session.config),
       .sums = session.account.Sums()});
  if (has_checkpoint_ || said_checkpoint_) return;
  said_checkpoint_ = true;
  output_.OnError(fmt::format(
      "{}: {}; until it can be written, a restart loses what was counted of an "
      "interval when the queue is more than half full",
      checkpoint_.path(), std::strerror(errno)));
}

// A changed file holds from the end of a host interval on, when nothing is
// summed by the old one.
void Collector::TakeChange() {
  std::optional<ConfigResult> result = file_->Changed();
  if (!result) return;
  if (!result->ok()) {
    output_.OnHealth("configuration", false,
                     fmt::format("{}; the configuration before it goes on",
                                 result->errors.front().ToString()));
    return;
  }
  output_.OnHealth("configuration", true, "the configuration was read anew");
  const Config old = std::exchange(config_, std::move(result->config));
  // What RRDs, queues and files were made for lasts as long as the process.
  if (old.queue.name != config_.queue.name ||
      old.queue.records != config_.queue.records ||
      old.collectd.interval != config_.collectd.interval ||
      old.collectd.host_interval != config_.collectd.host_interval ||
      old.collectd.rrd_directory != config_.collectd.rrd_directory ||
      old.ledger != config_.ledger)
    output_.OnInfo(
        "queue.name, collectd.interval, collectd.host_interval, "
        "collectd.rrd_directory and [ledger] change when collectd is "
        "restarted; queue.records when the module is loaded anew, too");
  config_.queue.name = old.queue.name;
  config_.queue.records = old.queue.records;
  config_.collectd.interval = old.collectd.interval;
  config_.collectd.host_interval = old.collectd.host_interval;
  config_.collectd.rrd_directory = old.collectd.rrd_directory;
  config_.ledger = old.ledger;
  changed_ = true;
}

ToldNames Collector::NamesToTell(const Session& session) {
  ToldNames names;
  for (const Network& network : session.config.networks)
    names.networks.push_back(network.name);
  names.services = session.account.classifier().ServiceNames();
  return names;
}

void Collector::Reconfigure(Session& session) {
  changed_ = false;
  const ToldNames before = NamesToTell(session);
  try {
    session.queue.Watch(config_.queue);
    session.config = Effective(session.queue);
    session.queue.Own(session.config.networks);
  } catch (const QueueError& error) {
    output_.OnError(error.what());
  }
  session.account.Reconfigure(
      session.config, [&](Host& host) { session.detector.Forget(host); });
  const int interval = session.config.collectd.interval;
  output_.OnReconfigured({session.slot_begin, interval, interval}, before,
                         NamesToTell(session));
  session.account.SetInterfaces(session.interfaces);
  session.detector.Reconfigure(session.config);
}

}  // namespace iptrk
