#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
# boot: --timeout 3600
# The module loaded, attached to, unplugged, closed and unloaded under traffic,
# IPTRK_CYCLES times (default 200; before a release 1000).
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}/tests/vm/hostile

# Without what only a debugger needs, it loads several times faster.
strip --strip-debug -o /run/iptrk.ko "$IPTRK_MODULE"
"$build/lifecycle_tests" >/run/lifecycle.log 2>&1
it 'ran the claims about its lifecycle' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/lifecycle.log
grep -E '^\[' /run/lifecycle.log
grep -vE '^\[' /run/lifecycle.log | head -n 100
it 'leaves nothing of the queues behind' equal 0 "$(grep -c ' iptrk_' /proc/vmallocinfo)"
it 'is not loaded any more' equal '' "$(grep '^iptrk ' /proc/modules)"
it_ends
