// SPDX-License-Identifier: GPL-2.0-only
/* One CPU's ring of records; see ring.h. */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "queue.h"
#include "ring.h"

size_t iptrk_ring_stride(u32 records)
{
	return PAGE_SIZE + PAGE_ALIGN(array_size(records,
						 sizeof(struct iptrk_record)));
}

/* Everything one ring costs, for the limit on all queues. */
size_t iptrk_ring_memory(u32 records)
{
	return iptrk_ring_stride(records) +
	       (IPTRK_MERGE_SLOTS + 2 * IPTRK_INTERFACES_MAX) *
		       sizeof(struct iptrk_merge_slot);
}

int iptrk_ring_init(struct iptrk_ring *ring, struct iptrk_queue *queue,
		    int cpu, u32 records, u32 watermark,
		    struct iptrk_commit *commit)
{
	ring->queue = queue;
	ring->cpu = cpu;
	ring->mask = records - 1;
	ring->wake_mask = watermark - 1;
	ring->commit = commit;
	timer_setup(&ring->timer, iptrk_merge_timer, TIMER_PINNED);

	ring->memory = __vmalloc(iptrk_ring_stride(records),
				 GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	ring->merge = vzalloc(array_size(IPTRK_MERGE_SLOTS,
					 sizeof(*ring->merge)));
	ring->rest = vzalloc(array_size(2 * IPTRK_INTERFACES_MAX,
					sizeof(*ring->rest)));
	ring->rest_used = bitmap_zalloc(2 * IPTRK_INTERFACES_MAX, GFP_KERNEL);
	if (!ring->memory || !ring->merge || !ring->rest || !ring->rest_used) {
		iptrk_ring_free(ring);
		return -ENOMEM;
	}
	ring->shared = ring->memory;
	ring->slots = ring->memory + PAGE_SIZE;
	return 0;
}

/* The writers must be gone. Safe on a ring whose init failed. */
void iptrk_ring_free(struct iptrk_ring *ring)
{
	if (!ring->queue)
		return;
	timer_delete_sync(&ring->timer);
	bitmap_free(ring->rest_used);
	vfree(ring->rest);
	vfree(ring->merge);
	vfree(ring->memory);
	ring->queue = NULL;
}

/* Takes over what the reader has given back, unless it can't be true. */
static noinline void iptrk_ring_refresh(struct iptrk_ring *ring)
{
	/* Pairs with the store-release in Queue::Commit(). */
	u64 committed = smp_load_acquire(&ring->commit->committed);

	if (ring->head - committed > ring->mask + 1)
		WRITE_ONCE(ring->bad_commits, ring->bad_commits + 1);
	else
		ring->committed = committed;
}

/**
 * iptrk_ring_reserve() - claim the next slot of this CPU's ring
 * @ring: ring of the CPU we run on
 *
 * Context: bottom halves off until iptrk_ring_publish(). Never sleeps.
 * Return: slot to fill whole, or NULL when the reader is a ring behind.
 */
struct iptrk_record *iptrk_ring_reserve(struct iptrk_ring *ring)
{
	if (unlikely(ring->head - ring->committed > ring->mask)) {
		iptrk_ring_refresh(ring);
		if (ring->head - ring->committed > ring->mask)
			return NULL;
	}
	return &ring->slots[ring->head & ring->mask];
}

/* Makes the reserved slot, now filled, visible to the reader. */
void iptrk_ring_publish(struct iptrk_ring *ring)
{
	u64 head = ring->head + 1;

	WRITE_ONCE(ring->head, head);
	/* Pairs with the load-acquire in Queue::Drain(). */
	smp_store_release(&ring->shared->head, head);
	if (unlikely((head & ring->wake_mask) == 0))
		iptrk_queue_wake(ring->queue);
}

/* Records not yet committed, for display and poll(); any context. */
u64 iptrk_ring_waiting(const struct iptrk_ring *ring)
{
	/* Pairs with the store-release in iptrk_ring_publish(). */
	u64 head = smp_load_acquire(&ring->shared->head);
	u64 waiting = head - READ_ONCE(ring->commit->committed);

	return min(waiting, ring->mask + 1);
}

/*
 * A new reader starts where the last one committed. If that position lies,
 * it starts with what the ring still holds for certain: nothing.
 */
void iptrk_ring_repair(struct iptrk_ring *ring)
{
	u64 head = smp_load_acquire(&ring->shared->head);
	u64 committed = READ_ONCE(ring->commit->committed);

	if (head - committed > ring->mask + 1)
		smp_store_release(&ring->commit->committed, head);
	ring->polled = READ_ONCE(ring->commit->committed);
}

/*
 * Copies whole records for read() and commits them. The position is user
 * space's, so it is checked, and masked by our own mask.
 */
ssize_t iptrk_ring_copy(struct iptrk_ring *ring, char __user *to, size_t room)
{
	u64 head = smp_load_acquire(&ring->shared->head);
	u64 at = READ_ONCE(ring->commit->committed);
	size_t copied = 0;

	if (head - at > ring->mask + 1)
		at = head;
	while (at != head && room - copied >= sizeof(struct iptrk_record)) {
		u64 index = at & ring->mask;
		size_t n = min3((u64)((room - copied) /
				      sizeof(struct iptrk_record)),
				head - at, ring->mask + 1 - index);
		size_t bytes = n * sizeof(struct iptrk_record);

		if (copy_to_user(to + copied, &ring->slots[index], bytes))
			return copied ? copied : -EFAULT;
		at += n;
		copied += bytes;
		/* Pairs with the load-acquire in iptrk_ring_refresh(). */
		smp_store_release(&ring->commit->committed, at);
	}
	return copied;
}
