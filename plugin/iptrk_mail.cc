// SPDX-License-Identifier: GPL-2.0-only
// The collectd plugin "iptrk_mail": mails notifications, ours and others'.
//
// This file only adapts the daemon's C interface to plugin/mail/. The daemon
// calls Configure and Initialize from its main thread, Notify from any thread
// that raises a notification, and Shutdown from its main thread, after which
// other plugins may still call Notify. Each returns 0, or -1 after a line in
// the log; none throws and none waits for a mail server.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "lib/config.h"
#include "lib/silence.h"
#include "plugin/mail/office.h"
#include "plugin/mail/sender.h"

extern "C" {
#include <collectd/core/daemon/collectd.h>
//
#include <collectd/core/daemon/plugin.h>
#include <collectd/core/utils/common/common.h>
}

namespace {

using iptrk::mail::Event;
using iptrk::mail::LogLevel;
using iptrk::mail::Office;
using iptrk::mail::Sender;
using iptrk::mail::Severity;

constexpr char kName[] = "iptrk_mail";

struct Plugin {
  std::string config_file = iptrk::kDefaultConfigPath;
  // Made by Initialize before Notify is registered, never taken away: see
  // above.
  std::unique_ptr<Office> office;
};

// Never destroyed: the daemon's threads may outlive exit()'s destructors.
Plugin& Self() {
  static Plugin& self = *new Plugin;
  return self;
}

void WriteLog(LogLevel level, const std::string& text) {
  int severity = LOG_INFO;
  if (level == LogLevel::kError) severity = LOG_ERR;
  if (level == LogLevel::kWarning) severity = LOG_WARNING;
  plugin_log(severity, "%s: %s", kName, text.c_str());
}

template <typename Body>
int Guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    plugin_log(LOG_ERR, "%s: %s", kName, error.what());
  } catch (...) {
    plugin_log(LOG_ERR, "%s: unknown exception", kName);
  }
  return -1;
}

std::string MetaText(const notification_meta_t& meta) {
  switch (meta.type) {
    case NM_TYPE_STRING:
      return meta.nm_value.nm_string == nullptr ? "" : meta.nm_value.nm_string;
    case NM_TYPE_SIGNED_INT:
      return std::to_string(meta.nm_value.nm_signed_int);
    case NM_TYPE_UNSIGNED_INT:
      return std::to_string(meta.nm_value.nm_unsigned_int);
    case NM_TYPE_DOUBLE:
      return fmt::format("{:g}", meta.nm_value.nm_double);
    case NM_TYPE_BOOLEAN:
      return meta.nm_value.nm_boolean ? "true" : "false";
  }
  return {};
}

Event EventOf(const notification_t& notification) {
  Event event;
  event.severity = Severity::kFailure;
  if (notification.severity == NOTIF_WARNING) {
    event.severity = Severity::kWarning;
  } else if (notification.severity == NOTIF_OKAY) {
    event.severity = Severity::kOkay;
  }
  event.time = std::chrono::system_clock::time_point(
      std::chrono::nanoseconds(CDTIME_T_TO_NS(notification.time)));
  event.host = notification.host;
  event.plugin = notification.plugin;
  event.plugin_instance = notification.plugin_instance;
  event.type = notification.type;
  event.type_instance = notification.type_instance;
  event.message = notification.message;
  for (const notification_meta_t* meta = notification.meta; meta != nullptr;
       meta = meta->next) {
    event.meta[meta->name] = MetaText(*meta);
  }
  return event;
}

int Notify(const notification_t* notification, user_data_t*) noexcept {
  return Guarded([notification] {
    Self().office->Offer(EventOf(*notification));
    return 0;
  });
}

// One value of a type that collectd's own types.db has.
void Dispatch(const char* type, const char* instance, value_t value) {
  value_list_t list = VALUE_LIST_INIT;
  list.values = &value;
  list.values_len = 1;
  sstrncpy(list.plugin, kName, sizeof list.plugin);
  sstrncpy(list.type, type, sizeof list.type);
  sstrncpy(list.type_instance, instance, sizeof list.type_instance);
  plugin_dispatch_values(&list);
}

