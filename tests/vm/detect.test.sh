#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
# not on debug kernels: its attacks are sent at the speed of kernels that people have
# boot: --timeout 1800 --memory 2048
# Attacks by the tools that are used for them, normal traffic by real programs:
# what a live collectd tells of them, how soon, and whether a replay of what
# passed says the same.
#
# Limits that this machine can't exceed are lower; so are the times that silent
# and mirror-lost learn for. Everything else is as it comes.
. tests/vm/it.sh
. tests/vm/lab.sh
. tests/vm/traffic.sh
. tests/vm/collectd.sh

insmod "$IPTRK_MODULE" || exit 1
lab_up || exit 1
{
	gateway_config
	cat <<-END
		[detect.packets]
		hosts = { "10.1.0.152" = 300 }
		[detect.volume]
		hosts = { "10.1.0.151" = 2000000 }
		[detect.udp-flood]
		hosts = { "10.1.0.54" = 200 }
		[detect.fragment-flood]
		hosts = { "10.1.0.10" = 200 }
		[detect.hammering]
		hosts = { "10.1.0.150" = 200 }
		[detect.syn-flood]
		hosts = { "10.1.0.216" = 200 }
		[detect.carpet]
		limit = 150
		[detect.silent]
		limit = 20
		learn = 60
		[detect.mirror-lost]
		learn = 60
	END
} | collectd_config
collectd_start || exit 1

# What passes outside, for the replay.
dumpcap -q -i wan0 -s 128 -B 64 -w /run/wan0.pcap -P 2>/run/dumpcap.log &
dumpcap=$!
wait_for '[[ -s /run/wan0.pcap ]]' 60 || { cat /run/dumpcap.log; exit 1; }

# Who is always there: it sends, and is sent to.
in_ns idle ping -q -i 0.2 44.1.2.10 >/dev/null &
steady=($!)
in_ns outside ping -q -i 0.2 -I 44.1.2.11 10.1.0.103 >/dev/null &
steady+=($!)

incidents() {
	iptrk incidents --json --since 2h
}

# --- normal: speed test, backup, download, names, a call of both sides
traffic_web 2
traffic_dns 100
traffic_tcp 5
in_ns outside iperf3 -c 10.1.0.54 -p 5201 -t 4 -P 4 >/dev/null
in_ns outside iperf3 -c 10.1.0.54 -p 5202 -t 4 -R >/dev/null
in_ns client curl -s http://44.1.2.80/big -o /dev/null
traffic_backup 20
in_ns outside iperf3 -c 10.1.0.54 -p 5202 -u --bidir -b 1500k -l 1000 -t 8 >/dev/null
slot_written
it 'raises nothing in a speed test, backup, download, names and a call' equal '[]' \
	"$(incidents | jq_py '[(i["kind"], i["subject"]) for i in d["incidents"]]')"

# attack NAME SECONDS COMMAND...: from outside; keeps when it began.
declare -A began
attack() {
	say "$1: ${*:3}"
	began[$1]=$(date +%s.%N)
	# timeout's status says that the time was up, as it should be.
	in_ns outside timeout $(($2 * patience)) "${@:3}" &>/dev/null || true
	sleep 1
}

# What is asked: name, kind, direction, subject, top peer, most seconds from its
# begin. A rate is to be above its limit in 3 of 5 s.
asked=()
ask() {
	asked+=("$*")
}

attack bogon 8 hping3 -q --udp -p 9 -i u4000 -a 240.0.0.7 10.1.0.26
ask bogon martian in bogon 240.0.0.7 8
attack foreign 8 hping3 -q --udp -p 9 -i u4000 -a 44.9.9.9 44.1.2.1
ask foreign martian in foreign - 8
attack syn 8 hping3 -q -S -p 81 --flood -a 44.1.2.66 10.1.0.216
ask syn syn-flood in 10.1.0.216 44.1.2.66 4
attack icmp 8 hping3 -q --icmp --flood -a 44.1.2.66 10.1.0.26
ask icmp icmp-flood in 10.1.0.26 44.1.2.66 4
attack udp 8 hping3 -q --udp -p 9 --flood -a 44.1.2.66 10.1.0.54
ask udp udp-flood in 10.1.0.54 44.1.2.66 4
attack fragment 8 hping3 -q --udp -p 9 -d 1400 -f -m 256 --flood -a 44.1.2.66 10.1.0.10
ask fragment fragment-flood in 10.1.0.10 44.1.2.66 4
attack reflector 8 hping3 -q --udp -s 53 -k -p 33333 -d 400 --flood -a 44.1.2.66 10.1.0.80
ask reflector amplification in 10.1.0.80 44.1.2.66 4
attack hammer 8 hping3 -q -A -p 80 --flood -a 44.1.2.66 10.1.0.150
ask hammer hammering in 10.1.0.150 44.1.2.66 4
attack volume 8 hping3 -q --rawip -H 47 -d 1400 --flood -a 44.1.2.66 10.1.0.151
ask volume volume in 10.1.0.151 44.1.2.66 4
attack ports 60 nmap -sS -Pn -n -S 44.1.2.17 -e out0 --max-retries 1 10.1.0.80
ask ports port-scan in 44.1.2.17 10.1.0.80 6
attack udp-ports 40 nmap -sU -Pn -n -F -S 44.1.2.18 -e out0 --max-retries 0 10.1.0.80
ask udp-ports port-scan in 44.1.2.18 10.1.0.80 20
attack hosts 40 nmap -sn -n -PE -S 44.1.2.19 -e out0 --max-retries 0 10.1.0.0/24
ask hosts host-scan in 44.1.2.19 - 8
attack acks 8 hping3 -q -A -p 80 --flood --rand-source 10.1.0.152
ask acks packets in 10.1.0.152 - 4
# More than five a second for each host: too many for hping3 in here.
began[carpet]=$(date +%s.%N)
traffic_pktgen 'count 24000' 'ratep 3000' 'pkt_size 60' 'udp_dst_min 9' 'udp_dst_max 9' \
	'dst_min 10.1.0.1' 'dst_max 10.1.0.254' 'flag IPSRC_RND' 'src_min 44.16.0.0' 'src_max 44.31.255.255'
