/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/iptrk: one record for every frame that crosses a network interface.
 *
 * This file is the contract between the iptrk module and its readers.
 *
 * Queues
 *   A reader opens /dev/iptrk and calls IPTRK_ATTACH. That gives it a queue:
 *   one ring of records per possible CPU, and a table of interfaces.
 *   - A named queue outlives its reader. It goes on filling until it is
 *     destroyed (IPTRK_DESTROY) or the module or the network namespace goes.
 *     It has one reader at a time (-EBUSY).
 *   - A private queue (empty name) dies with its file.
 *   - IPTRK_ATTACH_OBSERVE attaches to an existing named queue to ask for its
 *     interfaces and state only, whoever reads it.
 *   A queue belongs to the network namespace of its opener and sees only the
 *   interfaces there. IPTRK_WATCH chooses them by name or shell pattern.
 *
 * Reading by mmap
 *   offset IPTRK_MMAP_COMMIT, length iptrk_attach.commit_bytes, read-write:
 *     for each CPU one struct iptrk_commit, written by the reader.
 *   offset IPTRK_MMAP_RINGS, length cpus * ring_stride, read-only:
 *     for each CPU one page that starts with struct iptrk_head, then
 *     `records` records.
 *   Positions count records since the queue was made and never wrap. Record
 *   p is at index p & (records - 1). The reader loads head with acquire, reads
 *   records from its own position up to head, and stores the position up to
 *   which it is done in iptrk_commit.committed with release. The kernel
 *   reuses only what is committed; a reader that dies starts again from
 *   there. A committed position is never an index in the kernel: one that
 *   lies makes the ring look full, or loses the liar's own records.
 *
 * Reading by read()
 *   Whole records, of one CPU after the other, committed as they are copied.
 *
 * poll()
 *   After mmap: readable once a ring's head passed a multiple of `watermark`
 *   since poll() last said so. Without mmap: readable while a record waits. Rings
 *   that fill slowly never reach the watermark, so poll with a timeout. With
 *   epoll, too: it asks more often than it tells, and what it asked is said.
 *   EPOLLHUP: the queue's namespace is gone, or it was destroyed. What is in
 *   the rings can be read, and more comes while any iptrk_head.merge_waiting
 *   is not zero. read() returns 0 when that is over.
 *
 * When a ring is full
 *   Packets are merged, per CPU, into records with IPTRK_MERGED that enter
 *   the ring when there is room. The key is interface, direction, protocol,
 *   addresses and the lower port, which both port fields then hold. When
 *   that table is full too, as in a flood from random sources, the remote
 *   address and the ports go before the own address does
 *   (IPTRK_NO_REMOTE); which are own is said by IPTRK_OWN. At last one record
 *   per interface and direction takes the packet (IPTRK_UNATTRIBUTED, no
 *   addresses). No byte is lost to the totals.
 *
 * The books
 *   IPTRK_INTERFACES gives for each interface and direction exact counts:
 *   seen == recorded + merged + unattributed + elsewhere, always.
 */
#ifndef _UAPI_IPTRK_H
#define _UAPI_IPTRK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IPTRK_ABI_VERSION 2

#define IPTRK_NAME_LEN 32
#define IPTRK_IFNAME_LEN 16 /* IFNAMSIZ */
#define IPTRK_PATTERNS 64
#define IPTRK_INTERFACES_MAX 1024

/*
 * enum iptrk_flags - bits of iptrk_record.flags
 *
 * Bits 0 and 1 are the packet type, as PACKET_HOST (to us), _BROADCAST,
 * _MULTICAST and _OTHERHOST (0 to 3) of linux/if_packet.h.
 */
enum iptrk_flags {
	IPTRK_PKTTYPE = 3 << 0,
	IPTRK_SENT = 1 << 2, /* left through the interface; else received */
	IPTRK_IPV4 = 1 << 3, /* src and dst are IPv4-mapped */
	IPTRK_IPV6 = 1 << 4, /* neither bit: not IP; src, dst hold MACs */
	IPTRK_TAGGED = 1 << 5, /* vlan holds the outer tag's TCI */
	IPTRK_FRAGMENT = 1 << 6, /* part of a fragmented IP packet */
	IPTRK_FRAGMENT_LATER = 1 << 7, /* not the first part: no ports */
	IPTRK_MALFORMED = 1 << 8, /* a length or version that can't be */
	IPTRK_TRUNCATED = 1 << 9, /* headers reach beyond what was captured */
	IPTRK_SEGMENTED = 1 << 10, /* one buffer of several frames (GRO, GSO) */
	IPTRK_MERGED = 1 << 11, /* stands for packets that found no room */
	IPTRK_UNATTRIBUTED = 1 << 12, /* merged, and without addresses */
	IPTRK_NO_REMOTE = 1 << 13, /* merged; the address not own is zero */
};

