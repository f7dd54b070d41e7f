// SPDX-License-Identifier: GPL-2.0-only
/* The module: what is set up, and taken down in exactly the reverse order. */
#include <linux/build_bug.h>
#include <linux/module.h>

#include "compat.h"
#include "merge.h"
#include "queue.h"

static int __init iptrk_init(void)
{
	int error;

	BUILD_BUG_ON(sizeof(struct iptrk_record) != 64);
	BUILD_BUG_ON(sizeof(struct iptrk_commit) != 64);

	iptrk_merge_init();
	error = iptrk_queues_init();
	if (error)
		return error;
	error = iptrk_watch_init();
	if (error)
		goto err_queues;
	error = iptrk_device_init();
	if (error)
		goto err_watch;
	if (!IPTRK_HAS_EGRESS)
		pr_warn("iptrk: this kernel has no egress hook: only RECEIVED frames are seen\n");
	return 0;

err_watch:
	iptrk_watch_exit();
err_queues:
	iptrk_queues_exit();
	return error;
}

static void __exit iptrk_exit(void)
{
	iptrk_device_exit();
	iptrk_watch_exit();
	iptrk_queues_exit();
}

module_init(iptrk_init);
module_exit(iptrk_exit);

MODULE_DESCRIPTION("A record of every packet, for accounting by address");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS("devname:iptrk");
