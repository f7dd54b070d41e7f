/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between kernels; Kbuild asks the compiler and sets HAVE_*. */
#ifndef IPTRK_COMPAT_H
#define IPTRK_COMPAT_H

#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>

#if BITS_PER_LONG != 64
#error "iptrk counts in 64-bit words that must be read whole: 64-bit kernels only"
#endif

#ifdef CONFIG_PREEMPT_RT
#error "iptrk relies on one producer per CPU, which PREEMPT_RT does not promise"
#endif

#ifndef CONFIG_NETFILTER_INGRESS
#error "iptrk needs CONFIG_NETFILTER_INGRESS"
#endif

#ifdef CONFIG_NETFILTER_EGRESS
#define IPTRK_HAS_EGRESS 1
#else
#define IPTRK_HAS_EGRESS 0
#define NF_NETDEV_EGRESS 1
#endif

#ifndef HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}

static inline void vm_flags_set(struct vm_area_struct *vma,
				unsigned long flags)
{
	vma->vm_flags |= flags;
}
#endif

/*
 * A queue is charged to who asks for it. One that is too big is refused, and
 * nobody is killed to make room for it.
 */
#define IPTRK_GFP (GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

/* Before 5.11 the pages of a charged allocation can't be mapped. */
#ifdef HAVE_PAGE_KMEMCG
#define IPTRK_GFP_MAPPED (IPTRK_GFP & ~__GFP_ACCOUNT)
#else
#define IPTRK_GFP_MAPPED IPTRK_GFP
#endif

#ifndef DEBUG_NET_WARN_ON_ONCE
#define DEBUG_NET_WARN_ON_ONCE(condition) BUILD_BUG_ON_INVALID(condition)
#endif

#endif /* IPTRK_COMPAT_H */
