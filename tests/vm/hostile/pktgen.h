// SPDX-License-Identifier: GPL-2.0-only
// The kernel's packet generator: one thread on each CPU, as fast as it can.
#ifndef IPTRK_TESTS_VM_HOSTILE_PKTGEN_H_
#define IPTRK_TESTS_VM_HOSTILE_PKTGEN_H_

#include <atomic>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/vm/device/lab.h"
#include "tests/vm/hostile/device.h"

namespace iptrk {

class Pktgen {
 public:
  Pktgen() {
    Shell("modprobe pktgen");
    Reset();
  }
  ~Pktgen() {
    WriteFile("/proc/net/pktgen/pgctrl", "stop\n");
    if (runner_.joinable()) runner_.join();
  }
  Pktgen(const Pktgen&) = delete;
  Pktgen& operator=(const Pktgen&) = delete;

  // Takes every device from its threads. They do it when they come to it, which
  // on a busy machine may be when they have new ones and run.
  void Reset() {
    Stop();
    for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu)
      if (HasDevices(cpu)) {
        Tell("kpktgend_" + std::to_string(cpu), "rem_device_all");
        while (HasDevices(cpu)) usleep(10000);
      }
  }

  // Frames of 60 bytes through `interface` by the thread of `cpu`; `settings`
  // are pktgen's own words.
  void Add(unsigned cpu, const std::string& interface,
           const std::vector<std::string>& settings) {
    const std::string name = interface + "@" + std::to_string(cpu);
    Tell("kpktgend_" + std::to_string(cpu), "add_device " + name);
    // Nobody's MAC, so that the stack lets go of the frames at once.
    for (const char* setting :
         {"count 0", "pkt_size 60", "dst_mac 02:00:00:00:00:77"})
      Tell(name, setting);
    for (const std::string& setting : settings) Tell(name, setting);
  }

  // Returns when they run; then Wait() when all have a count, else Stop().
  void Start() {
    ended_ = false;
    runner_ = std::thread([this] {
      started_ = WriteFile("/proc/net/pktgen/pgctrl", "start\n");
      ended_ = true;
    });
    while (!ended_ && Idle()) usleep(10000);
  }
  bool Running() const { return !ended_; }
  void Wait() {
    if (!runner_.joinable()) return;
    runner_.join();
    if (!started_) throw std::runtime_error("pktgen does not start");
  }
  void Stop() {
    if (!runner_.joinable()) return;
    WriteFile("/proc/net/pktgen/pgctrl", "stop\n");
    Wait();
  }

  // Frames handed over so far by the thread of `cpu`.
  std::uint64_t Sent(const std::string& interface, unsigned cpu) const {
    std::istringstream text(
        ReadFile("/proc/net/pktgen/" + interface + "@" + std::to_string(cpu)));
    for (std::string word; text >> word;)
      if (word == "pkts-sofar:") {
        std::uint64_t count = 0;
        text >> count;
        return count;
      }
    throw std::runtime_error("pktgen has no " + interface);
  }

 private:
  static void Tell(const std::string& file, const std::string& word) {
    if (!WriteFile("/proc/net/pktgen/" + file, word + "\n"))
      throw std::runtime_error("pktgen refuses: " + word);
  }
  // What the thread of `cpu` lists as "Running: " or "Stopped: ".
  static std::string Listed(unsigned cpu, const std::string& label) {
    std::istringstream text(
        ReadFile("/proc/net/pktgen/kpktgend_" + std::to_string(cpu)));
    for (std::string line; std::getline(text, line);)
      if (line.starts_with(label)) return line.substr(label.size());
    throw std::runtime_error("pktgen has no thread " + std::to_string(cpu));
  }
  static bool HasDevices(unsigned cpu) {
    return Listed(cpu, "Running: ") != "" || Listed(cpu, "Stopped: ") != "";
  }
  static bool Idle() {
    for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu)
      if (Listed(cpu, "Running: ") != "") return false;
    return true;
  }

  std::atomic<bool> ended_{true}, started_{false};
  std::thread runner_;
};

}  // namespace iptrk

#endif  // IPTRK_TESTS_VM_HOSTILE_PKTGEN_H_
