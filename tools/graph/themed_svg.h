// SPDX-License-Identifier: GPL-2.0-only
// One SVG for readers of both a light and a dark page.
#ifndef IPTRK_TOOLS_GRAPH_THEMED_SVG_H_
#define IPTRK_TOOLS_GRAPH_THEMED_SVG_H_

#include <span>
#include <string>
#include <string_view>

namespace iptrk {

// `svg` as cairo writes it, drawn with the colours of `light`; both are the
// arguments of a theme, "--color=NAME#rrggbb[aa]". Gives the same picture in
// which a style sheet turns those colours into the dark ones where the reader
// wants dark, and in which coordinates have two decimals, which halves it.
std::string ThemedSvg(std::string_view svg, std::span<const std::string> light,
                      std::span<const std::string> dark);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_THEMED_SVG_H_
