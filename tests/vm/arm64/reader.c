// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest reader of /dev/iptrk that can tell whether the module keeps its
 * word on another architecture; static, for a machine that has no libraries.
 *
 *   reader watch NAME...     makes the queue, which then fills by itself
 *   reader send NAME COUNT   that many UDP frames from each CPU at once
 *   reader check NAME COUNT  drains the queue: everything that was sent to NAME
 *                            has to be there once, whole and in order
 *   reader books             seen = recorded + ... = the device's own count
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iptrk.h"

#define RECORDS 256
#define CPUS_MAX 64
#define FRAME_BYTES 100

static int device;
static struct iptrk_attach attach = {
	.abi_version = IPTRK_ABI_VERSION,
	.name = "arm",
	.records = RECORDS,
	.watermark = RECORDS / 8,
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf(" (%s)\n", strerror(errno));
	exit(1);
}

static void queue_open(void)
{
	device = open("/dev/iptrk", O_RDWR);
	if (device < 0)
		die("cannot open /dev/iptrk");
	if (ioctl(device, IPTRK_ATTACH, &attach))
		die("cannot attach");
}

static int watch(int count, char **names)
{
	struct iptrk_watch wanted = { .count = count };
	int i;

	queue_open();
	for (i = 0; i < count; i++)
		strncpy(wanted.patterns[i], names[i], IPTRK_IFNAME_LEN - 1);
	if (ioctl(device, IPTRK_WATCH, &wanted))
		die("cannot watch");
	return 0;
}

/* Who sent it and which one it is are in the source address. */
static void frame_fill(unsigned char *frame, int cpu, unsigned int number)
{
	static const unsigned char head[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0,
		0, FRAME_BYTES - 14, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0,
	};

	memset(frame, 0, FRAME_BYTES);
	memcpy(frame, head, sizeof(head));
	frame[26] = 44 + cpu;
	frame[27] = number >> 16;
	frame[28] = number >> 8;
	frame[29] = number;
	frame[30] = 10;
	frame[37] = 53;
	frame[39] = FRAME_BYTES - 34;
}

static int send_from(int cpu, const char *interface, unsigned int count)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	unsigned char frame[FRAME_BYTES];
	int out = socket(AF_PACKET, SOCK_RAW, 0);
	cpu_set_t here;
	unsigned int i;

	CPU_ZERO(&here);
	CPU_SET(cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die("cannot move to CPU %d", cpu);
	to.sll_ifindex = if_nametoindex(interface);
	for (i = 0; i < count; i++) {
		frame_fill(frame, cpu, i);
		while (sendto(out, frame, sizeof(frame), 0,
			      (struct sockaddr *)&to, sizeof(to)) < 0)
			if (errno != ENOBUFS)
				die("cannot send");
	}
	return 0;
}

static int send_all(const char *interface, unsigned int count)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu, status, failed = 0;

	for (cpu = 0; cpu < cpus; cpu++)
		if (!fork())
			exit(send_from(cpu, interface, count));
	while (wait(&status) > 0)
		failed |= status;
	return !!failed;
}

/* The queue's row of that name, or die. */
static struct iptrk_interface row_of(const char *name)
{
	static struct iptrk_interface rows[16];
	struct iptrk_interfaces all = { .rows = (uintptr_t)rows,
					.capacity = 16 };
	unsigned int i;

	if (ioctl(device, IPTRK_INTERFACES, &all))
		die("cannot list interfaces");
	for (i = 0; i < all.count; i++)
		if (!strcmp(rows[i].name, name))
			return rows[i];
	die("no interface %s", name);
}

static struct seen {
	unsigned long long packets, bytes, merged;
	unsigned int next[CPUS_MAX];
} seen;

