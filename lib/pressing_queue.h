// SPDX-License-Identifier: GPL-2.0-only
// A bounded queue that gives up first what is least pressing.
//
// Thread-compatible.
#ifndef IPTRK_LIB_PRESSING_QUEUE_H_
#define IPTRK_LIB_PRESSING_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace iptrk {

template <typename Item>
class PressingQueue {
 public:
  explicit PressingQueue(std::size_t most) : most_(most) {}

  // When it is full, the oldest that does not press goes, which may be the new
  // one; if all do, the oldest of them.
  void Push(Item item, bool pressing) {
    if (waiting_.size() >= most_) {
      ++lost_;
      auto goes = std::ranges::find(waiting_, false, &Waiting::pressing);
      if (goes == waiting_.end()) {
        if (!pressing) return;
        goes = waiting_.begin();
      }
      waiting_.erase(goes);
    }
    waiting_.push_back({std::move(item), pressing});
  }

  bool empty() const { return waiting_.empty(); }

  // The oldest; there must be one.
  Item Pop() {
    Item item = std::move(waiting_.front().item);
    waiting_.pop_front();
    return item;
  }

  // Since the last call.
  std::uint64_t TakeLost() { return std::exchange(lost_, 0); }

 private:
  struct Waiting {
    Item item;
    bool pressing;
  };

  std::size_t most_;
  std::deque<Waiting> waiting_;
  std::uint64_t lost_ = 0;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_PRESSING_QUEUE_H_
