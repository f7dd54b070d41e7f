#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# The ledger against the interfaces, to the byte: ten minutes (or
# IPTRK_LEDGER_SECONDS) of traffic in a machine in which collectd is killed
# every 20 s and configured otherwise every 15 s; then its power is cut, and
# another machine begins with its disk.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
seconds=${IPTRK_LEDGER_SECONDS:-600}
out=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-ledger.XXXXXX")
disk=$out/disk
export IPTRK_BUILD=${IPTRK_BUILD:-build}

truncate -s 256M "$disk"
/sbin/mkfs.ext4 -q "$disk" || exit 1
machine() {
	tests/vm/boot --timeout $((seconds + 1500)) --out "$out/$1" \
		--qemu "-drive file=$disk,if=virtio,format=raw,cache=writeback" \
		"tests/vm/ledger/$1" "${@:2}" >"$out/$1.said" 2>&1
	grep -E '^(ok|not ok|skip) - |^ {2}' "$out/$1.said"
}
machine before "$seconds"
it 'ran until its power was cut' test -s "$out/before/written"
machine after "$out/before"
it 'started again' grep -q '^ok - ' "$out/after.said"
grep -q '^not ok' "$out"/*.said && printf 'see %s\n' "$out"
it_ends
