// SPDX-License-Identifier: GPL-2.0-only
// What holds for one host: [detect.KIND], then its network's, its customer's
// and its own. A changed configuration makes a new one. Thread-compatible.
#ifndef IPTRK_LIB_DETECT_LIMITS_H_
#define IPTRK_LIB_DETECT_LIMITS_H_

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "lib/config.h"
#include "lib/host.h"
#include "lib/prefix_map.h"

namespace iptrk {

class DetectLimits {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  explicit DetectLimits(const Config& config);

  const DetectRule& Of(IncidentKind kind) const { return detect_[kind]; }
  // The limit for a host, before its baseline; kNever when it is not judged.
  double Of(IncidentKind kind, Address address, int network,
            int customer) const;
  double Of(IncidentKind kind, const Host& host) const {
    return Of(kind, host.address, host.network, host.customer);
  }
  // What holds for a network as a whole, whoever of it is allowed.
  double Of(IncidentKind kind, int network) const;
  // The least limit that any host has.
  double Least(IncidentKind kind) const {
    return least_[static_cast<std::size_t>(kind)];
  }

  // A bit by IncidentKind for each rule that allows the address.
  std::uint32_t Allowed(Address address) const {
    return allows_ ? allowed_.Find(address) : 0;
  }
  bool Allows(IncidentKind kind, Address address) const {
    return Allowed(address) >> static_cast<int>(kind) & 1;
  }
  bool allows() const { return allows_; }  // anything at all

 private:
  using Limits = std::array<std::optional<double>, kIncidentKinds>;
  static Limits LimitsOf(const std::vector<RuleOverride>& overrides,
                         const DetectConfig& detect);
  // Of a network or customer; none: nothing is otherwise for it, or it is gone.
  static std::optional<double> At(const std::vector<Limits>& groups, int group,
                                  IncidentKind kind);

  DetectConfig detect_;
  std::vector<Limits> networks_, customers_;
  std::vector<PrefixMap<double>> hosts_;  // by IncidentKind; -1: none
  std::array<double, kIncidentKinds> least_{};
  PrefixMap<std::uint32_t> allowed_;
  bool allows_ = false;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_DETECT_LIMITS_H_
