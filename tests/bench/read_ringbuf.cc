// SPDX-License-Identifier: GPL-2.0-only
// A reader of an eBPF ring buffer that a tc program fills:
// read_ringbuf hold|live OBJECT INTERFACE, as read_iptrk.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include <net/if.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "hosts.h"
#include "polling.h"
#include "ringbuf.h"

namespace {

void Must(bool success, const char* what) {
  if (success) return;
  std::perror(what);
  std::exit(1);
}

struct Reading {
  Hosts hosts;
  unsigned long long read = 0;
};

int Take(void* context, void* data, std::size_t) {
  auto* reading = static_cast<Reading*>(context);
  const auto* record = static_cast<const ringbuf_record*>(data);
  reading->hosts.Add(record->src, record->dst, record->bytes);
  reading->read++;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const Polling polling;
  bpf_object* object = bpf_object__open_file(argv[2], nullptr);
  Must(object && bpf_object__load(object) == 0, argv[2]);

  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(if_nametoindex(argv[3]));
  hook.attach_point =
      static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  Must(bpf_tc_hook_create(&hook) == 0, "clsact");
  for (const auto point : {BPF_TC_INGRESS, BPF_TC_EGRESS}) {
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.prog_fd =
        bpf_program__fd(bpf_object__find_program_by_name(object, "record"));
    hook.attach_point = point;
    Must(bpf_tc_attach(&hook, &options) == 0, "tc");
  }

  Reading reading;
  ring_buffer* ring =
      ring_buffer__new(bpf_object__find_map_fd_by_name(object, "records"), Take,
                       &reading, nullptr);
  Must(ring != nullptr, "ring buffer");
  Polling::Ready();
  if (argv[1] == std::string("hold")) {
    polling.SleepForever();
  } else {
    while (polling.Sleep()) ring_buffer__consume(ring);
  }
  hook.attach_point =
      static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  bpf_tc_hook_destroy(&hook);
  ring_buffer__consume(ring);
  std::printf("seen=%llu read=%llu\n", reading.read, reading.read);
  return 0;
}
