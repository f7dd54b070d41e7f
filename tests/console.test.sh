#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iptrk top and iptrk stream in a terminal of their own, with a capture instead
# of a kernel: tests/console.test.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

iptrk=$PWD/build/tools/iptrk
work=$(mktemp -d)
export TZ=UTC
# shellcheck source=tests/vm/terminal.sh
. tests/vm/terminal.sh
trap 'tmux_ kill-server 2>/dev/null; rm -rf "$work"' EXIT

# 20 s of TCP to ten own hosts, the last of them with most.
python3 - "$work/traffic.pcap" <<-'END'
	import struct, sys
	with open(sys.argv[1], "wb") as file:
	    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
	    for tick in range(200):
	        for host in range(1, 11):
	            size = 100 + 100 * host
	            ip = struct.pack(">BBHHHBBH4B4B", 0x45, 0, size - 14, 0, 0, 64, 6, 0,
	                             192, 0, 2, host, 10, 1, 0, host)
	            tcp = struct.pack(">HHIIBBHHH", 40000 + host, 443, 0, 0, 0x50, 0x18, 0, 0, 0)
	            frame = bytes(12) + b"\x08\0" + ip + tcp
	            file.write(struct.pack("<IIII", 1790000000 + tick // 10, tick % 10 * 100000,
	                                   len(frame), size) + frame)
END
bytes=$((200 * (10 * 100 + 100 * 55)))

cat >"$work/iptrk.toml" <<-END
	[networks.lan]
	prefixes = ["10.1.0.0/24"]
END

top() {
	"$iptrk" -c "$work/iptrk.toml" top --replay "$work/traffic.pcap" "$@"
}
stream() {
	"$iptrk" -c "$work/iptrk.toml" stream --replay "$work/traffic.pcap" --speed 0 "$@"
}
jq_py() {
	python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"
}

# --- without a terminal
it 'adds a capture up to its last byte' equal "$bytes" \
	"$(top --once --json | jq_py "d['directions']['total']['in']['bytes']")"
it 'adds the services up to the same' equal "$bytes" \
	"$(top --once --json | jq_py "sum(s['in']['bytes'] for s in d['services']['total'].values())")"
it 'adds the hosts up to the same' equal "$bytes" \
	"$(top --once --json | jq_py "sum(h['total']['in_tcp']['bytes'] for h in d['hosts'])")"
it 'takes what follows a network for a capture' equal $((2 * bytes)) \
	"$("$iptrk" -c "$work/iptrk.toml" replay --network 10.1.0.0/24 "$work/traffic.pcap" "$work/traffic.pcap" --json |
		jq_py "sum(v['bytes'] for v in [d['directions']['in']])")"
it 'counts only what the filter lets pass' equal $((200 * 1100)) \
	"$(top --once --json --filter 'dst host 10.1.0.10' | jq_py "d['directions']['total']['in']['bytes']")"
it 'streams a line for each packet' equal 2000 "$(stream --text | wc -l)"
it 'streams JSON' equal "$bytes" \
	"$(stream --json | python3 -c 'import json, sys; print(sum(json.loads(l)["bytes"] for l in sys.stdin))')"
it 'ends with the reader of its pipe' equal 3 "$(stream | head -n 3 | wc -l)"
it 'says that the disk is full' equal '1 iptrk stream: standard output: No space left on device' \
	"$(stream 2>"$work/said" >/dev/full; echo "$? $(<"$work/said")")"
it 'says so at the end, too' equal '1 iptrk: standard output: No space left on device' \
	"$(top --once 2>"$work/said" >/dev/full; echo "$? $(<"$work/said")")"
it 'points at the word of a filter that is wrong' matches $'^--filter:\ntcp prt 80\n    \\^\\^\\^\nnot known' \
	"$(top --once --filter 'tcp prt 80' 2>&1)"
it 'says that a screen needs a terminal' matches 'no terminal; for scripts' "$(top 2>&1 </dev/null)"
if [[ ! -e /dev/iptrk ]]; then
	it 'says what to do when the module is not loaded' matches 'modprobe iptrk' \
		"$("$iptrk" -c "$work/iptrk.toml" top --once 2>&1)"
fi

