// SPDX-License-Identifier: GPL-2.0-only
// The read plugin collectd loads: what the collector closes becomes values
// and notifications. All of collectd's headers are used here only.
//
// Threads: the collector drains on a thread of its own, which collectd's
// queue of values takes without blocking. Notifications run their handlers
// in the caller, who may be a slow mail server's victim; so they have a
// second thread behind a bounded queue. A reader's thread of collectd says each
// second that it lives.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/collector.h"
#include "lib/config.h"
#include "lib/naming.h"
#include "lib/pressing_queue.h"
#include "lib/rrd_reader.h"
#include "lib/seconds.h"

extern "C" {
#include <collectd/core/daemon/plugin.h>
#include <collectd/core/utils/common/common.h>
}

namespace iptrk {
namespace {

// As many as the mail plugin takes at once: a storm's second.
constexpr std::size_t kMostNotifications = 4096;

// What an earlier collectd wrote already. It must not be dispatched again: the
// rrdtool plugin hands several values of a file to librrd at once, which takes
// none of those behind one that is not new, so they would be lost with it.
class Written {
 public:
  // `directory`: where the RRDs are; elsewhere there is nothing to ask.
  explicit Written(const std::string& directory)
      : prefix_(directory + "/" + hostname_g + "/" + kPluginName + "-"),
        began_(time(nullptr)) {}

  bool Has(time_t end, std::string_view instance, const char* type,
           std::string_view type_instance) {
    // Nobody wrote later ones.
    if (end > began_) {
      // Not each time: a table that was large is slow to clear.
      if (!last_.empty()) last_ = {};
      return false;
    }
    std::string path =
        fmt::format("{}{}/{}{}{}.rrd", prefix_, instance, type,
                    type_instance.empty() ? "" : "-", type_instance);
    const auto [last, is_new] = last_.try_emplace(std::move(path), 0);
    if (is_new) try {
        last->second = LastUpdate(last->first);
      } catch (const std::runtime_error&) {
        // nobody wrote it yet
      }
    return last->second >= end;
  }

 private:
  std::string prefix_;
  time_t began_;
  // By path, so that none is opened after this process began to write it: to
  // close it then would end the lock that the rrdtool plugin has.
  std::unordered_map<std::string, time_t> last_;
};
std::optional<Written> g_written;

// One value list. `values` in the order of plugin/iptrk.types.db.
void Dispatch(std::uint64_t end_ns, int interval, std::string_view instance,
              const char* type, std::string_view type_instance,
              std::initializer_list<double> values) {
  const auto end = static_cast<time_t>(end_ns / kSecond);
  if (g_written->Has(end, instance, type, type_instance)) return;
  std::array<value_t, 16> gauges;
  std::size_t count = 0;
  for (const double value : values) gauges[count++].gauge = value;
  value_list_t list = VALUE_LIST_INIT;
  list.values = gauges.data();
  list.values_len = count;
  list.time = TIME_T_TO_CDTIME_T(end);
  list.interval = TIME_T_TO_CDTIME_T(interval);
  sstrncpy(list.plugin, kPluginName, sizeof list.plugin);
  sstrncpy(list.plugin_instance, std::string(instance).c_str(),
           sizeof list.plugin_instance);
  sstrncpy(list.type, type, sizeof list.type);
  sstrncpy(list.type_instance, std::string(type_instance).c_str(),
           sizeof list.type_instance);
  plugin_dispatch_values(&list);
}

void Dispatch(const Span& span, std::string_view instance, const char* type,
              std::string_view type_instance,
              std::initializer_list<double> values) {
  Dispatch(span.end_ns, span.interval, instance, type, type_instance, values);
}

// Bytes of a slot by its length: exact, and so is their sum.
struct PerSecond {
  explicit PerSecond(const Span& span) : seconds(span.seconds) {}
  double seconds;
  double operator()(std::uint64_t amount) const {
    return static_cast<double>(amount) / seconds;
  }
};

struct Notice {
  int severity = NOTIF_FAILURE;
  std::uint64_t time_ns = 0;
  std::string instance, type, type_instance;
  std::string message;
  std::map<std::string, std::string> fields;  // meta data
};

// The type of the values that show it, as in plugin/iptrk.types.db.
const char* TypeOf(const Incident& incident) {
  switch (*ParseIncidentKind(incident.kind)) {
    case IncidentKind::kVolume:
      return kHostType;
    case IncidentKind::kCarpet:
    case IncidentKind::kMirrorLost:
      return kNetworkType;
    case IncidentKind::kMartian:
      return kMartianType;
    case IncidentKind::kBooks:
      return kBooksType;
    default:
      return kHostPacketsType;
  }
}

Notice NoticeOf(const Incident& incident) {
  const auto address = Address::Parse(incident.subject);
  const bool books = incident.kind == ToString(IncidentKind::kBooks);
  const bool failure = incident.severity == IncidentSeverity::kFailure;
  return {.severity = !incident.open ? NOTIF_OKAY
                      : failure      ? NOTIF_FAILURE
                                     : NOTIF_WARNING,
          // The incident's own time: a slot that is drained again after a
          // crash must say the same, so that it is not mailed twice.
          .time_ns = incident.open ? incident.start_ns : incident.end_ns,
          .instance = books ? kInterfacePrefix + incident.subject
                      : incident.network.empty() ? kAllNetworks
                                                 : incident.network,
          .type = TypeOf(incident),
          .type_instance = books     ? ""
                           : address ? AddressInstance(*address)
                                     : incident.subject,
          .message = incident.Message(),
          .fields = incident.Fields()};
}

// Handlers of notifications run in whoever's thread sends them, so that it is
// one that can wait.
class Notifier {
 public:
  Notifier() : thread_([this](std::stop_token stop) { Run(stop); }) {}

