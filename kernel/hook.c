// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a packet: from a device's netfilter hook into the rings.
 *
 * Each CPU's ring has one writer at a time, since all of this runs with bottom
 * halves off: ingress in softirq, egress in softirq or the sender's task. The
 * one sender who has them on, PACKET_QDISC_BYPASS, gets them off here.
 * A packet is never dropped, changed or delayed.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ipv6.h>
#include <net/xfrm.h>

#include "compat.h"
#include "merge.h"
#include "plain.h"
#include "queue.h"

/* Headers copied out of a buffer's pieces; bottom halves are off. */
static DEFINE_PER_CPU(u8[IPTRK_PARSE_MAX], iptrk_headers);

/*
 * Headers that don't lie in the buffer's linear part, or reach beyond it, are
 * copied out, to be parsed again. Rare: some drivers with page fragments.
 * Return: false when the rest can't be read.
 */
static bool iptrk_headers_copy(const struct sk_buff *skb, u32 offset,
			       struct iptrk_frame *frame)
{
	u8 *copy = *this_cpu_ptr(&iptrk_headers);
	u32 length = min_t(u32, frame->length, IPTRK_PARSE_MAX);

	if (skb_copy_bits(skb, offset, copy, length))
		return false;
	frame->data = copy;
	frame->captured = length;
	return true;
}

/*
 * Bytes of headers that every frame of a segmented buffer will have, from the
 * layer-2 header on. @payload: where the parser found the payload to start.
 */
static u32 iptrk_segment_headers(const struct sk_buff *skb, u32 l2_offset,
				 u32 l2_len, u32 payload)
{
	u32 type = skb_shinfo(skb)->gso_type;
	struct tcphdr header;
	const struct tcphdr *p;
	int offset = 0;

	/* Of fragments only the first has UDP's header. */
	if (!skb->encapsulation && payload)
		return l2_len + payload -
		       (type & SKB_GSO_UDP ? sizeof(struct udphdr) : 0);
	/*
	 * A tunnel: what is cut are the inner packets. Or something before IP
	 * that isn't parsed, like MPLS.
	 */
	if (skb->encapsulation)
		offset = skb_inner_transport_offset(skb);
	else if (skb_transport_header_was_set(skb))
		offset = skb_transport_offset(skb);
	if (offset <= 0)
		return 0;
	if (type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) {
		p = skb_header_pointer(skb, offset, sizeof(header), &header);
		if (!p)
			return 0;
		offset += p->doff * 4;
	} else if (!(type & SKB_GSO_UDP)) {
		offset += sizeof(struct udphdr);
	}
	return offset + l2_offset;
}

/*
 * Bytes of headers that say only how big the buffer is, which its frames will
 * not have: BIG TCP's jumbo option. @l3: where IP is, from data.
 */
static u32 iptrk_segment_jumbo(const struct sk_buff *skb, u32 l3)
{
	struct {
		struct ipv6hdr ip;
		u8 option[4];
	} __packed copy;
	const typeof(copy) *p;

	if (skb->len <= U16_MAX || skb->protocol != htons(ETH_P_IPV6))
		return 0;
	p = skb_header_pointer(skb, l3, sizeof(copy), &copy);
	return p && p->ip.nexthdr == NEXTHDR_HOP && !p->ip.payload_len &&
	       !p->option[1] && p->option[2] == IPV6_TLV_JUMBO ? 8 : 0;
}

/* One buffer, several frames: GRO joined them, or GSO will cut them. */
static void iptrk_count_segments(const struct sk_buff *skb,
				 struct iptrk_record *record, u32 l2_offset,
				 u32 l2_len, u32 payload)
{
	u32 buffer_bytes = skb->len + l2_offset;
	u32 headers = iptrk_segment_headers(skb, l2_offset, l2_len, payload);
	u32 size = skb_shinfo(skb)->gso_size;
	u32 frames, jumbo;

	/*
	 * gso_segs is zero when a guest made the buffer, so the frames are
	 * counted as they will be cut. SCTP's are pieces of any size.
	 */
	if (size != GSO_BY_FRAGS && headers && headers < buffer_bytes)
		frames = DIV_ROUND_UP(buffer_bytes - headers, size);
	else
		frames = skb_shinfo(skb)->gso_segs;
	if (frames <= 1)
		return;
	jumbo = iptrk_segment_jumbo(skb, l2_len - l2_offset);
	headers -= min(headers, jumbo);
	record->bytes -= jumbo;
	record->flags |= IPTRK_SEGMENTED;
	record->packets = frames;
	record->bytes += (frames - 1) * headers;
	/* IPv6 says in a header of its own that it was fragmented. */
	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP &&
	    record->flags & IPTRK_IPV6 && !skb->encapsulation)
		record->bytes += frames * sizeof(struct frag_hdr);
	if (skb_vlan_tag_present(skb))
		record->bytes += (frames - 1) * VLAN_HLEN;
	record->header_len = min_t(u32, headers, U8_MAX);
}

