// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a ring is full, detail goes and bytes never; see merge.h. What is
 * merged returns to the ring as records when there is room. All on the ring's
 * CPU with bottom halves off.
 */
#include <linux/cpu.h>
#include <linux/hash.h>
#include <linux/if_ether.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/string.h>

#include "compat.h"
#include "merge.h"
#include "own.h"
#include "queue.h"
#include "ring.h"

#define IPTRK_MERGE_BUCKET 8 /* slots a key may be in; their tags are a line */
#define IPTRK_MERGE_FLUSH (HZ / 50 + 1)
#define IPTRK_KEY_FLAGS (IPTRK_SENT | IPTRK_IPV4 | IPTRK_IPV6)
#define IPTRK_KEY_WORDS (sizeof(struct iptrk_merge_key) / sizeof(u64))

/* So that nobody can choose addresses that meet in one bucket. */
static u64 iptrk_merge_seed __read_mostly;

void iptrk_merge_init(void)
{
	get_random_bytes(&iptrk_merge_seed, sizeof(iptrk_merge_seed));
}

static u64 iptrk_merge_hash(const struct iptrk_merge_key *key)
{
	const u64 *words = (const u64 *)key;
	u64 hash = iptrk_merge_seed;
	size_t i;

	for (i = 0; i < IPTRK_KEY_WORDS; i++) {
		hash = (hash ^ words[i]) * GOLDEN_RATIO_64;
		hash ^= hash >> 32;
	}
	return hash;
}

static bool iptrk_merge_same(const struct iptrk_merge_key *a,
			     const struct iptrk_merge_key *b)
{
	const u64 *words_a = (const u64 *)a, *words_b = (const u64 *)b;
	u64 differ = 0;
	size_t i;

	for (i = 0; i < IPTRK_KEY_WORDS; i++)
		differ |= words_a[i] ^ words_b[i];
	return !differ;
}

static void iptrk_merge_count(struct iptrk_merge_slot *slot,
			      const struct iptrk_record *record)
{
	slot->packets += record->packets;
	slot->bytes += record->bytes;
	slot->time_ns = record->time_ns;
}

/* Return: whether the table had the key, or a place for it. */
static bool iptrk_merge_put(struct iptrk_merge_table *table,
			    const struct iptrk_merge_key *key,
			    const struct iptrk_record *record)
{
	u64 hash = iptrk_merge_hash(key);
	u32 tag = (u32)(hash >> 32) | 1;
	u32 bucket = hash & (IPTRK_MERGE_SLOTS - IPTRK_MERGE_BUCKET);
	u32 i;

	for (i = bucket; i < bucket + IPTRK_MERGE_BUCKET; i++) {
		struct iptrk_merge_slot *slot = &table->slots[i];

		if (!table->tags[i]) {
			table->tags[i] = tag;
			table->used++;
			slot->key = *key;
			slot->packets = 0;
			slot->bytes = 0;
		} else if (table->tags[i] != tag ||
			   !iptrk_merge_same(&slot->key, key)) {
			continue;
		}
		iptrk_merge_count(slot, record);
		return true;
	}
	return false;
}

/*
 * The key without what is not ours. Return: false when nothing of it is, or
 * nobody said what is.
 */
static bool iptrk_merge_own_key(const struct iptrk_queue *queue,
				struct iptrk_merge_key *key)
{
	const struct iptrk_own *own = rcu_dereference(queue->own);
	bool src, dst;

	if (!own || !(key->flags & (IPTRK_IPV4 | IPTRK_IPV6)))
		return false;
	src = iptrk_own_has(own, key->src);
	dst = iptrk_own_has(own, key->dst);
	if (!src && !dst)
		return false;
	if (!src || !dst) {
		memset(src ? key->dst : key->src, 0, sizeof(key->src));
		key->flags |= IPTRK_NO_REMOTE;
	}
	key->port = 0;
	return true;
}

/* The last resort, which can't fail. */
static void iptrk_merge_rest(struct iptrk_merge *merge,
			     const struct iptrk_record *record)
{
	u32 index = 2 * record->interface + !!(record->flags & IPTRK_SENT);
	struct iptrk_merge_slot *slot = &merge->rest[index];

	if (!__test_and_set_bit(index, merge->rest_used)) {
		merge->rest_count++;
		slot->key.interface = record->interface;
		slot->key.flags = record->flags & IPTRK_SENT;
	}
	iptrk_merge_count(slot, record);
}

/**
 * iptrk_merge_add() - keep a packet's volume for which the ring has no room
 * @ring: ring of the CPU we run on
 * @record: the packet; its interface is < IPTRK_INTERFACES_MAX
 *
 * Return: true when an address is kept, false when it went to the catch-all
 * of its interface and direction.
 */
bool iptrk_merge_add(struct iptrk_ring *ring, const struct iptrk_record *record)
{
	struct iptrk_merge *merge = ring->merge;
	struct iptrk_merge_key key;

	memcpy(key.src, record->src, sizeof(key.src));
	memcpy(key.dst, record->dst, sizeof(key.dst));
	key.interface = record->interface;
	key.flags = record->flags & IPTRK_KEY_FLAGS;
	/* ICMP's type and code too: they are not worth a record each. */
	key.port = min(record->sport, record->dport);
	key.protocol = record->protocol;

	if (!timer_pending(&ring->timer))
		mod_timer(&ring->timer, jiffies + IPTRK_MERGE_FLUSH);
	if (iptrk_merge_put(&merge->pairs, &key, record))
		return true;
	if (iptrk_merge_own_key(ring->queue, &key) &&
	    iptrk_merge_put(&merge->own, &key, record))
		return true;
	iptrk_merge_rest(merge, record);
	return false;
}