// How much waits, so that mail that gets stuck is seen elsewhere than in mail.
int Read(user_data_t*) noexcept {
  return Guarded([] {
    const Sender::Counters state = Self().office->State();
    const auto depth = [](const char* name, std::size_t count) {
      Dispatch("queue_length", name,
               value_t{.gauge = static_cast<gauge_t>(count)});
    };
    const auto total = [](const char* name, std::uint64_t count) {
      Dispatch("total_operations", name,
               value_t{.derive = static_cast<derive_t>(count)});
    };
    depth("unread", state.unread);
    depth("held", state.held);
    depth("spool", state.spooled);
    depth("refused", state.refused);
    total("mailed", state.mailed);
    total("lost", state.lost);
    return 0;
  });
}

// Asks the ledger, in the sender's thread.
iptrk::mail::Hushed SilencesOf(const iptrk::LedgerConfig& ledger) {
  struct Reader {
    explicit Reader(const std::string& path) : silences(path) {}

    iptrk::SilenceReader silences;
    std::string problem;  // told

    void Tell() {
      if (silences.Problem() == problem) return;
      problem = silences.Problem();
      if (problem.empty()) return;
      WriteLog(
          LogLevel::kWarning,
          "nothing is silenced, because the ledger can't be read: " + problem);
    }
  };
  const auto reader = std::make_shared<Reader>(ledger.path);
  return {.is_silenced =
              [reader](const Event& event, iptrk::mail::Time now) {
                // What other plugins notify has a plugin for its kind, and its
                // host for a subject.
                const bool ours = event.IsIncident();
                const bool silenced = reader->silences.Silenced(
                    ours ? event.Meta("kind") : event.plugin,
                    ours ? event.Meta("subject") : event.host,
                    event.Meta("network"),
                    std::chrono::system_clock::to_time_t(now));
                reader->Tell();
                return silenced;
              },
          .is_acknowledged =
              [reader](const Event& event) {
                return reader->silences.Acknowledged(
                    std::string(event.Meta("incident")));
              }};
}

std::unique_ptr<Sender> MakeSender(const iptrk::Config& config,
                                   const std::string& config_file) {
  using namespace iptrk::mail;  // all but the daemon's interface is there
  const iptrk::MailConfig& mail = config.mail;
  const std::vector<Audience> audiences = AudiencesOf(mail);
  Spool spool(mail.spool, {}, WriteLog);
  Sender::Desk desk{
      .audiences = audiences,
      .pace = {.group = std::chrono::seconds(mail.group),
               .hourly_limit = static_cast<std::size_t>(mail.hourly_limit)},
      .hushed = SilencesOf(config.ledger),
      .places = Places(config),
      .composer = Composer(mail.from, audiences, config_file,
                           Templates(mail.templates, WriteLog)),
      .draw = [maker = PictureMaker("", config_file, spool.directory())](
                  const PictureSubject& subject, const std::stop_token& stop) {
        return maker.Make(subject, stop);
      }};
  return std::make_unique<Sender>(
      std::move(desk), std::move(spool),
      [server = ServerOf(mail)](const Message& message) {
        return Deliver(server, message);
      },
      WriteLog, Sender::Options());
}

// Once for each <Plugin iptrk_mail> block.
int Configure(oconfig_item_t* block) noexcept {
  return Guarded([block] {
    for (int i = 0; i < block->children_num; ++i) {
      const oconfig_item_t& item = block->children[i];
      if (strcasecmp(item.key, "ConfigFile") != 0) {
        plugin_log(LOG_ERR,
                   "%s: unknown option %s; the only one is ConfigFile, all "
                   "else is in that file",
                   kName, item.key);
        return -1;
      }
      if (item.values_num != 1 || item.values[0].type != OCONFIG_TYPE_STRING) {
        plugin_log(LOG_ERR, "%s: ConfigFile wants one path in quotes", kName);
        return -1;
      }
      Self().config_file = item.values[0].value.string;
    }
    return 0;
  });
}

int Initialize() noexcept {
  return Guarded([] {
    Plugin& self = Self();
    // The daemon may call init again; what runs goes on.
    if (self.office) return 0;
    self.office = std::make_unique<Office>(
        self.config_file,
        [path = self.config_file](const iptrk::Config& config) {
          return MakeSender(config, path);
        },
        WriteLog);
    if (const int failed = plugin_register_complex_read(
            nullptr, kName, Read, /*interval=*/0, /*user_data=*/nullptr)) {
      return failed;
    }
    return plugin_register_notification(kName, Notify, nullptr);
  });
}

int Shutdown() noexcept {
  return Guarded([] {
    if (Self().office) Self().office->Stop();
    return 0;
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void module_register() {
  plugin_register_complex_config(kName, Configure);
  plugin_register_init(kName, Initialize);
  plugin_register_shutdown(kName, Shutdown);
}
