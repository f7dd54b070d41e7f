// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet: from a device's netfilter hook into the rings.
 *
 * Both hooks run with bottom halves off, ingress in softirq, egress in
 * softirq or the sender's task; so each CPU's ring has one writer at a time.
 * A packet is never dropped, changed or delayed here.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>

#include "compat.h"
#include "parse.h"
#include "queue.h"

/**
 * struct iptrk_packet - what one socket buffer is on the wire
 * @record: all but its interface
 * @buffer_bytes: as handed over, with the layer-2 header
 */
struct iptrk_packet {
	struct iptrk_record record;
	u32 buffer_bytes;
};

/*
 * Headers that don't lie in the buffer's linear part, or reach beyond it, are
 * copied out and parsed again. Rare: some drivers with page fragments.
 */
static noinline u32 iptrk_parse_scattered(const struct sk_buff *skb,
					  u32 offset,
					  struct iptrk_frame *frame,
					  struct iptrk_record *record)
{
	u8 copy[IPTRK_PARSE_MAX];
	u32 length = min_t(u32, frame->length, sizeof(copy));

	if (skb_copy_bits(skb, offset, copy, length))
		return 0;
	frame->data = copy;
	frame->captured = length;
	return iptrk_parse(frame, record);
}

/*
 * Bytes of headers that every frame of a segmented buffer will have, from the
 * layer-2 header on. @payload: where the parser found the payload to start.
 */
static u32 iptrk_segment_headers(const struct sk_buff *skb, u32 l2_offset,
				 u32 l2_len, u32 payload)
{
	bool tcp = skb_shinfo(skb)->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6);
	struct tcphdr header;
	const struct tcphdr *p;
	int offset;

	if (!skb->encapsulation)
		return payload ? l2_len + payload : 0;
	/* A tunnel: what is cut are the inner packets. */
	offset = skb_inner_transport_offset(skb);
	if (offset <= 0)
		return 0;
	if (tcp) {
		p = skb_header_pointer(skb, offset, sizeof(header), &header);
		if (!p)
			return 0;
		offset += p->doff * 4;
	} else {
		offset += sizeof(struct udphdr);
	}
	return offset + l2_offset;
}

/* One buffer, several frames: GRO joined them, or GSO will cut them. */
static noinline void iptrk_count_segments(const struct sk_buff *skb,
					  struct iptrk_packet *packet,
					  u32 l2_offset, u32 l2_len,
					  u32 payload)
{
	struct iptrk_record *record = &packet->record;
	u32 headers = iptrk_segment_headers(skb, l2_offset, l2_len, payload);
	u32 size = skb_shinfo(skb)->gso_size;
	u32 frames;

	/*
	 * gso_segs is zero when a guest made the buffer, so the frames are
	 * counted as they will be cut.
	 */
	if (headers && headers < packet->buffer_bytes)
		frames = DIV_ROUND_UP(packet->buffer_bytes - headers, size);
	else
		frames = skb_shinfo(skb)->gso_segs;
	if (frames <= 1)
		return;
	record->flags |= IPTRK_SEGMENTED;
	record->packets = frames;
	record->bytes += (frames - 1) * headers;
	if (skb_vlan_tag_present(skb))
		record->bytes += (frames - 1) * VLAN_HLEN;
	record->header_len = min_t(u32, headers, U8_MAX);
}

/**
 * iptrk_packet_read() - a socket buffer's record
 * @skb: at ingress data points behind the layer-2 header, at egress to it
 * @ethernet: the device's frames have an Ethernet header
 * @sent: at egress
 * @packet: filled in
 */
static __always_inline void iptrk_packet_read(const struct sk_buff *skb,
					      bool ethernet, bool sent,
					      struct iptrk_packet *packet)
{
	struct iptrk_record *record = &packet->record;
	/* How far data is behind the frame's start, and layer 3 behind data. */
	u32 l2_offset = sent ? 0 : skb->mac_len;
	u32 l3 = 0;
	struct iptrk_frame frame;
	u32 payload;
	u16 flags;

	if (sent) {
		const struct ethhdr *eth = (const void *)skb->data;

		flags = IPTRK_SENT;
		frame.ethertype = ntohs(skb->protocol);
		if (ethernet && likely(skb_headlen(skb) >= ETH_HLEN)) {
			l3 = ETH_HLEN;
			frame.ethertype = ntohs(eth->h_proto);
			if (unlikely(is_multicast_ether_addr(eth->h_dest)))
				flags |= is_broadcast_ether_addr(eth->h_dest) ?
						 PACKET_BROADCAST :
						 PACKET_MULTICAST;
		} else if (ethernet) {
			flags |= IPTRK_MALFORMED;
			frame.ethertype = 0;
		} else if (skb_network_offset(skb) > 0 &&
			   skb_network_offset(skb) <= skb_headlen(skb)) {
			l3 = skb_network_offset(skb);
		}
	} else {
		flags = skb->pkt_type & IPTRK_PKTTYPE;
		frame.ethertype = ntohs(skb->protocol);
	}

