// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/picture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "plugin/mail/figures.h"
#include "plugin/mail/files.h"

namespace iptrk::mail {
namespace {

using End = ChildResult::End;

std::string Command(std::string command) {
  if (!command.empty()) return command;
  const char* named = std::getenv("IPTRK_COMMAND");
  return named == nullptr ? IPTRK_COMMAND : named;
}

// From its first chunk to its last, so none that was cut.
bool IsWholePng(std::string_view file) {
  using namespace std::string_view_literals;
  return file.starts_with("\x89PNG\r\n\x1a\n"sv) &&
         file.ends_with("IEND\xae\x42\x60\x82"sv);
}

}  // namespace

PictureMaker::PictureMaker(std::string command, std::string config_file,
                           std::string directory, ChildLimits limits)
    : command_(Command(std::move(command))),
      config_file_(std::move(config_file)),
      file_(std::move(directory) + "/" + kPictureFile),
      limits_(limits) {}

std::optional<Picture> PictureMaker::Make(const PictureSubject& subject,
                                          const std::stop_token& stop) const {
  unlink(file_.c_str());
  std::vector<std::string> command = {
      command_,    "--config",      config_file_, "graph",    "histogram",
      "--network", subject.network, "--start",    "end-1h",   "--width",
      "600",       "--height",      "200",        "--output", file_};
  if (!subject.prefix.empty()) {
    command.insert(command.end(), {"--prefix", subject.prefix});
  }
  const ChildResult result = RunChild(command, limits_, stop);
  if (result.end == End::kStopped) return std::nullopt;

  Picture picture;
  picture.what = fmt::format(
      "Bytes per address of {} in the last hour",
      Clean(subject.prefix.empty() ? subject.network : subject.prefix));
  try {
    std::string png = ReadFile(file_).value_or("");
    if (IsWholePng(png)) picture.png = std::move(png);
  } catch (const std::system_error& error) {
    picture.trouble = error.what();
  }
  unlink(file_.c_str());
  if (!picture.png.empty()) return picture;
  if (result.end == End::kTooLong) {
    picture.trouble = fmt::format(
        "it took longer than {} s",
        std::chrono::ceil<std::chrono::seconds>(limits_.time).count());
  } else if (picture.trouble.empty()) {
    picture.trouble =
        result.said.empty() ? "no reason is known" : Clean(result.said);
  }
  picture.trouble = Shortened(picture.trouble, 300);
  return picture;
}

}  // namespace iptrk::mail