/*
 * How far a buffer's data is behind the frame's start: not at egress. Without
 * layer 2 a driver may not say where it is, and mac_len is anything.
 */
static __always_inline u32 iptrk_l2_offset(const struct sk_buff *skb, bool sent)
{
	return sent || !skb_mac_header_was_set(skb) ? 0 : skb->mac_len;
}

/* The group bit decides it, which most frames don't have. */
static u16 iptrk_sent_type(const struct ethhdr *eth)
{
	return is_broadcast_ether_addr(eth->h_dest) ? PACKET_BROADCAST :
						      PACKET_MULTICAST;
}

/*
 * What is not plain. @eth: its Ethernet header, or NULL; @l3: how far layer 3
 * is behind skb->data.
 */
static noinline void iptrk_record_parse(struct iptrk_record *record,
					const struct sk_buff *skb,
					const struct ethhdr *eth, u16 ethertype,
					u32 l2_offset, u32 l3, u16 flags)
{
	struct iptrk_frame frame = {
		.data = skb->data + l3,
		.captured = skb_headlen(skb) - l3,
		.length = skb->len - l3,
		.ethertype = ethertype,
	};
	u8 l2_len = record->l2_len;
	u32 payload;

	record->flags = flags;
	payload = iptrk_parse(&frame, record);
	if (record->flags & IPTRK_TRUNCATED &&
	    iptrk_headers_copy(skb, l3, &frame)) {
		record->flags = flags;
		record->l2_len = l2_len;
		payload = iptrk_parse(&frame, record);
	}
	if (!(record->flags & (IPTRK_IPV4 | IPTRK_IPV6)) && eth) {
		memcpy(record->src, eth->h_source, ETH_ALEN);
		memcpy(record->dst, eth->h_dest, ETH_ALEN);
	}
	if (skb_is_gso(skb))
		iptrk_count_segments(skb, record, l2_offset, l2_offset + l3,
				     payload);
}

/*
 * The record of any buffer, however odd: all but its time and interface.
 * At ingress data points behind the layer-2 header, at egress to it.
 */
static __always_inline void iptrk_record_make(struct iptrk_record *record,
					      const struct sk_buff *skb,
					      bool ethernet, bool sent)
{
	const struct ethhdr *eth = NULL;
	u32 l2_offset = iptrk_l2_offset(skb, sent);
	u32 l3 = 0; /* behind data */
	u16 flags = skb->pkt_type & IPTRK_PKTTYPE;
	u16 ethertype = ntohs(skb->protocol);

	if (!sent) {
		if (ethernet && skb_mac_header_was_set(skb))
			eth = (const void *)skb_mac_header(skb);
	} else if (ethernet && skb_headlen(skb) >= ETH_HLEN) {
		eth = (const void *)skb->data;
		flags = IPTRK_SENT;
		if (is_multicast_ether_addr(eth->h_dest))
			flags |= iptrk_sent_type(eth);
		ethertype = ntohs(eth->h_proto);
		l3 = ETH_HLEN;
	} else if (ethernet) {
		flags = IPTRK_SENT | IPTRK_MALFORMED;
		ethertype = 0;
	} else {
		flags = IPTRK_SENT;
		if (skb_network_offset(skb) > 0 &&
		    skb_network_offset(skb) <= skb_headlen(skb))
			l3 = skb_network_offset(skb);
	}
	record->bytes = skb->len + l2_offset;
	record->packets = 1;
	record->vlan = 0;
	record->l2_len = l2_offset + l3;
	record->header_len = 0;
	if (skb_vlan_tag_present(skb)) {
		flags |= IPTRK_TAGGED;
		record->vlan = skb_vlan_tag_get(skb);
		record->bytes += VLAN_HLEN;
		record->l2_len += VLAN_HLEN;
	}
	if (skb_is_gso(skb) ||
	    !iptrk_plain(skb->data + l3, skb_headlen(skb) - l3, skb->len - l3,
			 ethertype, flags, record))
		iptrk_record_parse(record, skb, eth, ethertype, l2_offset, l3,
				   flags);
}

