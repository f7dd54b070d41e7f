// SPDX-License-Identifier: GPL-2.0-only
/* Headers to record; see parse.h. The same source in kernel and user space. */
#include "parse.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_LENGTH_MAX = 0x05ff, /* at most this: a length, not a type */
	TYPE_802_2 = 0x0004, /* what the kernel calls such frames */

	TAGS_MAX = 2, /* outer and inner; a third is no use of 802.1Q */
	EXTENSIONS_MAX = 8, /* RFC 8200 wants each at most once or twice */
};

enum {
	PROTO_HOPOPTS = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AH = 51,
	PROTO_ICMPV6 = 58,
	PROTO_NONE = 59,
	PROTO_DSTOPTS = 60,
	PROTO_SCTP = 132,
	PROTO_MOBILITY = 135,
	PROTO_UDPLITE = 136,
	PROTO_HIP = 139,
	PROTO_SHIM6 = 140,
};

static u16 get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

/* @at + @need readable bytes, or the reason in flags why not. */
static bool have(const struct iptrk_frame *frame, struct iptrk_record *record,
		 u32 at, u32 need)
{
	if (at + need <= frame->captured)
		return true;
	record->flags |= at + need > frame->length ? IPTRK_MALFORMED :
						     IPTRK_TRUNCATED;
	return false;
}

/*
 * Ports, ICMP type and code, TCP flags. A header that says it is longer than
 * the packet hides none of them, but where the payload begins.
 */
static u32 parse_transport(const struct iptrk_frame *frame,
			   struct iptrk_record *record, u32 at)
{
	const u8 *p = frame->data + at;
	u32 length;

	switch (record->protocol) {
	case PROTO_TCP:
		/* The ports of a captured stub are worth having alone. */
		if (!have(frame, record, at, 4))
			return 0;
		record->sport = get16(p);
		record->dport = get16(p + 2);
		if (!have(frame, record, at, 20))
			return 0;
		record->tcp_flags = p[13];
		length = (p[12] >> 4) * 4u;
		if (length < 20) {
			record->flags |= IPTRK_MALFORMED;
			return 0;
		}
		break;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		if (!have(frame, record, at, 4))
			return 0;
		record->sport = get16(p);
		record->dport = get16(p + 2);
		length = 8;
		if (!have(frame, record, at, length))
			return 0;
		break;
	case PROTO_SCTP:
	case PROTO_DCCP:
		if (!have(frame, record, at, 4))
			return 0;
		record->sport = get16(p);
		record->dport = get16(p + 2);
		length = 12;
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		if (!have(frame, record, at, 2))
			return 0;
		record->sport = p[0];
		record->dport = p[1];
		length = 8;
		break;
	default:
		return 0;
	}
	return at + length <= frame->length ? at + length : 0;
}

/* @frame cut to the @end its IP header states: behind it is only padding. */
static struct iptrk_frame cut(const struct iptrk_frame *frame,
			      struct iptrk_record *record, u32 end)
{
	struct iptrk_frame packet = *frame;

	if (end > frame->length) {
		record->flags |= IPTRK_MALFORMED;
		return packet;
	}
	packet.length = end;
	if (packet.captured > end)
		packet.captured = end;
	return packet;
}

static u32 parse_ipv4(const struct iptrk_frame *frame,
		      struct iptrk_record *record, u32 at)
{
	const u8 *p = frame->data + at;
	struct iptrk_frame packet = *frame;
	u32 header, total;
	u16 fragment;

	if (!have(frame, record, at, 20))
		return 0;
	header = (p[0] & 15) * 4u;
	if (p[0] >> 4 != 4 || header < 20) {
		record->flags |= IPTRK_MALFORMED;
		return 0;
	}
	record->flags |= IPTRK_IPV4;
	record->src[10] = 0xff;
	record->src[11] = 0xff;
	memcpy(record->src + 12, p + 12, 4);
	record->dst[10] = 0xff;
	record->dst[11] = 0xff;
	memcpy(record->dst + 12, p + 16, 4);
	record->protocol = p[9];

