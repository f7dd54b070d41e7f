// SPDX-License-Identifier: GPL-2.0-only
/* /dev/iptrk: what a reader may ask. The protocol is in uapi/iptrk.h. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "queue.h"

/**
 * struct iptrk_file - one open file
 * @net: the opener's namespace, held until there is a queue; then NULL, for
 *	the namespace of a container that ended has to go, whoever reads it
 * @lock: orders attach against everything else
 * @queue: set once by IPTRK_ATTACH
 * @observer: attached to look, not to read
 * @mapped: rings were mapped, so poll() works by watermark
 */
struct iptrk_file {
	struct net *net;
	struct mutex lock; /* see above */
	struct iptrk_queue *queue;
	bool observer;
	bool mapped;
};

static int iptrk_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct iptrk_file *own;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	if (!own)
		return -ENOMEM;
	mutex_init(&own->lock);
	own->net = get_net(net);
	file->private_data = own;
	return stream_open(inode, file);
}

static int iptrk_release(struct inode *inode, struct file *file)
{
	struct iptrk_file *own = file->private_data;

	if (own->queue)
		iptrk_queue_detach(own->queue, !own->observer);
	else
		put_net(own->net);
	kfree(own);
	return 0;
}

static struct iptrk_queue *iptrk_file_queue(struct iptrk_file *own)
{
	/* Pairs with the store-release in iptrk_ioctl_attach(). */
	return smp_load_acquire(&own->queue);
}

static long iptrk_ioctl_attach(struct iptrk_file *own, void __user *argument)
{
	struct iptrk_attach attach;
	struct iptrk_queue *queue;

	if (copy_from_user(&attach, argument, sizeof(attach)))
		return -EFAULT;
	if (attach.abi_version != IPTRK_ABI_VERSION) {
		attach.abi_version = IPTRK_ABI_VERSION;
		if (copy_to_user(argument, &attach, sizeof(attach)))
			return -EFAULT;
		return -EPROTO;
	}
	if (attach.flags & ~IPTRK_ATTACH_OBSERVE ||
	    strnlen(attach.name, sizeof(attach.name)) == sizeof(attach.name))
		return -EINVAL;
	if (own->queue)
		return -EALREADY;

	queue = iptrk_queue_attach(own->net, &attach);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	own->observer = attach.flags & IPTRK_ATTACH_OBSERVE;
	/* Pairs with the load-acquire in iptrk_file_queue(). */
	smp_store_release(&own->queue, queue);
	put_net(own->net);
	own->net = NULL;
	return copy_to_user(argument, &attach, sizeof(attach)) ? -EFAULT : 0;
}

static long iptrk_ioctl_watch(struct iptrk_file *own, void __user *argument)
{
	struct iptrk_watch *watch;
	long error = 0;
	u32 i;

	if (own->observer)
		return -EPERM;
	watch = memdup_user(argument, sizeof(*watch));
	if (IS_ERR(watch))
		return PTR_ERR(watch);
	if (watch->count > IPTRK_PATTERNS ||
	    watch->flags & ~IPTRK_WATCH_PROMISCUOUS)
		error = -EINVAL;
	for (i = 0; !error && i < watch->count; i++)
		if (strnlen(watch->patterns[i], IPTRK_IFNAME_LEN) ==
		    IPTRK_IFNAME_LEN)
			error = -EINVAL;
	if (!error) {
		rtnl_lock();
		error = iptrk_watch_set(own->queue, watch);
		rtnl_unlock();
		iptrk_watch_settle();
	}
	kfree(watch);
	return error;
}

static long iptrk_ioctl_own(struct iptrk_file *own, void __user *argument)
{
	struct iptrk_prefix *prefixes = NULL;
	struct iptrk_own_prefixes request;
	long error;

	if (own->observer)
		return -EPERM;
	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.count > IPTRK_OWN_MAX || request.reserved)
		return -EINVAL;
	if (request.count) {
		prefixes = vmemdup_user(u64_to_user_ptr(request.prefixes),
					array_size(request.count,
						   sizeof(*prefixes)));
		if (IS_ERR(prefixes))
			return PTR_ERR(prefixes);
	}
	error = iptrk_queue_own(own->queue, prefixes, request.count);
	kvfree(prefixes);
	return error;
}

