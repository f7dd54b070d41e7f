// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a ring is full, detail goes and bytes never; see merge.h. What is
 * merged returns to the ring as records when there is room. All on the ring's
 * CPU with bottom halves off.
 */
#include <linux/cpu.h>
#include <linux/bitops.h>
#include <linux/if_ether.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/string.h>

#include "compat.h"
#include "merge.h"
#include "own.h"
#include "queue.h"
#include "ring.h"

#define IPTRK_MERGE_FLUSH (HZ / 50 + 1)
#define IPTRK_MERGE_ALL (2 * IPTRK_MERGE_SLOTS + 2 * IPTRK_INTERFACES_MAX)

/*
 * So that nobody can choose addresses that meet in a given bucket. Whoever
 * makes his own meet in one loses his own detail there.
 */
static u64 iptrk_merge_seed[2] __read_mostly;

void iptrk_merge_init(void)
{
	get_random_bytes(iptrk_merge_seed, sizeof(iptrk_merge_seed));
}

/*
 * What merged packets have in common besides addresses, in one word: the
 * interface, the flags of direction and family and IPTRK_NO_REMOTE, the lower
 * port, which is the service's, and the protocol. ICMP's type and code count
 * as ports: they are not worth a record each.
 */
#define IPTRK_KIND_FLAGS (IPTRK_SENT | IPTRK_IPV4 | IPTRK_IPV6)

static u64 iptrk_kind(const struct iptrk_record *record, u16 flags, u16 port)
{
	return record->interface | (u64)flags << 16 | (u64)port << 32 |
	       (u64)record->protocol << 48;
}

static u16 iptrk_kind_flags(u64 kind)
{
	return kind >> 16;
}

static u64 iptrk_fold(u64 a, u64 b)
{
	return mul_u64_u64_shr(a, b, 64) ^ (a * b);
}

static void iptrk_merge_count(struct iptrk_merge_slot *slot,
			      const struct iptrk_record *record)
{
	slot->packets += record->packets;
	slot->bytes += record->bytes;
	slot->time_ns = record->time_ns;
}

#define IPTRK_BYTES_01 0x0101010101010101ULL
#define IPTRK_BYTES_80 0x8080808080808080ULL

/*
 * The highest bit of each byte of @word that is zero; the lowest bit set is
 * right, those above it may be of bytes that are one. So a tag has its highest
 * bit set: then what is not free may be taken for equal, which the key tells,
 * but never what is free.
 */
static u64 iptrk_zero_bytes(u64 word)
{
	return (word - IPTRK_BYTES_01) & ~word & IPTRK_BYTES_80;
}

static __always_inline bool iptrk_merge_is(const struct iptrk_merge_slot *slot,
					   const struct iptrk_merge_key *key)
{
	return !((slot->key.src[0] ^ key->src[0]) |
		 (slot->key.src[1] ^ key->src[1]) |
		 (slot->key.dst[0] ^ key->dst[0]) |
		 (slot->key.dst[1] ^ key->dst[1]) |
		 (slot->key.kind ^ key->kind));
}

/*
 * The slot of a key, made when it has none.
 * Return: NULL when the table has neither the key nor a place for it.
 */
static __always_inline struct iptrk_merge_slot *
iptrk_merge_slot(struct iptrk_merge_table *table,
		 const struct iptrk_merge_key *key)
{
	u64 hash = iptrk_fold(key->src[1] ^ rol64(key->src[0], 32) ^
				      iptrk_merge_seed[0],
			      key->dst[1] ^ rol64(key->dst[0], 32) ^
				      rol64(key->kind, 24) ^
				      iptrk_merge_seed[1]);
	u32 bucket = hash & (IPTRK_MERGE_SLOTS / IPTRK_MERGE_BUCKET - 1);
	u64 *tags = &table->tags[bucket];
	u64 tag = hash >> 56 | 0x80;
	struct iptrk_merge_slot *slot;
	u64 found;

	for (found = iptrk_zero_bytes(*tags ^ tag * IPTRK_BYTES_01); found;
	     found &= found - 1) {
		slot = &table->slots[bucket * IPTRK_MERGE_BUCKET +
				     __ffs64(found) / 8];
		if (iptrk_merge_is(slot, key))
			return slot;
	}
	found = iptrk_zero_bytes(*tags);
	if (!found)
		return NULL;
	*tags |= tag << (__ffs64(found) - 7);
	table->used++;
	slot = &table->slots[bucket * IPTRK_MERGE_BUCKET + __ffs64(found) / 8];
	*slot = (struct iptrk_merge_slot){
		.key.src = { key->src[0], key->src[1] },
		.key.dst = { key->dst[0], key->dst[1] },
		.key.kind = key->kind,
	};
	return slot;
}

