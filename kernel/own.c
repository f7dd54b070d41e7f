// SPDX-License-Identifier: GPL-2.0-only
/* Which addresses are the reader's own; see own.h. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "own.h"

static int iptrk_address_compare(const struct iptrk_address *a,
				 const struct iptrk_address *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return 0;
}

static int iptrk_range_compare(const void *a, const void *b)
{
	const struct iptrk_range *range_a = a, *range_b = b;

	return iptrk_address_compare(&range_a->first, &range_b->first);
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
	/* Prefixes are nested or apart, so an overlap lies inside. */
	for (i = 0; i < count; i++) {
		struct iptrk_range *last = &own->ranges[kept - 1];

		if (!kept || iptrk_address_compare(&own->ranges[i].first,
						   &last->last) > 0)
			own->ranges[kept++] = own->ranges[i];
		else if (iptrk_address_compare(&own->ranges[i].last,
					       &last->last) > 0)
			last->last = own->ranges[i].last;
	}
	own->count = kept;
	return own;
}

/* Any context; log2(IPTRK_OWN_MAX) steps at most. */
bool iptrk_own_has(const struct iptrk_own *own, const u8 address[16])
{
	struct iptrk_address number = iptrk_address_of(address);
	u32 low = 0, high = own->count;

	/* The last range that begins at or before the address. */
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (iptrk_address_compare(&own->ranges[middle].first,
					  &number) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && iptrk_address_compare(&number,
					    &own->ranges[low - 1].last) <= 0;
}
