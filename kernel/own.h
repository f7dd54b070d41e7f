/* SPDX-License-Identifier: GPL-2.0-only */
/* Which addresses are the reader's own: whose volume is kept the longest. */
#ifndef IPTRK_OWN_H
#define IPTRK_OWN_H

#include <linux/rcupdate.h>
#include <linux/types.h>

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
 * @ranges: sorted, without overlap
 */
struct iptrk_own {
	struct rcu_head rcu;
	u32 count;
	struct iptrk_range ranges[];
};

struct iptrk_own *iptrk_own_make(const struct iptrk_prefix *prefixes,
				 u32 count);
bool iptrk_own_has(const struct iptrk_own *own, const u8 address[16]);

#endif /* IPTRK_OWN_H */
