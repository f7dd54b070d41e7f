// SPDX-License-Identifier: GPL-2.0-only
/*
 * The once rule: a frame that crosses several watched devices is recorded at
 * one of them and put to `elsewhere` at the others.
 *
 * Mostly the devices alone decide. What a bridge, a bond or a VLAN receives
 * was seen on the watched devices below it; what it sends will be. What one
 * end of a veth pair receives was seen where the other end, here and watched,
 * sent it. What is sent with skb_iif was received there before.
 *
 * A bridge with only some ports watched is fed by both kinds, so its frames
 * must be told apart. They can't be written to, but a buffer keeps its address
 * as long as it lives. So hooks of our own on every way into such a device
 * note the addresses of buffers that were seen, and forget those that were
 * not: then whether an address is noted tells, however long the frame waited
 * for a neighbour or a verdict. Copies have addresses of their own; with
 * them, and when too many are under way, a frame counts twice rather than
 * never.
 */
#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <net/dst.h>
#include <net/dst_metadata.h>
#include <net/net_namespace.h>

#include "below.h"
#include "compat.h"
#include "queue.h"

#define IPTRK_NOTE_BITS 9
#define IPTRK_NOTES 7

/* Newest first. One cache line without lock debugging. */
struct iptrk_bucket {
	spinlock_t lock; /* of the addresses, between CPUs */
	const struct sk_buff *skbs[IPTRK_NOTES];
} ____cacheline_aligned_in_smp;

/**
 * struct iptrk_notes - buffers that were seen, of one queue
 * @bucket: by the buffer's address
 */
struct iptrk_notes {
	struct iptrk_bucket bucket[1 << IPTRK_NOTE_BITS];
};

/* What our own hooks do on one direction of a device. */
enum iptrk_errand {
	IPTRK_PASS,
	IPTRK_NOTE, /* it was seen, here or before */
	IPTRK_FORGET, /* it was not */
	IPTRK_JUDGE, /* by where it was received, for the device it goes to */
};

/**
 * struct iptrk_helper - our own hooks on one device, for one queue
 * @node: in the queue's list
 * @queue: whose notes these are
 * @dev: valid until NETDEV_UNREGISTER, when the helper goes
 * @ops: ingress and egress
 * @errand: enum iptrk_errand, received and sent
 * @rcu: frees it when no hook runs any more
 */
struct iptrk_helper {
	struct list_head node;
	struct iptrk_queue *queue;
	struct net_device *dev;
	struct nf_hook_ops ops[2];
	u8 errand[2];
	struct rcu_head rcu;
};

/* Whether @skb was noted; it is afterwards if @noted. */
static bool iptrk_note(struct iptrk_notes *notes, const struct sk_buff *skb,
		       bool noted)
{
	struct iptrk_bucket *bucket =
		&notes->bucket[hash_ptr(skb, IPTRK_NOTE_BITS)];
	unsigned int i = 0;
	bool was;

	spin_lock(&bucket->lock);
	while (i < IPTRK_NOTES - 1 && bucket->skbs[i] != skb)
		i++;
	was = bucket->skbs[i] == skb;
	if (noted) {
		memmove(&bucket->skbs[1], &bucket->skbs[0],
			i * sizeof(bucket->skbs[0]));
		bucket->skbs[0] = skb;
	} else if (was) {
		memmove(&bucket->skbs[i], &bucket->skbs[i + 1],
			(IPTRK_NOTES - 1 - i) * sizeof(bucket->skbs[0]));
		bucket->skbs[IPTRK_NOTES - 1] = NULL;
	}
	spin_unlock(&bucket->lock);
	return was;
}

static bool iptrk_noted(struct iptrk_notes *notes, const struct sk_buff *skb)
{
	struct iptrk_bucket *bucket =
		&notes->bucket[hash_ptr(skb, IPTRK_NOTE_BITS)];
	bool noted = false;
	unsigned int i;

	spin_lock(&bucket->lock);
	for (i = 0; i < IPTRK_NOTES; i++)
		noted |= bucket->skbs[i] == skb;
	spin_unlock(&bucket->lock);
	return noted;
}