  // Scans come by the thousand. They must not displace a flood, nor its end.
  void Add(Notice notice, bool pressing) {
    const std::lock_guard lock(mutex_);
    waiting_.Push(std::move(notice), pressing);
    wake_.notify_one();
  }

 private:
  void Run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
      const Notice notice = waiting_.Pop();
      const std::uint64_t dropped = waiting_.TakeLost();
      lock.unlock();
      if (dropped > 0)
        ERROR(
            "iptrk: %llu notifications were dropped: their handlers are too "
            "slow",
            static_cast<unsigned long long>(dropped));
      Send(notice);
      lock.lock();
    }
  }

  static void Send(const Notice& notice) {
    notification_t notification{};
    notification.severity = notice.severity;
    notification.time =
        TIME_T_TO_CDTIME_T(static_cast<time_t>(notice.time_ns / kSecond));
    sstrncpy(notification.host, hostname_g, sizeof notification.host);
    sstrncpy(notification.plugin, kPluginName, sizeof notification.plugin);
    sstrncpy(notification.plugin_instance, notice.instance.c_str(),
             sizeof notification.plugin_instance);
    sstrncpy(notification.type, notice.type.c_str(), sizeof notification.type);
    sstrncpy(notification.type_instance, notice.type_instance.c_str(),
             sizeof notification.type_instance);
    sstrncpy(notification.message, notice.message.c_str(),
             sizeof notification.message);
    for (const auto& [name, value] : notice.fields)
      plugin_notification_meta_add_string(&notification, name.c_str(),
                                          value.c_str());
    plugin_dispatch_notification(&notification);
    // collectd logs an error when there is nothing to free.
    if (notification.meta != nullptr)
      plugin_notification_meta_free(notification.meta);
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  PressingQueue<Notice> waiting_{kMostNotifications};
  std::jthread thread_;  // last: it uses the rest
};

class CollectdOutput : public CollectorOutput {
 public:
  void OnSlot(const Span& slot, const Account& account,
              const std::vector<Network>& networks) override {
    DispatchNetwork(slot, kAllNetworks, account.all(), account.classifier());
    for (std::size_t i = 0; i < networks.size(); ++i)
      DispatchNetwork(slot, networks[i].name, account.networks()[i],
                      account.classifier());
    const PerSecond rate(slot);
    Dispatch(slot, kAllNetworks, kMartianType, "",
             {rate(account.Of(Martian::kBogon).bytes),
              rate(account.Of(Martian::kSpoofed).bytes),
              rate(account.Of(Martian::kForeign).bytes),
              rate(account.Of(Martian::kNonIp).bytes)});
  }