static long iptrk_ioctl_interfaces(struct iptrk_file *own,
				   void __user *argument)
{
	struct iptrk_queue *queue = own->queue;
	struct iptrk_interfaces interfaces;
	struct iptrk_interface *rows;
	u32 i, room;
	long error = 0;

	if (copy_from_user(&interfaces, argument, sizeof(interfaces)))
		return -EFAULT;
	room = min_t(u32, interfaces.capacity, IPTRK_INTERFACES_MAX);
	rows = kvcalloc(max(room, 1U), sizeof(*rows), GFP_KERNEL_ACCOUNT);
	if (!rows)
		return -ENOMEM;
	rtnl_lock();
	interfaces.count = queue->port_count;
	room = min(room, interfaces.count);
	for (i = 0; i < room; i++)
		iptrk_watch_report(queue->ports[i], &rows[i]);
	rtnl_unlock();
	if (copy_to_user(u64_to_user_ptr(interfaces.rows), rows,
			 array_size(room, sizeof(*rows))) ||
	    copy_to_user(argument, &interfaces, sizeof(interfaces)))
		error = -EFAULT;
	kvfree(rows);
	return error;
}

static long iptrk_ioctl_state(struct iptrk_file *own, void __user *argument)
{
	struct iptrk_state state;

	iptrk_queue_state(own->queue, &state);
	return copy_to_user(argument, &state, sizeof(state)) ? -EFAULT : 0;
}

static long iptrk_ioctl(struct file *file, unsigned int command,
			unsigned long value)
{
	struct iptrk_file *own = file->private_data;
	void __user *argument = (void __user *)value;
	long result;

	/* User space decides how long copying to it takes. */
	if (mutex_lock_interruptible(&own->lock))
		return -ERESTARTSYS;
	if (command == IPTRK_ATTACH) {
		result = iptrk_ioctl_attach(own, argument);
		goto out;
	}
	if (!own->queue) {
		result = -ENOTCONN;
		goto out;
	}
	switch (command) {
	case IPTRK_WATCH:
		result = iptrk_ioctl_watch(own, argument);
		break;
	case IPTRK_OWN:
		result = iptrk_ioctl_own(own, argument);
		break;
	case IPTRK_INTERFACES:
		result = iptrk_ioctl_interfaces(own, argument);
		break;
	case IPTRK_STATE:
		result = iptrk_ioctl_state(own, argument);
		break;
	case IPTRK_DESTROY:
		result = iptrk_queue_destroy(own->queue, !own->observer);
		break;
	default:
		result = -ENOTTY;
	}
out:
	mutex_unlock(&own->lock);
	return result;
}

static int iptrk_map_area(struct vm_area_struct *vma, unsigned long at,
			  void *area, size_t size)
{
	size_t done;
	int error;

	for (done = 0; done < size; done += PAGE_SIZE) {
		error = vm_insert_page(vma, at + done,
				       vmalloc_to_page(area + done));
		if (error)
			return error;
	}
	return 0;
}

static int iptrk_map_rings(struct iptrk_queue *queue,
			   struct vm_area_struct *vma)
{
	size_t stride = iptrk_ring_stride(queue->records);
	u32 cpu;
	int error;

	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	if (vma->vm_end - vma->vm_start != array_size(nr_cpu_ids, stride))
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		error = iptrk_map_area(vma, vma->vm_start + cpu * stride,
				       queue->rings[cpu].memory, stride);
		if (error)
			return error;
		cond_resched();
	}
	return 0;
}

