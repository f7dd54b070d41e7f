// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor of every recorder that is a netfilter hook: a hook on one device
 * that accepts, and nothing else.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>

static char *devices[2];
static int device_count;
module_param_array(devices, charp, &device_count, 0444);
MODULE_PARM_DESC(devices, "receives on the first, sends on the last of them");

static unsigned int empty_hook(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static struct nf_hook_ops ops[2];
static struct net_device *held[2];

static int empty_hook_add(int i, const char *name, unsigned int where,
			  int priority)
{
	int error;

	held[i] = dev_get_by_name(&init_net, name);
	if (!held[i])
		return -ENODEV;
	ops[i].hook = empty_hook;
	ops[i].pf = NFPROTO_NETDEV;
	ops[i].hooknum = where;
	ops[i].priority = priority;
	ops[i].dev = held[i];
	error = nf_register_net_hook(&init_net, &ops[i]);
	if (error)
		dev_put(held[i]);
	return error;
}

static void empty_hook_remove(int i)
{
	nf_unregister_net_hook(&init_net, &ops[i]);
	dev_put(held[i]);
}

static int __init empty_hook_init(void)
{
	int error;

	if (!device_count)
		return -EINVAL;
	error = empty_hook_add(0, devices[0], NF_NETDEV_INGRESS, INT_MIN);
	if (error)
		return error;
	error = empty_hook_add(1, devices[device_count - 1], NF_NETDEV_EGRESS,
			       INT_MAX);
	if (error)
		empty_hook_remove(0);
	return error;
}

static void __exit empty_hook_exit(void)
{
	empty_hook_remove(1);
	empty_hook_remove(0);
}

module_init(empty_hook_init);
module_exit(empty_hook_exit);
MODULE_DESCRIPTION("A netfilter hook that does nothing");
MODULE_LICENSE("GPL");