	packet->buffer_bytes = skb->len + l2_offset;
	record->time_ns = ktime_get_real_ns();
	record->bytes = packet->buffer_bytes;
	record->packets = 1;
	record->header_len = 0;
	record->l2_len = l2_offset + l3;
	if (skb_vlan_tag_present(skb)) {
		flags |= IPTRK_TAGGED;
		record->vlan = skb_vlan_tag_get(skb);
		record->bytes += VLAN_HLEN;
		record->l2_len += VLAN_HLEN;
	}
	record->flags = flags;

	frame.data = skb->data + l3;
	frame.captured = skb_headlen(skb) - l3;
	frame.length = skb->len - l3;
	payload = iptrk_parse(&frame, record);
	if (unlikely(record->flags & IPTRK_TRUNCATED)) {
		record->flags = flags;
		record->l2_len = l2_offset + l3 +
				 (flags & IPTRK_TAGGED ? VLAN_HLEN : 0);
		payload = iptrk_parse_scattered(skb, l3, &frame, record);
	}
	if (!(record->flags & (IPTRK_IPV4 | IPTRK_IPV6)) && ethernet &&
	    (sent ? l3 == ETH_HLEN : skb_mac_header_was_set(skb))) {
		const struct ethhdr *eth =
			sent ? (const void *)skb->data :
			       (const void *)skb_mac_header(skb);

		memcpy(record->src, eth->h_source, ETH_ALEN);
		memcpy(record->dst, eth->h_dest, ETH_ALEN);
	}
	if (skb_is_gso(skb))
		iptrk_count_segments(skb, packet, l2_offset, l2_offset + l3,
				     payload);
}

/* Whether another interface of this queue saw the packet before. */
static __always_inline bool iptrk_seen_before(const struct iptrk_port *port,
					      const struct sk_buff *skb,
					      bool sent)
{
	if (unlikely(READ_ONCE(port->covered)))
		return true;
	/* Zero: made on this machine, so this is the first we see of it. */
	return sent && skb->skb_iif &&
	       xa_load(&port->queue->covered, skb->skb_iif);
}

static __always_inline void iptrk_volume_count(struct iptrk_volume *volume,
					       u64 packets, u64 bytes)
{
	volume->packets += packets;
	volume->bytes += bytes;
}

static __always_inline void iptrk_port_take(struct iptrk_port *port,
					    const struct sk_buff *skb,
					    bool sent,
					    struct iptrk_packet *packet)
{
	struct iptrk_count *count =
		&this_cpu_ptr(port->counts)->direction[sent];
	struct iptrk_record *record = &packet->record;
	struct iptrk_books *books = &count->books;
	struct iptrk_volume *class;

	record->interface = port->index;
	if (iptrk_seen_before(port, skb, sent)) {
		class = &books->elsewhere;
	} else {
		struct iptrk_ring *ring =
			&port->queue->rings[smp_processor_id()];
		struct iptrk_record *slot;

		/* What waited longest goes first. */
		if (unlikely(iptrk_merge_waiting(ring)))
			iptrk_merge_emit(ring, 4);
		slot = iptrk_ring_reserve(ring);
		if (likely(slot)) {
			*slot = *record;
			iptrk_ring_publish(ring);
			class = &books->recorded;
		} else if (iptrk_merge_add(ring, record)) {
			class = &books->merged;
		} else {
			class = &books->unattributed;
		}
	}

	raw_write_seqcount_begin(&count->seq);
	iptrk_volume_count(&books->seen, record->packets, record->bytes);
	iptrk_volume_count(class, record->packets, record->bytes);
	iptrk_volume_count(&books->buffers, 1, packet->buffer_bytes);
	raw_write_seqcount_end(&count->seq);
}

static __always_inline void iptrk_hook(const struct iptrk_tap *tap,
				       const struct sk_buff *skb, bool sent)
{
	struct iptrk_packet packet;
	struct iptrk_port *port;

	DEBUG_NET_WARN_ON_ONCE(!in_softirq());
	iptrk_packet_read(skb, tap->ethernet, sent, &packet);
	list_for_each_entry_rcu(port, &tap->ports, tap_node)
		iptrk_port_take(port, skb, sent, &packet);
}

unsigned int iptrk_hook_received(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	iptrk_hook(priv, skb, false);
	return NF_ACCEPT;
}

unsigned int iptrk_hook_sent(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	iptrk_hook(priv, skb, true);
	return NF_ACCEPT;
}
