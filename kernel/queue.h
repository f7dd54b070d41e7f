/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues, and the interfaces they watch.
 *
 * Everything here is changed under RTNL only. The hooks read ports, lanes and
 * rings under RCU; they stay as long as the queue, whose end waits for hooks.
 *
 *   port  one interface in one queue's table; has its hooks while watched
 *   lane  one CPU's share of a port
 */
#ifndef IPTRK_QUEUE_H
#define IPTRK_QUEUE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/seqlock.h>
#include <linux/skbuff.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "own.h"
#include "ring.h"

/* How many of a device's frames another watched device has; see once.c. */
enum iptrk_seen {
	IPTRK_SEEN_NONE,
	IPTRK_SEEN_ALL,
	IPTRK_SEEN_SOME,
	IPTRK_SEEN_MASK = 3,
};

/*
 * Priorities of our hooks: what others drop is seen, too. Helpers come behind
 * the ports, which are one before the last.
 */
#define IPTRK_FIRST INT_MIN
#define IPTRK_LAST INT_MAX

/**
 * struct iptrk_count - one CPU's counts of one port and direction
 * @seq: odd while the writer is at it, so that a reader gets a whole set
 * @seen: exact since the port was made, like the others; see iptrk_books
 * @recorded: see @seen
 * @merged: see @seen
 * @unattributed: see @seen
 * @elsewhere: see @seen
 * @beyond: what is on the wire and was not in the buffers: further frames of
 *	segmented ones, their headers, and tags that hardware inserts
 */
struct iptrk_count {
	seqcount_t seq;
	struct iptrk_volume seen;
	struct iptrk_volume recorded;
	struct iptrk_volume merged;
	struct iptrk_volume unattributed;
	struct iptrk_volume elsewhere;
	struct iptrk_volume beyond;
};

/**
 * struct iptrk_lane - what one CPU needs of one port
 * @ring: that CPU's ring in the port's queue
 * @direction: received, sent; written by hooks, read under their seqcount
 */
struct iptrk_lane {
	struct iptrk_ring *ring;
	struct iptrk_count direction[2];
};

struct iptrk_promiscuity;

/**
 * struct iptrk_port - one interface in one queue's table
 * @lanes: one per possible CPU
 * @queue: owner
 * @index: row in the table, and in records
 * @covered: enum iptrk_seen, received and sent: what another watched device
 *	has seen before, or will see below this one
 * @ethernet: the device's frames start with an Ethernet header
 * @decrypted: an interface for what IPsec decrypts: all it receives has been
 * @promiscuity: what ends the promiscuous mode we asked the device for, or NULL
 * @leaving: not to be relied on any more
 * @gone: when it was last watched, as the queue counts
 * @dev: device watched now, valid until NETDEV_UNREGISTER; or NULL
 * @ops: our hooks on @dev, ingress and egress
 * @name: current or last name
 * @kind: rtnl kind
 * @convention: enum iptrk_convention, received and sent
 * @nic: the device's own counts of earlier times it was watched
 * @nic_base: its counts when this watch began
 * @nic_last: its counts when they were last read
 */
struct iptrk_port {
	struct iptrk_lane __percpu *lanes;
	struct iptrk_queue *queue;
	u16 index;
	u8 covered[2];
	bool ethernet;
	bool decrypted;
	bool leaving;
	struct iptrk_promiscuity *promiscuity;
	u64 gone;
	struct net_device *dev;
	struct nf_hook_ops ops[2];
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ];
	u16 convention[2];
	struct iptrk_volume nic[2];
	struct iptrk_volume nic_base[2];
	struct iptrk_volume nic_last[2];
};

/**
 * struct iptrk_queue - rings and interfaces of one reader
 * @node: in its namespace's list
 * @ref: the list's (named or not) and each attached file's
 * @net: namespace; outlives the queue's place in the list
 * @name: empty for a private queue
 * @records: room per CPU, a power of two
 * @watermark: records that wake poll()
 * @created_ns: CLOCK_REALTIME
 * @rings: one per possible CPU, by CPU number
 * @commit_area: user-writable pages of struct iptrk_commit
 * @wait: readers in poll() and read()
 * @has_reader: a file reads it
 * @dead: destroyed; poll() says so
 * @watching: IPTRK_WATCH was called
 * @watch: what for
 * @ports: the table of interfaces
 * @port_count: rows of it in use
 * @stops: how many ports have lost their device
 * @refused: interfaces wanted that found no place in it
 * @seen: by ifindex, enum iptrk_seen of frames once received there
 * @watched: ports with a device
 * @helpers: once.c's own hooks
 * @notes: once.c's memory, received and sent
 * @own: whose volume is kept the longest; replaced under RCU, or NULL
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
	bool has_reader;
	bool dead;
	bool watching;
	struct iptrk_watch watch;
	struct iptrk_port *ports[IPTRK_INTERFACES_MAX];
	u32 port_count;
	u64 stops;
	u64 refused;
	struct xarray seen;
	u32 watched;
	struct list_head helpers;
	struct iptrk_notes *notes;
	struct iptrk_own __rcu *own;
};

/* Per network namespace. */
struct iptrk_net {
	struct list_head queues;
};

/* queue.c */
struct iptrk_net *iptrk_net(struct net *net);
struct iptrk_queue *iptrk_queue_attach(struct net *net,
				       struct iptrk_attach *attach);
void iptrk_queue_detach(struct iptrk_queue *queue, bool reader);
int iptrk_queue_destroy(struct iptrk_queue *queue, bool reader);
void iptrk_queue_state(struct iptrk_queue *queue, struct iptrk_state *state);
int iptrk_queue_own(struct iptrk_queue *queue,
		    const struct iptrk_prefix *prefixes, u32 count);
bool iptrk_queue_over(const struct iptrk_queue *queue);
void iptrk_queue_flush(struct iptrk_queue *queue);
size_t iptrk_queue_commit_bytes(void);
int iptrk_queues_init(void);
void iptrk_queues_exit(void);

/* once.c */
bool iptrk_once_seen(const struct iptrk_port *port, const struct sk_buff *skb,
		     bool sent);
size_t iptrk_once_memory(void);
int iptrk_once_init(struct iptrk_queue *queue);
void iptrk_once_update(struct iptrk_queue *queue);
void iptrk_once_stop(struct iptrk_queue *queue);
void iptrk_once_free(struct iptrk_queue *queue);

/**
 * iptrk_seen_before() - whether another interface of the queue has the frame
 * @port: where it passes
 * @skb: the frame
 * @sent: at egress
 *
 * Context: in the hooks, once for each frame and port.
 */
static __always_inline bool iptrk_seen_before(const struct iptrk_port *port,
					      const struct sk_buff *skb,
					      bool sent)
{
	/* Nothing below or across, and not received by this machine: first. */
	if (likely(!READ_ONCE(port->covered[sent]) &&
		   (!sent || !skb->skb_iif)))
		return false;
	return iptrk_once_seen(port, skb, sent);
}

/* watch.c */
int iptrk_watch_set(struct iptrk_queue *queue,
		    const struct iptrk_watch *watch);
void iptrk_watch_stop(struct iptrk_queue *queue);
void iptrk_watch_settle(void);
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
