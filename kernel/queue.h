/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues, the interfaces they watch, and the devices we tap for them.
 *
 * Everything here is changed under RTNL only. The hooks read taps, ports and
 * rings under RCU; whatever is unlinked is freed after synchronize_net().
 *
 *   tap   one device with our hooks on it
 *   port  one interface in one queue's table; on a tap's list while watched
 */
#ifndef IPTRK_QUEUE_H
#define IPTRK_QUEUE_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/seqlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "ring.h"

/**
 * struct iptrk_count - one CPU's counts of one port and direction
 * @seq: odd while the writer is at it, so that a reader gets a whole set
 * @books: exact since the port was made; @books.nic is not used here
 */
struct iptrk_count {
	seqcount_t seq;
	struct iptrk_books books;
};

struct iptrk_counts {
	struct iptrk_count direction[2]; /* received, sent */
};

/**
 * struct iptrk_port - one interface in one queue's table
 * @queue: owner
 * @counts: written by hooks, read under their seqcount
 * @tap_node: in @tap's list, RCU
 * @tap: device tapped now, or NULL
 * @index: row in the table, and in records
 * @covered: all its traffic passes another watched device below it
 * @promiscuous: we raised the device's count
 * @name: current or last name
 * @kind: rtnl kind
 * @convention: enum iptrk_convention
 * @nic: the device's own counts of earlier times it was watched
 * @nic_base: its counts when this watch began
 */
struct iptrk_port {
	struct iptrk_queue *queue;
	struct iptrk_counts __percpu *counts;
	struct list_head tap_node;
	struct iptrk_tap *tap;
	u16 index;
	bool covered;
	bool promiscuous;
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ];
	u32 convention;
	struct iptrk_volume nic[2];
	struct iptrk_volume nic_base[2];
};

/**
 * struct iptrk_tap - our hooks on one device
 * @node: in its namespace's list
 * @dev: valid until NETDEV_UNREGISTER, when the tap goes
 * @ports: RCU list, at least one while the hooks are registered
 * @ops: ingress and egress
 * @ethernet: frames start with an Ethernet header
 */
struct iptrk_tap {
	struct list_head node;
	struct net_device *dev;
	struct list_head ports;
	struct nf_hook_ops ops[2];
	bool ethernet;
};

/**
 * struct iptrk_queue - rings and interfaces of one reader
 * @node: in its namespace's list
 * @ref: the list's (named or not) and each attached file's
 * @net: namespace; outlives the queue's place in the list
 * @rings: one per possible CPU, by CPU number
 * @commit_area: user-writable pages of struct iptrk_commit
 * @wait: readers in poll() and read()
 * @wake: leaves the packet's context before it wakes them
 * @has_reader: a file reads it
 * @dead: destroyed; poll() says so
 * @watching: IPTRK_WATCH was called
 * @watch: what for
 * @ports: the table, @port_count in use
 * @covered: by ifindex, devices whose received frames we saw already
 */
struct iptrk_queue {
	struct list_head node;
	struct kref ref;
	struct net *net;
	char name[IPTRK_NAME_LEN];
	u32 records;
	u32 watermark;
	u64 created_ns;
	struct iptrk_ring *rings;
	void *commit_area;
	wait_queue_head_t wait;
	struct irq_work wake;
	bool has_reader;
	bool dead;
	bool watching;
	struct iptrk_watch watch;
	struct iptrk_port *ports[IPTRK_INTERFACES_MAX];
	u32 port_count;
	u64 refused;
	struct xarray covered;
};

/* Per network namespace. */
struct iptrk_net {
	struct list_head queues;
	struct list_head taps;
};

/* queue.c */
struct iptrk_net *iptrk_net(struct net *net);
struct iptrk_queue *iptrk_queue_attach(struct net *net,
				       struct iptrk_attach *attach);
void iptrk_queue_detach(struct iptrk_queue *queue, bool reader);
int iptrk_queue_destroy(struct iptrk_queue *queue, bool reader);
void iptrk_queue_state(struct iptrk_queue *queue, struct iptrk_state *state);
void iptrk_queue_wake(struct iptrk_queue *queue);
size_t iptrk_queue_commit_bytes(void);
int iptrk_queues_init(void);
void iptrk_queues_exit(void);

/* watch.c */
int iptrk_watch_set(struct iptrk_queue *queue,
		    const struct iptrk_watch *watch);
void iptrk_watch_stop(struct iptrk_queue *queue);
void iptrk_watch_report(struct iptrk_port *port, struct iptrk_interface *row);
int iptrk_watch_init(void);
void iptrk_watch_exit(void);

/* hook.c */
unsigned int iptrk_hook_received(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state);
unsigned int iptrk_hook_sent(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state);

/* device.c */
int iptrk_device_init(void);
void iptrk_device_exit(void);

#endif /* IPTRK_QUEUE_H */
