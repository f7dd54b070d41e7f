// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/gallery.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lib/json_text.h"
#include "tools/graph/atomic_file.h"
#include "tools/graph/themed_svg.h"

namespace iptrk {
namespace fs = std::filesystem;
namespace {

constexpr char kManifest[] = ".iptrk-pages.json";

// FNV-1a, 64 bits: the same in every build, unlike std::hash.
std::uint64_t Fingerprint(const std::vector<std::string>& words) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](unsigned char byte) {
    hash = (hash ^ byte) * 0x100000001b3u;
  };
  for (const std::string& word : words) {
    for (const char c : word) mix(static_cast<unsigned char>(c));
    mix(0);
  }
  return hash;
}

// A manifest only ever names files below the output directory.
bool IsSafe(const std::string& file) {
  const fs::path path(file);
  if (path.is_absolute()) return false;
  for (const fs::path& part : path)
    if (part == "..") return false;
  return true;
}

}  // namespace

Gallery::Gallery(fs::path output, TemplateShelf& shelf)
    : output_(std::move(output)), shelf_(shelf) {
  fs::create_directories(output_ / "img");
  ReadManifest();
}

nlohmann::json Gallery::ToJson(const Entries& entries) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [file, entry] : entries) {
    json[file] = nlohmann::json::object();
    if (entry.key.empty()) continue;
    json[file] = {{"key", entry.key},
                  {"image_width", entry.picture.image_width},
                  {"image_height", entry.picture.image_height},
                  {"graph_left", entry.picture.graph_left},
                  {"graph_top", entry.picture.graph_top},
                  {"graph_width", entry.picture.graph_width},
                  {"graph_height", entry.picture.graph_height}};
  }
  return json;
}

Gallery::Entries Gallery::FromJson(const nlohmann::json& json) {
  Entries entries;
  if (!json.is_object()) return entries;
  for (const auto& [name, value] : json.items()) {
    if (!IsSafe(name) || !value.is_object()) continue;
    try {
      Entry entry{value.value("key", ""), {}};
      entry.picture.image_width = value.value("image_width", 0.0);
      entry.picture.image_height = value.value("image_height", 0.0);
      entry.picture.graph_left = value.value("graph_left", 0.0);
      entry.picture.graph_top = value.value("graph_top", 0.0);
      entry.picture.graph_width = value.value("graph_width", 0.0);
      entry.picture.graph_height = value.value("graph_height", 0.0);
      entries.emplace(name, std::move(entry));
    } catch (const nlohmann::json::exception&) {
      continue;  // spoilt by hand: as if it were not there
    }
  }
  return entries;
}

void Gallery::ReadManifest() {
  std::ifstream file(output_ / kManifest);
  before_ = FromJson(nlohmann::json::parse(file, nullptr, false));
}

void Gallery::BeginShare() {
  now_.clear();
  drawn_ = kept_ = written_ = 0;
}

nlohmann::json Gallery::Share() const {
  return {{"entries", ToJson(now_)},
          {"drawn", drawn_},
          {"kept", kept_},
          {"written", written_}};
}

void Gallery::TakeOver(const nlohmann::json& share) {
  now_.merge(FromJson(share.at("entries")));
  drawn_ += share.at("drawn").get<std::size_t>();
  kept_ += share.at("kept").get<std::size_t>();
  written_ += share.at("written").get<std::size_t>();
}

std::string Gallery::KeyOf(const Drawing& drawing) {
  TemplateValues values = drawing.values;
  if (!drawing.content.empty()) values.values["file"] = "temporary";
  auto words = FillThemed(shelf_, *drawing.body, values, drawing.look);
  words.push_back(drawing.content);
  return fmt::format("{:016x}", Fingerprint(words));
}

Picture Gallery::Draw(const std::string& file, const Drawing& drawing) {
  return Keep(file, {KeyOf(drawing), {}},
              [&](Entry& entry) { Render(file, drawing, entry); });
}

Picture Gallery::Make(const std::string& file, const std::string& key,
                      const Picture& picture,
                      const std::function<std::string()>& make) {
  return Keep(file, {fmt::format("{:016x}", Fingerprint({key})), picture},
              [&](Entry&) { WriteAtomically(output_ / file, make()); });
}

Picture Gallery::Keep(const std::string& file, Entry entry,
                      const std::function<void(Entry&)>& draw) {
  const auto old = before_.find(file);
  std::error_code ignored;
  if (old != before_.end() && old->second.key == entry.key &&
      fs::is_regular_file(output_ / file, ignored)) {
    entry.picture = old->second.picture;
    ++kept_;
  } else {
    draw(entry);
    ++drawn_;
  }
  const Picture picture = entry.picture;
  now_[file] = std::move(entry);
  return picture;
}

void Gallery::Render(const std::string& file, const Drawing& drawing,
                     Entry& entry) {
  const auto arguments =
      FillThemed(shelf_, *drawing.body, drawing.values, drawing.look);
  if (!file.ends_with(".svg") || drawing.look.theme != "light") {
    entry.picture = iptrk::Render(arguments, output_ / file, drawing.zone);
    return;
  }
  std::string svg;
  entry.picture = RenderImage(arguments, output_ / file, drawing.zone, svg);
  WriteAtomically(output_ / file,
                  ThemedSvg(svg, shelf_.Get("theme-light").Fill({}),
                            shelf_.Get("theme-dark").Fill({})));
}

void Gallery::Write(const std::string& file, std::string_view text) {
  WriteAtomically(output_ / file, text);
  now_[file];
  ++written_;
}

void Gallery::Finish() {
  for (const auto& [file, entry] : before_) {
    std::error_code ignored;
    if (!now_.contains(file)) fs::remove(output_ / file, ignored);
  }
  WriteManifest();
}

void Gallery::Abandon() {
  now_.merge(before_);
  try {
    WriteManifest();
  } catch (const std::system_error&) {
    // Then the next run draws again what it can't be sure of.
  }
}

void Gallery::WriteManifest() {
  WriteAtomically(output_ / kManifest, JsonText(ToJson(now_), 1) + "\n");
}

std::string FileNamePart(std::string_view text) {
  std::string part;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (plain)
      part += c;
    else
      part += fmt::format("_{:02x}", static_cast<unsigned char>(c));
  }
  return part;
}

}  // namespace iptrk
