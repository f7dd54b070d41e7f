// SPDX-License-Identifier: GPL-2.0-only
// The files of a site, and what is known of each from the last run.
//
// A picture is drawn again only when what it would show has changed: the same
// arguments and data give the same key, and the key of what is there is kept
// in a manifest, with where its graph lies. What an earlier run wrote and this
// one no longer wants is removed; files of others are never touched.
#ifndef IPTRK_TOOLS_GRAPH_GALLERY_H_
#define IPTRK_TOOLS_GRAPH_GALLERY_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/graph/drawing.h"
#include "tools/graph/render.h"

namespace iptrk {

// What to draw.
struct Drawing {
  const Template* body = nullptr;
  TemplateValues values;
  Look look;
  TimeZone zone = TimeZone::kLocal;
  // Stands for the data behind {file} when that is a temporary file, whose
  // name says nothing. Empty: the name and the range say it all.
  std::string content;
};

class Gallery {
 public:
  // Makes `output` if need be, and reads its manifest; one that can't be read
  // only means that all is drawn. Throws std::filesystem::filesystem_error.
  Gallery(std::filesystem::path output, TemplateShelf& shelf);

  // Draws to output/`file` unless what is there is the same. An .svg that is
  // drawn in the light theme is for both (themed_svg.h). Throws
  // std::runtime_error if it can't be drawn.
  Picture Draw(const std::string& file, const Drawing& drawing);

  // The same for a picture that `make` gives the text of: `key` says what it
  // shows.
  Picture Make(const std::string& file, const std::string& key,
               const Picture& picture,
               const std::function<std::string()>& make);

  // Replaces output/`file` atomically.
  void Write(const std::string& file, std::string_view text);

  // The files of a part of a run that another process makes: what was drawn
  // and written since BeginShare(), and the same taken over by the parent.
  void BeginShare();
  nlohmann::json Share() const;
  void TakeOver(const nlohmann::json& share);

  // Removes what is no longer wanted and writes the manifest.
  void Finish();
  // In place of that after a failure: everything stays, and what was written
  // is remembered if that is possible.
  void Abandon();

  std::size_t drawn() const { return drawn_; }
  std::size_t kept() const { return kept_; }
  std::size_t written() const { return written_; }

 private:
  struct Entry {
    std::string key;
    Picture picture;
  };
  using Entries = std::map<std::string, Entry>;
  static nlohmann::json ToJson(const Entries& entries);
  static Entries FromJson(const nlohmann::json& json);
  void ReadManifest();
  void WriteManifest();
  // Takes what is there if its key is the same, else calls `draw`.
  Picture Keep(const std::string& file, Entry entry,
               const std::function<void(Entry&)>& draw);
  void Render(const std::string& file, const Drawing& drawing, Entry& entry);
  std::string KeyOf(const Drawing& drawing);

  std::filesystem::path output_;
  TemplateShelf& shelf_;
  Entries before_;
  Entries now_;
  std::size_t drawn_ = 0;
  std::size_t kept_ = 0;
  std::size_t written_ = 0;
};

// `text` as a part of a file name and of a URL: letters, digits, '.' and '-'
// as they are, every other byte as _xx.
std::string FileNamePart(std::string_view text);

}  // namespace iptrk

#endif  // IPTRK_TOOLS_GRAPH_GALLERY_H_
