/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices carry the frames of others: what is to be known of their kinds.
 *
 * Everything here is called under RTNL.
 */
#ifndef IPTRK_BELOW_H
#define IPTRK_BELOW_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include <net/dsa.h>
#include <net/rtnetlink.h>

static inline bool iptrk_is(const struct net_device *dev, const char *kind)
{
	return dev->rtnl_link_ops && !strcmp(dev->rtnl_link_ops->kind, kind);
}

/*
 * Hardware with another device below it, like Hyper-V's with its virtual
 * function, or net_failover: it has all frames, also those that don't come by
 * that one.
 */
static inline bool iptrk_is_whole(const struct net_device *dev)
{
	return !dev->rtnl_link_ops && dev->dev.parent &&
	       !list_empty(&dev->adj_list.lower);
}

/**
 * iptrk_carries() - whether frames of a device are on the one below it, too
 * @lower: device below
 * @upper: device right above it
 *
 * A tunnel's are inside others there, a switch chip's have a tag before
 * everything else, and of a whole not all are, unless it is net_failover.
 */
static inline bool iptrk_carries(const struct net_device *lower,
				 const struct net_device *upper)
{
	return !iptrk_is(upper, "vxlan") && !iptrk_is(upper, "amt") &&
	       !iptrk_is(upper, "lowpan") && !netdev_uses_dsa(lower) &&
	       (!iptrk_is_whole(upper) || netif_is_failover(upper));
}

#endif /* IPTRK_BELOW_H */
