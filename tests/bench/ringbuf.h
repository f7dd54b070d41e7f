/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests/bench/ringbuf.bpf.c writes and read_ringbuf.cc reads. */
#ifndef IPTRK_TESTS_BENCH_RINGBUF_H
#define IPTRK_TESTS_BENCH_RINGBUF_H

struct ringbuf_record {
  __u64 time_ns;
  __u32 src;
  __u32 dst;
  __u32 bytes;
  __u32 interface;
  __u16 sport;
  __u16 dport;
  __u8 protocol;
  __u8 sent;
  __u16 reserved;
};

#endif /* IPTRK_TESTS_BENCH_RINGBUF_H */