/*
 * @class: what became of the packet; one of @count's volumes.
 * @buffer_bytes: of the socket buffer, with its layer-2 header.
 */
static __always_inline void iptrk_books_count(struct iptrk_count *count,
					      struct iptrk_volume *class,
					      u32 packets, u32 bytes,
					      u32 buffer_bytes)
{
	raw_write_seqcount_begin(&count->seq);
	count->seen.packets += packets;
	count->seen.bytes += bytes;
	class->packets += packets;
	class->bytes += bytes;
	if (packets != 1 || bytes != buffer_bytes) {
		count->beyond.packets += packets - 1;
		count->beyond.bytes += bytes - buffer_bytes;
	}
	raw_write_seqcount_end(&count->seq);
}

/* The ring had no room for it. */
static noinline void iptrk_take_merged(struct iptrk_ring *ring,
				       struct iptrk_count *count,
				       const struct iptrk_record *record,
				       u32 buffer_bytes)
{
	struct iptrk_volume *class = iptrk_merge_add(ring, record) ?
					     &count->merged :
					     &count->unattributed;

	iptrk_books_count(count, class, record->packets, record->bytes,
			  buffer_bytes);
}

/* Whether IPsec decrypted it, on its way to here or now. */
static __always_inline bool iptrk_decrypted(const struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	return skb->active_extensions & BIT(SKB_EXT_SEC_PATH);
#else
	return false;
#endif
}

/*
 * Not off the wire, though it comes to the ingress hook: the copy of a group's
 * frame that we sent ourselves, and what was inside an IPsec packet, which
 * goes through the device that had it once more unless it has one of its own.
 * What GRO decrypted (esp4_offload) is all there is to see of its frame.
 */
static bool iptrk_inner(const struct iptrk_port *port,
			const struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	const struct sec_path *path = skb_sec_path(skb);

	/* A device that decrypts says so in olen; then it is off the wire. */
	if (path && path->len && !path->olen && !port->decrypted &&
	    !(path->ovec[0].flags & XFRM_GRO))
		return true;
#endif
	return skb->pkt_type == PACKET_LOOPBACK;
}

/* Any packet at any moment. */
static noinline unsigned int iptrk_take_any(const struct iptrk_port *port,
					    struct iptrk_lane *lane,
					    const struct sk_buff *skb,
					    bool sent)
{
	struct iptrk_count *count = &lane->direction[sent];
	u32 buffer_bytes = skb->len + iptrk_l2_offset(skb, sent);
	struct iptrk_ring *ring = lane->ring;
	struct iptrk_record *record;
	bool seen_before;

	if (!sent && iptrk_inner(port, skb))
		return NF_ACCEPT;
	seen_before = iptrk_seen_before(port, skb, sent);
	if (seen_before && !skb_is_gso(skb)) {
		u32 tag = skb_vlan_tag_present(skb) ? VLAN_HLEN : 0;

		iptrk_books_count(count, &count->elsewhere, 1,
				  buffer_bytes + tag, buffer_bytes);
		return NF_ACCEPT;
	}
	record = seen_before ? &ring->scratch : iptrk_ring_reserve(ring);
	iptrk_record_make(record, skb, READ_ONCE(port->ethernet), sent);
	record->interface = port->index;
	record->time_ns = iptrk_ring_time(ring);
	if (!seen_before && record == &ring->scratch) {
		iptrk_take_merged(ring, count, record, buffer_bytes);
		return NF_ACCEPT;
	}
	iptrk_books_count(count,
			  seen_before ? &count->elsewhere : &count->recorded,
			  record->packets, record->bytes, buffer_bytes);
	if (!seen_before)
		iptrk_ring_publish(ring);
	return NF_ACCEPT;
}

/*
 * The plain packet that nobody saw before, that is nearly every one. What a
 * record costs is decided here: with @room and within a tick nothing is called
 * but at the very end, so that nothing has to be saved.
 * Return: false when the packet is another kind.
 */