static bool iptrk_merge_occupied(const struct iptrk_merge_table *table, u32 i)
{
	return table->tags[i / IPTRK_MERGE_BUCKET] >>
		       (i % IPTRK_MERGE_BUCKET * 8) &
	       0xff;
}

static void iptrk_merge_vacate(struct iptrk_merge_table *table, u32 i)
{
	table->tags[i / IPTRK_MERGE_BUCKET] &=
		~(0xffULL << (i % IPTRK_MERGE_BUCKET * 8));
	table->used--;
}

/*
 * By what is ours of the two addresses. Return: NULL when nothing of them is,
 * nobody said what is, or there is no place.
 */
static struct iptrk_merge_slot *
iptrk_merge_own(struct iptrk_ring *ring, const struct iptrk_record *record)
{
	const struct iptrk_own *own = rcu_dereference_bh(ring->queue->own);
	struct iptrk_merge *merge = ring->merge;
	u16 flags = record->flags & IPTRK_KIND_FLAGS;
	const u64 *src = (const u64 *)record->src;
	const u64 *dst = (const u64 *)record->dst;
	struct iptrk_merge_key key;
	bool src_own, dst_own;

	if (!own)
		return NULL;
	if (likely(flags & IPTRK_IPV4)) {
		src_own = iptrk_own_has_ipv4(own, record->src);
		dst_own = iptrk_own_has_ipv4(own, record->dst);
	} else if (flags & IPTRK_IPV6) {
		src_own = iptrk_own_has_ipv6(own, record->src);
		dst_own = iptrk_own_has_ipv6(own, record->dst);
	} else {
		return NULL;
	}
	if (!src_own || !dst_own) {
		if (!src_own && !dst_own)
			return NULL;
		flags |= IPTRK_NO_REMOTE;
	}
	key.src[0] = src_own ? src[0] : 0;
	key.src[1] = src_own ? src[1] : 0;
	key.dst[0] = dst_own ? dst[0] : 0;
	key.dst[1] = dst_own ? dst[1] : 0;
	key.kind = iptrk_kind(record, flags, 0);
	if (!merge->last_own || !iptrk_merge_is(merge->last_own, &key))
		merge->last_own = iptrk_merge_slot(&merge->own, &key);
	return merge->last_own;
}

