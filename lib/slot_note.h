// SPDX-License-Identifier: GPL-2.0-only
// What a slot's mark will be, kept before the slot's values are given away.
//
// The ledger gets a mark after that, on a thread of its own. Whoever is killed
// in between has told how much the books gained, and the next reader, who can't
// know how they stood there, would share it out anew: more or less than it was,
// next to what is in an RRD already. The note is a small file in memory (/run):
// it outlives the reader, costs no disk, and is gone when the queue is.
//
// One thread. Errors: what can't be read is no note.
#ifndef IPTRK_LIB_SLOT_NOTE_H_
#define IPTRK_LIB_SLOT_NOTE_H_

#include <optional>
#include <string>

#include "lib/ledger.h"

namespace iptrk {

class SlotNote {
 public:
  // Makes the file's directory when it is missing.
  explicit SlotNote(std::string path);

  // Replaces the note. False, with errno, when it can't.
  bool Write(const LedgerPosition& mark) const;
  std::optional<LedgerPosition> Read() const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_SLOT_NOTE_H_
