// SPDX-License-Identifier: GPL-2.0-only
/* Queues: made, found, shared between reader and observers, and taken down. */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat.h"
#include "merge.h"
#include "queue.h"

#define IPTRK_RECORDS_MIN 64
#define IPTRK_RECORDS_MAX BIT(24)

static unsigned int memory_mib = 2048;
module_param(memory_mib, uint, 0644);
MODULE_PARM_DESC(memory_mib, "memory all queues may take together, in MiB");

static atomic64_t iptrk_memory = ATOMIC64_INIT(0);
static unsigned int iptrk_net_id __read_mostly;

struct iptrk_net *iptrk_net(struct net *net)
{
	return net_generic(net, iptrk_net_id);
}

size_t iptrk_queue_commit_bytes(void)
{
	return PAGE_ALIGN(array_size(nr_cpu_ids, sizeof(struct iptrk_commit)));
}

/* With every row that its table of interfaces can get. */
static size_t iptrk_queue_memory(u32 records)
{
	size_t row = sizeof(struct iptrk_port) +
		     array_size(nr_cpu_ids, sizeof(struct iptrk_lane));

	return array_size(nr_cpu_ids, iptrk_ring_memory(records)) +
	       iptrk_once_memory() + sizeof(struct iptrk_queue) +
	       IPTRK_INTERFACES_MAX * row;
}

/* Never above the limit, so that who asks too much stands in nobody's way. */
static bool iptrk_memory_charge(size_t bytes)
{
	u64 limit = (u64)READ_ONCE(memory_mib) << 20;
	s64 taken = atomic64_read(&iptrk_memory);

	do {
		if (bytes > limit || taken > limit - bytes)
			return false;
	} while (!atomic64_try_cmpxchg(&iptrk_memory, &taken, taken + bytes));
	return true;
}

static void iptrk_queue_free(struct kref *ref)
{
	struct iptrk_queue *queue = container_of(ref, struct iptrk_queue, ref);
	u32 i;

	for (i = 0; i < nr_cpu_ids; i++)
		iptrk_ring_free(&queue->rings[i]);
	for (i = 0; i < queue->port_count; i++) {
		free_percpu(queue->ports[i]->lanes);
		kfree(queue->ports[i]);
	}
	iptrk_once_free(queue);
	kvfree(rcu_dereference_protected(queue->own, true));
	vfree(queue->commit_area);
	kvfree(queue->rings);
	atomic64_sub(iptrk_queue_memory(queue->records), &iptrk_memory);
	kvfree(queue);
}

static struct iptrk_queue *iptrk_queue_make(struct net *net,
					    const struct iptrk_attach *attach)
{
	struct iptrk_queue *queue;
	int error = -ENOMEM;
	u32 cpu;

	if (!is_power_of_2(attach->records) ||
	    attach->records < IPTRK_RECORDS_MIN ||
	    attach->records > IPTRK_RECORDS_MAX ||
	    !is_power_of_2(attach->watermark) ||
	    attach->watermark > attach->records)
		return ERR_PTR(-EINVAL);
	if (!iptrk_memory_charge(iptrk_queue_memory(attach->records)))
		return ERR_PTR(-ENOSPC);

	queue = kvzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		goto err_charge;
	kref_init(&queue->ref);
	queue->net = net;
	queue->records = attach->records;
	queue->watermark = attach->watermark;
	queue->created_ns = ktime_get_real_ns();
	strscpy(queue->name, attach->name, sizeof(queue->name));
	init_waitqueue_head(&queue->wait);

	if (iptrk_once_init(queue))
		goto err_queue;
	queue->rings = kvcalloc(nr_cpu_ids, sizeof(*queue->rings),
				GFP_KERNEL_ACCOUNT);
	if (!queue->rings)
		goto err_once;
	queue->commit_area = __vmalloc(iptrk_queue_commit_bytes(),
				       IPTRK_GFP_MAPPED | __GFP_ZERO);
	if (!queue->commit_area)
		goto err_rings;
	/*
	 * Every number there is, so that a CPU plugged in later has its ring,
	 * and the mapping has no hole where a number is no possible CPU.
	 */
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct iptrk_commit *commit = queue->commit_area;

		error = iptrk_ring_init(&queue->rings[cpu], queue, cpu,
					queue->records, queue->watermark,
					&commit[cpu]);
		if (error)
			goto err_ring;
	}
	return queue;

