// SPDX-License-Identifier: GPL-2.0-only
// Captures as records, a line each: records FILE...
//
//   file FILE
//   NUMBER field=value ...    the packet's record; addresses as 32 hex digits
//   error WORDS               why the file ends here
#include <fmt/format.h>

#include <span>

#include "tools/capture.h"

namespace iptrk {
namespace {

std::string Hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

void Print(std::uint64_t number, const iptrk_record& record) {
  fmt::print(
      "{} bytes={} packets={} l2_len={} ethertype={} vlan={} src={} dst={} "
      "protocol={} sport={} dport={} tcp_flags={} flags={}\n",
      number, record.bytes, record.packets, record.l2_len, record.ethertype,
      record.vlan, Hex(record.src), Hex(record.dst), record.protocol,
      record.sport, record.dport, record.tcp_flags, record.flags);
}

void PrintFile(const std::string& path) {
  fmt::print("file {}\n", path);
  try {
    Capture capture(path);
    std::uint64_t number = 0;
    while (const auto record = capture.Next()) Print(++number, *record);
  } catch (const CaptureError& error) {
    fmt::print("error {}\n", error.what());
  }
}

}  // namespace
}  // namespace iptrk

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) iptrk::PrintFile(argv[i]);
}