/**
 * struct iptrk_record - one packet, or several of one kind; one cache line
 * @time_ns: CLOCK_REALTIME of the tick in which the interface handed it over:
 *	the same for all records that a CPU makes in one tick, so up to 1/HZ
 *	(4 ms at HZ 250) early; of a merged record, when its last packet came
 * @bytes: on the wire at layer 2, all frames, VLAN tags included, no FCS
 * @packets: frames on the wire
 * @src: source address, network order; IPv4 as ::ffff:a.b.c.d; of a non-IP
 *	frame the MAC in the first six bytes
 * @dst: destination address likewise
 * @interface: index in the queue's table of interfaces
 * @ethertype: behind all VLAN tags, host order; 4 (ETH_P_802_2) when the
 *	frame has a length there
 * @vlan: TCI of the outer VLAN tag when IPTRK_TAGGED
 * @sport: source port, or ICMP type
 * @dport: destination port, or ICMP code
 * @flags: enum iptrk_flags
 * @protocol: IP protocol behind IPv6 extension headers
 * @tcp_flags: low byte of TCP's flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, ...
 * @l2_len: bytes of layer-2 header in front of each packet, tags included:
 *	bytes - packets * l2_len is what IP carried; of a merged record 0, for
 *	not known
 * @header_len: bytes of headers repeated in each frame of a segmented buffer,
 *	without a tag that hardware inserts; else 0
 */
struct iptrk_record {
	__u64 time_ns;
	__u32 bytes;
	__u32 packets;
	__u8 src[16];
	__u8 dst[16];
	__u16 interface;
	__u16 ethertype;
	__u16 vlan;
	__u16 sport;
	__u16 dport;
	__u16 flags;
	__u8 protocol;
	__u8 tcp_flags;
	__u8 l2_len;
	__u8 header_len;
};

/**
 * struct iptrk_head - start of a ring's read-only page
 * @head: position of the next record; written by the kernel with release
 * @merge_waiting: records in the merge table, waiting for room
 */
struct iptrk_head {
	__u64 head;
	__u64 merge_waiting;
};

/**
 * struct iptrk_commit - a ring's word from the reader, in a line of its own
 * @committed: position up to which the reader is done; stored with release
 * @reserved: fills the line; not read
 */
struct iptrk_commit {
	__u64 committed;
	__u64 reserved[7];
};

#define IPTRK_MMAP_COMMIT 0ULL
#define IPTRK_MMAP_RINGS (1ULL << 32)

#define IPTRK_ATTACH_OBSERVE (1U << 0)

/**
 * struct iptrk_attach - argument of IPTRK_ATTACH
 * @abi_version: in: IPTRK_ABI_VERSION; a mismatch is -EPROTO, and the
 *	module's own version is written here
 * @flags: in: IPTRK_ATTACH_OBSERVE or 0
 * @name: in: of a named queue, NUL-terminated; empty: a private queue
 * @records: in: wished room per CPU, a power of two; out: what the queue has
 * @watermark: in: records that wake poll(), a power of two <= records;
 *	out: what the queue has
 * @cpus: out: number of rings
 * @existed: out: 1 when a named queue was there already, and may hold records
 * @ring_stride: out: bytes from one ring to the next in the mapping
 * @commit_bytes: out: bytes of the mapping at IPTRK_MMAP_COMMIT
 * @created_ns: out: CLOCK_REALTIME when the queue was made; its counts start
 *	there
 */
struct iptrk_attach {
	__u32 abi_version;
	__u32 flags;
	char name[IPTRK_NAME_LEN];
	__u32 records;
	__u32 watermark;
	__u32 cpus;
	__u32 existed;
	__u64 ring_stride;
	__u64 commit_bytes;
	__u64 created_ns;
};

/**
 * struct iptrk_watch - argument of IPTRK_WATCH: the interfaces wanted
 * @count: patterns in use; 0: every device whose frames no other device here
 *	carries, without loopback, Open vSwitch's own, and those that are only
 *	a way to a switch chip or a part of another one (a virtual function
 *	below Hyper-V's device)
 * @flags: IPTRK_WATCH_PROMISCUOUS or 0
 * @patterns: names or shell patterns (* ? [...]), NUL-terminated; also for
 *	interfaces that appear later
 */
struct iptrk_watch {
	__u32 count;
	__u32 flags;
	char patterns[IPTRK_PATTERNS][IPTRK_IFNAME_LEN];
};

#define IPTRK_WATCH_PROMISCUOUS (1U << 0)

/**
 * struct iptrk_prefix - addresses that begin alike
 * @address: network order; IPv4 as ::ffff:a.b.c.d
 * @length: bits that count, 0 to 128; of an IPv4 prefix its length + 96
 * @reserved: zero
 */