static void take(const struct iptrk_record *record, unsigned int interface)
{
	unsigned int cpu = record->src[12] - 44;
	unsigned int number = record->src[13] << 16 | record->src[14] << 8 |
			      record->src[15];

	if (record->interface != interface || record->flags & IPTRK_SENT)
		return;
	seen.packets += record->packets;
	seen.bytes += record->bytes;
	if (record->flags & IPTRK_MERGED) {
		seen.merged += record->packets;
		return;
	}
	if (record->bytes != FRAME_BYTES || record->packets != 1 ||
	    record->dport != 53 || record->protocol != IPPROTO_UDP ||
	    !(record->flags & IPTRK_IPV4) || record->dst[12] != 10 ||
	    cpu >= CPUS_MAX)
		die("a torn record: %u bytes from CPU %u", record->bytes, cpu);
	if (number < seen.next[cpu])
		die("CPU %u: %u after %u", cpu, number, seen.next[cpu]);
	seen.next[cpu] = number + 1;
}

static int check(const char *name, unsigned int count)
{
	unsigned int interface, wanted, cpu, tries;
	struct iptrk_commit *commits;
	char *rings;

	queue_open();
	if (!attach.existed)
		die("the queue did not survive its reader");
	interface = row_of(name).index;
	wanted = count * sysconf(_SC_NPROCESSORS_ONLN);
	commits = mmap(NULL, attach.commit_bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED, device, IPTRK_MMAP_COMMIT);
	rings = mmap(NULL, attach.cpus * attach.ring_stride, PROT_READ,
		     MAP_SHARED, device, IPTRK_MMAP_RINGS);
	if (commits == MAP_FAILED || rings == MAP_FAILED)
		die("cannot map");
	for (tries = 0; tries < 1000 && seen.packets < wanted; tries++) {
		for (cpu = 0; cpu < attach.cpus; cpu++) {
			char *ring = rings + cpu * attach.ring_stride;
			struct iptrk_head *shared = (void *)ring;
			struct iptrk_record *records =
				(void *)(ring + sysconf(_SC_PAGESIZE));
			/* Pairs with the store-release of the publisher. */
			__u64 head = __atomic_load_n(&shared->head,
						     __ATOMIC_ACQUIRE);
			__u64 at = commits[cpu].committed;

			for (; at != head; at++)
				take(&records[at & (attach.records - 1)],
				     interface);
			__atomic_store_n(&commits[cpu].committed, at,
					 __ATOMIC_RELEASE);
		}
		usleep(10000);
	}
	printf("%llu frames, %llu bytes, of which %llu frames merged\n",
	       seen.packets, seen.bytes, seen.merged);
	return seen.packets != wanted ||
	       seen.bytes != (unsigned long long)wanted * FRAME_BYTES;
}

static int balances(const char *name, const char *way,
		    const struct iptrk_books *books)
{
	__u64 packets = books->recorded.packets + books->merged.packets +
			books->unattributed.packets + books->elsewhere.packets;
	__u64 bytes = books->recorded.bytes + books->merged.bytes +
		      books->unattributed.bytes + books->elsewhere.bytes;

	printf("%s %s: seen %llu frames, %llu bytes; the device %llu\n", name,
	       way, books->seen.packets, books->seen.bytes, books->nic.packets);
	return books->seen.packets == packets && books->seen.bytes == bytes &&
	       books->seen.packets == books->nic.packets &&
	       books->seen.packets > 0;
}

static int books(int count, char **names)
{
	int i, balanced = 1;

	attach.flags = IPTRK_ATTACH_OBSERVE;
	queue_open();
	for (i = 0; i < count; i++) {
		struct iptrk_interface row = row_of(names[i]);

		balanced &= balances(row.name, "received", &row.received) &
			    balances(row.name, "sent", &row.sent);
	}
	return !balanced;
}

int main(int count, char **words)
{
	const char *verb = count > 1 ? words[1] : "";

	if (!strcmp(verb, "watch"))
		return watch(count - 2, words + 2);
	if (!strcmp(verb, "send") && count == 4)
		return send_all(words[2], atoi(words[3]));
	if (!strcmp(verb, "check") && count == 4)
		return check(words[2], atoi(words[3]));
	if (!strcmp(verb, "books"))
		return books(count - 2, words + 2);
	printf("usage: reader watch|send|check|books ...\n");
	return 2;
}
