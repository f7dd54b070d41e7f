/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers to record: the one parser of the module and of `iptrk replay`.
 *
 * Pure: reads @data only below @captured, writes the record only, keeps no
 * state, and its loops are bounded.
 */
#ifndef IPTRK_PARSE_H
#define IPTRK_PARSE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <linux/types.h>
#include <stdbool.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#endif

#include "uapi/iptrk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Headers further in than this are given up as IPTRK_TRUNCATED. */
#define IPTRK_PARSE_MAX 512

/**
 * struct iptrk_frame - what the parser is given
 * @data: first byte behind the layer-2 header (a VLAN tag may still follow)
 * @captured: bytes that may be read at @data
 * @length: bytes there were on the wire at @data; >= @captured
 * @ethertype: what the layer-2 header says follows, host order
 */
struct iptrk_frame {
	const u8 *data;
	u32 captured;
	u32 length;
	u16 ethertype;
};

/**
 * iptrk_parse() - fill in what the headers of a frame say
 * @frame: the frame behind its layer-2 header
 * @record: ethertype, vlan, src, dst, ports, protocol, tcp_flags are written
 *	(zero where unknown), bits are added to flags, tags found in @frame are
 *	added to l2_len; everything else is left alone
 *
 * Return: bytes from @frame->data to the payload of TCP, UDP or what else is
 * known, for counting the headers of a segmented buffer; 0 when unknown.
 */
u32 iptrk_parse(const struct iptrk_frame *frame, struct iptrk_record *record);

#ifdef __cplusplus
}
#endif

#endif /* IPTRK_PARSE_H */
