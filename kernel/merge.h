/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a full ring can't take: packets merged by what they have in common.
 *
 * Detail goes in this order, bytes never: first the single packet, then the
 * remote address and the port, at last everything but interface and direction.
 */
#ifndef IPTRK_MERGE_H
#define IPTRK_MERGE_H

#include <linux/bitmap.h>
#include <linux/types.h>

#include "uapi/iptrk.h"

struct iptrk_ring;
struct work_struct;

#define IPTRK_MERGE_SLOTS 4096 /* of each table; a power of two */
#define IPTRK_MERGE_BUCKET 8 /* slots a key may be in */

/**
 * struct iptrk_merge_key - what packets of one kind have in common
 * @src: as in struct iptrk_record, like @dst; zero when not kept
 * @dst: see @src
 * @kind: the rest; see iptrk_kind()
 */
struct iptrk_merge_key {
	u64 src[2];
	u64 dst[2];
	u64 kind;
};

/**
 * struct iptrk_merge_slot - packets of one kind that found no room
 * @key: which kind
 * @packets: how many
 * @bytes: their bytes on the wire
 * @time_ns: when the last of them came
 */
struct iptrk_merge_slot {
	struct iptrk_merge_key key;
	u64 packets;
	u64 bytes;
	u64 time_ns;
};

/**
 * struct iptrk_merge_table - slots found by hash, in buckets
 * @used: slots in use
 * @cursor: where the next emptying goes on
 * @tags: of each slot one byte of its key's hash, or zero when it is free; a
 *	bucket's in one word
 * @slots: the packets
 */
struct iptrk_merge_table {
	u32 used;
	u32 cursor;
	u64 tags[IPTRK_MERGE_SLOTS / IPTRK_MERGE_BUCKET];
	struct iptrk_merge_slot slots[IPTRK_MERGE_SLOTS];
};

/**
 * struct iptrk_merge - one ring's tables; all belong to the ring's writer
 * @pairs: by both addresses and the port
 * @own: by the own address, when @pairs is full
 * @last_own: where @own took the last packet, or NULL; a flood's next one goes
 *	there too
 * @rest_used: bit map of @rest
 * @rest_count: bits set there
 * @rest: of each interface and direction, when @own can't help either
 */
struct iptrk_merge {
	struct iptrk_merge_table pairs;
	struct iptrk_merge_table own;
	struct iptrk_merge_slot *last_own;
	u32 rest_count;
	DECLARE_BITMAP(rest_used, 2 * IPTRK_INTERFACES_MAX);
	struct iptrk_merge_slot rest[2 * IPTRK_INTERFACES_MAX];
};

void iptrk_merge_init(void);
bool iptrk_merge_add(struct iptrk_ring *ring,
		     const struct iptrk_record *record);
void iptrk_merge_emit(struct iptrk_ring *ring, u32 budget);
void iptrk_merge_work(struct work_struct *work);
void iptrk_merge_end(struct iptrk_ring *ring);

/* How many records would come out of it. */
static inline u32 iptrk_merge_waiting(const struct iptrk_merge *merge)
{
	return merge->pairs.used + merge->own.used + merge->rest_count;
}

#endif /* IPTRK_MERGE_H */