	/* Zero is how BIG TCP writes a length beyond 65535. */
	total = get16(p + 2);
	if (total)
		packet = cut(frame, record, at + total);

	fragment = get16(p + 6);
	if (fragment & 0x3fff) {
		record->flags |= IPTRK_FRAGMENT;
		if (fragment & 0x1fff) {
			record->flags |= IPTRK_FRAGMENT_LATER;
			return 0;
		}
	}
	return parse_transport(&packet, record, at + header);
}

static u32 parse_ipv6(const struct iptrk_frame *frame,
		      struct iptrk_record *record, u32 at)
{
	const u8 *p = frame->data + at;
	struct iptrk_frame packet = *frame;
	u32 payload;
	u8 next;
	int i;

	if (!have(frame, record, at, 40))
		return 0;
	if (p[0] >> 4 != 6) {
		record->flags |= IPTRK_MALFORMED;
		return 0;
	}
	record->flags |= IPTRK_IPV6;
	memcpy(record->src, p + 8, 16);
	memcpy(record->dst, p + 24, 16);

	/* Zero is a jumbogram, or BIG TCP. */
	payload = get16(p + 4);
	if (payload)
		packet = cut(frame, record, at + 40 + payload);

	next = p[6];
	at += 40;
	for (i = 0; i <= EXTENSIONS_MAX; i++) {
		record->protocol = next;
		p = frame->data + at;
		switch (next) {
		case PROTO_HOPOPTS:
		case PROTO_ROUTING:
		case PROTO_DSTOPTS:
		case PROTO_MOBILITY:
		case PROTO_HIP:
		case PROTO_SHIM6:
			if (!have(&packet, record, at, 8))
				return 0;
			next = p[0];
			at += (p[1] + 1u) * 8;
			break;
		case PROTO_AH:
			if (!have(&packet, record, at, 8))
				return 0;
			next = p[0];
			at += (p[1] + 2u) * 4;
			break;
		case PROTO_FRAGMENT:
			if (!have(&packet, record, at, 8))
				return 0;
			next = p[0];
			/* An atomic fragment (RFC 6946) is whole. */
			if (get16(p + 2) & 0xfff9)
				record->flags |= IPTRK_FRAGMENT;
			at += 8;
			if (get16(p + 2) & 0xfff8) {
				record->flags |= IPTRK_FRAGMENT_LATER;
				record->protocol = next;
				return 0;
			}
			break;
		default:
			return parse_transport(&packet, record, at);
		}
	}
	/* One more extension: a chain nobody needs, made to be slow. */
	record->protocol = next;
	record->flags |= IPTRK_MALFORMED;
	return 0;
}

u32 iptrk_parse(const struct iptrk_frame *frame, struct iptrk_record *record)
{
	u16 type = frame->ethertype;
	u32 at = 0;
	int tags;

	memset(record->src, 0, sizeof(record->src));
	memset(record->dst, 0, sizeof(record->dst));
	record->sport = 0;
	record->dport = 0;
	record->protocol = 0;
	record->tcp_flags = 0;
	if (!(record->flags & IPTRK_TAGGED))
		record->vlan = 0;

	for (tags = 0; tags < TAGS_MAX; tags++) {
		if (type != TYPE_VLAN && type != TYPE_QINQ &&
		    type != TYPE_QINQ_OLD)
			break;
		if (!have(frame, record, at, 4))
			break;
		if (!(record->flags & IPTRK_TAGGED)) {
			record->flags |= IPTRK_TAGGED;
			record->vlan = get16(frame->data + at);
		}
		type = get16(frame->data + at + 2);
		at += 4;
		record->l2_len += 4;
	}
	if (type <= TYPE_LENGTH_MAX)
		type = TYPE_802_2;
	record->ethertype = type;

	if (type == TYPE_IPV4)
		return parse_ipv4(frame, record, at);
	if (type == TYPE_IPV6)
		return parse_ipv6(frame, record, at);
	return 0;
}
