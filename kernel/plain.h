/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plain packet, which nearly every packet is: IPv4 without options and not
 * a fragment, or IPv6 without extension headers, carrying TCP, UDP or ICMP,
 * its headers whole and in one piece. Its record takes a few dozen
 * instructions; whatever is less plain is left to iptrk_parse().
 *
 * The same source in kernel and user space, and the same record as
 * iptrk_parse() makes: tests/fuzz compares the two.
 */
#ifndef IPTRK_PLAIN_H
#define IPTRK_PLAIN_H

#include "parse.h"

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/string.h>
#else
#include <string.h>
#include <sys/cdefs.h> /* __always_inline */
#endif

static __always_inline u16 iptrk_plain_16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

/*
 * @p: the transport header, of which at least 20 bytes can be read.
 * @length: bytes there are of it and what it carries.
 */
static __always_inline bool iptrk_plain_transport(const u8 *p, u32 length,
						  u8 protocol,
						  struct iptrk_record *record)
{
	record->protocol = protocol;
	switch (protocol) {
	case 6: /* TCP, its header at least five words long */
		if (length < 20 || p[12] < 0x50)
			return false;
		record->sport = iptrk_plain_16(p);
		record->dport = iptrk_plain_16(p + 2);
		record->tcp_flags = p[13];
		break;
	case 17: /* UDP */
		if (length < 8)
			return false;
		record->sport = iptrk_plain_16(p);
		record->dport = iptrk_plain_16(p + 2);
		record->tcp_flags = 0;
		break;
	case 1: /* ICMP and ICMPv6: type and code */
	case 58:
		if (length < 8)
			return false;
		record->sport = p[0];
		record->dport = p[1];
		record->tcp_flags = 0;
		break;
	default:
		return false;
	}
	return true;
}

/* Of IPv4: more fragments follow, or it is not the first. */
static __always_inline bool iptrk_plain_fragment(const u8 *p)
{
	static const u8 mask[2] = { 0x3f, 0xff };
	u16 word, bits;

	memcpy(&word, p + 6, 2);
	memcpy(&bits, mask, 2);
	return word & bits;
}

static __always_inline void iptrk_plain_mapped(u8 to[16], const u8 *from)
{
	static const u8 mapped[4] = { 0, 0, 0xff, 0xff };

	memset(to, 0, 8);
	memcpy(to + 8, mapped, 4);
	memcpy(to + 12, from, 4);
}

/**
 * iptrk_plain() - fill in what the headers of a plain packet say
 * @p: first byte behind the layer-2 header
 * @captured: bytes that may be read at @p
 * @length: bytes there were on the wire at @p; >= @captured
 * @ethertype: what the layer-2 header says follows, host order
 * @flags: the record's so far, without a family
 * @record: ethertype, src, dst, ports, flags, protocol and tcp_flags are
 *	written
 *
 * Return: false when the packet is not plain; what is in @record then is for
 * iptrk_parse() to write again.
 */
static __always_inline bool iptrk_plain(const u8 *p, u32 captured, u32 length,
					u16 ethertype, u16 flags,
					struct iptrk_record *record)
{
	u32 inside;

	if (ethertype == 0x0800) {
		if (captured < 40)
			return false;
		/* A total length below its header's wraps, and is too long. */
		inside = iptrk_plain_16(p + 2) - 20u;
		if (p[0] != 0x45 || inside > length - 20 ||
		    iptrk_plain_fragment(p) ||
		    !iptrk_plain_transport(p + 20, inside, p[9], record))
			return false;
		record->ethertype = 0x0800;
		record->flags = flags | IPTRK_IPV4;
		iptrk_plain_mapped(record->src, p + 12);
		iptrk_plain_mapped(record->dst, p + 16);
		return true;
	}
	if (ethertype == 0x86dd) {
		if (captured < 60)
			return false;
		inside = iptrk_plain_16(p + 4);
		if (p[0] >> 4 != 6 || inside > length - 40 ||
		    !iptrk_plain_transport(p + 40, inside, p[6], record))
			return false;
		record->ethertype = 0x86dd;
		record->flags = flags | IPTRK_IPV6;
		memcpy(record->src, p + 8, 16);
		memcpy(record->dst, p + 24, 16);
		return true;
	}
	return false;
}

#endif /* IPTRK_PLAIN_H */