err_ring:
	while (cpu--)
		iptrk_ring_free(&queue->rings[cpu]);
	vfree(queue->commit_area);
err_rings:
	kvfree(queue->rings);
err_once:
	iptrk_once_free(queue);
err_queue:
	kvfree(queue);
err_charge:
	atomic64_sub(iptrk_queue_memory(attach->records), &iptrk_memory);
	return ERR_PTR(error);
}

static struct iptrk_queue *iptrk_queue_find(struct net *net, const char *name)
{
	struct iptrk_queue *queue;

	if (!name[0])
		return NULL;
	list_for_each_entry(queue, &iptrk_net(net)->queues, node)
		if (!strcmp(queue->name, name))
			return queue;
	return NULL;
}

/* Makes a found queue the caller's. */
static int iptrk_queue_take(struct iptrk_queue *queue, bool observe)
{
	u32 cpu;

	if (!observe) {
		if (queue->has_reader)
			return -EBUSY;
		for (cpu = 0; cpu < nr_cpu_ids; cpu++)
			iptrk_ring_repair(&queue->rings[cpu]);
		WRITE_ONCE(queue->has_reader, true);
	}
	kref_get(&queue->ref);
	return 0;
}

/**
 * iptrk_queue_attach() - find or make the queue a reader asks for
 * @net: the reader's namespace; held by the caller
 * @attach: checked by the caller; the answers are written to it
 *
 * Return: a reference for iptrk_queue_detach(), or an error.
 */
struct iptrk_queue *iptrk_queue_attach(struct net *net,
				       struct iptrk_attach *attach)
{
	bool observe = attach->flags & IPTRK_ATTACH_OBSERVE;
	struct iptrk_queue *made = NULL;
	struct iptrk_queue *queue;
	int error = 0;

	rtnl_lock();
	queue = iptrk_queue_find(net, attach->name);
	rtnl_unlock();
	if (!queue) {
		if (observe)
			return ERR_PTR(-ENOENT);
		/* Megabytes are not allocated under RTNL. */
		made = iptrk_queue_make(net, attach);
		if (IS_ERR(made))
			return made;
	}

	rtnl_lock();
	queue = iptrk_queue_find(net, attach->name);
	attach->existed = !!queue;
	if (!queue && !made) {
		error = -EAGAIN; /* destroyed between the two looks */
	} else if (!queue) {
		queue = made;
		made = NULL;
		list_add_tail(&queue->node, &iptrk_net(net)->queues);
		queue->has_reader = true;
		kref_get(&queue->ref);
	} else {
		error = iptrk_queue_take(queue, observe);
	}
	rtnl_unlock();

	if (made)
		kref_put(&made->ref, iptrk_queue_free);
	if (error)
		return ERR_PTR(error);
	attach->records = queue->records;
	attach->watermark = queue->watermark;
	attach->cpus = nr_cpu_ids;
	attach->ring_stride = iptrk_ring_stride(queue->records);
	attach->commit_bytes = iptrk_queue_commit_bytes();
	attach->created_ns = queue->created_ns;
	return queue;
}

/*
 * Takes it off the list and its hooks off the devices. Under RTNL.
 * Return: whether the list's reference is the caller's now; to be put later,
 * for a queue may have gigabytes to free.
 */
static bool iptrk_queue_unlist(struct iptrk_queue *queue)
{
	u32 cpu;

	if (queue->dead)
		return false;
	iptrk_watch_stop(queue);
	list_del(&queue->node);
	/* So that readers know what is still to come. */
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		iptrk_merge_end(&queue->rings[cpu]);
	/* Pairs with the load-acquire in iptrk_queue_over(). */
	smp_store_release(&queue->dead, true);
	wake_up_interruptible_poll(&queue->wait, EPOLLHUP);
	return true;
}

/**
 * iptrk_queue_over() - whether nothing will come to the rings any more
 * @queue: caller has a reference
 *
 * Records that are there may still have to be read.
 */
