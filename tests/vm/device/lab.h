// SPDX-License-Identifier: GPL-2.0-only
// A pair of interfaces and frames to send through it, for tests of the device.
#ifndef IPTRK_TESTS_VM_DEVICE_LAB_H_
#define IPTRK_TESTS_VM_DEVICE_LAB_H_

#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lib/queue.h"

namespace iptrk {

inline void Shell(const std::string& command) {
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("failed: " + command);
}

// Linux before 5.16 has no egress hook; device.test.sh says so.
inline bool SeesWhatIsSent() { return !std::getenv("IPTRK_NO_EGRESS"); }

// left0 <=> right0, both in this namespace, silent by themselves.
class Pair {
 public:
  Pair() {
    Shell(
        "ip link add left0 type veth peer name right0 && "
        "sysctl -qw net.ipv6.conf.left0.disable_ipv6=1 "
        "net.ipv6.conf.right0.disable_ipv6=1 && "
        "ip link set left0 up && ip link set right0 up");
  }
  ~Pair() { std::system("ip link del left0 2>/dev/null"); }
};

// Sends raw frames through one interface.
class Sender {
 public:
  explicit Sender(const std::string& interface)
      : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    address_.sll_family = AF_PACKET;
    address_.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  }
  ~Sender() { close(socket_); }

  void Send(const std::vector<std::uint8_t>& frame) {
    if (sendto(socket_, frame.data(), frame.size(), 0,
               reinterpret_cast<const sockaddr*>(&address_),
               sizeof address_) != static_cast<ssize_t>(frame.size()))
      throw std::runtime_error(std::string("sendto: ") + std::strerror(errno));
  }

 private:
  int socket_;
  sockaddr_ll address_{};
};

// Waits for frames that this CPU has received and not looked at yet: on a busy
// machine that is done later. For a thread that stays on its CPU.
inline void AwaitBacklog() {
  constexpr int kBacklog = 11;  // of the numbers of each CPU
  for (int i = 0; i < 30000; ++i) {
    std::ifstream cpus("/proc/net/softnet_stat");
    bool empty = true;
    for (std::string line; std::getline(cpus, line);) {
      std::istringstream numbers(line);
      std::string number;
      for (int k = 0; k <= kBacklog; ++k) numbers >> number;
      empty = empty && std::stoul(number, nullptr, 16) == 0;
    }
    if (empty) return;
    usleep(1000);
  }
  throw std::runtime_error("frames stay in the backlog");
}

// A UDP frame of `bytes` from 44.1.x.y (by `source`) to 10.1.0.216.
inline std::vector<std::uint8_t> UdpFrame(std::uint32_t source = 0,
                                          std::uint16_t dport = 53,
                                          std::size_t bytes = 60) {
  std::vector<std::uint8_t> frame(bytes);
  const std::uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
  std::memcpy(frame.data(), head, sizeof head);
  const std::size_t ip = bytes - 14;
  std::uint8_t* p = frame.data() + 14;
  p[0] = 0x45;
  p[2] = static_cast<std::uint8_t>(ip >> 8);
  p[3] = static_cast<std::uint8_t>(ip);
  p[8] = 64;
  p[9] = IPPROTO_UDP;
  p[12] = 44;
  p[13] = static_cast<std::uint8_t>(source >> 16);
  p[14] = static_cast<std::uint8_t>(source >> 8);
  p[15] = static_cast<std::uint8_t>(source);
  p[16] = 10;
  p[17] = 1;
  p[19] = 216;
  p[20] = 0x9c;
  p[21] = 0x40;
  p[22] = static_cast<std::uint8_t>(dport >> 8);
  p[23] = static_cast<std::uint8_t>(dport);
  p[24] = static_cast<std::uint8_t>((ip - 20) >> 8);
  p[25] = static_cast<std::uint8_t>(ip - 20);
  return frame;
}

inline QueueConfig Named(const std::string& name,
                         std::vector<std::string> interfaces = {"right0"}) {
  QueueConfig config;
  config.name = name;
  config.interfaces = std::move(interfaces);
  config.records = 1024;
  return config;
}

// Everything that waits in the queue; waited for until it is `least` records.
// A busy kernel hands frames on some time after they were sent.
inline std::vector<iptrk_record> DrainAll(Queue& queue, std::size_t least = 0) {
  std::vector<iptrk_record> records;
  for (int i = 0; i < 1000; ++i) {
    queue.Drain(~std::uint64_t{0},
                [&](const iptrk_record& record) { records.push_back(record); });
    if (records.size() >= least) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return records;
}

inline iptrk_interface Interface(const Queue& queue, const std::string& name) {
  for (const iptrk_interface& interface : queue.Interfaces())
    if (name == interface.name) return interface;
  throw std::runtime_error("no interface " + name);
}

}  // namespace iptrk

#endif  // IPTRK_TESTS_VM_DEVICE_LAB_H_