  void OnReconfigured(const Span& slot, const ToldNames& before,
                      const ToldNames& after) override {
    const auto knew = [](const std::vector<std::string>& names,
                         const std::string& name) {
      return std::ranges::find(names, name) != names.end();
    };
    const auto begin = [&](const std::string& network, bool known) {
      if (!known)
        Dispatch(slot, network, kNetworkType, "", {0, 0, 0, 0, 0, 0, 0, 0});
      for (const std::string& service : after.services)
        if (!known || !knew(before.services, service))
          Dispatch(slot, network, kServiceType, service, {0, 0, 0});
    };
    begin(kAllNetworks, true);
    for (const std::string& network : after.networks)
      begin(network, knew(before.networks, network));
  }

  void OnHosts(const Span& span, Account& account,
               const std::vector<Network>& networks) override {
    // All that is new first: collectd's write threads may overtake each
    // other within a few values.
    const std::uint64_t begin_ns = BeginOf(span);
    account.hosts().ForEach([&](Host& host) {
      if (std::exchange(host.announced, true)) return;
      const std::string& network =
          networks[static_cast<std::size_t>(host.network)].name;
      const std::string address = AddressInstance(host.address);
      Dispatch(begin_ns, span.interval, network, kHostType, address,
               {0, 0, 0, 0, 0, 0, 0, 0});
      Dispatch(begin_ns, span.interval, network, kHostPacketsType, address,
               {0, 0, 0, 0});
    });
    const PerSecond rate(span);
    account.hosts().ForEach([&](const Host& host) {
      const std::string& network =
          networks[static_cast<std::size_t>(host.network)].name;
      const std::string address = AddressInstance(host.address);
      const auto bytes = [&](std::size_t source) {
        return rate(host.Of(kHostKindsInOrder[source]).bytes);
      };
      Dispatch(span, network, kHostType, address,
               {bytes(0), bytes(1), bytes(2), bytes(3), bytes(4), bytes(5),
                bytes(6), bytes(7)});
      Dispatch(span, network, kHostPacketsType, address,
               {rate(host.In().packets), rate(host.Out().packets),
                rate((host.InternalIn() + host.InternalOut()).packets),
                host.peers.Count() / span.seconds});
    });
  }

  void OnBooks(const Span& slot,
               const std::vector<BooksEntry>& gained) override {
    for (const BooksEntry& row : gained) {
      const std::string instance = kInterfacePrefix + row.interface;
      const char* const direction = row.sent ? "sent" : "received";
      // One that appeared needs a value before its first one.
      if (announced_.insert(instance + direction).second &&
          row.nic.bytes + row.seen.bytes > 0)
        Dispatch(BeginOf(slot), slot.interval, instance, kBooksType, direction,
                 {0, 0, 0, 0, 0, 0});
      const PerSecond rate(slot);
      Dispatch(slot, instance, kBooksType, direction,
               {rate(row.nic.bytes), rate(row.seen.bytes),
                rate(row.recorded.bytes), rate(row.merged.bytes),
                rate(row.unattributed.bytes), rate(row.elsewhere.bytes)});
    }
  }

  void OnQueue(const Span& slot, const QueueSlot& queue) override {
    const PerSecond rate(slot);
    Dispatch(slot, kQueueInstance, kQueueType, "",
             {queue.fill, rate(queue.records), rate(queue.early_commits),
              queue.lag});
  }

  void OnIncident(const Incident& incident) override {
    notifier_.Add(NoticeOf(incident),
                  incident.severity == IncidentSeverity::kFailure);
  }
  // May come from the ledger's thread.
  void OnHealth(const std::string& part, bool well,
                const std::string& text) override {
    if (well)
      INFO("iptrk: %s: %s", part.c_str(), text.c_str());
    else
      ERROR("iptrk: %s: %s", part.c_str(), text.c_str());
    notifier_.Add(
        {.severity = well ? NOTIF_OKAY : NOTIF_WARNING,
         .time_ns = static_cast<std::uint64_t>(time(nullptr)) * kSecond,
         .instance = part,
         .type = "",
         .type_instance = "",
         .message = part + ": " + text,
         .fields = {}},
        /*pressing=*/true);
  }
  // collectd ends its readers before it ends its writers.
  std::uint64_t Beats() const override { return beats_; }
  void Beat() { ++beats_; }

