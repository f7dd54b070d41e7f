#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which attacks are found, and which normal traffic is left alone:
# tests/detection.test.sh
#
# Replays what tests/detection/traffic writes, and the captures of real attacks
# in the directory $IPTRK_CAPTURES. What is right is in tests/detection/labels.
# And some hundred captures of all protocols that Debian's tcpdump comes with.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

it 'writes captures of attacks and of normal traffic' tests/detection/traffic "$work"
tests/detection/judge build/tools/iptrk "$work" "${IPTRK_CAPTURES:-../shared/captures}" || it_failed=1

# Private addresses are ours, as in most of them.
printf '[networks.ours]\nprefixes = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"]\n' >"$work/private.toml"
ordinary() {
	local captures found
	captures=$(tests/fuzz/captures) || return 1
	# shellcheck disable=SC2016 # for the shell that xargs starts
	found=$(find "$captures" -name '*.pcap*' -print0 | xargs -0 -P "$(nproc)" -n 1 sh -c \
		'build/tools/iptrk -c "$0" replay --json "$1" 2>/dev/null | sed -n "s/^ *\"kind\": \"\(.*\)\".*/${1##*/} \1/p"' \
		"$work/private.toml")
	# Loopback's addresses, and a capture of public addresses alone.
	equal 'afs.pcap martian
resp_1_benchmark.pcap martian
resp_3_malicious.pcap martian' "$(sort <<<"$found")"
}
it "finds nothing but martians in the captures that Debian's tcpdump has" ordinary
it_ends
