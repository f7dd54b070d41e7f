// SPDX-License-Identifier: GPL-2.0-only
#include "lib/detect_rule.h"

namespace iptrk {

// Where a default comes from: packets and volume are FastNetMon's; ICMP is
// ntopng's; scans are those of bro-simple-scan.
DetectConfig::DetectConfig() {
  DetectConfig& self = *this;
  using enum IncidentKind;
  self[kPackets] = {.limit = 20000, .times = 5};
  self[kVolume] = {.limit = 1e9, .times = 5};
  self[kSynFlood] = {.limit = 500};
  self[kUdpFlood] = {.limit = 10000, .times = 5};
  self[kIcmpFlood] = {.limit = 250};
  self[kFragmentFlood] = {.limit = 1000};
  self[kAmplification] = {.limit = 250};
  self[kHammering] = {.limit = 5000, .times = 5, .share = 0.5};
  self[kCarpet] = {.limit = 10000, .times = 3, .share = 0.3};
  self[kPortScan] = self[kHostScan] = {.limit = 25,
                                       .limit_unused = 10,
                                       .limit_own = 250,
                                       .limit_own_unused = 100};
  self[kMartian] = {.limit = 100};
  self[kSilent] = {.limit = 300, .times = 10, .learn = 86400};
  self[kMirrorLost] = {.limit = 30, .learn = 600};
  self[kBooks] = {.limit = 5};
}

}  // namespace iptrk
