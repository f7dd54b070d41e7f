#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the documents say is so: tests/docs.test.sh
#
# Manual pages against --help and the JSON that commands print, what README and
# its like name against what is there, the printed configurations and program,
# and the completion for bash.
# Most functions are called by it.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

iptrk=$PWD/build/tools/iptrk
fill=build/tests/unit/ledger_fill
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset IPTRK_TEMPLATES

# Two frames, of which one is of the host and one is not IP.
capture() {
	python3 - "$work/two.pcap" <<-'END'
		import struct, sys
		def frame(kind, payload):
		    bytes = b'\2\0\0\0\0\1\2\0\0\0\0\2' + kind + payload
		    return struct.pack('<IIII', 1790812800, 0, len(bytes), len(bytes)) + bytes
		udp = struct.pack('>HHHH', 1234, 53, 8, 0)
		ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 28, 1, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([10, 1, 0, 1]))
		with open(sys.argv[1], 'wb') as file:
		    file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
		    file.write(frame(b'\x08\x00', ip + udp) + frame(b'\x08\x06', bytes(28)))
	END
}

# Ten seconds of a flood, for the names of an incident.
flood() {
	python3 - "$work/flood.pcap" <<-'END'
		import struct, sys
		with open(sys.argv[1], 'wb') as file:
		    file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
		    for i in range(20000):
		        ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 40, 1, 0, 64, 6, 0, struct.pack('>I', 0xc6336400 + i % 7), bytes([10, 1, 0, 1]))
		        tcp = struct.pack('>HHIIBBHHH', 1024 + i, 80, 0, 0, 0x50, 2, 0, 0, 0)
		        frame = b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00' + ip + tcp
		        file.write(struct.pack('<IIII', 1790812800 + i // 2000, i % 2000 * 500, len(frame), len(frame)) + frame)
	END
}

ledger() {
	local slot
	cat >"$work/iptrk.toml" <<-END
		[networks.lan]
		prefixes = ["10.1.0.0/24"]
		[customers.acme]
		prefixes = ["10.1.0.0/28"]
		[ledger]
		path = "$work/ledger.sqlite"
	END
	for ((slot = 1; slot <= 100; slot++)); do
		printf 'slot %d 300 300 0\ncustomer acme %d %d\n' $((1790812800 + slot * 300)) $((slot * 1000)) "$slot"
	done | "$fill" "$work/ledger.sqlite"
}

# printed PAGE CHECK COMMAND...: what the command prints has only what the page says.
printed() {
	local page=$1 check=$2
	shift 2
	"$iptrk" -c "$work/iptrk.toml" "$@" >"$work/output"
	[[ -s $work/output ]] && tests/docs-check "$check" "doc/$page.1.scd" <"$work/output"
}

report() {
	printed iptrk-report "$1" report --from 2026-10-01 --to 2026-10-01T08:20 "${@:2}"
}

an_incident() {
	[[ $("$iptrk" replay --json --network 10.1.0.0/24 "$work/flood.pcap" | grep -c '"kind": "syn-flood"') == 1 ]] &&
		printed iptrk-replay keys replay --json --network 10.1.0.0/24 "$work/flood.pcap"
}

program() {
	scdoc <doc/iptrk.4.scd >"$work/iptrk.4" &&
		tests/docs-check example "$work/iptrk.4" "$work/example.c" &&
		cc -Wall -Wextra -Wpedantic -Werror -I kernel/uapi -o "$work/example" "$work/example.c"
}

# completed WORD...: what the completion offers for the last word.
completed() {
	PATH=${iptrk%/*}:$PATH bash -c '
		. packaging/completion/iptrk.bash
		compopt() { :; }
		COMP_WORDS=(iptrk "$@") COMP_CWORD=$#
		_iptrk
		printf "%s\n" "${COMPREPLY[@]}"' completed "$@" | sort -u
}

# help_has PATTERN COMMAND...: what --help lists.
help_has() {
	"$iptrk" "${@:2}" --help | sed -nE "s/$1/\\1/p" | sort -u
}

completion() {
	local command
	equal "$(help_has '^  ([a-z]+) .*')" "$(completed '')" || return
	equal "$(help_has '^  ([a-z]+) .*' incidents)" "$(completed incidents '')" || return
	for command in $(completed '') 'incidents silence' 'incidents acknowledge'; do
		# shellcheck disable=SC2086 # two words
		equal "$(help_has '^  [-hc,]*(--[a-z-]+).*' $command)" "$(completed $command --)" || return
	done
	equal status "$(completed stat)" && equal --month "$(completed report --mo)"
}

ledger && capture && flood
it 'has a manual page for each command, with all of its options and no other' tests/docs-check options "$iptrk"
it 'names no file, page, command or option that is not there' tests/docs-check names "$iptrk"
it 'prints only configurations that iptrk check takes' tests/docs-check configurations "$iptrk"
it 'explains each key of iptrk replay --json' printed iptrk-replay keys replay --json --network 10.1.0.0/24 "$work/two.pcap"
it 'explains each key of an incident' an_incident
it 'explains each key of iptrk top --json' \
	printed iptrk-top keys top --once --json --replay "$work/flood.pcap" --speed 0 --network 10.1.0.0/24
it 'explains each key of iptrk stream --json' \
	printed iptrk-stream keys stream --json --count 1 --replay "$work/two.pcap" --speed 0 --network 10.1.0.0/24
it 'explains each key of iptrk report --json' report keys --json --audit --all-conventions
it 'explains each column of the bills as CSV' report columns --format csv
it 'explains each column of their audit' report columns --format csv --audit
if type scdoc groff cc >/dev/null; then
	for page in doc/*.scd; do
		it "makes the manual page $(basename "$page" .scd) without a warning of man" \
			sh -c 'scdoc <"$1" >"$2" && ! LC_ALL=C.UTF-8 groff -Tutf8 -man -ww "$2" 2>&1 >/dev/null | grep .' - "$page" "$work/page"
	done
	it 'prints a program that compiles' program
else
	skip 'makes the manual pages, and a program that compiles' 'needs scdoc, groff and cc'
fi
it 'completes each command and option' completion
it_ends