static __always_inline bool iptrk_take_plain(const struct iptrk_port *port,
					     struct iptrk_lane *lane,
					     const struct sk_buff *skb,
					     bool sent, bool room)
{
	const struct ethhdr *eth = (const void *)skb->data;
	struct iptrk_count *count = &lane->direction[sent];
	struct iptrk_ring *ring = lane->ring;
	u32 l3 = sent ? ETH_HLEN : 0;
	u32 bytes = skb->len + (sent ? 0 : skb->mac_len);
	u16 flags = sent ? IPTRK_SENT : skb->pkt_type & IPTRK_PKTTYPE;
	__be16 type = skb->protocol;
	struct iptrk_record *record;

	if (unlikely(READ_ONCE(port->covered[sent]) ||
		     skb_vlan_tag_present(skb) || skb_is_gso(skb)))
		return false;
	/* Perhaps not off the wire: what the stack gives itself has no layer 2. */
	if (!sent && unlikely(iptrk_decrypted(skb)))
		return false;
	if (!sent && unlikely(skb->mac_len != ETH_HLEN) &&
	    (skb->pkt_type == PACKET_LOOPBACK || !skb_mac_header_was_set(skb)))
		return false;
	if (sent) {
		/* Groups have a packet type of their own. */
		if (unlikely(skb->skb_iif || !READ_ONCE(port->ethernet) ||
			     skb_headlen(skb) < ETH_HLEN ||
			     is_multicast_ether_addr(eth->h_dest)))
			return false;
		type = eth->h_proto;
	}
	record = room ? &ring->slots[ring->head & ring->mask] :
			iptrk_ring_reserve(ring);
	if (unlikely(!iptrk_plain(skb->data + l3, skb_headlen(skb) - l3,
				  skb->len - l3, ntohs(type), flags, record)))
		return false;
	record->time_ns = room ? ring->tick_ns : iptrk_ring_time(ring);
	record->bytes = bytes;
	record->packets = 1;
	record->interface = port->index;
	record->vlan = 0;
	record->l2_len = sent ? ETH_HLEN : skb->mac_len;
	record->header_len = 0;
	if (!room && record == &ring->scratch) {
		iptrk_take_merged(ring, count, record, bytes);
		return true;
	}
	iptrk_books_count(count, &count->recorded, 1, bytes, bytes);
	iptrk_ring_publish(ring);
	return true;
}

/* When there is no room, or a tick begins. */
static noinline unsigned int iptrk_take_slowly(const struct iptrk_port *port,
					       struct iptrk_lane *lane,
					       const struct sk_buff *skb,
					       bool sent)
{
	if (likely(sent ? iptrk_take_plain(port, lane, skb, true, false) :
			  iptrk_take_plain(port, lane, skb, false, false)))
		return NF_ACCEPT;
	return iptrk_take_any(port, lane, skb, sent);
}

static __always_inline unsigned int iptrk_take(void *priv,
					       const struct sk_buff *skb,
					       bool sent)
{
	const struct iptrk_port *port = priv;
	struct iptrk_lane *lane = this_cpu_ptr(port->lanes);
	const struct iptrk_ring *ring = lane->ring;

	DEBUG_NET_WARN_ON_ONCE(!in_softirq());
	if (unlikely(ring->head == ring->limit ||
		     ring->tick != READ_ONCE(jiffies)))
		return iptrk_take_slowly(port, lane, skb, sent);
	if (likely(iptrk_take_plain(port, lane, skb, sent, true)))
		return NF_ACCEPT;
	return iptrk_take_any(port, lane, skb, sent);
}

unsigned int iptrk_hook_received(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	return iptrk_take(priv, skb, false);
}

static noinline unsigned int iptrk_take_bypass(const struct iptrk_port *port,
					       const struct sk_buff *skb)
{
	unsigned int verdict;

	local_bh_disable();
	verdict = iptrk_take_slowly(port, this_cpu_ptr(port->lanes), skb, true);
	local_bh_enable();
	return verdict;
}

unsigned int iptrk_hook_sent(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	if (unlikely(!in_softirq()))
		return iptrk_take_bypass(priv, skb);
	return iptrk_take(priv, skb, true);
}