/* The last resort, which can't fail. */
static void iptrk_merge_rest(struct iptrk_merge *merge,
			     const struct iptrk_record *record)
{
	u16 flags = record->flags & IPTRK_SENT;
	u32 index = 2 * record->interface + !!flags;
	struct iptrk_merge_slot *slot = &merge->rest[index];

	if (!__test_and_set_bit(index, merge->rest_used)) {
		merge->rest_count++;
		slot->key.kind = record->interface | (u64)flags << 16;
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
	const u64 *src = (const u64 *)record->src;
	const u64 *dst = (const u64 *)record->dst;
	struct iptrk_merge_key key = {
		.src = { src[0], src[1] },
		.dst = { dst[0], dst[1] },
		.kind = iptrk_kind(record, record->flags & IPTRK_KIND_FLAGS,
				   min(record->sport, record->dport)),
	};
	struct iptrk_merge_slot *slot;

	if (!delayed_work_pending(&ring->emptying))
		schedule_delayed_work_on(ring->cpu, &ring->emptying,
					 IPTRK_MERGE_FLUSH);
	slot = iptrk_merge_slot(&merge->pairs, &key);
	if (unlikely(!slot))
		slot = iptrk_merge_own(ring, record);
	if (likely(slot)) {
		iptrk_merge_count(slot, record);
		return true;
	}
	iptrk_merge_rest(merge, record);
	return false;
}

/* The next slot of the ring for a merged record; NULL when there is none. */
static struct iptrk_record *iptrk_merge_reserve(struct iptrk_ring *ring)
{
	return iptrk_ring_room(ring) ? &ring->slots[ring->head & ring->mask] :
				       NULL;
}

/*
 * One record out of a slot. A volume beyond what a record's 32 bits hold
 * comes in several. Return: true when the slot is empty.
 */
static bool iptrk_merge_fill(struct iptrk_record *record,
			     struct iptrk_merge_slot *slot, u16 flags)
{
	u16 kept = iptrk_kind_flags(slot->key.kind);
	u32 packets = min_t(u64, slot->packets, U32_MAX);
	u32 bytes = min_t(u64, slot->bytes, U32_MAX);

	memset(record, 0, sizeof(*record));
	record->time_ns = slot->time_ns;
	record->bytes = bytes;
	record->packets = packets;
	record->interface = (u16)slot->key.kind;
	record->flags = kept | flags;
	if (!(flags & IPTRK_UNATTRIBUTED)) {
		memcpy(record->src, slot->key.src, sizeof(record->src));
		memcpy(record->dst, slot->key.dst, sizeof(record->dst));
		record->protocol = (u8)(slot->key.kind >> 48);
		record->sport = (u16)(slot->key.kind >> 32);
		record->dport = record->sport;
		record->ethertype = kept & IPTRK_IPV4 ? ETH_P_IP :
				    kept & IPTRK_IPV6 ? ETH_P_IPV6 : 0;
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

		record = iptrk_merge_reserve(ring);
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

		if (!iptrk_merge_occupied(table, i)) {
			table->cursor++;
			continue;
		}
		record = iptrk_merge_reserve(ring);
		if (!record)
			return 0;
		if (iptrk_merge_fill(record, &table->slots[i], IPTRK_MERGED)) {
			iptrk_merge_vacate(table, i);
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

	merge->last_own = NULL;
	budget = iptrk_merge_emit_rest(ring, budget);
	budget = iptrk_merge_emit_table(ring, &merge->own, budget);
	iptrk_merge_emit_table(ring, &merge->pairs, budget);
}

/*
 * Empties the tables after the last packet, when no other comes to do it.
 *
 * Runs on the ring's CPU, and elsewhere only while that is offline and no hook
 * writes to the ring; so that none begins to meanwhile, the CPU is kept from
 * coming back.
 */
void iptrk_merge_work(struct work_struct *work)
{
	struct iptrk_ring *ring =
		container_of(to_delayed_work(work), struct iptrk_ring, emptying);
	bool online, done = false;

	if (!cpus_read_trylock()) {
		schedule_delayed_work(&ring->emptying, IPTRK_MERGE_FLUSH);
		return;
	}
	online = cpu_online(ring->cpu);
	local_bh_disable();
	if (smp_processor_id() == ring->cpu || !online) {
		iptrk_ring_settle(ring, IPTRK_MERGE_ALL);
		done = !iptrk_merge_waiting(ring->merge);
	}
	local_bh_enable();
	/* Hooks rely on it while it waits. No timer runs on an offline CPU. */
	if (!done && online)
		schedule_delayed_work_on(ring->cpu, &ring->emptying,
					 IPTRK_MERGE_FLUSH);
	else if (!done)
		schedule_delayed_work(&ring->emptying, IPTRK_MERGE_FLUSH);
	cpus_read_unlock();
}

/**
 * iptrk_merge_end() - when no hook writes to the ring any more
 * @ring: any CPU's
 *
 * From here on iptrk_head.merge_waiting says what is still to come, which the
 * work moves to the ring.
 */
void iptrk_merge_end(struct iptrk_ring *ring)
{
	bool done;

	cancel_delayed_work_sync(&ring->emptying);
	local_bh_disable();
	iptrk_ring_settle(ring, IPTRK_MERGE_ALL);
	done = !iptrk_merge_waiting(ring->merge);
	local_bh_enable();
	if (!done)
		schedule_delayed_work(&ring->emptying, IPTRK_MERGE_FLUSH);
}