/* Whether @skb, about to be sent, was seen when this machine received it. */
static bool iptrk_seen_received(struct iptrk_queue *queue,
				const struct sk_buff *skb)
{
	/* Zero: made on this machine. */
	if (!skb->skb_iif)
		return false;
	/*
	 * A container's macvlan sends it through us; it is of a device there.
	 * What a tunnel knows of a packet is a dst, too, and has no device.
	 */
	if (skb_valid_dst(skb) && dev_net(skb_dst(skb)->dev) != queue->net)
		return false;
	switch (xa_to_value(xa_load(&queue->seen, skb->skb_iif)) &
		IPTRK_SEEN_MASK) {
	case IPTRK_SEEN_ALL:
		return true;
	case IPTRK_SEEN_SOME:
		return iptrk_noted(&queue->notes[0], skb);
	}
	return false;
}

/**
 * iptrk_once_seen() - the rare part of iptrk_seen_before()
 * @port: where the frame passes
 * @skb: the frame
 * @sent: at egress
 *
 * A note of a sent frame is used up, so that the buffer's next life does not
 * find it. Those of received ones needn't be: every way in sets or clears.
 *
 * Context: as the hooks.
 * Return: whether another interface of the queue has the frame.
 */
bool iptrk_once_seen(const struct iptrk_port *port, const struct sk_buff *skb,
		     bool sent)
{
	struct iptrk_queue *queue = port->queue;
	struct iptrk_notes *notes = &queue->notes[sent];
	bool seen = false;

	switch (READ_ONCE(port->covered[sent])) {
	case IPTRK_SEEN_ALL:
		return true;
	case IPTRK_SEEN_SOME:
		seen = sent ? iptrk_note(notes, skb, false) :
			      iptrk_noted(notes, skb);
		break;
	}
	return seen || (sent && iptrk_seen_received(queue, skb));
}

static void iptrk_helper_run(const struct iptrk_helper *helper,
			     const struct sk_buff *skb, bool sent)
{
	struct iptrk_notes *notes = helper->queue->notes;

	switch (READ_ONCE(helper->errand[sent])) {
	case IPTRK_NOTE:
		iptrk_note(&notes[0], skb, true);
		if (sent)
			iptrk_note(&notes[1], skb, true);
		break;
	case IPTRK_FORGET:
		iptrk_note(&notes[1], skb, false);
		/* What is received begins a life: no note of it is true. */
		if (!sent)
			iptrk_note(&notes[0], skb, false);
		break;
	case IPTRK_JUDGE:
		iptrk_note(&notes[0], skb,
			   iptrk_seen_received(helper->queue, skb));
		break;
	}
}

static unsigned int iptrk_helper_received(void *priv, struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	iptrk_helper_run(priv, skb, false);
	return NF_ACCEPT;
}

/* Some senders come with bottom halves on; see hook.c. */
static unsigned int iptrk_helper_sent(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	local_bh_disable();
	iptrk_helper_run(priv, skb, true);
	local_bh_enable();
	return NF_ACCEPT;
}

static struct iptrk_helper *iptrk_helper_of(const struct iptrk_queue *queue,
					    const struct net_device *dev)
{
	struct iptrk_helper *helper;

	list_for_each_entry(helper, &queue->helpers, node)
		if (helper->dev == dev)
			return helper;
	return NULL;
}

static void iptrk_helper_make(struct iptrk_queue *queue, struct net_device *dev,
			      const u8 errand[2])
{
	struct iptrk_helper *helper = kzalloc(sizeof(*helper), GFP_KERNEL);
	int i;

	if (!helper)
		goto err;
	helper->queue = queue;
	helper->dev = dev;
	memcpy(helper->errand, errand, sizeof(helper->errand));
	for (i = 0; i <= IPTRK_HAS_EGRESS; i++) {
		helper->ops[i].pf = NFPROTO_NETDEV;
		helper->ops[i].dev = dev;
		helper->ops[i].priv = helper;
		helper->ops[i].hook =
			i ? iptrk_helper_sent : iptrk_helper_received;
		helper->ops[i].hooknum =
			i ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
		/* Behind the port, which reads what the device before noted. */
		helper->ops[i].priority = i ? IPTRK_LAST : IPTRK_FIRST + 1;
	}
	if (!nf_register_net_hooks(dev_net(dev), helper->ops,
				   1 + IPTRK_HAS_EGRESS)) {
		list_add(&helper->node, &queue->helpers);
		return;
	}
	/* One of them may have been there, and running. */
	kfree_rcu(helper, rcu);
err:
	netdev_warn_once(dev, "iptrk: no memory to tell its frames apart; they may count twice\n");
}

