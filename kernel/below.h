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
#include <net/rtnetlink.h>

static inline const char *iptrk_kind(const struct net_device *dev)
{
	return dev->rtnl_link_ops ? dev->rtnl_link_ops->kind : "";
}

static inline bool iptrk_is(const struct net_device *dev, const char *kind)
{
	return !strcmp(iptrk_kind(dev), kind);
}

static inline bool iptrk_is_among(const struct net_device *dev,
				  const char *const kinds[], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (iptrk_is(dev, kinds[i]))
			return true;
	return false;
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
 * iptrk_carries() - whether frames of a device are on those below it, too
 * @dev: device with others below it
 *
 * Of kinds not known they are not: a tunnel's are inside others there, MACsec's
 * encrypted, a switch chip's have a tag before everything else, and of a whole
 * not all are, unless it is net_failover. Better twice than never.
 */
static inline bool iptrk_carries(const struct net_device *dev)
{
	static const char *const kinds[] = {
		"bond",	   "bridge",	  "ipvlan", "ipvtap",	 "macvlan",
		"macvtap", "openvswitch", "team",   "virt_wifi", "vlan",
		"vrf"
	};

	return iptrk_is_among(dev, kinds, ARRAY_SIZE(kinds)) ||
	       netif_is_failover(dev);
}

#endif /* IPTRK_BELOW_H */