struct iptrk_prefix {
	__u8 address[16];
	__u8 length;
	__u8 reserved[7];
};

/**
 * struct iptrk_own_prefixes - argument of IPTRK_OWN: the reader's own networks
 * @prefixes: user address of an array of struct iptrk_prefix, in any order
 * @count: its length, at most IPTRK_OWN_MAX; 0: nothing is own
 * @reserved: zero
 *
 * Replaces what was said before. A named queue keeps it for its next reader.
 */
struct iptrk_own_prefixes {
	__u64 prefixes;
	__u32 count;
	__u32 reserved;
};

#define IPTRK_OWN_MAX 4096

struct iptrk_volume {
	__u64 packets; /* frames on the wire */
	__u64 bytes; /* on the wire at layer 2, no FCS */
};

/**
 * struct iptrk_books - one interface and direction since it was watched
 * @seen: all that passed
 * @recorded: became a record of its own
 * @merged: went into records with IPTRK_MERGED and addresses
 * @unattributed: went into records with IPTRK_UNATTRIBUTED
 * @elsewhere: seen before on another interface of this queue
 * @buffers: socket buffers and their bytes as handed over, a segmented one
 *	once and without a tag that hardware inserts: what virtual devices count
 * @nic: the device's own statistics over the same time
 */
struct iptrk_books {
	struct iptrk_volume seen;
	struct iptrk_volume recorded;
	struct iptrk_volume merged;
	struct iptrk_volume unattributed;
	struct iptrk_volume elsewhere;
	struct iptrk_volume buffers;
	struct iptrk_volume nic;
};

/* How a device counts one direction of itself; the source is its driver. */
enum iptrk_convention {
	IPTRK_COUNTS_WIRE, /* frames and bytes on the wire: hardware, virtio */
	IPTRK_COUNTS_BUFFERS, /* buffers as handed over: veth, dummy, tap */
	IPTRK_COUNTS_NETWORK, /* buffers, without layer 2: a bridge receiving */
	IPTRK_COUNTS_POLLED, /* frames, without layer 2: veth with GRO or XDP */
};

/**
 * struct iptrk_interface - a row of IPTRK_INTERFACES
 * @name: current name, or the last one
 * @kind: rtnl kind ("veth", "bridge", ...), empty for hardware
 * @ifindex: current index; 0 when the device is gone
 * @index: what iptrk_record.interface holds
 * @convention: enum iptrk_convention, received and sent
 * @watched: 1 while frames are taken from it
 * @received: books of what came in
 * @sent: books of what went out
 */
struct iptrk_interface {
	char name[IPTRK_IFNAME_LEN];
	char kind[IPTRK_IFNAME_LEN];
	__u32 ifindex;
	__u32 index;
	__u16 convention[2];
	__u32 watched;
	struct iptrk_books received;
	struct iptrk_books sent;
};

/**
 * struct iptrk_interfaces - argument of IPTRK_INTERFACES
 * @rows: in: user address of an array of struct iptrk_interface
 * @capacity: in: its length
 * @count: out: rows there are; more than @capacity: ask again with room
 */
struct iptrk_interfaces {
	__u64 rows;
	__u32 capacity;
	__u32 count;
};

/**
 * struct iptrk_state - argument of IPTRK_STATE: the queue as a whole
 * @name: empty for a private queue
 * @records: room per CPU
 * @cpus: rings
 * @reader: 1 while a reader is attached
 * @reserved: zero
 * @created_ns: CLOCK_REALTIME when the queue was made
 * @waiting: records not yet committed, all rings
 * @fullest: records not yet committed in the fullest ring
 * @produced: records put into rings since the queue was made
 * @merge_waiting: merged records waiting for room
 * @bad_commits: committed positions that lied
 * @refused: interfaces wanted that found no place in the table
 */
struct iptrk_state {
	char name[IPTRK_NAME_LEN];
	__u32 records;
	__u32 cpus;
	__u32 reader;
	__u32 reserved;
	__u64 created_ns;
	__u64 waiting;
	__u64 fullest;
	__u64 produced;
	__u64 merge_waiting;
	__u64 bad_commits;
	__u64 refused;
};

#define IPTRK_ATTACH _IOWR('K', 0x70, struct iptrk_attach)
#define IPTRK_WATCH _IOW('K', 0x71, struct iptrk_watch)
#define IPTRK_INTERFACES _IOWR('K', 0x72, struct iptrk_interfaces)
#define IPTRK_STATE _IOR('K', 0x73, struct iptrk_state)
#define IPTRK_DESTROY _IO('K', 0x74) /* the attached named queue */
#define IPTRK_OWN _IOW('K', 0x75, struct iptrk_own_prefixes)

#endif /* _UAPI_IPTRK_H */
