// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/smtp.h"

// auth-client.h and ssl.h first: libesmtp.h declares less without them.
#include <auth-client.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
//
#include <fmt/format.h>
#include <libesmtp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "lib/address.h"
#include "plugin/mail/figures.h"
#include "plugin/mail/files.h"

namespace iptrk::mail {
namespace {

struct FreeSession {
  void operator()(smtp_session_t session) const {
    smtp_destroy_session(session);
  }
};
struct FreeAuth {
  void operator()(auth_context_t context) const {
    auth_destroy_context(context);
  }
};
struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// libesmtp writes to sockets without MSG_NOSIGNAL. A SIGPIPE that we caused is
// taken back before the mask is restored.
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeBlock() {
    if (sigismember(&before_, SIGPIPE) == 0) {
      const timespec now = {};
      while (sigtimedwait(&pipe_, nullptr, &now) > 0 || errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
};

// A password in clear is for an encrypted line, or for this machine.
bool IsLoopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.");
}

std::string FirstLine(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  if ((status.st_mode & S_IROTH) != 0) {
    throw std::runtime_error(path + " is readable for everybody; chmod o-r it");
  }
  std::string text = ReadFile(path).value_or("");
  text.erase(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) throw std::runtime_error(path + " holds no password");
  return text;
}

// One conversation; the callbacks of libesmtp write down what it hides.
class Conversation {
 public:
  Conversation(const SmtpServer& server, const Message& message)
      : server_(server), message_(message) {}

  Delivery Run();

 private:
  void SetUpAuth();
  void SetUpTls();
  Delivery Judge(smtp_message_t message, bool started) const;
  std::string Reason(bool started, int error) const;

  static void OnEvent(smtp_session_t session, int event, void* self, ...);
  static void OnTraffic(const char* data, int size, int writing, void* self);
  static const char* OnRead(void** context, int* size, void* self);
  static int OnAuth(auth_client_request_t request, char** result, int fields,
                    void* self);
  static int OnVerify(int ok, X509_STORE_CTX* store);

  const SmtpServer& server_;
  const Message& message_;
  // Declared before the session, which uses them to its end.
  std::string password_;
  std::unique_ptr<SSL_CTX, FreeTls> tls_;
  std::unique_ptr<auth_context, FreeAuth> auth_;
  std::unique_ptr<smtp_session, FreeSession> session_;
  bool read_ = false;      // the message has been handed out
  bool finished_ = false;  // the server replied to the whole message
  bool no_starttls_ = false;
  bool encrypted_ = false;
  bool login_tried_ = false;
  bool logged_in_ = false;
  // The server's first 4xx or 5xx: the others follow from it, as a 530 to MAIL
  // does from a wrong password, or a 554 to DATA from deferred receivers.
  std::string complaint_;
  std::string tls_fault_;
};

Delivery Conversation::Run() {
  session_.reset(smtp_create_session());
  if (!session_) throw std::bad_alloc();
  smtp_session_t session = session_.get();
  smtp_set_server(session,
                  fmt::format("{}:{}", server_.host, server_.port).c_str());
  smtp_set_eventcb(session, OnEvent, this);
  smtp_set_monitorcb(session, OnTraffic, this, 0);
  const auto timeout = [session](int which, std::chrono::milliseconds time) {
    smtp_set_timeout(session, which | Timeout_OVERRIDE_RFC2822_MINIMUM,
                     static_cast<long>(time.count()));
  };
  timeout(Timeout_GREETING, server_.reply_timeout);
  timeout(Timeout_ENVELOPE, server_.reply_timeout);
  timeout(Timeout_DATA, server_.reply_timeout);
  timeout(Timeout_TRANSFER, server_.reply_timeout);
  timeout(Timeout_DATA2, server_.final_timeout);
  if (server_.starttls) SetUpTls();
  if (!server_.user.empty()) SetUpAuth();

  smtp_message_t message = smtp_add_message(session);
  if (message == nullptr) throw std::bad_alloc();
  smtp_set_reverse_path(message, message_.envelope.from.c_str());
  smtp_set_messagecb(message, OnRead, this);
  for (const std::string& receiver : message_.envelope.to) {
    if (smtp_add_recipient(message, receiver.c_str()) == nullptr) {
      throw std::bad_alloc();
    }
  }
  // Says little: it is true for a refused mail, too.
  const bool started = smtp_start_session(session) != 0;
  const int error = smtp_errno();
  Delivery delivery = Judge(message, started);
  if (!delivery.open.empty() && delivery.reason.empty()) {
    delivery.reason = Reason(started, error);
  }
  return delivery;
}

void Conversation::SetUpAuth() {
  password_ = FirstLine(server_.password_file);
  auth_.reset(auth_create_context());
  if (!auth_) throw std::bad_alloc();
  if (server_.starttls || IsLoopback(server_.host)) {
    auth_set_mechanism_flags(auth_.get(), AUTH_PLUGIN_PLAIN, 0);
  }
  auth_set_interact_cb(auth_.get(), OnAuth, this);
  smtp_auth_set_context(session_.get(), auth_.get());
}

void Conversation::SetUpTls() {
  // A context of our own, because libesmtp 1.1.0 frees its own one twice.
  tls_.reset(SSL_CTX_new(TLS_client_method()));
  if (!tls_) throw std::bad_alloc();
  SSL_CTX* tls = tls_.get();
  // TLS 1.3 makes libesmtp 1.1.0 hang: it takes a session ticket for a reply.
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
  if (server_.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(tls);
  } else if (SSL_CTX_load_verify_file(tls, server_.ca_file.c_str()) != 1) {
    throw std::runtime_error(fmt::format(
        "{} holds no certificates in PEM, or can't be read", server_.ca_file));
  }
  SSL_CTX_set_app_data(tls, this);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, OnVerify);
  // The configured name, not what DNS makes of it, as libesmtp would have.
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(tls);
  if (Address::Parse(server_.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(param, server_.host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(param, server_.host.c_str(), 0);
  }
  smtp_starttls_set_ctx(session_.get(), tls);
  smtp_starttls_enable(session_.get(), Starttls_REQUIRED);
}

// A 5xx is final only where it is about this message. Before (greeting, AUTH,
// STARTTLS) and for 530 to 538 (authentication, encryption) it is about the
// set-up: the mail must still be there when the sysop has mended that.
bool IsFinal(int code) {
  return code >= 500 && code <= 599 && (code < 530 || code > 538);
}

bool IsYes(int code) { return code >= 200 && code <= 299; }

std::string Words(const smtp_status_t& status) {
  return fmt::format("{} {}", status.code,
                     Clean(status.text == nullptr ? "" : status.text));
}

Delivery Conversation::Judge(smtp_message_t message, bool started) const {
  Delivery delivery;
  const smtp_status_t& sender = *smtp_reverse_path_status(message);
  const smtp_status_t& whole = *smtp_message_transfer_status(message);
  delivery.answered = started && (sender.code != 0 || whole.code != 0);

  struct Receivers {
    const smtp_status_t& sender;
    const smtp_status_t& whole;
    bool finished;
    // libesmtp goes on when the login failed, and a server that doesn't relay
    // for strangers then says 5xx: that is about us, not about the mail.
    bool stranger;
    Delivery& delivery;
    bool turned_away = false;
  } receivers{sender, whole, finished_, !server_.user.empty() && !logged_in_,
              delivery};
  smtp_enumerate_recipients(
      message,
      [](smtp_recipient_t recipient, const char* address, void* argument) {
        auto& all = *static_cast<Receivers*>(argument);
        Delivery& out = all.delivery;
        const auto refuse = [&all, address](const smtp_status_t& status) {
          if (all.stranger) {
            all.turned_away = true;
            all.delivery.open.push_back(address);
          } else {
            all.delivery.refused.push_back({address, Words(status)});
          }
        };
        const smtp_status_t& own = *smtp_recipient_status(recipient);
        if (IsFinal(all.sender.code)) {
          refuse(all.sender);
        } else if (IsFinal(own.code)) {
          refuse(own);
        } else if (!IsYes(own.code)) {
          out.open.push_back(address);
          if (own.code != 0) out.reason = Words(own);
        } else if (IsFinal(all.whole.code)) {
          refuse(all.whole);
        } else if (all.finished && IsYes(all.whole.code)) {
          out.accepted.push_back(address);
        } else {
          out.open.push_back(address);
        }
      },
      &receivers);
  const std::string where =
      fmt::format("{} port {}", server_.host, server_.port);
  if (delivery.answered && login_tried_ && !logged_in_ &&
      !delivery.open.empty()) {
    // Other mails would be as many more failed logins, for which servers shut
    // one out.
    delivery.answered = !delivery.accepted.empty();
    delivery.reason =
        fmt::format("{}: the login as {} did not succeed: {}", where,
                    Clean(server_.user), Clean(complaint_));
  } else if (receivers.turned_away) {
    delivery.reason =
        fmt::format("{} offers no login that can be used for {}, and says: {}",
                    where, Clean(server_.user), Clean(complaint_));
  }
  return delivery;
}

std::string Conversation::Reason(bool started, int error) const {
  const std::string where =
      fmt::format("{} port {}", server_.host, server_.port);
  if (!tls_fault_.empty()) {
    return fmt::format("{}: its certificate is not accepted: {}", where,
                       tls_fault_);
  }
  if (no_starttls_) {
    return fmt::format("{} offers no STARTTLS, which [mail] tls asks for",
                       where);
  }
  if (!complaint_.empty()) {
    return fmt::format("{} says: {}", where, Clean(complaint_));
  }
  std::array<char, 256> buffer = {};
  const char* words = smtp_strerror(error, buffer.data(), buffer.size());
  if (started && error == SMTP_ERR_DROPPED_CONNECTION) {
    return where + " did not answer in time or hung up";
  }
  if (started && server_.starttls && !encrypted_) {
    return where + " said yes to STARTTLS, but then spoke no TLS";
  }
  return fmt::format("{}: {}", where,
                     words == nullptr ? "no reason given" : Clean(words));
}

void Conversation::OnEvent(smtp_session_t, int event, void* self, ...) {
  auto& conversation = *static_cast<Conversation*>(self);
  va_list arguments;
  va_start(arguments, self);
  switch (event) {
    case SMTP_EV_MESSAGESENT:
      // Only this tells a reply to the whole message. The status alone does
      // not: with CHUNKING it is 250 as soon as the header was taken.
      conversation.finished_ = true;
      break;
    case SMTP_EV_STARTTLS_OK:
      conversation.encrypted_ = true;
      break;
    case SMTP_EV_EXTNA_STARTTLS:
      conversation.no_starttls_ = true;
      break;
    case SMTP_EV_WRONG_PEER_CERTIFICATE:
      // libesmtp compares with the canonical name. OpenSSL has compared with
      // the configured one, or we were not here.
      *va_arg(arguments, int*) = 1;
      break;
    default:
      break;
  }
  va_end(arguments);
}

void Conversation::OnTraffic(const char* data, int size, int writing,
                             void* self) {
  if (writing != SMTP_CB_READING || size <= 0) return;
  std::string_view text(data, static_cast<std::size_t>(size));
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto& conversation = *static_cast<Conversation*>(self);
    if (line.starts_with("235")) conversation.logged_in_ = true;
    std::string& complaint = conversation.complaint_;
    if (complaint.empty() && line.size() >= 4 &&
        (line[0] == '4' || line[0] == '5') && line[3] == ' ') {
      complaint = line.substr(0, 512);
    }
  }
}

const char* Conversation::OnRead(void**, int* size, void* self) {
  auto& conversation = *static_cast<Conversation*>(self);
  if (size == nullptr) {  // rewind
    conversation.read_ = false;
    return nullptr;
  }
  const std::string& eml = conversation.message_.eml;
  *size = conversation.read_ ? 0 : static_cast<int>(eml.size());
  conversation.read_ = true;
  return eml.data();
}

int Conversation::OnAuth(auth_client_request_t request, char** result,
                         int fields, void* self) {
  auto& conversation = *static_cast<Conversation*>(self);
  conversation.login_tried_ = true;
  for (int i = 0; i < fields; ++i) {
    result[i] = nullptr;
    if ((request[i].flags & AUTH_PASS) != 0) {
      result[i] = conversation.password_.data();
    } else if ((request[i].flags & AUTH_USER) != 0) {
      result[i] = const_cast<char*>(conversation.server_.user.c_str());
    }
  }
  return 1;
}

int Conversation::OnVerify(int ok, X509_STORE_CTX* store) {
  if (ok != 0) return ok;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  static_cast<Conversation*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))
      ->tls_fault_ =
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  return 0;
}

}  // namespace

SmtpServer ServerOf(const MailConfig& config) {
  if (config.server.find_first_of(": \t\r\n") != std::string::npos ||
      config.server.empty()) {
    throw std::invalid_argument(fmt::format(
        "[mail] server: \"{}\" must be a host name or an IPv4 address; the "
        "port has its own key, and an IPv6 address needs a name",
        Clean(config.server)));
  }
  SmtpServer server;
  server.host = config.server;
  server.port = config.port;
  server.starttls = config.tls == "starttls";
  server.ca_file = config.ca_file;
  server.user = config.user;
  server.password_file = config.password_file;
  return server;
}

Delivery Deliver(const SmtpServer& server, const Message& message) {
  const SigpipeBlock block;
  try {
    return Conversation(server, message).Run();
  } catch (const std::exception& error) {
    Delivery delivery;
    delivery.open = message.envelope.to;
    delivery.reason = Clean(error.what());
    return delivery;
  }
}

}  // namespace iptrk::mail
