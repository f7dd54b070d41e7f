// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/message.h"

#include <fmt/format.h>
#include <gmime/gmime.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string_view>

#include "lib/mail_address.h"
#include "plugin/mail/figures.h"
#include "plugin/mail/text.h"

namespace iptrk::mail {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Object = std::unique_ptr<T, Unref>;

struct FreeFormat {
  void operator()(GMimeFormatOptions* options) const {
    g_mime_format_options_free(options);
  }
};

struct FreeString {
  void operator()(char* text) const { g_free(text); }
};
using GString_ = std::unique_ptr<char, FreeString>;

// `text` as the left side of a Message-ID: what a dot-atom can't hold becomes
// '-', and then the digest of the original keeps two of them apart.
std::string IdPart(std::string_view text) {
  constexpr std::size_t kLongest = 64;  // keeps the header on one line
  std::string part(text.substr(0, kLongest));
  for (char& c : part) {
    if (!g_ascii_isalnum(c) && c != '-' && c != '.' && c != '_') c = '-';
  }
  // Dots may stand neither at the ends nor in a row.
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool edge = i == 0 || i + 1 == part.size() || part[i - 1] == '.';
    if (part[i] == '.' && edge) part[i] = '-';
  }
  if (part == text) return part;
  return part + "-" + Digest(text);
}

std::string HostName() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name.data();
}

// SMTP wants CRLF everywhere. There is no bare CR: the text was cleaned.
std::string WithCrlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (const char c : text) {
    if (c == '\n' && (out.empty() || out.back() != '\r')) out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

void SetHeader(GMimeMessage* message, const char* name,
               const std::string& value) {
  g_mime_object_set_header(GMIME_OBJECT(message), name, value.c_str(), "UTF-8");
}

void SetContent(GMimePart* part, const std::string& content) {
  const Object<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(content.data(), content.size()));
  const Object<GMimeDataWrapper> wrapper(g_mime_data_wrapper_new_with_stream(
      stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part, wrapper.get());
}

// GMime's own text part would choose the charset itself.
Object<GMimePart> TextPart(const char* subtype, const std::string& text) {
  Object<GMimePart> part(g_mime_part_new_with_type("text", subtype));
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part.get()), "charset",
                                           "utf-8");
  // Always, so that a line that begins with "From " or "." is safe and no
  // line is too long.
  g_mime_part_set_content_encoding(part.get(),
                                   GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  SetContent(part.get(), text);
  return part;
}

// Shown where the HTML says, and to be saved by its name.
Object<GMimePart> PicturePart(const std::string& png) {
  Object<GMimePart> part(g_mime_part_new_with_type("image", "png"));
  g_mime_object_set_disposition(GMIME_OBJECT(part.get()), "inline");
  g_mime_part_set_filename(part.get(), kPictureFile);
  g_mime_part_set_content_id(part.get(), kPictureId);
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
  SetContent(part.get(), png);
  return part;
}

Object<GMimeMultipart> Multipart(const char* subtype, GMimePart* first) {
  Object<GMimeMultipart> parts(g_mime_multipart_new_with_subtype(subtype));
  g_mime_multipart_add(parts.get(), GMIME_OBJECT(first));
  return parts;
}

// The Message-IDs, which no mail has, that the mails of these incidents
// answer: without brackets.
std::vector<std::string> Threads(const Letter& letter) {
  constexpr std::size_t kMost = 20;
  std::vector<std::string> threads;
  for (const Entry& entry : letter.entries) {
    const std::string thread = IdPart(entry.thread);
    if (std::ranges::find(threads, thread) == threads.end()) {
      threads.push_back(thread);
    }
    if (threads.size() == kMost) break;
  }
  return threads;
}

std::string Serialize(GMimeMessage* message) {
  // 7 bit, because a server on the way may offer no 8BITMIME.
  g_mime_object_encode(GMIME_OBJECT(message), GMIME_ENCODING_CONSTRAINT_7BIT);
  const std::unique_ptr<GMimeFormatOptions, FreeFormat> options(
      g_mime_format_options_new());
  const GString_ text(
      g_mime_object_to_string(GMIME_OBJECT(message), options.get()));
  return WithCrlf(text.get());
}

}  // namespace

