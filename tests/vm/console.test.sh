#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the console shows against iperf3's own report and the interfaces' books.
. tests/vm/it.sh
. tests/vm/lab.sh
. tests/vm/traffic.sh
work=/run
. tests/vm/terminal.sh

iptrk=$PWD/build/tools/iptrk
jq_py() {
	python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"
}

it 'says what to do when the module is not loaded' matches 'modprobe iptrk' \
	"$("$iptrk" top --once 2>&1)"
insmod "$IPTRK_MODULE" || exit 1
lab_up || exit 1
cat >/run/iptrk.toml <<-END
	[queue]
	interfaces = ["wan0", "lan0"]
	[networks.lan]
	prefixes = ["10.1.0.0/24", "2001:db8:1::/64"]
	# An emulated machine that shares its CPU sends no thousand SYNs a second.
	[detect.syn-flood]
	hosts = { "10.1.0.216" = $((200 / patience)) }
END
top() {
	"$iptrk" -c /run/iptrk.toml top "$@"
}
it 'says which interfaces there are when none matches' matches 'no interface matches .*wan0' \
	"$(top --once --interface nosuch 2>&1)"

# A console that looks for so many seconds, from now on.
watch_for() {
	"$iptrk" -c /run/iptrk.toml top --once --json --seconds "$1" >"$2" &
	console=$!
	wait_for "ls -l /proc/$console/fd | grep -q iptrk" 10
}

# The wire carries 42 bytes more than each of iperf3's datagrams of 1200, and the
# four bytes of its greeting.
watch_for $((12 + 10 * patience)) /run/top.json
in_ns outside iperf3 -c 10.1.0.54 -p 5201 -u -b 2M -l 1200 -t 8 --json >/run/iperf.json
it 'looked for longer than iperf3 ran' test -e "/proc/$console"
wait "$console"
it "shows each datagram that iperf3 reports, and its bytes on the wire" equal \
	"$(jq_py "(lambda n: (n + 1, 1242 * n + 46))(d['end']['sum']['packets'])" </run/iperf.json)" \
	"$(jq_py "[(u['packets'], u['bytes']) for h in d['hosts'] if h['address'] == '10.1.0.54' for u in [h['total']['in_udp']]][0]" </run/top.json)"

# --- everything that passes while it looks, and nothing behind it
watch_for $((12 * patience)) /run/books.json
in_ns outside ping -q -c 20 -i 0.05 -s 1000 10.1.0.10 >/dev/null
in_ns client curl -s http://44.1.2.80/big -o /dev/null
wait "$console"
books=$(jq_py "sum(i[d_][c]['bytes'] for i in d['interfaces'] for d_ in ('received', 'sent') for c in ('recorded', 'merged', 'unattributed'))" </run/books.json)
it 'counts something' at_least 4000000 "$books"
it 'shows in all what the books say' equal "$books" "$(jq_py "d['directions']['total']['all']['bytes']" </run/books.json)"
it 'shows in the services what the books say' equal "$books" \
	"$(jq_py "sum(v['bytes'] for s in d['services']['total'].values() for v in s.values()) + d['directions']['total']['unattributed']['bytes']" </run/books.json)"
it 'shows in the hosts what came in' equal \
	"$(jq_py "d['directions']['total']['in']['bytes']" </run/books.json)" \
	"$(jq_py "sum(h['total'][k]['bytes'] for h in d['hosts'] for k in ('in_tcp', 'in_udp', 'in_other'))" </run/books.json)"

# --- on a terminal, each key, while real programs talk
busy() {
	while :; do
		traffic_web 1
		traffic_dns 30
		traffic_udp 2
		traffic_tcp 1
		traffic_backup 2
	done
} &>/dev/null
busy &
busy=$!
in_ns idle ping -q -i 0.1 44.1.2.10 >/dev/null &
ping=$!
# Of each, for whoever wants to see them.
keep() {
	tmux_ capture-pane -e -p >"/run/out/$1.screen"
}
started 80 24 "$iptrk -c /run/iptrk.toml top"
it 'shows hosts' shows '^10\.1\.0\.(10|26|54|80|103) '
it 'shows the services below' shows '^total '
for size in '80 24' '120 40' '200 60'; do
	# shellcheck disable=SC2086 # two words
	resize $size
	press 1
	it "shows hosts on $size" shows 'host, received'
	sleep 3
	keep "hosts-${size/ /x}"
	press Enter
	it "shows the peers of one on $size" shows '^(44\.1\.2\.|10\.1\.0\.|2001:db8:).*%'
	sleep 1
	keep "host-${size/ /x}"
	press 2
	it "streams packets on $size" shows '10\.1\.0\.[0-9]+(:[0-9]+)? → '
	keep "stream-${size/ /x}"
	press 3
	it "shows a network's addresses on $size" shows 'lan 10\.1\.0\.0/24'
	sleep 1
	keep "bars-${size/ /x}"
	press '?'
	it "explains itself on $size" shows 'any key goes back'
	keep "help-${size/ /x}"
	press x
done
press 1
resize 120 40
# What a key must lead to, one after the other.
while read -r key regex; do
	press "$key"
	it "takes $key" shows "$regex"
done <<-'END'
	s host,.sent
	r host,.received
	t 1.min,
	t since
	t now,
	u bytes/s
	u packets/s
	u bit/s
	> ▼|▾|↓|v
	n lan
	Space PAUSED
END
press Space
attack_flood $((20 * patience)) >/dev/null &
it 'shows who is hit' shows '^10\.1\.0\.216 '
it 'says what detection says' shows 'syn-flood|packets'
keep incident
wait $!
for theme in light blind mono dark; do
	press c
	sleep 1
	keep "theme-$theme"
done
for size in '200 60' '40 12' '20 5' '100 30' '81 25' '300 100' '120 40' '80 24'; do
	# shellcheck disable=SC2086 # two words
	resize $size
done
it 'survives a storm of resizes' shows 'host, received'
press q
it 'leaves the terminal as it was' sane
started 120 40 "$iptrk -c /run/iptrk.toml top"
shows 'host, received'
pid=$(program_pid)
tmux_ kill-session
it 'ends when its terminal hangs up' gone "$pid"
kill $busy $ping
it 'leaves no queue behind' rmmod iptrk
it_ends
