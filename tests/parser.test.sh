#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parser against real and malicious packets: tests/parser.test.sh
#
# Fuzzes kernel/parse.c for IPTRK_FUZZ_SECONDS (default 40), then compares what
# it says of the captures in Debian's tcpdump sources, and of those in the
# directory $IPTRK_CAPTURES, with what tshark says.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

seconds=${IPTRK_FUZZ_SECONDS:-40}
cache=${IPTRK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iptrk}/captures
more=${IPTRK_CAPTURES:-../shared/captures}
# Under AddressSanitizer where that was built.
records=build-asan/tests/fuzz/records
replay=build/tools/iptrk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the fuzzer found once stays found.
fuzz() {
	"$work/fuzz" tests/fuzz/found/* 2>&1 | tail -n 40
	return "${PIPESTATUS[0]}"
}

fuzz_on() {
	mkdir -p "$work/corpus" "$work/seeds" &&
		tests/fuzz/seeds "$work/seeds" "${files[@]}" &&
		"$work/fuzz" -max_total_time="$seconds" -max_len=517 -timeout=10 \
			-artifact_prefix="$work/" "$work/corpus" "$work/seeds" >"$work/log" 2>&1 && return
	grep -vE '^#[0-9]+' "$work/log" | tail -n 40
	# The input itself, so that it can become a file in tests/fuzz/found.
	for input in "$work"/crash-* "$work"/timeout-*; do
		[[ ! -f $input ]] || { echo "$input:"; base64 "$input"; }
	done
	return 1
}

# damaged FILE EXPECTED: one line on stderr, and a failure.
damaged() {
	local line status
	line=$("$replay" replay --network 10.0.0.0/8 "$1" 2>&1 >/dev/null)
	status=$?
	matches "$2" "$line" && equal 1 "$(wc -l <<<"$line")" && ((status != 0))
}

if ! directory=$(tests/fuzz/captures); then
	it "has the captures of Debian's tcpdump" false
	it_ends
fi
mapfile -t files < <(find "$directory" -name '*.pcap' -o -name '*.pcapng' | sort)
if [[ -d $more ]]; then
	mapfile -O "${#files[@]}" -t files < <(find "$more" -name '*.pcap' -o -name '*.pcapng' | sort)
else
	skip "compares the captures of $more too" 'there is no such directory'
fi

it 'builds the fuzzer of the parser' tests/fuzz/build parse "$work/fuzz"
it 'keeps its promises for every input that broke one before' fuzz
it "keeps its promises for $seconds s of fuzzed packets" fuzz_on

tests/fuzz/compare "$records" tests/parser-disagreements.tsv "$cache/tshark" "${files[@]}" ||
	it_failed=1

head -c 1000 "$directory/QinQpacket.pcap" >"$work/cut.pcap"
it 'names file and packet where a capture is cut short' \
	damaged "$work/cut.pcap" "^$work/cut\.pcap: packet 5: truncated dump file"
head -c 20 "$directory/QinQpacket.pcap" >"$work/header.pcap"
it 'names the file whose header is cut short' \
	damaged "$work/header.pcap" "^$work/header\.pcap: truncated dump file"
echo 'no capture at all, but a line of text' >"$work/text.pcap"
it 'names the file that is no capture' \
	damaged "$work/text.pcap" "^$work/text\.pcap: unknown file format"
it_ends