static int iptrk_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct iptrk_file *own = file->private_data;
	struct iptrk_queue *queue = iptrk_file_queue(own);
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	int error;

	if (!queue)
		return -ENOTCONN;
	if (own->observer || vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* One reader, one mapping: none for a child, none in a dump. */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);

	if (offset == IPTRK_MMAP_COMMIT) {
		if (vma->vm_end - vma->vm_start != iptrk_queue_commit_bytes())
			return -EINVAL;
		vm_flags_clear(vma, VM_MAYEXEC);
		return iptrk_map_area(vma, vma->vm_start, queue->commit_area,
				      iptrk_queue_commit_bytes());
	}
	if (offset != IPTRK_MMAP_RINGS)
		return -EINVAL;
	error = iptrk_map_rings(queue, vma);
	if (!error)
		WRITE_ONCE(own->mapped, true);
	return error;
}

/*
 * By anything that waits, or by a multiple of the watermark, where the wakings
 * are, passed since poll() last said so: a reader who looks in between and
 * sleeps again must not miss the next one.
 */
static bool iptrk_readable(struct iptrk_queue *queue, bool mapped)
{
	bool readable = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct iptrk_ring *ring = &queue->rings[cpu];
		u64 head = READ_ONCE(ring->shared->head);

		if (!mapped) {
			readable |= iptrk_ring_waiting(ring) != 0;
		} else if ((head ^ READ_ONCE(ring->polled)) >=
			   queue->watermark) {
			WRITE_ONCE(ring->polled, head);
			readable = true;
		}
	}
	return readable;
}

static __poll_t iptrk_poll(struct file *file, poll_table *wait)
{
	struct iptrk_file *own = file->private_data;
	struct iptrk_queue *queue = iptrk_file_queue(own);
	__poll_t events = 0;

	if (!queue || own->observer)
		return EPOLLERR;
	poll_wait(file, &queue->wait, wait);
	if (READ_ONCE(queue->dead))
		events |= EPOLLHUP;
	if (iptrk_readable(queue, READ_ONCE(own->mapped)))
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

static ssize_t iptrk_read_now(struct iptrk_file *own, char __user *to,
			      size_t room)
{
	size_t copied = 0;
	ssize_t n = 0;
	int cpu;

	if (mutex_lock_interruptible(&own->lock))
		return -ERESTARTSYS;
	for_each_possible_cpu(cpu) {
		n = iptrk_ring_copy(&own->queue->rings[cpu], to + copied,
				    room - copied);
		if (n < 0)
			break;
		copied += n;
	}
	mutex_unlock(&own->lock);
	return copied ? copied : n;
}

static ssize_t iptrk_read(struct file *file, char __user *to, size_t room,
			  loff_t *position)
{
	struct iptrk_file *own = file->private_data;
	struct iptrk_queue *queue = iptrk_file_queue(own);
	ssize_t result;

	if (!queue)
		return -ENOTCONN;
	if (own->observer)
		return -EPERM;
	if (room < sizeof(struct iptrk_record))
		return -EINVAL;
	for (;;) {
		bool over = iptrk_queue_over(queue);

		result = iptrk_read_now(own, to, room);
		if (result || over)
			return result;
		if (READ_ONCE(queue->dead)) {
			iptrk_queue_flush(queue);
			if (signal_pending(current))
				return -ERESTARTSYS;
			cond_resched();
			continue;
		}
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		/* A position that lies may say forever that records wait. */
		if (signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
		/* Rings that fill slowly never reach the watermark. */
		result = wait_event_interruptible_timeout(queue->wait,
							  READ_ONCE(queue->dead) ||
							  iptrk_readable(queue, false),
							  HZ / 20 + 1);
		if (result < 0)
			return result;
	}
}

static const struct file_operations iptrk_fops = {
	.owner = THIS_MODULE,
	.open = iptrk_open,
	.release = iptrk_release,
	.unlocked_ioctl = iptrk_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = iptrk_mmap,
	.poll = iptrk_poll,
	.read = iptrk_read,
};

static struct miscdevice iptrk_miscdevice = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iptrk",
	.fops = &iptrk_fops,
	.mode = 0660,
};

int iptrk_device_init(void)
{
	return misc_register(&iptrk_miscdevice);
}

void iptrk_device_exit(void)
{
	misc_deregister(&iptrk_miscdevice);
}