# --- a capture that ends in the middle of its 1500th packet
damaged=(-c "$work/iptrk.toml" top --replay "$work/damaged.pcap")
head -c $((24 + 1500 * (16 + 54) - 1)) "$work/traffic.pcap" >"$work/damaged.pcap"
it 'counts what can be read of a damaged capture' equal 1499 \
	"$("$iptrk" "${damaged[@]}" --once --json 2>/dev/null | jq_py "d['directions']['total']['all']['packets']")"
it 'says what is wrong with it' complains 1 'packet 1500: ' "$iptrk" "${damaged[@]}" --once
it 'streams what can be read of it' equal 1499 \
	"$("$iptrk" -c "$work/iptrk.toml" stream --speed 0 --replay "$work/damaged.pcap" 2>/dev/null | wc -l)"

# --- a pause, a packet of the next century, and one from before it
python3 - "$work" <<-'END'
	import struct, sys
	data = open(sys.argv[1] + "/traffic.pcap", "rb").read()
	packet = data[24 + 8:24 + 16 + 54]
	with open(sys.argv[1] + "/times.pcap", "wb") as file:
	    file.write(data)
	    for second, fraction in [(1790090000, 0), (0xffffffff, 0xffffffff), (1790000030, 0)]:
	        file.write(struct.pack("<II", second, fraction) + packet)
END
it 'skips the years before a damaged time' equal 2003 \
	"$(timeout 10 "$iptrk" -c "$work/iptrk.toml" top --replay "$work/times.pcap" --once --json |
		jq_py "d['directions']['total']['all']['packets']")"
it 'streams beyond a damaged time' equal 2003 \
	"$(timeout 10 "$iptrk" -c "$work/iptrk.toml" stream --speed 0 --replay "$work/times.pcap" | wc -l)"

# --- in a terminal
command="$iptrk -c $work/iptrk.toml top --replay $work/traffic.pcap"

started 120 40 "$command"
it 'shows hosts' shows '^10\.1\.0\.10 '
it 'shows the services below' shows '^total '
press s
it 'changes to what was sent' shows 'host, sent'
press r t
it 'changes the period' shows '1 min, bit/s'
press u
it 'changes the unit' shows '1 min, bytes/s'
press Enter
it 'opens the host on top' shows '^10\.1\.0\.10 \(lan\)'
it 'says who is doing it' shows '^192\.0\.2\.10 .*443'
press Escape
it 'goes back' shows 'host, received'
press 2
it 'streams packets' shows '192\.0\.2\.[0-9]+:[0-9]+ → 10\.1\.0'
press 3
it 'shows the addresses of the network' shows 'lan 10\.1\.0\.0/24'
press '?'
it 'explains itself' shows 'A filter:'
press x 1 / '10.1.0.3' Enter
it 'searches' shows '^10\.1\.0\.3 '
press Escape f 'prt' Enter
it 'says what is wrong with a filter' shows 'not known; known are'
press C-h C-h C-h 'host 10.1.0.4' Enter
it 'filters' shows 'filter: host 10\.1\.0\.4'
press Space
it 'pauses' shows 'PAUSED'
press Space
for size in '80 24' '200 60' '40 12' '20 5' '100 30' '81 25'; do
	read -r width height <<<"$size"
	tmux_ resize-window -x "$width" -y "$height"
done
resize 120 40
it 'survives a storm of resizes' shows 'filter: host'
press q
it 'leaves the terminal as it was' sane
it 'ends with 0' equal 'status 0' "$(cat "$work/status")"
it 'leaves a summary' shows '^traffic\.pcap: [0-9]+ s, in [0-9.]+k?B'

for signal in TERM INT; do
	started 80 24 "$command"
	shows '^10\.1\.0\.10 ' >/dev/null
	kill -s "$signal" "$(program_pid)"
	it "leaves the terminal as it was after SIG$signal" sane
done
started 80 24 "$command"
shows '^10\.1\.0\.10 ' >/dev/null
pid=$(program_pid)
tmux_ kill-session
it 'ends when its terminal hangs up' gone "$pid"
started 80 24 "$command --ascii"
it 'draws with ASCII alone' shows '^bit/s -*'
press q
it 'ends' sane
it_ends
