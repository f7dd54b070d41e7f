// SPDX-License-Identifier: GPL-2.0-only
// What one mail is to tell whom: decided by the schedule, not yet written.
//
// Plain values, kept as JSON until the mail is in the spool. The ...FromJson
// functions throw nlohmann::json::exception for what they didn't write.
#ifndef IPTRK_PLUGIN_MAIL_LETTER_H_
#define IPTRK_PLUGIN_MAIL_LETTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugin/mail/event.h"
#include "plugin/mail/times.h"

namespace iptrk::mail {

// How often each thing happened.
struct Counts {
  std::uint64_t opened = 0;
  std::uint64_t changed = 0;  // in severity, while open
  std::uint64_t cleared = 0;
  std::uint64_t silenced = 0;  // opened, and not to be mailed

  bool empty() const { return opened + changed + cleared + silenced == 0; }
  Counts& operator+=(const Counts& other);
};

// Exact counts of many events, by kind and by topic.
class Tally {
 public:
  struct Row {
    std::string name;
    Counts counts;
  };

  void Add(const Event& event, const Counts& counts);
  bool empty() const { return total_.empty(); }

  const Counts& total() const { return total_; }
  // How many different topics there were; never less than is true of those
  // beyond kMostTopics, which are counted each time they come.
  std::uint64_t topics() const { return topics_.size() + beyond_; }
  std::vector<Row> Kinds() const;  // by name
  // The `most` topics with the highest counts.
  std::vector<Row> Topics(std::size_t most) const;

 private:
  friend nlohmann::json ToJson(const Tally& tally);
  friend Tally TallyFromJson(const nlohmann::json& object);

  // The total is exact in any case; rows are for a reader.
  static constexpr std::size_t kMostTopics = 5000;
  static constexpr std::size_t kMostKinds = 100;

  Counts total_;
  std::map<std::string, Counts> kinds_;
  std::map<std::string, Counts> topics_;  // by Event::Name()
  std::uint64_t beyond_ = 0;
};

// One topic of a mail.
struct Entry {
  Event event;         // the newest
  std::string thread;  // the incident's id, or what stands for it
  Counts counts;       // since the last mail about it
  bool open = false;
  bool reminder = false;  // nothing is new, but it is still open
};

struct Letter {
  enum class Kind : std::uint8_t {
    kNews,    // entries
    kDigest,  // what was above the hourly limit
    kDaily,
  };

  std::string id;        // unique; letters and digits
  std::string audience;  // its name
  Kind kind = Kind::kNews;
  Time time;

  // kNews: most severe first, and how many there were besides.
  std::vector<Entry> entries;
  std::uint64_t more_entries = 0;
  // Set when this mail reaches the hourly limit: when the digest comes.
  std::optional<Time> held_until;

  // kDigest, kDaily.
  Time since;
  Tally tally;
  std::vector<std::string> open;  // names of topics still open, some
  std::uint64_t open_count = 0;   // all
  std::uint64_t mails = 0;        // kDaily: since the last
};

nlohmann::json ToJson(const Counts& counts);
Counts CountsFromJson(const nlohmann::json& object);
nlohmann::json ToJson(const Tally& tally);
Tally TallyFromJson(const nlohmann::json& object);
nlohmann::json ToJson(const Letter& letter);
Letter LetterFromJson(const nlohmann::json& object);

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_LETTER_H_