Composer::Composer(const std::string& from,
                   const std::vector<Audience>& audiences,
                   std::string config_file, Templates templates)
    : config_file_(std::move(config_file)), templates_(std::move(templates)) {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
  from_ = ParseMailbox(from.empty() ? "iptrk@" + HostName() : from, "from");
  if (audiences.empty()) throw std::invalid_argument("[mail] to names nobody");
  for (const Audience& audience : audiences) {
    for (const std::string& address : audience.to) ParseMailbox(address, "to");
  }
  const std::size_t at = from_.address.rfind('@');
  domain_ = at == std::string::npos ? HostName() : from_.address.substr(at + 1);
}

Composer::Mailbox Composer::ParseMailbox(const std::string& text,
                                         const char* key) {
  // GMime's parser takes what it can and drops the rest, so it only gets what
  // looks whole.
  if (IsMailAddress(text)) return {"", text};
  const Object<InternetAddressList> list(
      internet_address_list_parse(nullptr, Clean(text).c_str()));
  if (list && text.ends_with('>') &&
      internet_address_list_length(list.get()) == 1) {
    InternetAddress* one = internet_address_list_get_address(list.get(), 0);
    if (INTERNET_ADDRESS_IS_MAILBOX(one)) {
      const char* name = internet_address_get_name(one);
      const char* address =
          internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
      if (address != nullptr && IsMailAddress(address)) {
        return {name == nullptr ? "" : Clean(name), address};
      }
    }
  }
  throw std::invalid_argument(
      fmt::format("[mail] {}: \"{}\" is no mail address; one looks like "
                  "\"root@example.org\"",
                  key, Clean(text)));
}

Message Composer::Compose(const Letter& letter, const Audience& audience,
                          const Picture& picture) const {
  const Text text = Describe(
      letter, picture, {config_file_, !audience.IsOfCustomers()}, templates_);
  Message out;
  out.subject = text.subject;
  out.envelope.from = from_.address;

  const Object<GMimeMessage> message(g_mime_message_new(TRUE));
  const auto add = [&message](GMimeAddressType type, const Mailbox& mailbox) {
    g_mime_message_add_mailbox(
        message.get(), type,
        mailbox.name.empty() ? nullptr : mailbox.name.c_str(),
        mailbox.address.c_str());
  };
  add(GMIME_ADDRESS_TYPE_FROM, from_);
  for (const std::string& address : audience.to) {
    const Mailbox mailbox = ParseMailbox(address, "to");
    add(GMIME_ADDRESS_TYPE_TO, mailbox);
    out.envelope.to.push_back(mailbox.address);
  }
  g_mime_message_set_subject(message.get(), text.subject.c_str(), "UTF-8");
  GDateTime* date = g_date_time_new_from_unix_utc(
      std::chrono::system_clock::to_time_t(letter.time));
  if (date != nullptr) {
    g_mime_message_set_date(message.get(), date);
    g_date_time_unref(date);
  }

  std::string name = "digest";
  if (const std::vector<std::string> threads = Threads(letter);
      !threads.empty()) {
    name = threads[0];
    std::string roots;
    for (const std::string& thread : threads) {
      roots +=
          fmt::format("{}<{}@{}>", roots.empty() ? "" : " ", thread, domain_);
    }
    SetHeader(message.get(), "References", roots);
    SetHeader(message.get(), "In-Reply-To",
              fmt::format("<{}@{}>", threads[0], domain_));
  }
  for (const Entry& entry : letter.entries) {
    const std::string incident = Clean(entry.event.Meta("incident"));
    if (letter.entries.size() == 1 && !incident.empty()) {
      SetHeader(message.get(), "X-iptrk-Incident", incident);
    }
  }
  out.id = fmt::format("{}.{}@{}", name, letter.id, domain_);
  g_mime_message_set_message_id(message.get(), out.id.c_str());
  // RFC 3834: no vacation answers to a machine.
  SetHeader(message.get(), "Auto-Submitted", "auto-generated");

  const Object<GMimePart> plain = TextPart("plain", text.plain);
  const Object<GMimePart> html = TextPart("html", text.html);
  const Object<GMimeMultipart> body = Multipart("alternative", plain.get());
  if (picture.png.empty()) {
    g_mime_multipart_add(body.get(), GMIME_OBJECT(html.get()));
  } else {
    const Object<GMimeMultipart> shown = Multipart("related", html.get());
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(shown.get()), "type",
                                             "text/html");
    const Object<GMimePart> image = PicturePart(picture.png);
    g_mime_multipart_add(shown.get(), GMIME_OBJECT(image.get()));
    g_mime_multipart_add(body.get(), GMIME_OBJECT(shown.get()));
  }
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(body.get()));
  out.eml = Serialize(message.get());
  return out;
}

}  // namespace iptrk::mail
