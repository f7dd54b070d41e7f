// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/render.h"

#include <fmt/format.h>
#include <rrd.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "lib/rrd_reader.h"
#include "tools/graph/atomic_file.h"

namespace iptrk {
namespace {

// Puts the process into UTC and back.
class UtcScope {
 public:
  UtcScope() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): Render() is single-threaded.
    if (const char* zone = getenv("TZ")) before_ = zone;
    setenv("TZ", "UTC", 1);
    tzset();
  }
  ~UtcScope() {
    if (before_)
      setenv("TZ", before_->c_str(), 1);
    else
      unsetenv("TZ");
    tzset();
  }
  UtcScope(const UtcScope&) = delete;
  UtcScope& operator=(const UtcScope&) = delete;

 private:
  std::optional<std::string> before_;
};

void TakeOver(const rrd_info_t& info, Picture& picture) {
  const std::string_view key = info.key;
  const auto number = [&]() {
    return info.type == RD_I_VAL   ? info.value.u_val
           : info.type == RD_I_INT ? static_cast<double>(info.value.u_int)
                                   : static_cast<double>(info.value.u_cnt);
  };
  if (key == "image_width") picture.image_width = number();
  if (key == "image_height") picture.image_height = number();
  if (key == "graph_left") picture.graph_left = number();
  if (key == "graph_top") picture.graph_top = number();
  if (key == "graph_width") picture.graph_width = number();
  if (key == "graph_height") picture.graph_height = number();
  if (key.starts_with("print[") && info.type == RD_I_STR)
    picture.prints.emplace_back(info.value.u_str);
}

// Whether librrd asks rrdcached for what is drawn.
bool AsksDaemon(const std::vector<std::string>& words) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): Render() is single-threaded.
  const char* address = getenv("RRDCACHED_ADDRESS");
  return (address != nullptr && *address != '\0') ||
         std::ranges::any_of(words, [](const std::string& word) {
           return word.starts_with("-d") || word.starts_with("--daemon");
         });
}

// Copies of the RRDs that a picture is drawn of (lib/rrd_reader.h), but for
// what rrdcached is asked for.
class Copies {
 public:
  explicit Copies(std::vector<std::string>& words) {
    if (AsksDaemon(words)) return;
    for (std::string& word : words)
      if (word.starts_with("DEF:")) Replace(word);
  }

  // With the names of the files instead of those of their copies.
  std::string Original(std::string text) const {
    for (const auto& [path, copy] : copies_) {
      const std::string& name = copy->path();
      for (std::size_t at = 0;
           (at = text.find(name, at)) != std::string::npos;) {
        const std::size_t end = at + name.size();
        // Not the begin of a longer number.
        const bool whole =
            end == text.size() || text[end] < '0' || text[end] > '9';
        if (whole) text.replace(at, name.size(), path);
        at = whole ? at + path.size() : end;
      }
    }
    return text;
  }

 private:
  // DEF:name=path:source:..., where a ':' of the path has a '\' before it.
  void Replace(std::string& word) {
    const std::size_t begin = word.find('=') + 1;
    if (begin == 0) return;
    std::string path;
    std::size_t at = begin;
    for (; at < word.size() && word[at] != ':'; ++at) {
      if (word.compare(at, 2, "\\:") == 0) ++at;
      path += word[at];
    }
    if (word.find(":daemon=", at) != std::string::npos) return;
    // librrd knows what to make of one that is not there.
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return;
    auto copy = copies_.find(path);
    try {
      if (copy == copies_.end())
        copy = copies_.emplace(path, std::make_unique<RrdSnapshot>(path)).first;
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(fmt::format("{} {}", path, error.what()));
    }
    word.replace(begin, at - begin, copy->second->path());
  }

  std::map<std::string, std::unique_ptr<RrdSnapshot>> copies_;
};

// What errors call the picture is `name`; its bytes go to `image`.
Picture Draw(std::vector<std::string>& words, TimeZone zone,
             const std::string& name, std::string& image) {
  const Copies copies(words);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  std::optional<UtcScope> utc;
  if (zone == TimeZone::kUtc) utc.emplace();
  rrd_clear_error();
  const std::unique_ptr<rrd_info_t, void (*)(rrd_info_t*)> info(
      rrd_graph_v(static_cast<int>(words.size()), argv.data()), rrd_info_free);
  if (!info) {
    const std::string what = rrd_test_error() ? rrd_get_error() : "no picture";
    rrd_clear_error();
    throw std::runtime_error(
        fmt::format("{}: {}", name, copies.Original(what)));
  }
  Picture picture;
  for (const rrd_info_t* at = info.get(); at != nullptr; at = at->next) {
    TakeOver(*at, picture);
    if (at->type == RD_I_BLO)
      image.assign(reinterpret_cast<const char*>(at->value.u_blo.ptr),
                   at->value.u_blo.size);
  }
  return picture;
}

}  // namespace

Picture Render(const std::vector<std::string>& arguments,
               const std::filesystem::path& output, TimeZone zone) {
  std::string image;
  const Picture picture = RenderImage(arguments, output, zone, image);
  WriteAtomically(output, image);
  return picture;
}

Picture RenderImage(const std::vector<std::string>& arguments,
                    const std::filesystem::path& name, TimeZone zone,
                    std::string& image) {
  std::vector<std::string> words = {"graphv", "-"};
  if (name.extension() == ".svg") words.emplace_back("--imgformat=SVG");
  if (name.extension() == ".pdf") words.emplace_back("--imgformat=PDF");
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Picture picture = Draw(words, zone, name.string(), image);
  if (image.empty())
    throw std::runtime_error(name.string() + ": librrd drew nothing");
  return picture;
}

}  // namespace iptrk
