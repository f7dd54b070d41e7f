/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One CPU's ring of records, and the merge table that takes what the ring
 * can't.
 *
 * Writer: the hooks and the ring's timer, on the ring's CPU with bottom
 * halves off, so one at a time. Reader: user space, through the mapping, or
 * iptrk_ring_copy() for read().
 */
#ifndef IPTRK_RING_H
#define IPTRK_RING_H

#include <linux/timer.h>
#include <linux/types.h>

#include "uapi/iptrk.h"

struct iptrk_queue;

#define IPTRK_MERGE_SLOTS 4096 /* a power of two; 64 B each */

/**
 * struct iptrk_merge_slot - packets of one kind that found no room
 * @src: as in struct iptrk_record, like @dst to @protocol
 * @dst: see @src
 * @interface: see @src
 * @flags: IPTRK_SENT and the family only
 * @port: the lower of the two, for the service; 0 without ports
 * @protocol: see @src
 * @used: 1 while the slot holds packets
 * @packets: how many
 * @bytes: their bytes on the wire
 * @time_ns: when the last of them came
 */
struct iptrk_merge_slot {
	u8 src[16];
	u8 dst[16];
	u16 interface;
	u16 flags;
	u16 port;
	u8 protocol;
	u8 used;
	u64 packets;
	u64 bytes;
	u64 time_ns;
};

/**
 * struct iptrk_ring - all fields belong to the writer unless said otherwise
 * @head: position of the next record
 * @committed: newest believable position the reader gave back
 * @mask: number of slots - 1
 * @wake_mask: watermark - 1; a head with none of these bits set wakes readers
 * @slots: the records, readable by user space
 * @shared: read-only page of user space, mirrors @head
 * @commit: user space's word; only ever compared, never an index
 * @queue: owner, woken at the watermark
 * @merge: IPTRK_MERGE_SLOTS of them
 * @merge_used: slots in use
 * @merge_cursor: where the next emptying goes on
 * @rest: catch-all of each interface and direction, 2 a port
 * @rest_used: bit map of @rest
 * @rest_count: bits set there
 * @timer: empties the merge table when no packet comes to do it
 * @cpu: whose ring this is
 * @bad_commits: lies told in @commit; read by anyone
 * @polled: head when poll() last said readable; belongs to poll()
 * @memory: the vmalloc area that holds @shared and @slots
 */
struct iptrk_ring {
	u64 head;
	u64 committed;
	u64 mask;
	u64 wake_mask;
	struct iptrk_record *slots;
	struct iptrk_head *shared;
	struct iptrk_commit *commit;
	struct iptrk_queue *queue;
	u32 merge_used;
	u32 rest_count;

	struct iptrk_merge_slot *merge;
	u32 merge_cursor;
	int cpu;
	struct iptrk_merge_slot *rest;
	unsigned long *rest_used;
	struct timer_list timer;
	u64 bad_commits;
	u64 polled;
	void *memory;
} ____cacheline_aligned;

int iptrk_ring_init(struct iptrk_ring *ring, struct iptrk_queue *queue,
		    int cpu, u32 records, u32 watermark,
		    struct iptrk_commit *commit);
void iptrk_ring_free(struct iptrk_ring *ring);
size_t iptrk_ring_stride(u32 records);
size_t iptrk_ring_memory(u32 records);

struct iptrk_record *iptrk_ring_reserve(struct iptrk_ring *ring);
void iptrk_ring_publish(struct iptrk_ring *ring);
u64 iptrk_ring_waiting(const struct iptrk_ring *ring);
void iptrk_ring_repair(struct iptrk_ring *ring);
ssize_t iptrk_ring_copy(struct iptrk_ring *ring, char __user *to, size_t room);

/* merge.c */
bool iptrk_merge_add(struct iptrk_ring *ring,
		     const struct iptrk_record *record);
void iptrk_merge_emit(struct iptrk_ring *ring, u32 budget);
void iptrk_merge_timer(struct timer_list *timer);

static inline bool iptrk_merge_waiting(const struct iptrk_ring *ring)
{
	return ring->merge_used || ring->rest_count;
}

#endif /* IPTRK_RING_H */
