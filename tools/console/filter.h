// SPDX-License-Identifier: GPL-2.0-only
// Which packets are shown: words like those of pcap-filter(7).
//
//   net 10.1.0.0/24 and not (port 443 or service dns)
//   src host 192.0.2.7, dst port 20-25, udp, proto 47, ip6, in, martian
//
// Words side by side are joined by `and`, which binds closer than `or`.
// Immutable after parsing; thread-safe as const.
#ifndef IPTRK_TOOLS_CONSOLE_FILTER_H_
#define IPTRK_TOOLS_CONSOLE_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/uapi/iptrk.h"
#include "lib/address.h"
#include "lib/classify.h"

namespace iptrk::console {

// what() says what is wrong and what would be right; `at` is the offset in
// bytes of the word, `length` how long it is (0: the end of the text).
class FilterError : public std::runtime_error {
 public:
  FilterError(std::size_t offset, std::size_t size, const std::string& text)
      : std::runtime_error(text), at(offset), length(size) {}
  std::size_t at;
  std::size_t length;

  // The text, a line of ^^^ below the word, and what is wrong.
  std::string Pointing(const std::string& filter) const;
};

class Filter {
 public:
  Filter() = default;  // everything
  // Throws FilterError. `services` are Classifier::ServiceNames().
  Filter(const std::string& text, const std::vector<std::string>& services);

  bool Matches(const iptrk_record& record, const Verdict& verdict) const {
    return nodes_.empty() || Matches(nodes_.size() - 1, record, verdict);
  }
  bool empty() const { return nodes_.empty(); }
  const std::string& text() const { return text_; }

 private:
  friend class FilterParser;
  enum class Kind : std::uint8_t {
    kAnd,
    kOr,
    kNot,
    kAddresses,
    kPorts,
    kProtocol,
    kFamily,
    kDirection,
    kService,
  };
  enum class Side : std::uint8_t { kEither, kSource, kDestination };
  struct Node {
    Kind kind;
    Side side = Side::kEither;
    std::uint16_t first = 0;  // port, protocol, flag of a family, service
    std::uint16_t last = 0;   // of a range of ports
    Address from = {}, to = {};
    std::size_t left = 0, right = 0;  // nodes before this one
  };
  bool Matches(std::size_t index, const iptrk_record& record,
               const Verdict& verdict) const;

  std::string text_;
  std::vector<Node> nodes_;  // children before parents; the root is last
};

}  // namespace iptrk::console

#endif  // IPTRK_TOOLS_CONSOLE_FILTER_H_
