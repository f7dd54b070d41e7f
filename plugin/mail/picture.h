// SPDX-License-Identifier: GPL-2.0-only
// The address-domain histogram that a mail shows: who of a network had how
// much in the last hour.
//
// Drawn by the command `iptrk graph histogram` in a process of its own, so that
// librrd, its memory and its faults stay out of collectd.
#ifndef IPTRK_PLUGIN_MAIL_PICTURE_H_
#define IPTRK_PLUGIN_MAIL_PICTURE_H_

#include <optional>
#include <stop_token>
#include <string>

#include "plugin/mail/child.h"

namespace iptrk::mail {

inline constexpr char kPictureFile[] = "histogram.png";
inline constexpr char kPictureId[] = "histogram@iptrk";  // Content-ID

// Without `png`, `trouble` says why there is none; without both, none belongs.
struct Picture {
  std::string png;
  std::string what;  // a heading
  std::string trouble;
};

// Which addresses it is to show. `prefix` may be "": the network's only one.
struct PictureSubject {
  std::string network;
  std::string prefix;
};

class PictureMaker {
 public:
  // `command`: path of `iptrk`; "": the installed one, or $IPTRK_COMMAND.
  // `directory` is there, and ours alone.
  PictureMaker(std::string command, std::string config_file,
               std::string directory, ChildLimits limits = {});

  // Blocks for as long as the limits allow; see RunChild(). Nothing when `stop`
  // ended it. Throws only std::bad_alloc.
  std::optional<Picture> Make(const PictureSubject& subject,
                              const std::stop_token& stop) const;

 private:
  std::string command_;
  std::string config_file_;
  std::string file_;  // that the command writes
  ChildLimits limits_;
};

}  // namespace iptrk::mail

#endif  // IPTRK_PLUGIN_MAIL_PICTURE_H_
