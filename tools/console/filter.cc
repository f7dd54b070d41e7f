// SPDX-License-Identifier: GPL-2.0-only
#include "tools/console/filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <string_view>

#include "lib/protocol.h"

namespace iptrk::console {
namespace {

struct Word {
  std::string_view text;
  std::size_t at;
};

std::vector<Word> Split(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    if (text[i] == ' ' || text[i] == '\t') {
      ++i;
      continue;
    }
    if (text[i] == '(' || text[i] == ')' || text[i] == '!') {
      ++i;
    } else {
      while (i < text.size() &&
             std::string_view(" \t()!").find(text[i]) == std::string_view::npos)
        ++i;
    }
    words.push_back({text.substr(start, i - start), start});
  }
  return words;
}

bool ParseNumber(std::string_view text, std::uint16_t& value) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

// Recursive descent; what it takes is removed from the front of words_.
class FilterParser {
 public:
  FilterParser(Filter& filter, const std::vector<std::string>& services)
      : filter_(filter), services_(services), words_(Split(filter.text_)) {}

  void Parse() {
    if (words_.empty()) return;
    Or();
    if (next_ < words_.size())
      Fail(words_[next_].text == ")" ? "no '(' before this"
                                     : "'and' or 'or' is missing before this");
  }

 private:
  using Kind = Filter::Kind;
  using Side = Filter::Side;
  static constexpr int kDeepest = 64;  // parentheses and nots

  [[noreturn]] void Fail(const std::string& text) const {
    if (next_ < words_.size())
      throw FilterError(words_[next_].at, words_[next_].text.size(), text);
    throw FilterError(filter_.text_.size(), 0, text);
  }
  std::string_view Peek() const {
    return next_ < words_.size() ? words_[next_].text : std::string_view();
  }
  bool Take(std::string_view word) {
    if (Peek() != word) return false;
    ++next_;
    return true;
  }
  std::size_t Add(Filter::Node node) {
    filter_.nodes_.push_back(node);
    return filter_.nodes_.size() - 1;
  }
  std::size_t Join(Kind kind, std::size_t left, std::size_t right) {
    Filter::Node node{kind};
    node.left = left;
    node.right = right;
    return Add(node);
  }

  std::size_t Or() {
    std::size_t left = And();
    while (Take("or") || Take("||")) left = Join(Kind::kOr, left, And());
    return left;
  }
  std::size_t And() {
    std::size_t left = Not();
    for (;;) {
      const bool said = Take("and") || Take("&&");
      const std::string_view word = Peek();
      if (!said &&
          (word.empty() || word == ")" || word == "or" || word == "||"))
        return left;
      left = Join(Kind::kAnd, left, Not());
    }
  }
  std::size_t Not() {
    if (++depth_ > kDeepest) Fail("too deep; at most 64 levels");
    std::size_t result;
    if (Take("not") || Take("!")) {
      const std::size_t inner = Not();
      result = Join(Kind::kNot, inner, inner);
    } else if (Take("(")) {
      result = Or();
      if (!Take(")")) Fail("')' is missing here");
    } else {
      result = Primitive();
    }
    --depth_;
    return result;
  }

  std::size_t Primitive() {
    const std::string_view word = Peek();
    if (word.empty()) Fail("something is missing here, e.g. host 192.0.2.7");
    Filter::Node node{Kind::kAddresses};
    if (Take("src"))
      node.side = Side::kSource;
    else if (Take("dst"))
      node.side = Side::kDestination;
    if (Take("host") || Take("net")) return Addresses(node);
    if (Take("port")) return Ports(node);
    if (node.side != Side::kEither) return Addresses(node);
    if (Take("proto")) return Protocol(node);
    if (Take("service")) return Service(node);
    if (word == "ip" || word == "ip6") {
      node.kind = Kind::kFamily;
      node.first = word == "ip" ? IPTRK_IPV4 : IPTRK_IPV6;
      ++next_;
      return Add(node);
    }
    for (int i = 0; i < kDirections; ++i)
      if (word == ToString(static_cast<Direction>(i))) {
        node.kind = Kind::kDirection;
        node.first = static_cast<std::uint16_t>(i);
        ++next_;
        return Add(node);
      }
    for (const ProtocolName& known : kProtocolNames)
      if (word == known.name) return Protocol(node);
    if (word.find_first_of(".:") != std::string_view::npos)
      return Addresses(node);
    Fail(
        "not known; known are host, net, port, proto, src, dst, service, in, "
        "out, internal, martian, ip, ip6, tcp, udp, icmp, and, or, not");
  }

