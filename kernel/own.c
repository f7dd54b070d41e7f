// SPDX-License-Identifier: GPL-2.0-only
/* Which addresses are the reader's own; see own.h. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "own.h"

/* Whether @a >= @b. */
static bool iptrk_address_reaches(const struct iptrk_address *a,
				  const struct iptrk_address *b)
{
	return a->high > b->high || (a->high == b->high && a->low >= b->low);
}

/* By what they begin with; of two that begin alike the wider comes first. */
static int iptrk_range_compare(const void *a, const void *b)
{
	const struct iptrk_range *range_a = a, *range_b = b;
	bool a_reaches = iptrk_address_reaches(&range_a->first,
					       &range_b->first);
	bool b_reaches = iptrk_address_reaches(&range_b->first,
					       &range_a->first);

	if (a_reaches && b_reaches)
		return iptrk_address_reaches(&range_b->last, &range_a->last) -
		       iptrk_address_reaches(&range_a->last, &range_b->last);
	return a_reaches ? 1 : -1;
}

/* @address: aligned to 8 bytes, as in records and prefixes. */
static struct iptrk_address iptrk_address_of(const u8 address[16])
{
	const __be64 *words = (const __be64 *)address;

	return (struct iptrk_address){
		.high = be64_to_cpu(words[0]),
		.low = be64_to_cpu(words[1]),
	};
}

static struct iptrk_range iptrk_range_of(const struct iptrk_prefix *prefix)
{
	struct iptrk_range range;
	u64 high = prefix->length >= 64 ? 0 : U64_MAX >> prefix->length;
	u64 low = prefix->length >= 128 ? 0 :
		  prefix->length > 64	? U64_MAX >> (prefix->length - 64) :
					  U64_MAX;

	range.first = iptrk_address_of(prefix->address);
	range.first.high &= ~high;
	range.first.low &= ~low;
	range.last.high = range.first.high | high;
	range.last.low = range.first.low | low;
	return range;
}

/* Which of the ranges a mapped IPv4 address can be in. */
static void iptrk_own_find_ipv4(struct iptrk_own *own)
{
	static const struct iptrk_address first = { 0, 0xffffULL << 32 };
	static const struct iptrk_address last = { 0, (0xffffULL << 32) +
						      U32_MAX };
	const struct iptrk_range *range = own->ranges;
	const struct iptrk_range *end = range + own->count;

	while (range < end && !iptrk_address_reaches(&range->last, &first))
		range++;
	own->ipv4 = range;
	while (range < end && iptrk_address_reaches(&last, &range->first))
		range++;
	own->ipv4_count = range - own->ipv4;
}

/**
 * iptrk_own_make() - prefixes in the form that a hook searches
 * @prefixes: in any order, overlapping or not
 * @count: how many, at most IPTRK_OWN_MAX
 *
 * Return: for kfree_rcu(); or -EINVAL for a length above 128, or -ENOMEM.
 */
struct iptrk_own *iptrk_own_make(const struct iptrk_prefix *prefixes, u32 count)
{
	struct iptrk_own *own;
	u32 i, kept = 0;

	own = kvzalloc(struct_size(own, ranges, count), GFP_KERNEL_ACCOUNT);
	if (!own)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		if (prefixes[i].length > 128) {
			kvfree(own);
			return ERR_PTR(-EINVAL);
		}
		own->ranges[i] = iptrk_range_of(&prefixes[i]);
	}
	sort(own->ranges, count, sizeof(own->ranges[0]), iptrk_range_compare,
	     NULL);
	/* Prefixes are nested or apart, so one inside another comes behind it. */
	for (i = 0; i < count; i++) {
		struct iptrk_range *last = &own->ranges[kept - 1];

		if (kept &&
		    iptrk_address_reaches(&last->last, &own->ranges[i].last))
			continue;
		own->ranges[kept++] = own->ranges[i];
	}
	own->count = kept;
	iptrk_own_find_ipv4(own);
	return own;
}

/* Any context; log2(IPTRK_OWN_MAX) steps at most, and none for one range. */
bool iptrk_own_has_ipv6(const struct iptrk_own *own, const u8 address[16])
{
	struct iptrk_address number = iptrk_address_of(address);
	const struct iptrk_range *range = own->ranges;
	u32 count = own->count, half;

	/* As in iptrk_own_has_ipv4(). */
	for (; count > 1; count -= half) {
		half = count / 2;
		if (iptrk_address_reaches(&number, &range[half].first))
			range += half;
	}
	return count && iptrk_address_reaches(&number, &range->first) &&
	       iptrk_address_reaches(&range->last, &number);
}