static void iptrk_helper_stop(struct iptrk_helper *helper)
{
	nf_unregister_net_hooks(dev_net(helper->dev), helper->ops,
				1 + IPTRK_HAS_EGRESS);
	list_del(&helper->node);
	kfree_rcu(helper, rcu);
}

/*
 * What iptrk_queue.seen holds of a device besides enum iptrk_seen in its lowest
 * bits: worked out once for each change, as a bridge may have many ports.
 */
#define IPTRK_WATCHED BIT(2) /* it has a tap */
#define IPTRK_KNOWN BIT(3) /* the two below are worked out */
#define IPTRK_RECEIVED_SHIFT 4 /* what it is given was seen before */
#define IPTRK_BELOW_SHIFT 6 /* what it sends will be seen below */

static u8 iptrk_seen_sum(u8 a, u8 b)
{
	return a == b ? a : IPTRK_SEEN_SOME;
}

/* In the queue's namespace, and not about to leave it. */
static bool iptrk_here(const struct iptrk_queue *queue,
		       const struct net_device *dev)
{
	return __dev_get_by_index(queue->net, dev->ifindex) == dev;
}

static unsigned long iptrk_known(struct iptrk_queue *queue,
				 const struct net_device *dev)
{
	return dev_net(dev) == queue->net
		       ? xa_to_value(xa_load(&queue->seen, dev->ifindex))
		       : 0;
}

static bool iptrk_watched(struct iptrk_queue *queue,
			  const struct net_device *dev)
{
	return iptrk_known(queue, dev) & IPTRK_WATCHED;
}

/* What this one sends the other receives, in this namespace; lo itself. */
static struct net_device *iptrk_peer(const struct iptrk_queue *queue,
				     struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	struct net_device *peer = NULL;

	if (!IPTRK_HAS_EGRESS)
		return NULL; /* nobody sees what it sends */
	if (dev->flags & IFF_LOOPBACK)
		return dev;
	if (ops->ndo_get_peer_dev) {
		rcu_read_lock();
		peer = ops->ndo_get_peer_dev(dev);
		rcu_read_unlock();
	}
	return peer && iptrk_here(queue, peer) ? peer : NULL;
}

/* Its devices hand frames to each other, past the one below them. */
static bool iptrk_has_shortcut(const struct net_device *dev)
{
	return iptrk_is(dev, "ipvlan");
}

/* Whether any device that shares one below with @dev is watched. */
static bool iptrk_sibling_watched(struct iptrk_queue *queue,
				  struct net_device *dev)
{
	struct net_device *lower, *sibling;
	struct list_head *i, *j;
	bool watched = false;

	rcu_read_lock();
	netdev_for_each_lower_dev(dev, lower, i) {
		netdev_for_each_upper_dev_rcu(lower, sibling, j) {
			watched =
				sibling != dev && iptrk_watched(queue, sibling);
			if (watched)
				goto out;
		}
	}
out:
	rcu_read_unlock();
	return watched;
}

/* What received frames @dev is given were seen before; @here: or at it. */
static u8 iptrk_received(struct iptrk_queue *queue, struct net_device *dev,
			 bool here)
{
	unsigned long known = iptrk_known(queue, dev);
	struct net_device *lower, *peer;
	struct list_head *i;
	u8 sum = IPTRK_SEEN_NONE;
	bool first = true;

	if (here && known & IPTRK_WATCHED)
		return IPTRK_SEEN_ALL;
	if (known & IPTRK_KNOWN)
		return known >> IPTRK_RECEIVED_SHIFT & IPTRK_SEEN_MASK;
	peer = iptrk_peer(queue, dev);
	if (peer) {
		if (iptrk_watched(queue, peer))
			return IPTRK_SEEN_ALL;
		/* Forwarded from a watched device to the peer, perhaps. */
		return peer != dev && queue->watched > iptrk_watched(queue, dev)
			       ? IPTRK_SEEN_SOME
			       : IPTRK_SEEN_NONE;
	}
	netdev_for_each_lower_dev(dev, lower, i) {
		u8 one;

		if (!iptrk_carries(dev))
			continue;
		one = iptrk_received(queue, lower, true);
		sum = first ? one : iptrk_seen_sum(sum, one);
		first = false;
	}
	if (iptrk_has_shortcut(dev) &&
	    (sum || iptrk_sibling_watched(queue, dev)))
		return IPTRK_SEEN_SOME;
	return sum;
}

