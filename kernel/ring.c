// SPDX-License-Identifier: GPL-2.0-only
/* One CPU's ring of records; see ring.h. */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "merge.h"
#include "queue.h"
#include "ring.h"

#define IPTRK_MERGE_LOOKS 8 /* for merged packets, with each that comes */

size_t iptrk_ring_stride(u32 records)
{
	return PAGE_SIZE + PAGE_ALIGN(array_size(records,
						 sizeof(struct iptrk_record)));
}

/* Everything one ring costs, for the limit on all queues. */
size_t iptrk_ring_memory(u32 records)
{
	return iptrk_ring_stride(records) + sizeof(struct iptrk_merge) +
	       sizeof(struct iptrk_ring);
}

static void iptrk_ring_wake_now(struct irq_work *work)
{
	struct iptrk_ring *ring = container_of(work, struct iptrk_ring, wake);

	wake_up_interruptible_poll(&ring->queue->wait, EPOLLIN | EPOLLRDNORM);
}

/* From a hook: any locks may be held there, so the waking is put off. */
void iptrk_ring_wake(struct iptrk_ring *ring)
{
	if (READ_ONCE(ring->queue->has_reader))
		irq_work_queue(&ring->wake);
}

int iptrk_ring_init(struct iptrk_ring *ring, struct iptrk_queue *queue,
		    int cpu, u32 records, u32 watermark,
		    struct iptrk_commit *commit)
{
	ring->queue = queue;
	ring->cpu = cpu;
	ring->limit = records;
	ring->mask = records - 1;
	ring->wake_mask = watermark - 1;
	ring->commit = commit;
	ring->tick = jiffies - 1;
	INIT_DELAYED_WORK(&ring->emptying, iptrk_merge_work);
	init_irq_work(&ring->wake, iptrk_ring_wake_now);

	ring->memory = __vmalloc(iptrk_ring_stride(records),
				 IPTRK_GFP_MAPPED | __GFP_ZERO);
	ring->merge = __vmalloc(sizeof(*ring->merge), IPTRK_GFP | __GFP_ZERO);
	if (!ring->memory || !ring->merge) {
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
	cancel_delayed_work_sync(&ring->emptying);
	irq_work_sync(&ring->wake);
	vfree(ring->merge);
	vfree(ring->memory);
	ring->queue = NULL;
}

/* A new tick: what its records will say of the time. */
void iptrk_ring_tick(struct iptrk_ring *ring, unsigned long now)
{
	ring->tick = now;
	ring->tick_ns = ktime_get_real_ns();
}

/* Takes over what the reader has given back, unless it can't be true. */
static void iptrk_ring_refresh(struct iptrk_ring *ring)
{
	/* Pairs with the store-release in Queue::Commit(). */
	u64 committed = smp_load_acquire(&ring->commit->committed);

	if (ring->head - committed > ring->mask + 1)
		WRITE_ONCE(ring->bad_commits, ring->bad_commits + 1);
	else
		ring->committed = committed;
}

/**
 * iptrk_ring_settle() - see what the reader gave back, and use it
 * @ring: ring of the CPU we run on
 * @budget: places to look at for merged packets, which go first
 *
 * @ring->commit is writable by user space, so it only ever decides how much
 * room is left. It is never an index: a lying reader loses its own records
 * and harms nobody else.
 */
void iptrk_ring_settle(struct iptrk_ring *ring, u32 budget)
{
	u32 waiting = iptrk_merge_waiting(ring->merge);

	iptrk_ring_refresh(ring);
	if (waiting && iptrk_ring_room(ring)) {
		iptrk_merge_emit(ring, budget);
		waiting = iptrk_merge_waiting(ring->merge);
	}
	/* Pairs with the load-acquire in iptrk_queue_over(). */
	smp_store_release(&ring->shared->merge_waiting, waiting);
	if (!iptrk_ring_room(ring))
		ring->limit = ring->head;
	else if (waiting)
		ring->limit = ring->head + 1;
	else
		ring->limit = ring->committed + ring->mask + 1;
}

/* The unlikely part of iptrk_ring_reserve(). */
struct iptrk_record *iptrk_ring_look(struct iptrk_ring *ring)
{
	iptrk_ring_settle(ring, IPTRK_MERGE_LOOKS);
	if (ring->head == ring->limit)
		return &ring->scratch;
	return &ring->slots[ring->head & ring->mask];
}

/* Records not yet committed, for display and poll(); any context. */
u64 iptrk_ring_waiting(const struct iptrk_ring *ring)
{
	/* First: what is committed later may be beyond the head we see. */
	u64 committed = smp_load_acquire(&ring->commit->committed);
	/* Pairs with the store-release in iptrk_ring_publish(). */
	u64 waiting = smp_load_acquire(&ring->shared->head) - committed;

	/* A position that lies gives nothing to read. */
	return waiting <= ring->mask + 1 ? waiting : 0;
}

/*
 * A new reader starts where the last one committed. If that position lies,
 * it starts with what the ring still holds for certain: nothing.
 */
void iptrk_ring_repair(struct iptrk_ring *ring)
{
	/* Pairs with the store-release in iptrk_ring_publish(). */
	u64 head = smp_load_acquire(&ring->shared->head);
	u64 committed = READ_ONCE(ring->commit->committed);

	if (head - committed > ring->mask + 1) {
		/* Pairs with the load-acquire in iptrk_ring_refresh(). */
		smp_store_release(&ring->commit->committed, head);
	}
	ring->polled = READ_ONCE(ring->commit->committed);
}

/*
 * Copies whole records for read() and commits them. The position is user
 * space's, so it is checked, and masked by our own mask.
 */
ssize_t iptrk_ring_copy(struct iptrk_ring *ring, char __user *to, size_t room)
{
	/* Pairs with the store-release in iptrk_ring_publish(). */
	u64 head = smp_load_acquire(&ring->shared->head);
	u64 at = READ_ONCE(ring->commit->committed);
	size_t copied = 0;

	if (head - at > ring->mask + 1) {
		at = head;
		/* Pairs with the load-acquire in iptrk_ring_refresh(). */
		smp_store_release(&ring->commit->committed, at);
	}
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
