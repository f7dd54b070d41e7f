// SPDX-License-Identifier: GPL-2.0-only
// An account with a memory of the last minute.
//
// Hosts beyond kMostRows have one row together: every byte of the account is
// in some row. Takes 900 bytes a host. Thread-compatible.
#ifndef IPTRK_TOOLS_CONSOLE_TALLY_H_
#define IPTRK_TOOLS_CONSOLE_TALLY_H_

#include <array>
#include <bitset>
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

  // Ends the second that ends at `snapshot.end_ns`, and fills in what the
  // second, the minute and all were. Nothing came in those left out before it.
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
  static std::size_t MarkAt(std::uint64_t second) {
    return second / kMarkEvery % kMarks;
  }
  // Goes to the second that ends at `end_ns`, past those left out.
  void Advance(std::uint64_t end_ns);
  void FillPanel(Snapshot& snapshot, const Cells& now);
  void FillHosts(Snapshot& snapshot);

  Account account_;
  std::uint64_t seconds_ = 0;    // since the begin of the first
  std::uint64_t ended_ns_ = 0;   // 0: no second yet
  std::bitset<kMarks> skipped_;  // marks of the seconds left out
  std::vector<Past> hosts_;      // by number; the last one of all others
  Past others_;
  std::array<Cells, kHistory + 1> cells_;  // sums at a second, modulo
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_TALLY_H_