/* What frames @dev sends will be seen below it. */
static u8 iptrk_sent_below(struct iptrk_queue *queue, struct net_device *dev)
{
	unsigned long known = iptrk_known(queue, dev);
	struct net_device *lower;
	struct list_head *i;
	u8 sum = IPTRK_SEEN_NONE;
	bool first = true;

	if (known & IPTRK_KNOWN)
		return known >> IPTRK_BELOW_SHIFT & IPTRK_SEEN_MASK;
	netdev_for_each_lower_dev(dev, lower, i) {
		u8 one;

		if (!iptrk_carries(dev))
			continue;
		one = iptrk_watched(queue, lower)
			      ? IPTRK_SEEN_ALL
			      : iptrk_sent_below(queue, lower);
		sum = first ? one : iptrk_seen_sum(sum, one);
		first = false;
	}
	return iptrk_has_shortcut(dev) && sum ? IPTRK_SEEN_SOME : sum;
}

/* Whether frames sent on @dev are noted, for those below it to know. */
static bool iptrk_notes_sent(struct iptrk_queue *queue, struct net_device *dev)
{
	return iptrk_watched(queue, dev) &&
	       (iptrk_sent_below(queue, dev) == IPTRK_SEEN_SOME ||
		(iptrk_has_shortcut(dev) && iptrk_sibling_watched(queue, dev)));
}

static bool iptrk_asks_received(struct iptrk_queue *queue,
				struct net_device *dev)
{
	return dev_net(dev) == queue->net &&
	       iptrk_received(queue, dev, false) == IPTRK_SEEN_SOME;
}

/* Of all devices whose frames @dev carries; the kernel stacks no more than 8. */
static bool iptrk_any_upper(struct iptrk_queue *queue, struct net_device *dev,
			    bool (*test)(struct iptrk_queue *queue,
					 struct net_device *dev))
{
	struct net_device *upper;
	struct list_head *i;
	bool any = false;

	rcu_read_lock();
	netdev_for_each_upper_dev_rcu(dev, upper, i) {
		any = iptrk_carries(upper) &&
		      (test(queue, upper) || iptrk_any_upper(queue, upper, test));
		if (any)
			break;
	}
	rcu_read_unlock();
	return any;
}

static bool iptrk_carried(struct net_device *dev)
{
	struct net_device *lower;
	struct list_head *i;

	netdev_for_each_lower_dev(dev, lower, i)
		if (iptrk_carries(dev))
			return true;
	return false;
}

static u8 iptrk_errand_received(struct iptrk_queue *queue,
				struct net_device *dev)
{
	if (!iptrk_any_upper(queue, dev, iptrk_asks_received))
		return IPTRK_PASS;
	switch (iptrk_received(queue, dev, true)) {
	case IPTRK_SEEN_ALL:
		return IPTRK_NOTE;
	case IPTRK_SEEN_NONE:
		return IPTRK_FORGET;
	}
	return IPTRK_PASS; /* those below or across said it */
}

static u8 iptrk_errand_sent(struct iptrk_queue *queue, struct net_device *dev)
{
	struct net_device *peer = iptrk_peer(queue, dev);

	if (iptrk_notes_sent(queue, dev))
		return IPTRK_NOTE;
	if (iptrk_watched(queue, dev))
		return IPTRK_PASS;
	if (peer && iptrk_received(queue, peer, false) == IPTRK_SEEN_SOME)
		return IPTRK_JUDGE;
	if (iptrk_has_shortcut(dev) && iptrk_sibling_watched(queue, dev))
		return IPTRK_JUDGE;
	if (!iptrk_carried(dev) &&
	    iptrk_any_upper(queue, dev, iptrk_notes_sent))
		return IPTRK_FORGET;
	return IPTRK_PASS;
}

static void iptrk_helpers_update(struct iptrk_queue *queue)
{
	struct iptrk_helper *helper, *next;
	struct net_device *dev;

	list_for_each_entry_safe(helper, next, &queue->helpers, node)
		if (!iptrk_here(queue, helper->dev))
			iptrk_helper_stop(helper);
	for_each_netdev(queue->net, dev) {
		const u8 errand[2] = {iptrk_errand_received(queue, dev),
				      iptrk_errand_sent(queue, dev)};
		bool wanted = (errand[0] || errand[1]) &&
			      dev->reg_state == NETREG_REGISTERED;

		helper = iptrk_helper_of(queue, dev);
		if (helper && wanted) {
			WRITE_ONCE(helper->errand[0], errand[0]);
			WRITE_ONCE(helper->errand[1], errand[1]);
		} else if (helper) {
			iptrk_helper_stop(helper);
		} else if (wanted) {
			iptrk_helper_make(queue, dev, errand);
		}
	}
}

