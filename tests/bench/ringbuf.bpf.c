// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shortest eBPF program that does what a record needs: time, addresses,
 * ports, protocol and length of an IPv4 packet into a ring buffer, without
 * waking its reader.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ringbuf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} records SEC(".maps");

__u64 lost;

SEC("tc")
int record(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	__be16 *ports = (void *)(ip + 1);
	struct ringbuf_record *record;

	if (skb->protocol != bpf_htons(ETH_P_IP) || (void *)(ports + 2) > end)
		return TC_ACT_UNSPEC;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return TC_ACT_UNSPEC;
	}
	record->time_ns = bpf_ktime_get_ns();
	record->src = ip->saddr;
	record->dst = ip->daddr;
	record->bytes = skb->len;
	record->interface = skb->ifindex;
	record->sport = ports[0];
	record->dport = ports[1];
	record->protocol = ip->protocol;
	record->sent = skb->ingress_ifindex == 0;
	record->reserved = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