/*
 * The next slot of the ring for a merged record, while the reader left room.
 * Other than for packets, @ring->limit does not matter here.
 */
static struct iptrk_record *iptrk_merge_room(struct iptrk_ring *ring)
{
	if (ring->head - ring->committed > ring->mask)
		return NULL;
	return &ring->slots[ring->head & ring->mask];
}

/*
 * One record out of a slot. A volume beyond what a record's 32 bits hold
 * comes in several. Return: true when the slot is empty.
 */
static bool iptrk_merge_fill(struct iptrk_record *record,
			     struct iptrk_merge_slot *slot, u16 flags)
{
	const struct iptrk_merge_key *key = &slot->key;
	u32 packets = min_t(u64, slot->packets, U32_MAX);
	u32 bytes = min_t(u64, slot->bytes, U32_MAX);

	memset(record, 0, sizeof(*record));
	record->time_ns = slot->time_ns;
	record->bytes = bytes;
	record->packets = packets;
	record->interface = key->interface;
	record->flags = key->flags | flags;
	if (!(flags & IPTRK_UNATTRIBUTED)) {
		memcpy(record->src, key->src, sizeof(record->src));
		memcpy(record->dst, key->dst, sizeof(record->dst));
		record->protocol = key->protocol;
		record->sport = key->port;
		record->dport = key->port;
		record->ethertype = key->flags & IPTRK_IPV4 ? ETH_P_IP :
				    key->flags & IPTRK_IPV6 ? ETH_P_IPV6 : 0;
	}
	slot->packets -= packets;
	slot->bytes -= bytes;
	return !slot->packets && !slot->bytes;
}

/* Return: what is left of the budget. */
static u32 iptrk_merge_emit_rest(struct iptrk_ring *ring, u32 budget)
{
	struct iptrk_merge *merge = ring->merge;
	struct iptrk_record *record;

	for (; merge->rest_count && budget; budget--) {
		u32 index = find_first_bit(merge->rest_used,
					   2 * IPTRK_INTERFACES_MAX);

		record = iptrk_merge_room(ring);
		if (!record)
			return 0;
		if (iptrk_merge_fill(record, &merge->rest[index],
				     IPTRK_MERGED | IPTRK_UNATTRIBUTED)) {
			__clear_bit(index, merge->rest_used);
			merge->rest_count--;
		}
		iptrk_ring_publish(ring);
	}
	return budget;
}

/*
 * A hole left here can hide an equal key behind it; that key then has two
 * slots for a while, and nothing is lost. Return: what is left of the budget.
 */
static u32 iptrk_merge_emit_table(struct iptrk_ring *ring,
				  struct iptrk_merge_table *table, u32 budget)
{
	struct iptrk_record *record;

	for (; table->used && budget; budget--) {
		u32 i = table->cursor & (IPTRK_MERGE_SLOTS - 1);

		if (!table->tags[i]) {
			table->cursor++;
			continue;
		}
		record = iptrk_merge_room(ring);
		if (!record)
			return 0;
		if (iptrk_merge_fill(record, &table->slots[i], IPTRK_MERGED)) {
			table->tags[i] = 0;
			table->used--;
			table->cursor++;
		}
		iptrk_ring_publish(ring);
	}
	return budget;
}

/**
 * iptrk_merge_emit() - move merged packets into the ring while it has room
 * @ring: ring of the CPU we run on; its committed position is fresh
 * @budget: slots to look at, at most
 */
void iptrk_merge_emit(struct iptrk_ring *ring, u32 budget)
{
	struct iptrk_merge *merge = ring->merge;

	budget = iptrk_merge_emit_rest(ring, budget);
	budget = iptrk_merge_emit_table(ring, &merge->own, budget);
	iptrk_merge_emit_table(ring, &merge->pairs, budget);
	WRITE_ONCE(ring->shared->merge_waiting, iptrk_merge_waiting(merge));
}

/*
 * Empties the tables after the last packet, when no other comes to do it.
 *
 * A pinned timer moves only when its CPU goes offline, and then no hook writes
 * to this ring. So that none begins to while we are at it, the CPU is kept
 * from coming back; once it is back, the timer goes home first.
 */
void iptrk_merge_timer(struct timer_list *timer)
{
	struct iptrk_ring *ring = container_of(timer, struct iptrk_ring, timer);
	bool abroad = smp_processor_id() != ring->cpu;

	if (unlikely(abroad)) {
		if (!cpus_read_trylock()) {
			mod_timer(timer, jiffies + 1);
			return;
		}
		if (cpu_online(ring->cpu)) {
			timer->expires = jiffies + 1;
			add_timer_on(timer, ring->cpu);
			cpus_read_unlock();
			return;
		}
	}
	iptrk_ring_settle(ring, 2 * IPTRK_MERGE_SLOTS + 2 * IPTRK_INTERFACES_MAX);
	if (iptrk_merge_waiting(ring->merge) && !timer_pending(timer))
		mod_timer(timer, jiffies + IPTRK_MERGE_FLUSH);
	if (unlikely(abroad))
		cpus_read_unlock();
}
