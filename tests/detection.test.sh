#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which attacks are found, and which normal traffic is left alone:
# tests/detection.test.sh
#
# Replays what tests/detection/traffic writes, and the captures of real attacks
# in the directory $IPTRK_CAPTURES. What is right is in tests/detection/labels.
# What is found is the same by replay and by top --once.
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

# incidents COMMAND...: those that it prints, as JSON
incidents() {
	build/tools/iptrk -c "$work/private.toml" "$@" |
		python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["incidents"], indent=1))'
}
# told_alike CAPTURE PREFIX
told_alike() {
	local replayed shown
	replayed=$(incidents replay --json --network "$2" "$1") &&
		shown=$(incidents top --once --json --network "$2" --replay "$1") &&
		equal "$replayed" "$shown"
}
while read -r name prefix _; do
	sentence="tells by top --once of $name what replay tells"
	capture=$work/$name.pcap
	[[ -e $capture ]] || capture=${IPTRK_CAPTURES:-../shared/captures}/$name.pcap
	if [[ -e $capture ]]; then
		it "$sentence" told_alike "$capture" "$prefix"
	else
		skip "$sentence" 'no such capture; IPTRK_CAPTURES names a directory of real ones'
	fi
done < <(grep -v '^#' tests/detection/labels)
it 'lists first who exchanges most, be it among ours' matches $'own host[^\n]*\n  10\\.1\\.0\\.80 +3564140 +817560074 ' \
	"$(build/tools/iptrk -c "$work/private.toml" replay --network 10.1.0.0/24 "$work/backup-inside.pcap")"
it_ends
