// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a ring is full, detail goes and bytes never: packets are merged into
 * a table of fixed size, which returns to the ring as records when there is
 * room. All on the ring's CPU with bottom halves off.
 */
#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "compat.h"
#include "queue.h"
#include "ring.h"

#define IPTRK_MERGE_PROBES 8 /* neighbours tried before the catch-all */
#define IPTRK_MERGE_FLUSH (HZ / 50 + 1)
#define IPTRK_KEY_FLAGS (IPTRK_SENT | IPTRK_IPV4 | IPTRK_IPV6)

static u16 iptrk_merge_port(const struct iptrk_record *record)
{
	/* ICMP's type and code too: they are not worth a record each. */
	return min(record->sport, record->dport);
}

static bool iptrk_merge_same(const struct iptrk_merge_slot *slot,
			     const struct iptrk_record *record)
{
	return slot->interface == record->interface &&
	       slot->flags == (record->flags & IPTRK_KEY_FLAGS) &&
	       slot->protocol == record->protocol &&
	       slot->port == iptrk_merge_port(record) &&
	       !memcmp(slot->src, record->src, sizeof(slot->src)) &&
	       !memcmp(slot->dst, record->dst, sizeof(slot->dst));
}

static void iptrk_merge_count(struct iptrk_merge_slot *slot,
			      const struct iptrk_record *record)
{
	slot->packets += record->packets;
	slot->bytes += record->bytes;
	slot->time_ns = record->time_ns;
}

/* The last resort, which can't fail. */
static void iptrk_merge_rest(struct iptrk_ring *ring,
			     const struct iptrk_record *record)
{
	u32 index = 2 * record->interface + !!(record->flags & IPTRK_SENT);
	struct iptrk_merge_slot *slot = &ring->rest[index];

	if (!__test_and_set_bit(index, ring->rest_used)) {
		ring->rest_count++;
		slot->interface = record->interface;
		slot->flags = record->flags & IPTRK_SENT;
	}
	iptrk_merge_count(slot, record);
}

/**
 * iptrk_merge_add() - keep a packet's volume for which the ring has no room
 * @ring: ring of the CPU we run on
 * @record: the packet; its interface is < IPTRK_INTERFACES_MAX
 *
 * Return: true when its addresses are kept, false when it went to the
 * catch-all of its interface and direction.
 */
bool iptrk_merge_add(struct iptrk_ring *ring,
		     const struct iptrk_record *record)
{
	u32 hash = jhash(record->src, 32, iptrk_merge_port(record));
	int i;

	if (!timer_pending(&ring->timer))
		mod_timer(&ring->timer, jiffies + IPTRK_MERGE_FLUSH);

	for (i = 0; i < IPTRK_MERGE_PROBES; i++) {
		struct iptrk_merge_slot *slot =
			&ring->merge[(hash + i) & (IPTRK_MERGE_SLOTS - 1)];

		if (!slot->used) {
			slot->used = 1;
			memcpy(slot->src, record->src, sizeof(slot->src));
			memcpy(slot->dst, record->dst, sizeof(slot->dst));
			slot->interface = record->interface;
			slot->flags = record->flags & IPTRK_KEY_FLAGS;
			slot->protocol = record->protocol;
			slot->port = iptrk_merge_port(record);
			slot->packets = 0;
			slot->bytes = 0;
			ring->merge_used++;
		} else if (!iptrk_merge_same(slot, record)) {
			continue;
		}
		iptrk_merge_count(slot, record);
		return true;
	}
	iptrk_merge_rest(ring, record);
	return false;
}

/*
 * One record out of a slot. A volume beyond what a record's 32 bits hold
 * comes in several. Return: true when the slot is empty.
 */
static bool iptrk_merge_fill(struct iptrk_record *record,
			     struct iptrk_merge_slot *slot, u16 flags)
{
	u32 packets = min_t(u64, slot->packets, U32_MAX);
	u32 bytes = min_t(u64, slot->bytes, U32_MAX);

	memset(record, 0, sizeof(*record));
	record->time_ns = slot->time_ns;
	record->bytes = bytes;
	record->packets = packets;
	record->interface = slot->interface;
	record->flags = slot->flags | flags;
	if (!(flags & IPTRK_UNATTRIBUTED)) {
		memcpy(record->src, slot->src, sizeof(record->src));
		memcpy(record->dst, slot->dst, sizeof(record->dst));
		record->protocol = slot->protocol;
		record->sport = slot->port;
		record->dport = slot->port;
		record->ethertype = slot->flags & IPTRK_IPV4 ? ETH_P_IP :
				    slot->flags & IPTRK_IPV6 ? ETH_P_IPV6 : 0;
	}
	slot->packets -= packets;
	slot->bytes -= bytes;
	return !slot->packets && !slot->bytes;
}

/**
 * iptrk_merge_emit() - move merged packets into the ring while it has room
 * @ring: ring of the CPU we run on
 * @budget: slots to look at, at most
 *
 * A hole left here can hide an equal key behind it; that key then has two
 * slots for a while, and nothing is lost.
 */
void iptrk_merge_emit(struct iptrk_ring *ring, u32 budget)
{
	struct iptrk_record *record;

	for (; ring->rest_count && budget; budget--) {
		u32 index = find_first_bit(ring->rest_used,
					   2 * IPTRK_INTERFACES_MAX);

		record = iptrk_ring_reserve(ring);
		if (!record)
			return;
		if (iptrk_merge_fill(record, &ring->rest[index],
				     IPTRK_MERGED | IPTRK_UNATTRIBUTED)) {
			__clear_bit(index, ring->rest_used);
			ring->rest_count--;
		}
		iptrk_ring_publish(ring);
	}
	for (; ring->merge_used && budget; budget--) {
		struct iptrk_merge_slot *slot =
			&ring->merge[ring->merge_cursor &
				     (IPTRK_MERGE_SLOTS - 1)];

		if (!slot->used) {
			ring->merge_cursor++;
			continue;
		}
		record = iptrk_ring_reserve(ring);
		if (!record)
			break;
		if (iptrk_merge_fill(record, slot, IPTRK_MERGED)) {
			slot->used = 0;
			ring->merge_used--;
			ring->merge_cursor++;
		}
		iptrk_ring_publish(ring);
	}
	WRITE_ONCE(ring->shared->merge_waiting,
		   ring->merge_used + ring->rest_count);
}

/* Empties the table after the last packet, when no other comes to do it. */
void iptrk_merge_timer(struct timer_list *timer)
{
	struct iptrk_ring *ring = container_of(timer, struct iptrk_ring, timer);

	/*
	 * A pinned timer moves only when its CPU goes offline, and then no
	 * hook writes to this ring. Back online: let it go home first.
	 */
	if (unlikely(smp_processor_id() != ring->cpu &&
		     cpu_online(ring->cpu))) {
		ring->timer.expires = jiffies + 1;
		add_timer_on(&ring->timer, ring->cpu);
		return;
	}
	iptrk_merge_emit(ring, 2 * IPTRK_MERGE_SLOTS);
	if (iptrk_merge_waiting(ring) && !timer_pending(&ring->timer))
		mod_timer(&ring->timer, jiffies + IPTRK_MERGE_FLUSH);
}
