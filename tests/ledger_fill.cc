// SPDX-License-Identifier: GPL-2.0-only
// Writes a ledger as told on stdin, for tests: ledger_fill LEDGER
//
// Lines, in order of time, all times UTC seconds:
//   slot END SECONDS COVERED UNATTRIBUTED_BYTES    an entry of one interval
//   customer NAME IN OUT                           of the slot before; bytes
//   customers COUNT SEED    so many: c0, c1, ... with random bytes
//   host ADDRESS IN_TCP IN_UDP IN_OTHER OUT_TCP OUT_UDP OUT_OTHER   bytes
//   incident ID KIND SUBJECT START END JSON    END 0: open; JSON to the end of
//                                              the line
//   hosts COUNT SEED    so many hosts of 10.0.0.0/16, with random bytes
#include <cstdio>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "lib/ledger.h"

namespace iptrk {
namespace {

constexpr std::size_t kAtOnce = 288;

void AddHost(const HostEntry& host, LedgerEntry& entry) {
  const auto& bytes = host.volume.bytes;
  for (std::size_t i = 0; i < HostVolume::kOutTcp; ++i)
    entry.total.in.bytes += bytes[i];
  for (std::size_t i = HostVolume::kOutTcp; i < HostVolume::kInternalIn; ++i)
    entry.total.out.bytes += bytes[i];
  entry.hosts.push_back(host);
}

void AddRandomHosts(std::size_t count, unsigned seed, LedgerEntry& entry) {
  std::mt19937_64 random(seed);
  // Most flows are small and few are large.
  std::lognormal_distribution<double> bytes(10, 3);
  std::mt19937_64 who(count);  // the same in every slot
  std::set<std::uint32_t> numbers;
  while (numbers.size() < count)
    numbers.insert(static_cast<std::uint32_t>(who() & 0xffff));
  for (const std::uint32_t number : numbers) {
    HostEntry host{Address::FromIpv4(0x0a000000u | number), {}};
    for (std::size_t i = 0; i < HostVolume::kByteKinds; ++i)
      // Hardly anybody has everything.
      if (random() % 4 < (i < HostVolume::kInternalIn ? 3u : 1u))
        host.volume.bytes[i] = static_cast<std::uint64_t>(bytes(random)) + 60;
    for (std::uint64_t& packets : host.volume.packets)
      packets = host.volume.bytes[0] / 700 + 1;
    AddHost(host, entry);
  }
}

void AddRandomCustomers(std::size_t count, unsigned seed, LedgerEntry& entry) {
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    CustomerEntry& customer = entry.customers.emplace_back();
    customer.name = "c" + std::to_string(i);
    for (Volume* volume :
         {&customer.volume.in, &customer.volume.out,
          &customer.volume.internal_in, &customer.volume.internal_out}) {
      volume->bytes = random() % 40'000'000'000;  // up to a Gbit/s
      volume->packets = volume->bytes / 800;
    }
  }
}

int Fill(const std::string& path) {
  Ledger ledger(path);
  std::vector<LedgerEntry> entries;
  std::vector<LedgerIncident> incidents;
  std::string word;
  while (std::cin >> word) {
    if (word == "slot") {
      if (entries.size() == kAtOnce) {
        ledger.Apply(entries);
        entries.clear();
      }
      LedgerEntry& entry = entries.emplace_back();
      std::cin >> entry.end >> entry.seconds >> entry.covered >>
          entry.total.unattributed.bytes;
      entry.mark = {1, {static_cast<std::uint64_t>(entry.end)}};
    } else if (word == "customer" && !entries.empty()) {
      CustomerEntry& customer = entries.back().customers.emplace_back();
      std::cin >> customer.name >> customer.volume.in.bytes >>
          customer.volume.out.bytes;
      customer.volume.in.packets = customer.volume.in.bytes / 1000;
      customer.volume.out.packets = customer.volume.out.bytes / 1000;
    } else if (word == "host" && !entries.empty()) {
      std::string address;
      std::cin >> address;
      HostEntry host{Address::Parse(address).value_or(Address{}), {}};
      for (std::size_t i = 0; i < HostVolume::kInternalIn; ++i)
        std::cin >> host.volume.bytes[i];
      host.volume.packets = {host.volume.bytes[0] / 1000 + 1, 1, 0, 0};
      AddHost(host, entries.back());
    } else if (word == "incident") {
      LedgerIncident& incident = incidents.emplace_back();
      std::cin >> incident.id >> incident.kind >> incident.subject >>
          incident.start >> incident.end;
      incident.open = incident.end == 0;
      std::getline(std::cin >> std::ws, incident.json);
    } else if (word == "customers" && !entries.empty()) {
      std::size_t count = 0;
      unsigned seed = 0;
      std::cin >> count >> seed;
      AddRandomCustomers(count, seed, entries.back());
    } else if (word == "hosts" && !entries.empty()) {
      std::size_t count = 0;
      unsigned seed = 0;
      std::cin >> count >> seed;
      AddRandomHosts(count, seed, entries.back());
    } else {
      std::cerr << "ledger_fill: '" << word << "' is no line\n";
      return 2;
    }
  }
  ledger.Apply(entries, {}, incidents);
  return std::cin.eof() ? 0 : 2;
}

}  // namespace
}  // namespace iptrk

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "ledger_fill LEDGER <LINES\n";
    return 2;
  }
  try {
    return iptrk::Fill(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "ledger_fill: " << error.what() << "\n";
    return 1;
  }
}