sleep 1
ask carpet carpet in 10.1.0.0/24 - 6

# Dropped before any hook: the interface counts what nobody sees.
tc qdisc add dev wan0 clsact &&
	tc filter add dev wan0 ingress protocol ip u32 match ip protocol 17 0xff match ip dport 7777 0xffff action drop || exit 1
attack unseen 42 hping3 -q --udp -p 7777 --flood -a 44.1.2.15 44.1.2.1
tc qdisc delete dev wan0 clsact
ask unseen books in wan0 - 45

# One that is switched off while others still ask for it.
say 'the idle host is switched off'
began[off]=$(date +%s.%N)
ip -n idle link set eth0 down
wait_for 'incidents | grep -q \"silent\"' 90
ask off silent out 10.1.0.103 - 24

# The cables of both sides, as a mirror port that nobody configured any more.
say 'both cables are pulled'
began[mirror]=$(date +%s.%N)
ip -n outside link set out0 down
ip -n inside link set up0 down
wait_for 'incidents | grep -q \"mirror-lost\"' 90
ask mirror mirror-lost in lan - 34
kill "${steady[@]}"
slot_written
# A capture's time goes on with a packet.
ip -n outside link set out0 up
in_ns outside ping -q -c 2 44.1.2.1 >/dev/null
incidents >/run/live.json
kill -INT $dumpcap
wait $dumpcap

# told NAME: the incident as it is to be, or what is wrong with it.
told() {
	/usr/bin/python3 - /run/live.json "${began[$1]}" $((10 * patience)) "$@" <<-'END'
		import datetime, json, sys
		file, began, starting, name, kind, direction, subject, peer, most = sys.argv[1:]
		found = [i for i in json.load(open(file))['incidents'] if (i['kind'], i['direction'], i['subject']) == (kind, direction, subject)]
		if len(found) != 1:
		    sys.exit(f'{len(found)} incidents {kind} {direction} of {subject}')
		one = found[0]
		start, opened = (datetime.datetime.fromisoformat(one[when].replace('Z', '+00:00')).timestamp() for when in ('start', 'opened'))
		# A tool takes a while to start; the rule counts from what it saw.
		# A minute's or a slot's count may have begun before it.
		after = opened - max(start, float(began) // 1)
		if not float(began) - 61 <= start <= float(began) + float(starting):
		    sys.exit(f'began {start - float(began):.1f} s later')
		if after > float(most):
		    sys.exit(f'told after {after:.0f} s, not {most}')
		print(f'{name}: told after {after:.0f} s', file=open('/run/out/told', 'a'))
		first = one['peers'][0]['address'] if one['peers'] else '-'
		if peer not in ('-', first):
		    sys.exit(f'first peer {first}, not {peer}')
		if not (one['rule'] and one['limit'] and one['peak'] >= one['limit'] and one['severity']):
		    sys.exit(f'no rule, limit, peak or severity: {one}')
	END
}

# The whole of it as a list, to compare: kind, direction, subject.
named() {
	jq_py "sorted((i['kind'], i['direction'], i['subject']) for i in d['incidents'])" <"$1"
}

for one in "${asked[@]}"; do
	# shellcheck disable=SC2086 # words
	it "tells of ${one%% *} in time, whom, from whom and by which rule" told $one
done
it 'tells of nothing else' equal "$(printf '%s\n' "${asked[@]}" |
	/usr/bin/python3 -c 'import sys; print(sorted(tuple(line.split()[1:4]) for line in sys.stdin))')" "$(named /run/live.json)"

# A capture has no books.
captured() {
	named /run/live.json | /usr/bin/python3 -c 'print([i for i in eval(input()) if i[0] != "books"])'
}
replayed() {
	iptrk replay --json /run/wan0.pcap 2>/run/replay.log >"$1"
}
replayed /run/replay.json
replayed /run/again.json
it 'names the same incidents in a replay of what passed' equal "$(captured)" "$(named /run/replay.json)"
it 'says the same of it every time' cmp /run/replay.json /run/again.json
cp /run/live.json /run/replay.json /run/dumpcap.log /run/collectd.log /run/out/

collectd_kill TERM
lab_down
rmmod iptrk
it_ends
