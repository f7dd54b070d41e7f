// SPDX-License-Identifier: GPL-2.0-only
// Figures as people read them: the same in the command, pages and mail.
#ifndef IPTRK_LIB_READABLE_H_
#define IPTRK_LIB_READABLE_H_

#include <cstdint>
#include <string>

namespace iptrk {

// A whole number, rounded: 31250.4 -> "31,250".
std::string WithCommas(double number);

// Of seconds the two largest units: "40 s", "3 min 20 s", "5 h 12 min",
// "2 d 4 h". What is below 0 is 0.
std::string DurationText(std::int64_t seconds);

}  // namespace iptrk

#endif  // IPTRK_LIB_READABLE_H_
