// SPDX-License-Identifier: GPL-2.0-only
// An account with a memory of the last minute.
//
// Hosts beyond kMostRows have one row together: every byte of the account is
// in some row. Takes 900 bytes a host. Thread-compatible.
#ifndef IPTRK_TOOLS_CONSOLE_TALLY_H_
#define IPTRK_TOOLS_CONSOLE_TALLY_H_

#include <array>
#include <cstdint>
#include <vector>

#include "lib/account.h"
#include "tools/console/snapshot.h"

namespace iptrk::console {

class Tally {
 public:
  static constexpr std::size_t kMostRows = 65536;

  explicit Tally(const Config& config) : account_(config) {}

  Account& account() { return account_; }
  const Account& account() const { return account_; }

  // Ends a second, and fills in what the second, the minute and all were.
  void EndSecond(Snapshot& snapshot);

 private:
  // The minute begins at a mark; one is made every ten seconds.
  static constexpr std::size_t kMarkEvery = 10;
  static constexpr std::size_t kMarks = kHistory / kMarkEvery;

  struct Past {
    HostVolumes before{};                        // when the second began
    std::array<HostVolumes, kMarks> marks = {};  // by time / kMarkEvery
  };
  struct Cells {
    std::vector<std::array<Volume, kDirections>> rows;  // as the panel's
    Volume unattributed;
    std::array<Volume, kMartians> martians{};
  };

  Cells Now() const;
  void FillPanel(Snapshot& snapshot, const Cells& now);
  void FillHosts(Snapshot& snapshot);

  Account account_;
  std::uint64_t seconds_ = 0;
  std::vector<Past> hosts_;  // by number; the last one of all others
  Past others_;
  std::array<Cells, kHistory + 1> cells_;  // sums at a second, modulo
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_TALLY_H_
