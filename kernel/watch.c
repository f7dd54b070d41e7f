// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices each queue watches: patterns, and the devices that come, go,
 * are renamed or get others on top of them. Everything under RTNL.
 */
#include <linux/etherdevice.h>
#include <linux/glob.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/dsa.h>
#include <net/net_namespace.h>

#include "below.h"
#include "compat.h"
#include "queue.h"

/*
 * What is watched when nobody says what: where frames leave and enter the
 * namespace. That is not where other devices here carry them, nor a part of a
 * whole, nor a switch's way to its chip. Open vSwitch's own devices are on top
 * of its ports, though nothing says so.
 */
static bool iptrk_at_bottom(struct net_device *dev)
{
	struct net_device *other;
	struct list_head *i;
	bool part = false;

	if (dev->flags & IFF_LOOPBACK || iptrk_is(dev, "openvswitch") ||
	    netdev_uses_dsa(dev))
		return false;
	if (iptrk_is_whole(dev))
		return true;
	netdev_for_each_lower_dev(dev, other, i)
		if (dev_net(other) == dev_net(dev) && iptrk_carries(dev))
			return false;
	rcu_read_lock();
	netdev_for_each_upper_dev_rcu(dev, other, i)
		part |= dev_net(other) == dev_net(dev) && iptrk_is_whole(other);
	rcu_read_unlock();
	return !part;
}

static bool iptrk_wants(const struct iptrk_queue *queue,
			struct net_device *dev)
{
	const struct iptrk_watch *watch = &queue->watch;
	u32 i;

	if (!queue->watching || dev->reg_state != NETREG_REGISTERED)
		return false;
	if (!watch->count)
		return iptrk_at_bottom(dev);
	for (i = 0; i < watch->count; i++)
		if (glob_match(watch->patterns[i], dev->name))
			return true;
	return false;
}

/*
 * With GRO or XDP the receiving end of a veth pair polls, and then it counts,
 * for both ends. What the sender would have cut anyway takes the other way.
 */
static bool iptrk_veth_polls(const struct net_device *receiver,
			     const struct net_device *sender)
{
	if (!(receiver->features & NETIF_F_GRO) &&
	    !receiver->xdp_state[XDP_MODE_DRV].prog &&
	    !receiver->xdp_state[XDP_MODE_DRV].link)
		return false;
	return !(sender->features & NETIF_F_ALL_TSO);
}

static u16 iptrk_convention(struct net_device *dev, bool sent)
{
	static const char *const buffers[] = { "dummy", "tun", "macvlan",
					       "macvtap", "ipvlan", "ipvtap",
					       "ifb", "gre", "gretap", "ipip",
					       "sit", "ip6tnl", "ip6gre",
					       "macsec", "netkit" };
	static const char *const network[] = { "bridge", "vlan", "team" };
	struct net_device *other;
	struct list_head *i;

	if (dev->flags & IFF_LOOPBACK)
		return IPTRK_COUNTS_NETWORK;
	if (iptrk_is(dev, "veth")) {
		bool polls;

		rcu_read_lock();
		other = dev->netdev_ops->ndo_get_peer_dev(dev);
		polls = other && (sent ? iptrk_veth_polls(other, dev) :
					 iptrk_veth_polls(dev, other));
		rcu_read_unlock();
		return polls ? IPTRK_COUNTS_POLLED : IPTRK_COUNTS_BUFFERS;
	}
	/* These add up what the devices below them count. */
	if (iptrk_is(dev, "bond")) {
		netdev_for_each_lower_dev(dev, other, i)
			return iptrk_convention(other, sent);
		return IPTRK_COUNTS_BUFFERS;
	}
	if (iptrk_is(dev, "vxlan") || iptrk_is(dev, "geneve"))
		return IPTRK_COUNTS_NETWORK;
	if (iptrk_is_among(dev, network, ARRAY_SIZE(network)))
		return sent ? IPTRK_COUNTS_BUFFERS : IPTRK_COUNTS_NETWORK;
	if (iptrk_is_among(dev, buffers, ARRAY_SIZE(buffers)))
		return IPTRK_COUNTS_BUFFERS;
	return IPTRK_COUNTS_WIRE;
}

static void iptrk_nic_read(struct net_device *dev, struct iptrk_volume nic[2])
{
	struct rtnl_link_stats64 stats;

	dev_get_stats(dev, &stats);
	nic[0].packets = stats.rx_packets;
	nic[0].bytes = stats.rx_bytes;
	nic[1].packets = stats.tx_packets;
	nic[1].bytes = stats.tx_bytes;
}

