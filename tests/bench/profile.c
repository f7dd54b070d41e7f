// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin: how often each piece of straight-line code ran between two
 * runs of the program `mark`, then between the next two, and so on; as lines
 * "WHICH ADDRESS INSTRUCTIONS TIMES" in the file that the argument to=FILE
 * names.
 *
 * Debian has QEMU with plugins but not their header; what is used of it is
 * declared here (version 1 of the interface, since QEMU 4.2).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*tb_callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_callback)(unsigned int vcpu, void *data);
typedef void (*end_callback)(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   tb_callback callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  vcpu_callback callback, int registers,
					  void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, end_callback callback,
				    void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					      enum qemu_plugin_op op, void *to,
					      uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

EXPORT int qemu_plugin_version = 1;

#define BLOCKS (1U << 21)
#define MARK 0x6d61726b0000 /* where tests/bench/run links the program `mark`  \
			     */

static struct block {
	uint64_t address, instructions, times, before;
} blocks[BLOCKS];
static FILE *to;
static bool running;
static unsigned int pairs;

/* The program `mark` ran. */
static void marked(unsigned int vcpu, void *data)
{
	running = !running;
	for (uint32_t i = 0; i < BLOCKS; i++) {
		struct block *block = &blocks[i];

		if (!running && block->times != block->before)
			fprintf(to, "%u %llx %llu %llu\n", pairs,
				(unsigned long long)block->address,
				(unsigned long long)block->instructions,
				(unsigned long long)(block->times -
						     block->before));
		block->before = block->times;
	}
	if (!running)
		pairs++;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t instructions = qemu_plugin_tb_n_insns(tb);
	uint32_t i = (address * 0x9E3779B97F4A7C15u + instructions) >> 43;

	if (address == MARK)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, marked, 0, NULL);
	for (uint32_t tries = 0; tries < BLOCKS; tries++, i++) {
		struct block *block = &blocks[i % BLOCKS];

		if (!block->instructions) {
			block->address = address;
			block->instructions = instructions;
		} else if (block->address != address ||
			   block->instructions != instructions) {
			continue;
		}
		qemu_plugin_register_vcpu_tb_exec_inline(
			tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->times, 1);
		return;
	}
}

static void ended(qemu_plugin_id_t id, void *data)
{
	fclose(to);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "to=", 3) == 0)
			to = fopen(argv[i] + 3, "w");
	}
	if (!to)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
