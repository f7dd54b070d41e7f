// SPDX-License-Identifier: GPL-2.0-only
// A reader of an AF_PACKET ring, version 3, as packet analysers have it:
// read_tpacket hold|live INTERFACE, as read_iptrk.
//
// The first 96 bytes of each packet; blocks are handed over after 10 ms at the
// latest.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hosts.h"
#include "polling.h"

namespace {

constexpr unsigned kBlock = 1U << 18, kBlocks = 128;

void Must(bool success, const char* what) {
  if (success) return;
  std::perror(what);
  std::exit(1);
}

class Ring {
 public:
  explicit Ring(const char* interface)
      : socket_(socket(AF_PACKET, SOCK_RAW, 0)) {
    Must(socket_ >= 0, "socket");
    const int version = TPACKET_V3;
    Set(SOL_PACKET, PACKET_VERSION, version);
    sock_filter snap = BPF_STMT(BPF_RET | BPF_K, 96);
    Set(SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{1, &snap});
    tpacket_req3 request{};
    request.tp_block_size = kBlock;
    request.tp_block_nr = kBlocks;
    request.tp_frame_size = 2048;
    request.tp_frame_nr = kBlock / 2048 * kBlocks;
    request.tp_retire_blk_tov = 10;
    Set(SOL_PACKET, PACKET_RX_RING, request);
    void* memory =
        mmap(nullptr, std::size_t{kBlock} * kBlocks, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_POPULATE, socket_, 0);
    Must(memory != MAP_FAILED, "mmap");
    memory_ = static_cast<char*>(memory);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    Must(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
             0,
         interface);
  }

  void Drain(Hosts& hosts) {
    for (;;) {
      auto* block = reinterpret_cast<tpacket_block_desc*>(
          memory_ + std::size_t{next_} * kBlock);
      std::atomic_ref status(block->hdr.bh1.block_status);
      if (!(status.load(std::memory_order_acquire) & TP_STATUS_USER)) return;
      const char* at = reinterpret_cast<const char*>(block) +
                       block->hdr.bh1.offset_to_first_pkt;
      for (unsigned i = 0; i < block->hdr.bh1.num_pkts; ++i) {
        const auto* packet = reinterpret_cast<const tpacket3_hdr*>(at);
        const char* ip = at + packet->tp_net;
        hosts.Add(Hosts::Load(ip + 12), Hosts::Load(ip + 16), packet->tp_len);
        at += packet->tp_next_offset;
      }
      read_ += block->hdr.bh1.num_pkts;
      status.store(TP_STATUS_KERNEL, std::memory_order_release);
      next_ = (next_ + 1) % kBlocks;
    }
  }

  void Report() const {
    tpacket_stats_v3 statistics{};
    socklen_t length = sizeof statistics;
    Must(getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &statistics,
                    &length) == 0,
         "PACKET_STATISTICS");
    std::printf("seen=%u read=%llu\n",
                statistics.tp_packets - statistics.tp_drops, read_);
  }

 private:
  template <typename Value>
  void Set(int level, int option, const Value& value) const {
    Must(setsockopt(socket_, level, option, &value, sizeof value) == 0,
         "setsockopt");
  }

  int socket_;
  char* memory_ = nullptr;
  unsigned next_ = 0;
  unsigned long long read_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Polling polling;
  Ring ring(argv[2]);
  Hosts hosts;
  Polling::Ready();
  if (argv[1] == std::string("hold")) {
    polling.SleepForever();
  } else {
    while (polling.Sleep()) ring.Drain(hosts);
    ring.Drain(hosts);
  }
  ring.Report();
  return 0;
}
