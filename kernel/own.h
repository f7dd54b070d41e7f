/* SPDX-License-Identifier: GPL-2.0-only */
/* Which addresses are the reader's own: whose volume is kept the longest. */
#ifndef IPTRK_OWN_H
#define IPTRK_OWN_H

#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include <asm/byteorder.h>

#include "uapi/iptrk.h"

/* An address as a number of 128 bits. */
struct iptrk_address {
	u64 high;
	u64 low;
};

struct iptrk_range {
	struct iptrk_address first;
	struct iptrk_address last;
};

/**
 * struct iptrk_own - never changed, only replaced
 * @rcu: frees it once no hook can look at it
 * @count: of @ranges
 * @ipv4_count: of those with IPv4 addresses, mapped, in them
 * @ipv4: the first of those
 * @ranges: sorted, without overlap
 */
struct iptrk_own {
	struct rcu_head rcu;
	u32 count;
	u32 ipv4_count;
	const struct iptrk_range *ipv4;
	struct iptrk_range ranges[];
};

struct iptrk_own *iptrk_own_make(const struct iptrk_prefix *prefixes,
				 u32 count);
bool iptrk_own_has_ipv6(const struct iptrk_own *own, const u8 address[16]);

/*
 * Whether @address, IPv4 and mapped, is the reader's own. Only the lower words
 * differ then, also of a range that is wider than all of IPv4.
 */
static __always_inline bool iptrk_own_has_ipv4(const struct iptrk_own *own,
					       const u8 address[16])
{
	u64 number = be64_to_cpup((const __be64 *)address + 1);
	const struct iptrk_range *range = own->ipv4;
	u32 count = own->ipv4_count, half;

	/* The last range that begins at or before the address, or the first. */
	for (; count > 1; count -= half) {
		half = count / 2;
		if (number >= range[half].first.low)
			range += half;
	}
	return count && number >= range->first.low && number <= range->last.low;
}

#endif /* IPTRK_OWN_H */
