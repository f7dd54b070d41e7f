#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
# boot: --timeout 1800
# Random calls to /dev/iptrk while everything around it comes and goes, for
# IPTRK_FUZZ_SECONDS (default 60). IPTRK_FUZZ_SEED repeats a run, as far as two
# CPUs can.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}/tests/vm/hostile

strip --strip-debug -o /run/iptrk.ko "$IPTRK_MODULE"
it 'loads the module' insmod /run/iptrk.ko memory_mib=64
# shellcheck disable=SC2086 # no seed is no argument
"$build/hostile_fuzz" "${IPTRK_FUZZ_SECONDS:-60}" ${IPTRK_FUZZ_SEED-} >/run/fuzz.log 2>&1
status=$?
sed 's/^/    /' /run/fuzz.log
it 'returns from every random call' equal 0 "$status"
it 'unloads after all that' rmmod iptrk

# What is left of the module must still count to the byte.
it 'comes back' insmod /run/iptrk.ko
"$build/hostile_tests" --gtest_filter='*ReadsWholeRecords*:*WhileItIsFlooded' >/run/after.log 2>&1
it 'still counts every frame' grep -q '^\[  PASSED  \] 2 tests' /run/after.log
grep -vE '^\[ ' /run/after.log | head -n 20
it 'leaves nothing of the queues behind' equal 0 "$(grep -c ' iptrk_' /proc/vmallocinfo)"
it 'unloads again' rmmod iptrk
it_ends
