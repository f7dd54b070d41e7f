// SPDX-License-Identifier: GPL-2.0-only
// What a named queue has, one line of key=value each, for the shell:
//
//   records watch NAME [-p] [PATTERN...]  makes the queue; -p: promiscuous
//   records books NAME                    its interfaces, without reading it
//   records read NAME [-p] [PATTERN...]   and its records, which it commits
//   records destroy NAME
//
// The queue goes on filling in between, as collectd's does.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>
#include <exception>

#include "lib/address.h"
#include "lib/books.h"
#include "lib/queue.h"
#include "tests/vm/device/lab.h"

namespace iptrk {
namespace {

void PrintBooks(const iptrk_interface& interface, bool sent) {
  const iptrk_books& books = sent ? interface.sent : interface.received;
  const Balance balance = BalanceOf(interface, sent);
  fmt::print("books interface={} direction={} watched={} closed={:d}",
             interface.name, sent ? "sent" : "received", interface.watched,
             balance.closed);
  const auto print = [](const char* name, const auto& volume) {
    fmt::print(" {0}_packets={1} {0}_bytes={2}", name, volume.packets,
               volume.bytes);
  };
  print("seen", books.seen);
  print("recorded", books.recorded);
  print("merged", books.merged);
  print("unattributed", books.unattributed);
  print("elsewhere", books.elsewhere);
  print("buffers", books.buffers);
  print("nic", books.nic);
  fmt::print(" unseen_packets={} unseen_bytes={}\n", balance.unseen_packets,
             balance.unseen_bytes);
}

void PrintRecord(const iptrk_record& record, const char* interface) {
  const auto address = [&](const std::uint8_t* bytes) {
    return record.flags & (IPTRK_IPV4 | IPTRK_IPV6)
               ? Address::FromBytes(bytes).ToString()
               : fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}",
                             bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                             bytes[5]);
  };
  fmt::print(
      "record interface={} direction={} packets={} bytes={} src={} dst={} "
      "ethertype={:#06x} vlan={:#x} sport={} dport={} protocol={} l2_len={} "
      "header_len={} flags={:#x} type={}",
      interface, record.flags & IPTRK_SENT ? "sent" : "received",
      record.packets, record.bytes, address(record.src), address(record.dst),
      record.ethertype, record.vlan, record.sport, record.dport,
      record.protocol, record.l2_len, record.header_len, record.flags,
      record.flags & IPTRK_PKTTYPE);
  const std::pair<int, const char*> names[] = {
      {IPTRK_TAGGED, "tagged"},        {IPTRK_FRAGMENT, "fragment"},
      {IPTRK_FRAGMENT_LATER, "later"}, {IPTRK_MALFORMED, "malformed"},
      {IPTRK_TRUNCATED, "truncated"},  {IPTRK_SEGMENTED, "segmented"},
      {IPTRK_MERGED, "merged"}};
  for (const auto& [flag, name] : names)
    if (record.flags & flag) fmt::print(" {}", name);
  fmt::print("\n");
}

void PrintAllBooks(const Queue& queue) {
  for (const iptrk_interface& interface : queue.Interfaces()) {
    PrintBooks(interface, false);
    PrintBooks(interface, true);
  }
}

void Destroy(const std::string& name) {
  const int file = open(kDevicePath, O_RDWR | O_CLOEXEC);
  iptrk_attach attach{};
  attach.abi_version = IPTRK_ABI_VERSION;
  attach.flags = IPTRK_ATTACH_OBSERVE;
  name.copy(attach.name, sizeof attach.name - 1);
  if (ioctl(file, IPTRK_ATTACH, &attach) != 0 ||
      ioctl(file, IPTRK_DESTROY) != 0)
    throw std::runtime_error(std::string("destroy: ") + std::strerror(errno));
  close(file);
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return 2;
  const std::string& verb = arguments[0];
  QueueConfig config;
  config.name = arguments[1];
  config.records = 65536;
  for (std::size_t i = 2; i < arguments.size(); ++i)
    if (arguments[i] == "-p")
      config.promiscuous = true;
    else
      config.interfaces.push_back(arguments[i]);

  if (verb == "watch") {
    Queue::Read(config);
  } else if (verb == "books") {
    PrintAllBooks(Queue::Observe(config.name));
  } else if (verb == "read") {
    Queue queue = Queue::Read(config);
    const std::vector<iptrk_record> records = DrainAll(queue);
    const std::vector<iptrk_interface> interfaces = queue.Interfaces();
    queue.Commit(queue.Position());
    for (const iptrk_record& record : records)
      PrintRecord(record, interfaces.at(record.interface).name);
    PrintAllBooks(queue);
  } else if (verb == "destroy") {
    Destroy(config.name);
  } else {
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace iptrk

int main(int argc, char** argv) {
  try {
    return iptrk::Run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "records: {}\n", error.what());
    return 1;
  }
}
