// SPDX-License-Identifier: GPL-2.0-only
#include "lib/ledger_sum.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace iptrk {

void Add(HostVolume& sum, const HostVolume& more) {
  for (std::size_t i = 0; i < sum.bytes.size(); ++i)
    sum.bytes[i] += more.bytes[i];
  for (std::size_t i = 0; i < sum.packets.size(); ++i)
    sum.packets[i] += more.packets[i];
}

void Add(CustomerVolume& sum, const CustomerVolume& more) {
  sum.in += more.in;
  sum.out += more.out;
  sum.internal_in += more.internal_in;
  sum.internal_out += more.internal_out;
}

void Add(TotalVolume& sum, const TotalVolume& more) {
  sum.in += more.in;
  sum.out += more.out;
  sum.internal += more.internal;
  sum.bogon += more.bogon;
  sum.spoofed += more.spoofed;
  sum.foreign += more.foreign;
  sum.nonip += more.nonip;
  sum.unattributed += more.unattributed;
}

void Add(BooksEntry& sum, const BooksEntry& more) {
  sum.nic += more.nic;
  sum.seen += more.seen;
  sum.recorded += more.recorded;
  sum.merged += more.merged;
  sum.unattributed += more.unattributed;
  sum.elsewhere += more.elsewhere;
}

void SortHosts(std::vector<HostEntry>& hosts) {
  const auto before = [](const HostEntry& a, const HostEntry& b) {
    return a.address < b.address;
  };
  if (!std::is_sorted(hosts.begin(), hosts.end(), before))
    std::sort(hosts.begin(), hosts.end(), before);
  std::size_t last = 0;
  for (std::size_t i = 1; i < hosts.size(); ++i)
    if (hosts[i].address == hosts[last].address)
      Add(hosts[last].volume, hosts[i].volume);
    else
      hosts[++last] = hosts[i];
  if (!hosts.empty()) hosts.resize(last + 1);
}

void AddHosts(std::vector<HostEntry>& sum, const std::vector<HostEntry>& more) {
  // Mostly they are the same hosts, and nothing has to move.
  std::vector<HostEntry> fresh;
  auto old = sum.begin();
  for (const HostEntry& host : more) {
    while (old != sum.end() && old->address < host.address) ++old;
    if (old != sum.end() && old->address == host.address)
      Add(old->volume, host.volume);
    else
      fresh.push_back(host);
  }
  if (fresh.empty()) return;
  std::vector<HostEntry> both;
  both.reserve(sum.size() + fresh.size());
  std::ranges::merge(sum, fresh, std::back_inserter(both), {},
                     &HostEntry::address, &HostEntry::address);
  sum = std::move(both);
}

void AddEarlier(LedgerEntry& entry, const LedgerEntry& earlier) {
  entry.seconds += earlier.seconds;
  entry.covered += earlier.covered;
  Add(entry.total, earlier.total);
  if (entry.baselines.empty()) entry.baselines = earlier.baselines;

  std::map<std::string, CustomerVolume> customers;
  for (const LedgerEntry* part :
       {&earlier, static_cast<const LedgerEntry*>(&entry)})
    for (const CustomerEntry& customer : part->customers)
      Add(customers[customer.name], customer.volume);
  entry.customers.clear();
  for (const auto& [name, volume] : customers)
    entry.customers.push_back({name, volume});

  std::map<std::pair<std::string, bool>, BooksEntry> books;
  for (const LedgerEntry* part :
       {&earlier, static_cast<const LedgerEntry*>(&entry)})
    for (const BooksEntry& more : part->books)
      Add(books[{more.interface, more.sent}], more);
  entry.books.clear();
  for (auto& [key, sum] : books) {
    std::tie(sum.interface, sum.sent) = key;
    entry.books.push_back(std::move(sum));
  }

  std::vector<HostEntry> hosts = earlier.hosts;
  SortHosts(hosts);
  SortHosts(entry.hosts);
  AddHosts(entry.hosts, hosts);
}

}  // namespace iptrk
