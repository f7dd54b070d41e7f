#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 1800
# What a program may try with /dev/iptrk that nobody should.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}/tests/vm/hostile

it 'loads the module' insmod "$IPTRK_MODULE"
# shellcheck disable=SC2086 # words are what it holds
"$build/hostile_tests" ${IPTRK_FILTER:+--gtest_filter="$IPTRK_FILTER"} >/run/hostile.log 2>&1
it 'ran the claims about hostile programs' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/hostile.log
grep -E '^\[' /run/hostile.log
grep -vE '^\[' /run/hostile.log | head -n 100

it 'leaves nothing of the queues behind' equal 0 "$(grep -c ' iptrk_' /proc/vmallocinfo)"
it 'unloads after all that' rmmod iptrk
it_ends
