// SPDX-License-Identifier: GPL-2.0-only
// The books of all interfaces as they stood at one moment: what each direction
// had counted since its queue was made, as frames on the wire.
#ifndef IPTRK_LIB_BOOKS_COUNT_H_
#define IPTRK_LIB_BOOKS_COUNT_H_

#include <optional>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/ledger_entry.h"

namespace iptrk {

class BooksCount {
 public:
  // Nothing, as when the queue was made.
  BooksCount() = default;
  // What the kernel says now.
  explicit BooksCount(const std::vector<iptrk_interface>& interfaces);

  // As a line of JSON, and back; nothing when it is none of ours.
  std::string ToText() const;
  static std::optional<BooksCount> Parse(const std::string& text);

  // What each direction gained since an earlier moment, also those that gained
  // nothing, in the order of the kernel's rows. A device's own counter may be
  // set back; ours never are.
  std::vector<BooksEntry> Since(const BooksCount& before) const;

  // How they stood in between, had all come evenly: `share` of the way from
  // `before`, 0 to 1.
  BooksCount Between(const BooksCount& before, double share) const;

 private:
  // Of each interface both directions. Rows of a queue stay where they are,
  // whatever becomes of their device and its name.
  std::vector<BooksEntry> rows_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_BOOKS_COUNT_H_
