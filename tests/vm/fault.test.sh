#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The device when the kernel has no memory left, step by step. Needs a kernel
# that can fail on demand: tests/vm/debug-kernel.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}
debug=/sys/kernel/debug

if [[ ! -d $debug/failslab ]]; then
	skip 'the device says so when memory is short' 'this kernel has no fault injection'
	it_ends
fi

# Allocations that may sleep too, and single pages; without a word in the log.
for attribute in failslab fail_page_alloc fail_usercopy; do
	echo 0 >$debug/$attribute/verbose
done
echo N >$debug/failslab/ignore-gfp-wait
echo N >$debug/fail_page_alloc/ignore-gfp-wait
echo N >$debug/fail_page_alloc/ignore-gfp-highmem
echo 0 >$debug/fail_page_alloc/min-order

"$build/tests/vm/device/fault_tests" >/run/fault.log 2>&1
it 'ran the claims about failures' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/fault.log
# The run that started this machine turns these lines into claims.
grep -E '^\[' /run/fault.log
grep -vE '^\[' /run/fault.log | head -n 100

it 'unloads the module after all failures' rmmod iptrk
it_ends