  void OnInfo(const std::string& text) override {
    INFO("iptrk: %s", text.c_str());
  }
  void OnError(const std::string& text) override {
    ERROR("iptrk: %s", text.c_str());
  }

 private:
  static void DispatchNetwork(const Span& slot, std::string_view name,
                              const NetworkVolume& network,
                              const Classifier& classifier) {
    const PerSecond rate(slot);
    const Volume in = network.Of(Direction::kIn);
    const Volume out = network.Of(Direction::kOut);
    const Volume internal = network.Of(Direction::kInternal);
    const Volume martian = network.Of(Direction::kMartian);
    Dispatch(slot, name, kNetworkType, "",
             {rate(in.bytes), rate(out.bytes), rate(internal.bytes),
              rate(martian.bytes), rate(in.packets), rate(out.packets),
              rate(internal.packets), rate(martian.packets)});
    const std::vector<std::string>& services = classifier.ServiceNames();
    for (std::size_t i = 0; i < services.size(); ++i) {
      const ServiceVolume service = network.Service(i);
      Dispatch(slot, name, kServiceType, services[i],
               {rate(service.in.bytes), rate(service.out.bytes),
                rate(service.internal.bytes)});
    }
  }

  static std::uint64_t BeginOf(const Span& span) {
    return span.end_ns - kSecond * static_cast<std::uint64_t>(span.seconds);
  }

  std::atomic<std::uint64_t> beats_ = 0;
  std::set<std::string> announced_;  // books that have a value already
  Notifier notifier_;
};

std::string g_config_path = kDefaultConfigPath;
bool g_config_given = false;
std::unique_ptr<ConfigFile> g_file;
std::unique_ptr<CollectdOutput> g_output;
std::unique_ptr<std::jthread> g_thread;

// Nothing of ours may unwind into collectd, which is C.
template <typename Body>
int Guarded(const char* what, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    ERROR("iptrk: %s: %s", what, error.what());
  } catch (...) {
    ERROR("iptrk: %s failed", what);
  }
  return -1;
}

int OnConfig(oconfig_item_t* block) {
  return Guarded("configuration", [&] {
    for (int i = 0; i < block->children_num; ++i) {
      oconfig_item_t* child = block->children + i;
      if (strcasecmp(child->key, "ConfigFile") != 0) {
        ERROR("iptrk: unknown option %s; the only one is ConfigFile",
              child->key);
        return -1;
      }
      char* path = nullptr;
      if (cf_util_get_string(child, &path) != 0) return -1;
      g_config_path = path;
      g_config_given = true;
      free(path);
    }
    return 0;
  });
}

// Reads nothing, but says that collectd lives. From a thread of readers.
int OnRead(user_data_t* /*none*/) {
  g_output->Beat();
  return 0;
}

int OnInit() {
  return Guarded("start", [] {
    if (g_thread) return 0;
    g_file = std::make_unique<ConfigFile>(g_config_path, g_config_given);
    ConfigResult result = g_file->Load();
    for (const ConfigError& error : result.errors)
      ERROR("iptrk: %s", error.ToString().c_str());
    if (!result.ok()) return -1;
    g_written.emplace(result.config.collectd.rrd_directory);
    g_output = std::make_unique<CollectdOutput>();
    plugin_register_complex_read(nullptr, "iptrk", OnRead,
                                 TIME_T_TO_CDTIME_T(1), nullptr);
    g_thread = std::make_unique<std::jthread>(
        [config = std::move(result.config)](std::stop_token stop) {
          Guarded("collector", [&] {
            Collector(config, g_file.get(), *g_output).Run(stop);
            return 0;
          });
        });
    return 0;
  });
}

int OnShutdown() {
  return Guarded("stop", [] {
    g_thread.reset();  // asks it to stop, and waits
    g_output.reset();
    g_file.reset();
    return 0;
  });
}

}  // namespace
}  // namespace iptrk

extern "C" __attribute__((visibility("default"))) void module_register() {
  plugin_register_complex_config("iptrk", iptrk::OnConfig);
  plugin_register_init("iptrk", iptrk::OnInit);
  plugin_register_shutdown("iptrk", iptrk::OnShutdown);
}