/* What the device has counted since the port was first watched. */
static void iptrk_nic_sum(struct iptrk_port *port, struct iptrk_volume sum[2])
{
	struct iptrk_volume now[2];
	int i;

	memcpy(sum, port->nic, 2 * sizeof(*sum));
	if (!port->dev)
		return;
	iptrk_nic_read(port->dev, now);
	for (i = 0; i < 2; i++) {
		struct iptrk_volume *last = &port->nic_last[i];
		struct iptrk_volume *base = &port->nic_base[i];

		/*
		 * It has less than before. A driver that forgot some of it, or
		 * all, goes on from there. Some say zero while they are down,
		 * and others on their way out (an end of a veth pair that lost
		 * the other); then the last word stands.
		 */
		if (now[i].packets && now[i].packets < last->packets &&
		    port->dev->reg_state == NETREG_REGISTERED) {
			base->packets -= last->packets - now[i].packets;
			base->bytes -= last->bytes - now[i].bytes;
			*last = now[i];
		} else if (now[i].packets >= last->packets) {
			*last = now[i];
		}
		sum[i].packets += last->packets - base->packets;
		sum[i].bytes += last->bytes - base->bytes;
	}
}

/*
 * The row of that name, so that a device which comes back goes on there; else
 * a new one. When there is none, that whose device is gone the longest, as
 * containers come and go: its counts go on under another name.
 */
static struct iptrk_port *iptrk_port_make(struct iptrk_queue *queue,
					  const struct net_device *dev)
{
	struct iptrk_port *port, *longest = NULL;
	int cpu;
	u32 i;

	for (i = 0; i < queue->port_count; i++) {
		port = queue->ports[i];
		if (port->dev)
			continue;
		if (!strcmp(port->name, dev->name))
			return port;
		if (!longest || port->gone < longest->gone)
			longest = port;
	}
	if (queue->port_count == IPTRK_INTERFACES_MAX)
		return longest;
	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;
	port->lanes = alloc_percpu(struct iptrk_lane);
	if (!port->lanes) {
		kfree(port);
		return NULL;
	}
	for_each_possible_cpu(cpu) {
		struct iptrk_lane *lane = per_cpu_ptr(port->lanes, cpu);

		lane->ring = &queue->rings[cpu];
		seqcount_init(&lane->direction[0].seq);
		seqcount_init(&lane->direction[1].seq);
	}
	port->queue = queue;
	port->index = queue->port_count;
	queue->ports[queue->port_count++] = port;
	return port;
}

static int iptrk_port_hook(struct iptrk_port *port, struct net_device *dev)
{
	int i;

	for (i = 0; i <= IPTRK_HAS_EGRESS; i++) {
		struct nf_hook_ops *ops = &port->ops[i];

		memset(ops, 0, sizeof(*ops));
		ops->pf = NFPROTO_NETDEV;
		ops->dev = dev;
		ops->priv = port;
		ops->hook = i ? iptrk_hook_sent : iptrk_hook_received;
		ops->hooknum = i ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
		ops->priority = i ? IPTRK_LAST - 1 : IPTRK_FIRST;
	}
	return nf_register_net_hooks(dev_net(dev), port->ops,
				     1 + IPTRK_HAS_EGRESS);
}

/*
 * Promiscuous mode takes a lock of some drivers' devices that notifiers run
 * under, so it waits for them to end.
 */
struct iptrk_promiscuity {
	struct list_head node;
	struct net_device *dev; /* held */
	int change;
};

static LIST_HEAD(iptrk_promiscuities);

static void iptrk_promiscuity_work(struct work_struct *work)
{
	struct iptrk_promiscuity *one, *next;

	rtnl_lock();
	list_for_each_entry_safe(one, next, &iptrk_promiscuities, node) {
		if (one->dev->reg_state == NETREG_REGISTERED)
			dev_set_promiscuity(one->dev, one->change);
		dev_put(one->dev);
		list_del(&one->node);
		kfree(one);
	}
	rtnl_unlock();
}

static DECLARE_WORK(iptrk_promiscuity, iptrk_promiscuity_work);

static void iptrk_promiscuity_change(struct iptrk_promiscuity *one,
				     struct net_device *dev, int change)
{
	dev_hold(dev);
	one->dev = dev;
	one->change = change;
	list_add_tail(&one->node, &iptrk_promiscuities);
	schedule_work(&iptrk_promiscuity);
}

/* With what its end takes; without memory it stays as it is. */
static void iptrk_promiscuity_begin(struct iptrk_port *port)
{
	struct iptrk_promiscuity *begin = kzalloc(sizeof(*begin), GFP_KERNEL);
	struct iptrk_promiscuity *end = kzalloc(sizeof(*end), GFP_KERNEL);

	if (begin && end) {
		port->promiscuity = end;
		iptrk_promiscuity_change(begin, port->dev, 1);
	} else {
		kfree(begin);
		kfree(end);
	}
}

