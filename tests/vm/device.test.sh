#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /dev/iptrk and the command's words about it, in the test machine.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}
iptrk=$build/tools/iptrk

not_loaded=$("$iptrk" status 2>&1)
it 'says how to load a module that is not loaded' matches 'modprobe iptrk' "$not_loaded"

it 'loads the module' insmod "$IPTRK_MODULE"
# The module warns on kernels that have none.
! dmesg | grep -q 'iptrk: this kernel has no egress hook' || export IPTRK_NO_EGRESS=yes
no_queue=$("$iptrk" status 2>&1)
it 'says that collectd has made no queue yet' matches "no queue 'collectd'" "$no_queue"

"$build/tests/vm/device/device_tests" >/run/device.log 2>&1
it 'ran the claims about the device' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/device.log
# The run that started this machine turns these lines into claims.
grep -E '^\[' /run/device.log
grep -vE '^\[' /run/device.log | head -n 100

it 'unloads the module while nothing is open, named queues or not' rmmod iptrk
it_ends
