// SPDX-License-Identifier: GPL-2.0-only
// Volumes by host, service, network and as a whole.
//
// Take() adds records; the owner of the slots reads the sums and clears them.
// Every packet is in exactly one cell of all(), so that its total is what the
// queue delivered. Thread-compatible: one thread takes and reads.
#ifndef IPTRK_LIB_ACCOUNT_H_
#define IPTRK_LIB_ACCOUNT_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/classify.h"
#include "lib/config.h"
#include "lib/host_table.h"
#include "lib/ledger_entry.h"
#include "lib/network_volume.h"
#include "lib/volume.h"

namespace iptrk {

class Watcher {
 public:
  virtual ~Watcher() = default;
  // Each packet of the hosts it asked for.
  virtual void OnPacket(Host& host, Way way, const iptrk_record& record) = 0;
  // Each IP packet that is no plain traffic (lib/detect_traffic.h), before
  // OnPacket(). A host is null when the side is not ours, or has no place.
  virtual void OnOdd(const iptrk_record& record, Host* src, Host* dst,
                     int src_network, int dst_network) = 0;
  // Each martian IP packet.
  virtual void OnMartian(const iptrk_record& record, Martian kind) = 0;
};

// What an account has counted since it was cleared.
struct AccountSums {
  NetworkVolume all = NetworkVolume();
  std::array<Volume, kMartians> martian{};
  std::vector<NetworkVolume> networks;
  std::vector<CustomerVolume> untracked;
  std::vector<Host> hosts;  // those with traffic
};

class Account {
 public:
  explicit Account(const Config& config);

  void Take(std::span<const iptrk_record> records);
  void Take(const iptrk_record& record) { Take({&record, 1}); }

  // Which packets `watcher` is told of; it must outlive the account.
  void SetWatcher(Watcher& watcher) { watcher_ = &watcher; }
  void Watch(const Host& host, bool watched);

  // See Classifier.
  void SetInterfaces(const std::vector<iptrk_interface>& interfaces) {
    classifier_.SetInterfaces(interfaces);
  }
  // Goes on with another configuration; what was counted of networks and
  // services is cleared, hosts keep what they have. `gone(Host&)` is
  // called for hosts that are not ours any more.
  template <typename Each>
  void Reconfigure(const Config& config, Each gone) {
    classifier_ = Classifier(config);
    networks_.assign(config.networks.size(),
                     NetworkVolume(classifier_.services()));
    all_ = NetworkVolume(classifier_.services());
    martian_ = {};
    hosts_.Reconfigure(config.networks, config.customers, gone);
    untracked_.assign(config.customers.size(), {});
  }

  const Classifier& classifier() const { return classifier_; }
  const NetworkVolume& all() const { return all_; }
  Volume Of(Martian kind) const {
    return kind == Martian::kNonIp ? all_.nonip
                                   : martian_[static_cast<std::size_t>(kind)];
  }
  // By Martian; of frames that are not IP it knows nothing.
  const std::array<Volume, kMartians>& martian() const { return martian_; }
  const std::vector<NetworkVolume>& networks() const { return networks_; }
  HostTable& hosts() { return hosts_; }
  const HostTable& hosts() const { return hosts_; }
  // By customer: of own addresses beyond HostTable::kMostHosts.
  const std::vector<CustomerVolume>& untracked() const { return untracked_; }

  AccountSums Sums() const;
  // Goes on from there: of hosts that are ours, and, when they are those of
  // this configuration (`networks_too`), of networks and services; returns
  // whether of these. In an account that has counted nothing.
  bool Resume(const AccountSums& sums, bool networks_too);

  // Begins anew at `end_ns`: who had traffic was seen until then.
  void ClearHosts(std::uint64_t end_ns);
  void ClearNetworks();
  // Lets go of hosts not seen since `before_ns` and not under suspicion, after
  // `gone(Host&)` saw them.
  template <typename Each>
  void Forget(std::uint64_t before_ns, Each gone) {
    hosts_.Forget([&](Host& host) {
      const bool old = host.last_seen_ns < before_ns && host.suspect < 0;
      if (old) gone(host);
      return old;
    });
  }

 private:
  // One side of a record: what the index knew, and where the host is.
  struct Side {
    HostRef ref;
    Host* host;  // null: not ours, or no place for it
  };

  void Find(HostIndex::Ipv4 ipv4, const iptrk_record& record, Side& src,
            Side& dst);
  void TakeOne(const iptrk_record& record, Side src, Side dst);
  void TakeOdd(const iptrk_record& record);
  void AddHost(const iptrk_record& record, const std::uint8_t* address,
               Side& side);
  void AddTo(Host* host, Way way, const iptrk_record& record, bool internal,
             Split split);
  void TakeUntracked(const iptrk_record& record, Way way, bool internal);
  bool IsWatched(std::uint32_t number) const {
    const std::size_t word = number / 64;
    return word < watched_.size() && (watched_[word] >> (number % 64) & 1);
  }

  Classifier classifier_;
  HostTable hosts_;
  NetworkVolume all_;
  std::array<Volume, kMartians> martian_;  // by Martian; nonip is in all_
  std::vector<NetworkVolume> networks_;
  std::vector<CustomerVolume> untracked_;
  std::vector<std::uint64_t> watched_;  // a bit a host
  std::size_t watched_count_ = 0;       // bits set there
  Watcher* watcher_ = nullptr;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_ACCOUNT_H_
