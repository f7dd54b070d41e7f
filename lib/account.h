// SPDX-License-Identifier: GPL-2.0-only
// Volumes by host, service, network and as a whole.
//
// Take() adds a record; the owner of the slots reads the sums and clears
// them. Every packet is in exactly one cell of `all`, so that its total is
// what the queue delivered. Thread-compatible: one thread takes and reads.
#ifndef IPTRK_LIB_ACCOUNT_H_
#define IPTRK_LIB_ACCOUNT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/classify.h"
#include "lib/host_table.h"
#include "lib/peer_sketch.h"
#include "lib/protocol.h"
#include "lib/volume.h"

namespace iptrk {

// How one direction of a host goes, second by second. Belongs to Detector.
struct HostRate {
  Volume second;               // of the second that is open
  float fast = 0;              // packets/s, moving average
  std::uint8_t over = 0;       // a bit a second, newest lowest: over the limit?
  std::int16_t evidence = -1;  // number of what is gathered about it
};

// What one of our addresses received and sent. A host counts every packet
// that has its address, whatever kind of martian the other side may be: a
// flood from spoofed sources hits it all the same.
struct Host {
  Address address;
  int network = kNoNetwork;
  std::array<Volume, kSplits> in;   // from others, by tcp, udp, other
  std::array<Volume, kSplits> out;  // to others
  Volume internal_in;               // from ours
  Volume internal_out;              // to ours
  PeerSketch peers;                 // others it spoke with
  std::uint64_t last_seen_ns = 0;
  bool announced = false;        // whoever writes values knows of it
  std::array<HostRate, 2> rate;  // received, sent; not cleared with volumes

  Volume In() const { return in[0] + in[1] + in[2]; }
  Volume Out() const { return out[0] + out[1] + out[2]; }
  void ClearVolumes();
};

struct ServiceVolume {
  Volume in, out, internal;
};

struct NetworkVolume {
  std::array<Volume, kDirections> direction;
  std::array<Volume, kMartians> martian;  // of `all` only
  std::array<Volume, kSplits> split;      // of `all` only; IP packets
  Volume unattributed;                    // of `all` only: address unknown
  std::vector<ServiceVolume> services;    // by Classifier's index

  Volume Total() const;
};

// The own hosts of a record; nullptr for a side that is none.
struct HostPair {
  Host* src = nullptr;
  Host* dst = nullptr;
};

class Account {
 public:
  // `classifier` and `networks` (their number) are those of one Config.
  Account(const Classifier& classifier, std::size_t networks);

  // Adds the record. The hosts are valid until Forget().
  HostPair Take(const iptrk_record& record, const Verdict& verdict);

  const NetworkVolume& all() const { return all_; }
  const std::vector<NetworkVolume>& networks() const { return networks_; }
  HostTable<Host>& hosts() { return hosts_; }
  const HostTable<Host>& hosts() const { return hosts_; }
  // Packets to or from own addresses beyond HostTable::kMostHosts.
  Volume untracked() const { return untracked_; }

  void ClearHosts();
  void ClearNetworks();
  // Lets go of hosts not seen since `before_ns` and not under suspicion.
  void Forget(std::uint64_t before_ns);

 private:
  Host* FindHost(Address address, int network, const iptrk_record& record);
  void TakeNetworks(const iptrk_record& record, const Verdict& verdict);

  HostTable<Host> hosts_;
  NetworkVolume all_;
  std::vector<NetworkVolume> networks_;
  Volume untracked_;
};

}  // namespace iptrk

#endif  // IPTRK_LIB_ACCOUNT_H_
