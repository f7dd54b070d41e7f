#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# 65,536 hosts and a datagram for each every 16 s, by doc/larger-sites.md, for
# half an hour (or IPTRK_LARGER_SECONDS) with each way to write RRDs, or those
# named: tests/larger.test.sh [rrdtool|rrdcached]... Needs 16 GB of disk.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
writers=("$@")
((${#writers[@]})) || writers=(rrdtool rrdcached)
seconds=${IPTRK_LARGER_SECONDS:-1800}
export IPTRK_BUILD=${IPTRK_BUILD:-build}

for writer in "${writers[@]}"; do
	out=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-larger.XXXXXX")
	truncate -s 24G "$out/disk"
	/sbin/mkfs.ext4 -q -N 300000 "$out/disk" || exit 1
	tests/vm/boot --timeout $((seconds + 5400)) --memory 4096 --out "$out" \
		--qemu "-drive file=$out/disk,if=virtio,format=raw,cache=writeback" \
		tests/vm/larger "$seconds" "$writer" >"$out/said" 2>&1
	rm "$out/disk"
	grep -E '^(ok|not ok|skip) - |^ {2}' "$out/said"
	it "came to its end, written by $writer" grep -qE '^(ok|not ok) - ' "$out/said"
	grep -qE '^ok - ' "$out/said" && ! grep -q '^not ok' "$out/said" || printf 'see %s\n' "$out"
done
it_ends
