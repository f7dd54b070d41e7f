// SPDX-License-Identifier: GPL-2.0-only
// Figures as people read them. k, M, G, T are powers of 1000.
#ifndef IPTRK_TOOLS_GRAPH_HUMANISE_H_
#define IPTRK_TOOLS_GRAPH_HUMANISE_H_

#include <ctime>
#include <string>

#include "tools/graph/volumes.h"

namespace iptrk {

std::string HumanBytes(double bytes);     // "321 GB", "1.35 kB", "0 B"
std::string HumanBits(double bits);       // a second: "3.21 Mbit/s"
std::string HumanNumber(double number);   // "31,250", "12.5"
std::string LocalTime(std::time_t time);  // "2026-11-22 23:50"
std::string IsoTime(std::time_t time);    // "2026-11-22T22:50:00Z"
// "2026-11-22 22:50 – 23:50", the second date only if it is another.
std::string HumanRange(TimeRange range);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_HUMANISE_H_
