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

// 64 bits of SHA-256: no two events of one installation ever meet.
std::string Digest(const std::string& text) {
  const GString_ hex(g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(text.data()),
      text.size()));
  return std::string(hex.get()).substr(0, 16);
}

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
  return part + "-" + Digest(std::string(text));
}

std::string HostName() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name.data();
}

// What goes between "<" and ">" of an SMTP command. "root" is one: the local
// server knows who that is. Quoted local parts are legal mail and no loss here.
bool IsPlainAddress(std::string_view address) {
  return !address.empty() && address.front() != '@' && address.back() != '@' &&
         std::ranges::count(address, '@') <= 1 &&
         std::ranges::all_of(address, [](char c) {
           return c > ' ' && c < 0x7f &&
                  std::string_view("<>()[]\\,;:\"").find(c) ==
                      std::string_view::npos;
         });
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

// GMime's own text part would choose the charset itself.
Object<GMimePart> BodyPart(const std::string& text) {
  Object<GMimePart> part(g_mime_part_new_with_type("text", "plain"));
  g_mime_object_set_content_type_parameter(GMIME_OBJECT(part.get()), "charset",
                                           "utf-8");
  const Object<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
  const Object<GMimeDataWrapper> content(g_mime_data_wrapper_new_with_stream(
      stream.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  return part;
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

Composer::Composer(const std::string& from, const std::vector<std::string>& to,
                   std::string config_file)
    : config_file_(std::move(config_file)) {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
  from_ = ParseMailbox(from.empty() ? "iptrk@" + HostName() : from, "from");
  for (const std::string& address : to) {
    to_.push_back(ParseMailbox(address, "to"));
  }
  if (to_.empty()) throw std::invalid_argument("[mail] to names nobody");
  const std::size_t at = from_.address.rfind('@');
  domain_ = at == std::string::npos ? HostName() : from_.address.substr(at + 1);
}

Composer::Mailbox Composer::ParseMailbox(const std::string& text,
                                         const char* key) {
  // GMime's parser takes what it can and drops the rest, so it only gets what
  // looks whole.
  if (IsPlainAddress(text)) return {"", text};
  const Object<InternetAddressList> list(
      internet_address_list_parse(nullptr, Clean(text).c_str()));
  if (list && text.ends_with('>') &&
      internet_address_list_length(list.get()) == 1) {
    InternetAddress* one = internet_address_list_get_address(list.get(), 0);
    if (INTERNET_ADDRESS_IS_MAILBOX(one)) {
      const char* name = internet_address_get_name(one);
      const char* address =
          internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
      if (address != nullptr && IsPlainAddress(address)) {
        return {name == nullptr ? "" : Clean(name), address};
      }
    }
  }
  throw std::invalid_argument(
      fmt::format("[mail] {}: \"{}\" is no mail address; one looks like "
                  "\"root@example.org\"",
                  key, Clean(text)));
}

Message Composer::Compose(const Event& event) const {
  const Text text = Describe(event, config_file_);
  const std::string digest = Digest(event.Identity());
  Message out;
  out.subject = text.subject;
  out.envelope.from = from_.address;
  for (const Mailbox& mailbox : to_) {
    out.envelope.to.push_back(mailbox.address);
  }

  const Object<GMimeMessage> message(g_mime_message_new(TRUE));
  const auto add = [&message](GMimeAddressType type, const Mailbox& mailbox) {
    g_mime_message_add_mailbox(
        message.get(), type,
        mailbox.name.empty() ? nullptr : mailbox.name.c_str(),
        mailbox.address.c_str());
  };
  add(GMIME_ADDRESS_TYPE_FROM, from_);
  for (const Mailbox& mailbox : to_) add(GMIME_ADDRESS_TYPE_TO, mailbox);
  g_mime_message_set_subject(message.get(), text.subject.c_str(), "UTF-8");
  GDateTime* date = g_date_time_new_from_unix_utc(
      std::chrono::system_clock::to_time_t(event.time));
  if (date != nullptr) {
    g_mime_message_set_date(message.get(), date);
    g_date_time_unref(date);
  }

  if (event.IsIncident()) {
    const std::string incident(event.Meta("incident"));
    const std::string thread = IdPart(incident);
    out.id = fmt::format("{}.{}@{}", thread, digest, domain_);
    const std::string root = fmt::format("<{}@{}>", thread, domain_);
    SetHeader(message.get(), "In-Reply-To", root);
    SetHeader(message.get(), "References", root);
    SetHeader(message.get(), "X-iptrk-Incident", Clean(incident));
  } else {
    out.id = fmt::format("notification.{}@{}", digest, domain_);
  }
  g_mime_message_set_message_id(message.get(), out.id.c_str());
  // RFC 3834: no vacation answers to a machine.
  SetHeader(message.get(), "Auto-Submitted", "auto-generated");

  const Object<GMimePart> body = BodyPart(text.body);
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(body.get()));
  out.eml = Serialize(message.get());
  return out;
}

}  // namespace iptrk::mail
