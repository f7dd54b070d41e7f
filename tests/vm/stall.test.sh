#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 1800
# A reader that stands still under a flood, and two CPUs that fill one queue.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}/tests/vm/hostile

it 'loads the module' insmod "$IPTRK_MODULE"
"$build/stall_tests" >/run/stall.log 2>&1
it 'ran the claims about a flood' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/stall.log
grep -E '^\[' /run/stall.log
grep -vE '^\[' /run/stall.log | head -n 100

it 'unloads after all that' rmmod iptrk
it_ends
