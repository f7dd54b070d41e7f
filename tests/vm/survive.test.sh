#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 1800
# A reader that is killed twenty times under load, and loses nothing.
. tests/vm/it.sh
build=${IPTRK_BUILD:-build}/tests/vm/hostile

it 'loads the module' insmod "$IPTRK_MODULE"
"$build/survive_tests" >/run/survive.log 2>&1
it 'ran the claims about a reader that is killed' grep -q '^\[  PASSED  \]\|^\[  FAILED  \]' /run/survive.log
grep -E '^\[' /run/survive.log
grep -vE '^\[' /run/survive.log | head -n 100

it 'unloads after all that' rmmod iptrk
it_ends
