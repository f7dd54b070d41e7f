// SPDX-License-Identifier: GPL-2.0-only
// The 95th percentile of five-minute samples, as it is billed.
//
// Nearest rank: the samples in descending order, the top floor(5 %) of them
// dropped, the next one is billed. Of N samples in ascending order that is
// the ceil(0.95 N)-th, so a month of 30 days (N = 8640) has 36 free hours.
// rrdtool's PERCENT, vnStat and LibreNMS round instead and differ by a rank
// for some N, e.g. in a February of 29 days (8352).
//
// A sample is the bytes of its slot; its rate is bytes * 8 / 300 s, also
// where less than 300 s were accounted. Samples that are missing are not
// filled: N is what was seen.
#ifndef IPTRK_LIB_PERCENTILE_H_
#define IPTRK_LIB_PERCENTILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace iptrk {

// Which directions count, by contract.
enum class Convention {
  kMaxOfP95,  // the greater of the percentiles of in and of out
  kP95OfMax,  // of each slot's greater direction; never below max-of-p95
  kP95OfSum,  // of in plus out
  kP95In,
  kP95Out,
};
inline constexpr std::array kEveryConvention = {
    Convention::kMaxOfP95, Convention::kP95OfMax, Convention::kP95OfSum,
    Convention::kP95In, Convention::kP95Out};

const char* ToString(Convention convention);  // "max-of-p95"
const char* Rule(Convention convention);      // a sentence, for bills
// Its name; "in" and "out" are accepted too.
std::optional<Convention> ParseConvention(std::string_view name);
std::string ConventionNames();  // "max-of-p95, p95-of-max, ..."

struct Sample {
  std::int64_t end = 0;   // of the slot
  std::uint64_t in = 0;   // bytes
  std::uint64_t out = 0;  // bytes
};

struct Percentile {
  std::size_t samples = 0;  // N
  std::size_t dropped = 0;  // floor(N / 20)
  std::size_t rank = 0;     // from the top, from 1 on: dropped + 1
  // The slot that gave it; of several with as many bytes, the ranks go to
  // the earlier ones first.
  Sample sample;
  const char* direction = "";  // "in", "out", "in+out"
  std::uint64_t bytes = 0;     // of it in that direction

  double BitsPerSecond() const;
};

// Nothing without samples.
std::optional<Percentile> FindPercentile(std::span<const Sample> samples,
                                         Convention convention);

}  // namespace iptrk

#endif  // IPTRK_LIB_PERCENTILE_H_