bool iptrk_queue_over(const struct iptrk_queue *queue)
{
	u32 cpu;

	/* Pairs with the store-release in iptrk_queue_unlist(). */
	if (!smp_load_acquire(&queue->dead))
		return false;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const struct iptrk_head *shared = queue->rings[cpu].shared;

		/* Pairs with the store-release in iptrk_ring_settle(). */
		if (smp_load_acquire(&shared->merge_waiting))
			return false;
	}
	return true;
}

/* Moves what is still to come to the rings of a dead queue, if they have room. */
void iptrk_queue_flush(struct iptrk_queue *queue)
{
	u32 cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		flush_delayed_work(&queue->rings[cpu].emptying);
}

/* A file lets go: a private queue dies with it, a named one lives on. */
void iptrk_queue_detach(struct iptrk_queue *queue, bool reader)
{
	bool unlisted = false;

	rtnl_lock();
	if (reader) {
		WRITE_ONCE(queue->has_reader, false);
		if (!queue->name[0])
			unlisted = iptrk_queue_unlist(queue);
	}
	rtnl_unlock();
	iptrk_watch_settle();
	if (unlisted)
		kref_put(&queue->ref, iptrk_queue_free);
	kref_put(&queue->ref, iptrk_queue_free);
}

int iptrk_queue_destroy(struct iptrk_queue *queue, bool reader)
{
	bool unlisted = false;
	int error = 0;

	rtnl_lock();
	if (queue->has_reader && !reader)
		error = -EBUSY;
	else
		unlisted = iptrk_queue_unlist(queue);
	rtnl_unlock();
	iptrk_watch_settle();
	if (unlisted)
		kref_put(&queue->ref, iptrk_queue_free);
	return error;
}

/* Tells the queue which addresses are the reader's own; 0: none. */
int iptrk_queue_own(struct iptrk_queue *queue,
		    const struct iptrk_prefix *prefixes, u32 count)
{
	struct iptrk_own *own = NULL, *old;

	if (count) {
		own = iptrk_own_make(prefixes, count);
		if (IS_ERR(own))
			return PTR_ERR(own);
	}
	rtnl_lock();
	old = rtnl_dereference(queue->own);
	rcu_assign_pointer(queue->own, own);
	rtnl_unlock();
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

void iptrk_queue_state(struct iptrk_queue *queue, struct iptrk_state *state)
{
	int cpu;

	memset(state, 0, sizeof(*state));
	strscpy(state->name, queue->name, sizeof(state->name));
	state->records = queue->records;
	state->cpus = nr_cpu_ids;
	state->reader = READ_ONCE(queue->has_reader);
	state->created_ns = queue->created_ns;
	state->refused = READ_ONCE(queue->refused);
	for_each_possible_cpu(cpu) {
		const struct iptrk_ring *ring = &queue->rings[cpu];
		u64 waiting = iptrk_ring_waiting(ring);

		state->waiting += waiting;
		state->fullest = max(state->fullest, waiting);
		state->produced += READ_ONCE(ring->shared->head);
		state->merge_waiting += READ_ONCE(ring->shared->merge_waiting);
		state->bad_commits += READ_ONCE(ring->bad_commits);
	}
}

static int __net_init iptrk_net_init(struct net *net)
{
	INIT_LIST_HEAD(&iptrk_net(net)->queues);
	return 0;
}

/*
 * The devices left before. A queue doesn't hold its namespace, so files may
 * still be attached: they keep the memory, and poll() tells them.
 */
static void __net_exit iptrk_net_exit(struct net *net)
{
	struct iptrk_queue *queue, *next;
	LIST_HEAD(unlisted);

	rtnl_lock();
	list_for_each_entry_safe(queue, next, &iptrk_net(net)->queues, node) {
		iptrk_queue_unlist(queue);
		list_add(&queue->node, &unlisted);
	}
	rtnl_unlock();
	list_for_each_entry_safe(queue, next, &unlisted, node) {
		list_del(&queue->node);
		kref_put(&queue->ref, iptrk_queue_free);
	}
}

static struct pernet_operations iptrk_net_ops = {
	.init = iptrk_net_init,
	.exit = iptrk_net_exit,
	.id = &iptrk_net_id,
	.size = sizeof(struct iptrk_net),
};

int iptrk_queues_init(void)
{
	return register_pernet_subsys(&iptrk_net_ops);
}

void iptrk_queues_exit(void)
{
	unregister_pernet_subsys(&iptrk_net_ops);
}
