// SPDX-License-Identifier: GPL-2.0-only
// Puts a template, a theme and the values that both the command and the pages
// know together into rrdgraph arguments.
#ifndef IPTRK_TOOLS_GRAPH_DRAWING_H_
#define IPTRK_TOOLS_GRAPH_DRAWING_H_

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/config.h"
#include "tools/graph/rrd_store.h"
#include "tools/graph/template.h"

namespace iptrk {

struct Look {
  int width = 1024;  // of the graph, in pixels before zoom
  int height = 320;
  int zoom = 1;  // pixels of the file per pixel; 2 is sharp on dense screens
  bool legend = true;
  std::string theme = "light";  // theme-NAME.rrdgraph
  std::string font;             // in place of the template's; empty: that
};

// Templates by name, each read once.
class TemplateShelf {
 public:
  explicit TemplateShelf(std::filesystem::path directory)
      : directory_(std::move(directory)) {}
  // Throws TemplateError.
  const Template& Get(const std::string& name);

 private:
  std::filesystem::path directory_;
  std::map<std::string, Template> templates_;
};

// Arguments for Render(). Sets width and height of `values` by `look`; throws
// TemplateError.
std::vector<std::string> FillThemed(TemplateShelf& shelf, const Template& body,
                                    TemplateValues values, const Look& look);

// Rows of the list "service" of services.rrdgraph; what is no service (icmp,
// other-...) comes last.
std::vector<TemplateRow> ServiceRows(const std::vector<ServiceRrd>& found);

// The prefixes of a network: the configured ones, else those that hold its
// hosts (/24s and /64s).
std::vector<Prefix> PrefixesOf(const std::string& network,
                               const std::vector<Network>& configured,
                               const RrdStore& store);

// Prefixes of other networks within those of one: what is in there is theirs.
std::vector<Prefix> TakenByOthers(std::span<const Network> networks,
                                  const std::string& name,
                                  std::span<const Prefix> prefixes);
bool Holds(std::span<const Prefix> prefixes, Address address);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_DRAWING_H_
