// SPDX-License-Identifier: GPL-2.0-only
// Draws a filled template by librrd.
#ifndef IPTRK_TOOLS_GRAPH_RENDER_H_
#define IPTRK_TOOLS_GRAPH_RENDER_H_

#include <filesystem>
#include <string>
#include <vector>

namespace iptrk {

// Where the graph lies in the picture, in pixels of the file.
struct Picture {
  double image_width = 0;
  double image_height = 0;
  double graph_left = 0;
  double graph_top = 0;
  double graph_width = 0;
  double graph_height = 0;
  std::vector<std::string> prints;  // what PRINT elements printed
};

enum class TimeZone {
  kLocal,
  kUtc,  // for address axes, whose labels must not move with the zone
};

// Draws to `output`, which is replaced at once: PNG, or SVG or PDF when it ends
// so. `arguments` are rrdgraph's, without a file name. RRDs are read without a
// lock (lib/rrd_reader.h), unless rrdcached is asked for them.
//
// Throws std::runtime_error with librrd's message. Single-threaded: changes
// the process' TZ while it draws, and rrd_graph_v itself is not reentrant.
Picture Render(const std::vector<std::string>& arguments,
               const std::filesystem::path& output, TimeZone zone);

// The same to `image`, of the format that `name` ends in.
Picture RenderImage(const std::vector<std::string>& arguments,
                    const std::filesystem::path& name, TimeZone zone,
                    std::string& image);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_RENDER_H_