/* A device on its way out takes its count along. */
static void iptrk_promiscuity_end(struct iptrk_port *port)
{
	struct iptrk_promiscuity *end = port->promiscuity;

	port->promiscuity = NULL;
	if (end && port->dev->reg_state == NETREG_REGISTERED)
		iptrk_promiscuity_change(end, port->dev, -1);
	else
		kfree(end);
}

/**
 * iptrk_watch_settle() - waits until devices are as the queues want them
 *
 * Context: not under RTNL.
 */
void iptrk_watch_settle(void)
{
	flush_work(&iptrk_promiscuity);
}

/* A modem's can change while it is watched. */
static void iptrk_port_type(struct iptrk_port *port,
			    const struct net_device *dev)
{
	bool ethernet = dev->type == ARPHRD_ETHER ||
			dev->type == ARPHRD_LOOPBACK;

	WRITE_ONCE(port->ethernet, ethernet);
}

/* Return: whether it is watched now. */
static bool iptrk_port_start(struct iptrk_queue *queue, struct net_device *dev)
{
	struct iptrk_port *port = iptrk_port_make(queue, dev);
	int error;

	if (!port)
		return false;
	strscpy(port->name, dev->name, sizeof(port->name));
	strscpy(port->kind, iptrk_kind(dev), sizeof(port->kind));
	iptrk_port_type(port, dev);
	port->decrypted = !strcmp(port->kind, "xfrm") ||
			  !strcmp(port->kind, "vti") ||
			  !strcmp(port->kind, "vti6");
	/* Of an earlier device. */
	WRITE_ONCE(port->covered[0], IPTRK_SEEN_NONE);
	WRITE_ONCE(port->covered[1], IPTRK_SEEN_NONE);
	error = iptrk_port_hook(port, dev);
	if (error) {
		netdev_warn_once(dev, "iptrk: can't watch: error %d\n", error);
		return false;
	}
	iptrk_nic_read(dev, port->nic_base);
	memcpy(port->nic_last, port->nic_base, sizeof(port->nic_last));
	port->dev = dev;
	return true;
}

/*
 * The hooks may run on for a moment. What they need of the port stays, also
 * under another device; see iptrk_watch_stop().
 */
static void iptrk_port_stop(struct iptrk_port *port)
{
	iptrk_nic_sum(port, port->nic);
	nf_unregister_net_hooks(dev_net(port->dev), port->ops,
				1 + IPTRK_HAS_EGRESS);
	iptrk_promiscuity_end(port);
	port->gone = ++port->queue->stops;
	port->leaving = false;
	port->dev = NULL;
}

static struct iptrk_port *iptrk_port_of(const struct iptrk_queue *queue,
					const struct net_device *dev)
{
	u32 i;

	for (i = 0; i < queue->port_count; i++)
		if (queue->ports[i]->dev == dev)
			return queue->ports[i];
	return NULL;
}

/*
 * No two rows have one name: that of a device which had it and is gone gets
 * ours in exchange.
 */
static void iptrk_port_name(struct iptrk_port *port, const char *name)
{
	const struct iptrk_queue *queue = port->queue;
	u32 i;

	if (!strcmp(port->name, name))
		return;
	for (i = 0; i < queue->port_count; i++)
		if (!strcmp(queue->ports[i]->name, name))
			strscpy(queue->ports[i]->name, port->name,
				sizeof(port->name));
	strscpy(port->name, name, sizeof(port->name));
}

/* What isn't wanted any more goes, when nobody relies on it any more. */
static void iptrk_watch_leave(struct iptrk_queue *queue)
{
	bool any = false;
	u32 i;

	for (i = 0; i < queue->port_count; i++) {
		struct iptrk_port *port = queue->ports[i];

		port->leaving = port->dev && !iptrk_wants(queue, port->dev);
		any |= port->leaving;
	}
	if (!any)
		return;
	iptrk_once_update(queue);
	synchronize_net();
	for (i = 0; i < queue->port_count; i++)
		if (queue->ports[i]->leaving)
			iptrk_port_stop(queue->ports[i]);
}

