// SPDX-License-Identifier: GPL-2.0-only
// What was counted since the last host interval ended, kept aside so that its
// records can be given back before it is whole.
//
// A busy queue has no room for an interval's records. Who gives them back and
// dies would take what was counted of them along; the next reader goes on from
// here instead. The file is in memory (/run), as the queue is: it outlives the
// reader, and a power cut takes both. A host with traffic takes 256 bytes.
//
// One thread. Errors: what can't be read, or is of another build's layout, is
// no checkpoint.
#ifndef IPTRK_LIB_CHECKPOINT_H_
#define IPTRK_LIB_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "lib/account.h"
#include "lib/ledger_entry.h"

namespace iptrk {

struct Checkpoint {
  QueueMark mark;  // everything before it is in here, or in the ledger
  // Nanoseconds since 1970: end of the open second, and where began what is
  // open.
  std::uint64_t second_end = 0;
  std::uint64_t slot_begin = 0;
  std::uint64_t hosts_begin = 0;
  std::uint64_t whole_from = 0;  // see LedgerKeeper
  std::uint64_t records = 0;     // drained in the open slot
  TotalVolume total;             // of the open interval's slots before it
  std::string books;             // BooksCount when the open slot began
  // Of networks, services and customers, in order: of others the sums are no
  // use, but hosts are.
  std::string names;
  AccountSums sums;
};

class CheckpointFile {
 public:
  explicit CheckpointFile(std::string path) : path_(std::move(path)) {}

  // Replaces it. False, with errno, when it can't.
  bool Write(const Checkpoint& checkpoint) const;
  std::optional<Checkpoint> Read() const;
  void Remove() const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_CHECKPOINT_H_