  std::size_t Addresses(Filter::Node node) {
    const auto prefix = Prefix::Parse(Peek());
    if (!prefix)
      Fail("no address or prefix; write 192.0.2.7, 10.1.0.0/24, 2001:db8::/32");
    ++next_;
    node.from = prefix->first;
    node.to = prefix->Last();
    return Add(node);
  }
  std::size_t Ports(Filter::Node node) {
    node.kind = Kind::kPorts;
    const std::string_view word = Peek();
    const std::size_t dash = word.find('-');
    if (!ParseNumber(word.substr(0, dash), node.first))
      Fail("no port; write port 443 or port 20-25");
    node.last = node.first;
    if (dash != std::string_view::npos &&
        (!ParseNumber(word.substr(dash + 1), node.last) ||
         node.last < node.first))
      Fail("no range of ports; write port 20-25");
    ++next_;
    return Add(node);
  }
  std::size_t Protocol(Filter::Node node) {
    node.kind = Kind::kProtocol;
    const auto protocol = ProtocolOfName(Peek());
    if (!protocol) Fail("no protocol; write e.g. tcp, gre or 0 to 255");
    node.first = *protocol;
    ++next_;
    return Add(node);
  }
  std::size_t Service(Filter::Node node) {
    node.kind = Kind::kService;
    for (std::size_t i = 0; i < services_.size(); ++i)
      if (services_[i] == Peek()) {
        node.first = static_cast<std::uint16_t>(i);
        ++next_;
        return Add(node);
      }
    Fail(fmt::format("no such service; there are {}",
                     fmt::join(services_, ", ")));
  }

  Filter& filter_;
  const std::vector<std::string>& services_;
  std::vector<Word> words_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

std::string FilterError::Pointing(const std::string& filter) const {
  return fmt::format("{}\n{:{}}{:^<{}}\n{}", filter, "", at, "",
                     length ? length : 1, what());
}

Filter::Filter(const std::string& text,
               const std::vector<std::string>& services)
    : text_(text) {
  FilterParser(*this, services).Parse();
}

bool Filter::Matches(std::size_t index, const iptrk_record& record,
                     const Verdict& verdict) const {
  const Node& node = nodes_[index];
  const bool source = node.side != Side::kDestination;
  const bool destination = node.side != Side::kSource;
  switch (node.kind) {
    case Kind::kAnd:
      return Matches(node.left, record, verdict) &&
             Matches(node.right, record, verdict);
    case Kind::kOr:
      return Matches(node.left, record, verdict) ||
             Matches(node.right, record, verdict);
    case Kind::kNot:
      return !Matches(node.left, record, verdict);
    case Kind::kAddresses: {
      if (!(record.flags & (IPTRK_IPV4 | IPTRK_IPV6))) return false;
      const auto within = [&](const std::uint8_t* bytes) {
        const Address address = Address::FromBytes(bytes);
        return node.from <= address && address <= node.to;
      };
      return (source && within(record.src)) ||
             (destination && within(record.dst));
    }
    case Kind::kPorts: {
      if (!HasPorts(record.protocol) ||
          (record.flags & (IPTRK_FRAGMENT_LATER | IPTRK_UNATTRIBUTED)))
        return false;
      const auto within = [&](std::uint16_t port) {
        return node.first <= port && port <= node.last;
      };
      return (source && within(record.sport)) ||
             (destination && within(record.dport));
    }
    case Kind::kProtocol:
      return (record.flags & (IPTRK_IPV4 | IPTRK_IPV6)) &&
             record.protocol == node.first;
    case Kind::kFamily:
      return (record.flags & node.first) != 0;
    case Kind::kDirection:
      return static_cast<std::uint16_t>(verdict.direction) == node.first;
    case Kind::kService:
      return verdict.direction != Direction::kMartian ||
                     verdict.martian != Martian::kNonIp
                 ? verdict.service == static_cast<int>(node.first)
                 : false;
  }
  return false;
}

}  // namespace iptrk::console