/* Brings what is watched in line with what is wanted. */
static void iptrk_watch_refresh(struct iptrk_queue *queue)
{
	bool promiscuous = queue->watch.flags & IPTRK_WATCH_PROMISCUOUS;
	struct net_device *dev;
	u64 refused = 0;

	iptrk_watch_leave(queue);
	for_each_netdev(queue->net, dev) {
		struct iptrk_port *port = iptrk_port_of(queue, dev);

		if (port)
			iptrk_port_name(port, dev->name);
		else if (iptrk_wants(queue, dev))
			refused += !iptrk_port_start(queue, dev);
	}
	WRITE_ONCE(queue->refused, refused);
	for_each_netdev(queue->net, dev) {
		struct iptrk_port *port = iptrk_port_of(queue, dev);

		if (!port)
			continue;
		port->convention[0] = iptrk_convention(dev, false);
		port->convention[1] = iptrk_convention(dev, true);
		iptrk_port_type(port, dev);
		if (promiscuous && !port->promiscuity)
			iptrk_promiscuity_begin(port);
		else if (!promiscuous)
			iptrk_promiscuity_end(port);
	}
	iptrk_once_update(queue);
}

/* Replaces what the queue watches; counts and rows stay. Under RTNL. */
int iptrk_watch_set(struct iptrk_queue *queue, const struct iptrk_watch *watch)
{
	if (queue->dead)
		return -ENODEV;
	queue->watch = *watch;
	queue->watching = true;
	iptrk_watch_refresh(queue);
	return 0;
}

/*
 * No hook runs with the queue any more when this returns, nor with a port or a
 * helper that stopped before. Under RTNL, so that is waited for once.
 */
void iptrk_watch_stop(struct iptrk_queue *queue)
{
	u32 i;

	queue->watching = false;
	for (i = 0; i < queue->port_count; i++)
		if (queue->ports[i]->dev)
			iptrk_port_stop(queue->ports[i]);
	iptrk_once_stop(queue);
	synchronize_net();
}

static void iptrk_volume_add(struct iptrk_volume *to,
			     const struct iptrk_volume *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
}

static void iptrk_books_add(struct iptrk_books *to,
			    const struct iptrk_count *from)
{
	struct iptrk_count count;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&from->seq);
		count = *from;
	} while (read_seqcount_retry(&from->seq, seq));
	iptrk_volume_add(&to->seen, &count.seen);
	iptrk_volume_add(&to->recorded, &count.recorded);
	iptrk_volume_add(&to->merged, &count.merged);
	iptrk_volume_add(&to->unattributed, &count.unattributed);
	iptrk_volume_add(&to->elsewhere, &count.elsewhere);
	to->buffers.packets += count.seen.packets - count.beyond.packets;
	to->buffers.bytes += count.seen.bytes - count.beyond.bytes;
}

/* One row of IPTRK_INTERFACES. Under RTNL. */
void iptrk_watch_report(struct iptrk_port *port, struct iptrk_interface *row)
{
	struct iptrk_volume nic[2];
	int cpu;

	memset(row, 0, sizeof(*row));
	strscpy(row->name, port->name, sizeof(row->name));
	strscpy(row->kind, port->kind, sizeof(row->kind));
	row->index = port->index;
	memcpy(row->convention, port->convention, sizeof(row->convention));
	row->watched = !!port->dev;
	row->ifindex = port->dev ? port->dev->ifindex : 0;
	for_each_possible_cpu(cpu) {
		struct iptrk_lane *lane = per_cpu_ptr(port->lanes, cpu);

		iptrk_books_add(&row->received, &lane->direction[0]);
		iptrk_books_add(&row->sent, &lane->direction[1]);
	}
	iptrk_nic_sum(port, nic);
	row->received.nic = nic[0];
	row->sent.nic = nic[1];
}

/* The device is leaving its namespace, or the system. */
static void iptrk_device_gone(struct net_device *dev)
{
	struct iptrk_queue *queue;

	list_for_each_entry(queue, &iptrk_net(dev_net(dev))->queues, node) {
		struct iptrk_port *port = iptrk_port_of(queue, dev);

		if (port)
			iptrk_port_stop(port);
		/* Others may have been fed by it. */
		if (queue->watching)
			iptrk_once_update(queue);
	}
}

static int iptrk_device_event(struct notifier_block *block,
			      unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct iptrk_queue *queue;

	switch (event) {
	case NETDEV_UNREGISTER:
		iptrk_device_gone(dev);
		break;
	case NETDEV_REGISTER:
	case NETDEV_UP: /* a veth pair knows each other only now */
	case NETDEV_FEAT_CHANGE:
	case NETDEV_POST_TYPE_CHANGE:
	case NETDEV_CHANGENAME:
	case NETDEV_CHANGEUPPER:
		list_for_each_entry(queue, &iptrk_net(dev_net(dev))->queues,
				    node)
			if (queue->watching)
				iptrk_watch_refresh(queue);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block iptrk_notifier = {
	.notifier_call = iptrk_device_event,
};

int iptrk_watch_init(void)
{
	return register_netdevice_notifier(&iptrk_notifier);
}

void iptrk_watch_exit(void)
{
	unregister_netdevice_notifier(&iptrk_notifier);
	iptrk_watch_settle();
}