/* Without memory frames count twice rather than never. */
static void iptrk_seen_store(struct iptrk_queue *queue, unsigned long ifindex,
			     unsigned long value)
{
	xa_store(&queue->seen, ifindex, xa_mk_value(value), GFP_KERNEL);
}

/**
 * iptrk_once_update() - brings the once rule in line with the devices
 * @queue: after its ports, or the devices above and below them, changed
 *
 * Context: under RTNL.
 */
void iptrk_once_update(struct iptrk_queue *queue)
{
	struct net_device *dev;
	unsigned long ifindex;
	void *entry;
	u32 i;

	/* First who is watched, which all else follows from. */
	xa_for_each(&queue->seen, ifindex, entry) {
		if (__dev_get_by_index(queue->net, ifindex))
			iptrk_seen_store(queue, ifindex,
					 xa_to_value(entry) & IPTRK_SEEN_MASK);
		else
			xa_erase(&queue->seen, ifindex);
	}
	queue->watched = 0;
	for (i = 0; i < queue->port_count; i++) {
		const struct net_device *watched = queue->ports[i]->dev;

		if (!watched || queue->ports[i]->leaving)
			continue;
		queue->watched++;
		iptrk_seen_store(queue, watched->ifindex,
				 IPTRK_WATCHED | IPTRK_SEEN_ALL);
	}
	for_each_netdev(queue->net, dev) {
		unsigned long value = iptrk_received(queue, dev, true);

		value |= iptrk_received(queue, dev, false)
			 << IPTRK_RECEIVED_SHIFT;
		value |= iptrk_sent_below(queue, dev) << IPTRK_BELOW_SHIFT;
		value |= iptrk_known(queue, dev) & IPTRK_WATCHED;
		iptrk_seen_store(queue, dev->ifindex, value | IPTRK_KNOWN);
	}
	iptrk_helpers_update(queue);
	for (i = 0; i < queue->port_count; i++) {
		struct iptrk_port *port = queue->ports[i];
		u8 sent;

		dev = port->dev;
		if (!dev)
			continue;
		sent = iptrk_sent_below(queue, dev);
		if (sent != IPTRK_SEEN_ALL)
			sent = iptrk_any_upper(queue, dev, iptrk_notes_sent)
				       ? IPTRK_SEEN_SOME
				       : IPTRK_SEEN_NONE;
		WRITE_ONCE(port->covered[0], iptrk_received(queue, dev, false));
		WRITE_ONCE(port->covered[1], sent);
		if (iptrk_is(dev, "macvlan") && !port->covered[0] &&
		    iptrk_sibling_watched(queue, dev))
			pr_notice_once("iptrk: frames from one macvlan to another count at both unless the device below is watched\n");
	}
}

/* Takes our hooks off; the caller waits for them. Under RTNL. */
void iptrk_once_stop(struct iptrk_queue *queue)
{
	struct iptrk_helper *helper, *next;

	list_for_each_entry_safe(helper, next, &queue->helpers, node)
		iptrk_helper_stop(helper);
}

/* Everything the rule costs a queue, for the limit on all of them. */
size_t iptrk_once_memory(void)
{
	return 2 * sizeof(struct iptrk_notes);
}

int iptrk_once_init(struct iptrk_queue *queue)
{
	int i, j;

	xa_init(&queue->seen);
	INIT_LIST_HEAD(&queue->helpers);
	queue->notes = __vmalloc(iptrk_once_memory(), IPTRK_GFP | __GFP_ZERO);
	if (!queue->notes)
		return -ENOMEM;
	for (i = 0; i < 2; i++)
		for (j = 0; j < ARRAY_SIZE(queue->notes[i].bucket); j++)
			spin_lock_init(&queue->notes[i].bucket[j].lock);
	return 0;
}

/* Nobody looks any more. */
void iptrk_once_free(struct iptrk_queue *queue)
{
	vfree(queue->notes);
	xa_destroy(&queue->seen);
}
