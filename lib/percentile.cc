// SPDX-License-Identifier: GPL-2.0-only
#include "lib/percentile.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "lib/ledger_entry.h"

namespace iptrk {
namespace {

constexpr std::size_t kOneIn = 20;  // 5 % are free

std::uint64_t In(const Sample& sample) { return sample.in; }
std::uint64_t Out(const Sample& sample) { return sample.out; }
std::uint64_t Max(const Sample& sample) {
  return std::max(sample.in, sample.out);
}
std::uint64_t Sum(const Sample& sample) { return sample.in + sample.out; }

template <typename Value>
Percentile Find(std::span<const Sample> samples, const char* direction,
                Value value) {
  Percentile found;
  found.samples = samples.size();
  found.dropped = samples.size() / kOneIn;
  found.rank = found.dropped + 1;
  std::vector<std::uint32_t> order(samples.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto at = order.begin() + static_cast<std::ptrdiff_t>(found.dropped);
  std::nth_element(
      order.begin(), at, order.end(), [&](std::uint32_t a, std::uint32_t b) {
        const std::uint64_t left = value(samples[a]);
        const std::uint64_t right = value(samples[b]);
        return left != right ? left > right : samples[a].end < samples[b].end;
      });
  found.sample = samples[*at];
  found.direction = direction;
  found.bytes = value(found.sample);
  return found;
}

}  // namespace

const char* ToString(Convention convention) {
  switch (convention) {
    case Convention::kMaxOfP95:
      return "max-of-p95";
    case Convention::kP95OfMax:
      return "p95-of-max";
    case Convention::kP95OfSum:
      return "p95-of-sum";
    case Convention::kP95In:
      return "p95-in";
    case Convention::kP95Out:
      return "p95-out";
  }
  return "";
}

const char* Rule(Convention convention) {
  switch (convention) {
    case Convention::kMaxOfP95:
      return "the greater of the 95th percentiles of in and of out";
    case Convention::kP95OfMax:
      return "the 95th percentile of each slot's greater direction";
    case Convention::kP95OfSum:
      return "the 95th percentile of in plus out";
    case Convention::kP95In:
      return "the 95th percentile of in";
    case Convention::kP95Out:
      return "the 95th percentile of out";
  }
  return "";
}

std::optional<Convention> ParseConvention(std::string_view name) {
  if (name == "in") return Convention::kP95In;
  if (name == "out") return Convention::kP95Out;
  for (const Convention convention : kEveryConvention)
    if (name == ToString(convention)) return convention;
  return std::nullopt;
}

std::string ConventionNames() {
  std::string names;
  for (const Convention convention : kEveryConvention)
    names += (names.empty() ? "" : ", ") + std::string(ToString(convention));
  return names;
}

double Percentile::BitsPerSecond() const {
  return static_cast<double>(bytes) * 8 / kLedgerSlot;
}

std::optional<Percentile> FindPercentile(std::span<const Sample> samples,
                                         Convention convention) {
  if (samples.empty()) return std::nullopt;
  switch (convention) {
    case Convention::kP95OfMax: {
      Percentile found = Find(samples, "in", Max);
      if (found.sample.out > found.sample.in) found.direction = "out";
      return found;
    }
    case Convention::kP95OfSum:
      return Find(samples, "in+out", Sum);
    case Convention::kP95In:
      return Find(samples, "in", In);
    case Convention::kP95Out:
      return Find(samples, "out", Out);
    case Convention::kMaxOfP95:
      break;
  }
  const Percentile in = Find(samples, "in", In);
  const Percentile out = Find(samples, "out", Out);
  return in.bytes >= out.bytes ? in : out;
}

}  // namespace iptrk
