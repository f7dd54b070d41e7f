/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One CPU's ring of records, and the merge tables that take what the ring
 * can't.
 *
 * Writer: the hooks and @emptying, on the ring's CPU with bottom halves
 * off, so one at a time. Reader: user space, through the mapping, or
 * iptrk_ring_copy() for read().
 */
#ifndef IPTRK_RING_H
#define IPTRK_RING_H

#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "uapi/iptrk.h"

struct iptrk_merge;
struct iptrk_queue;

/**
 * struct iptrk_ring - all fields belong to the writer unless said otherwise
 * @head: position of the next record
 * @limit: position up to which slots may be taken without a look around; not
 *	beyond what is committed, and not beyond @head when packets wait in
 *	@merge
 * @mask: number of slots - 1
 * @wake_mask: watermark - 1; a head with none of these bits set wakes readers
 * @slots: the records, readable by user space
 * @shared: read-only page of user space, mirrors @head
 * @tick: jiffies when @tick_ns was read
 * @tick_ns: CLOCK_REALTIME, the time of every record of that tick
 * @scratch: the record of a packet that gets no slot
 * @committed: newest believable position the reader gave back
 * @commit: user space's word; only ever compared, never an index
 * @queue: owner, woken at the watermark
 * @merge: what the ring had no room for
 * @emptying: empties @merge when no packet comes to do it
 * @wake: leaves the packet's context before it wakes the queue's readers
 * @memory: the vmalloc area that holds @shared and @slots
 * @cpu: whose ring this is
 * @bad_commits: lies told in @commit; read by anyone
 * @polled: head when poll() last said readable; belongs to poll(), in a line
 *	of its own
 *
 * The first line is all that a packet needs.
 */
struct iptrk_ring {
	u64 head;
	u64 limit;
	u64 mask;
	u64 wake_mask;
	struct iptrk_record *slots;
	struct iptrk_head *shared;
	unsigned long tick;
	u64 tick_ns;

	struct iptrk_record scratch;

	u64 committed;
	struct iptrk_commit *commit;
	struct iptrk_queue *queue;
	struct iptrk_merge *merge;
	struct delayed_work emptying;
	struct irq_work wake;
	void *memory;
	int cpu;
	u64 bad_commits;

	u64 polled ____cacheline_aligned;
} ____cacheline_aligned;

int iptrk_ring_init(struct iptrk_ring *ring, struct iptrk_queue *queue,
		    int cpu, u32 records, u32 watermark,
		    struct iptrk_commit *commit);
void iptrk_ring_free(struct iptrk_ring *ring);
size_t iptrk_ring_stride(u32 records);
size_t iptrk_ring_memory(u32 records);

void iptrk_ring_tick(struct iptrk_ring *ring, unsigned long now);
struct iptrk_record *iptrk_ring_look(struct iptrk_ring *ring);
void iptrk_ring_settle(struct iptrk_ring *ring, u32 budget);
void iptrk_ring_wake(struct iptrk_ring *ring);
u64 iptrk_ring_waiting(const struct iptrk_ring *ring);
void iptrk_ring_repair(struct iptrk_ring *ring);
ssize_t iptrk_ring_copy(struct iptrk_ring *ring, char __user *to, size_t room);

/**
 * iptrk_ring_time() - the time of a record made now
 * @ring: ring of the CPU we run on
 *
 * The clock is read once in a tick, not for each packet: that would cost more
 * than the rest of the record. A record's time is therefore up to one tick
 * (1/HZ) before its packet's, and never after it.
 */
static __always_inline u64 iptrk_ring_time(struct iptrk_ring *ring)
{
	unsigned long now = READ_ONCE(jiffies);

	if (unlikely(ring->tick != now))
		iptrk_ring_tick(ring, now);
	return ring->tick_ns;
}

/* Whether the reader left room, as far as is known. */
static inline bool iptrk_ring_room(const struct iptrk_ring *ring)
{
	return ring->head - ring->committed <= ring->mask;
}

/**
 * iptrk_ring_reserve() - claim the next slot of this CPU's ring
 * @ring: ring of the CPU we run on
 *
 * Context: bottom halves off until iptrk_ring_publish(). Never sleeps.
 * Return: slot to fill whole; @ring->scratch when the reader is a ring behind.
 */
static __always_inline struct iptrk_record *
iptrk_ring_reserve(struct iptrk_ring *ring)
{
	if (unlikely(ring->head == ring->limit)) {
		/* Full, and still full: nothing else can have changed. */
		if (!iptrk_ring_room(ring) &&
		    READ_ONCE(ring->commit->committed) == ring->committed)
			return &ring->scratch;
		return iptrk_ring_look(ring);
	}
	return &ring->slots[ring->head & ring->mask];
}

/* Makes the reserved slot, now filled, visible to the reader. */
static __always_inline void iptrk_ring_publish(struct iptrk_ring *ring)
{
	u64 head = ring->head + 1;

	ring->head = head;
	/* Pairs with the load-acquire in Queue::Drain(). */
	smp_store_release(&ring->shared->head, head);
	if (unlikely((head & ring->wake_mask) == 0))
		iptrk_ring_wake(ring);
}

#endif /* IPTRK_RING_H */
