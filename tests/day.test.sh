#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# What the RRDs add up to over a day, against the ledger, for each way to write
# them, or those named: tests/day.test.sh [rrdtool|rrdcached]... A machine's clock
# runs as fast as it finds something to do, so that a day (or IPTRK_DAY_SECONDS)
# takes some minutes.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
writers=("$@")
((${#writers[@]})) || writers=(rrdtool rrdcached)
export IPTRK_BUILD=${IPTRK_BUILD:-build}

for writer in "${writers[@]}"; do
	out=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-day.XXXXXX")
	tests/vm/boot --icount --timeout 5400 --memory 2048 --out "$out" \
		tests/vm/ledger/day "${IPTRK_DAY_SECONDS:-86400}" "$writer" >"$out/said" 2>&1
	grep -E '^(ok|not ok|skip) - |^ {2}' "$out/said"
	it "came to the end of its day, written by $writer" grep -qE '^(ok|not ok) - ' "$out/said"
	grep -qE '^ok - ' "$out/said" && ! grep -q '^not ok' "$out/said" || printf 'see %s\n' "$out"
done
it_ends
