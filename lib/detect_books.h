// SPDX-License-Identifier: GPL-2.0-only
// Interfaces whose books do not close: bytes of no host, more counted by the
// device than seen, or sums that are not equal. Judged once a slot.
// Thread-compatible.
#ifndef IPTRK_LIB_DETECT_BOOKS_H_
#define IPTRK_LIB_DETECT_BOOKS_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/detect_rule.h"
#include "lib/incident.h"
#include "lib/volume.h"

namespace iptrk {

class BooksWatch {
 public:
  // A slot ended in which `before` became `now`, row by row.
  std::vector<Incident> EndSlot(std::uint64_t end_ns, int seconds,
                                const std::vector<iptrk_interface>& before,
                                const std::vector<iptrk_interface>& now,
                                const DetectRule& rule);
  void AddOpen(const DetectRule& rule, std::vector<Incident>& open) const;

 private:
  struct Interface {
    bool open = false;
    bool closed = true;           // the sums were equal
    Volume unattributed, unseen;  // since start_ns
    double value = 0, peak = 0;   // percent
    int bad_slots = 0, good_slots = 0;
    int seconds = 0;
    std::uint64_t start_ns = 0, last_ns = 0, opened_ns = 0;
  };
  static Incident Describe(const std::string& name, const Interface& one,
                           const DetectRule& rule);
  std::map<std::string, Interface> interfaces_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_BOOKS_H_
