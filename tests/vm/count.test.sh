#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# From the frame to the RRD, to the byte, with a real collectd.
. tests/vm/it.sh
. tests/vm/lab.sh
. tests/vm/collectd.sh

# Captures of real attacks, when somebody has them: IPTRK_CAPTURES or a folder
# beside the repository.
captures=${IPTRK_CAPTURES:-../shared/captures}

insmod "$IPTRK_MODULE" || exit 1
if dmesg | grep -q 'iptrk: this kernel has no egress hook'; then
	skip 'counts both ways, from the frame to the RRD' 'this kernel has no egress hook'
	rmmod iptrk
	it_ends
fi
lab_up || exit 1
{
	gateway_config
	cat <<-END
		[networks.target]
		prefixes = ["10.10.10.0/24", "64.13.134.0/24"]
		[customers.client]
		prefixes = ["10.1.0.80/32", "2001:db8:1::80/128"]
		[detect.packets]
		limit = 1000000
	END
} | collectd_config
collectd_start || exit 1

# What the reader was given, summed over everything it wrote.
accounted() {
	rrd_total iptrk-all/iptrk_network.rrd "in$1+out$1+internal$1+martian$1"
}

# recorded packets|bytes: what the kernel gave it, over all interfaces.
recorded() {
	iptrk_status | jq_py "sum(i[d_][c]['$1'] for i in d['interfaces'] for d_ in ('received', 'sent') for c in ('recorded', 'merged', 'unattributed'))"
}

books_balance() {
	iptrk_status | jq_py "[(i['name'], d_, i[d_]['unseen']) for i in d['interfaces'] for d_ in ('received', 'sent') if not i[d_]['balanced']]"
}

seen_once() {
	iptrk_status | jq_py "all(i[d_]['seen'][u] == sum(i[d_][c][u] for c in ('recorded', 'merged', 'unattributed', 'elsewhere')) for i in d['interfaces'] for d_ in ('received', 'sent') for u in ('packets', 'bytes'))"
}

# --- traffic of several kinds, through GRO and GSO as they come
in_ns client ping -q -c 20 -i 0.05 44.1.2.10 >/dev/null
in_ns client ping -q -c 5 -i 0.05 -s 4000 44.1.2.10 >/dev/null
in_ns client ping -6 -q -c 5 -i 0.05 2001:db8:2::10 >/dev/null
in_ns client curl -s http://44.1.2.80/big -o /dev/null
in_ns outside curl -s http://10.1.0.10/big -o /dev/null
in_ns outside iperf3 -c 10.1.0.54 -p 5201 -u -b 5M -t 2 >/dev/null
in_ns outside iperf3 -c 10.1.0.54 -p 5202 -t 2 >/dev/null
lab_settle
slot_written

it 'sees every frame and byte the interfaces count' equal '[]' "$(books_balance)"
it 'puts every frame into exactly one class' equal True "$(seen_once)"
it 'gives the reader every byte it recorded' equal "$(recorded bytes)" "$(accounted '')"
it 'gives the reader every packet it recorded' equal "$(recorded packets)" "$(accounted _packets)"
it 'keeps every byte and packet in the ledger' equal "$(recorded bytes) $(recorded packets)" \
	"$(ledger_total bytes) $(ledger_total packets)"
it 'keeps the books in the ledger' equal \
	"$(books wan0 received seen bytes) 0" \
	"$(ledger "SELECT sum(seen_bytes), sum(nic_bytes - seen_bytes) FROM books JOIN interface ON id = interface WHERE name = 'wan0' AND NOT sent")"
it "keeps a customer's bytes" equal \
	"$(($(rrd_total iptrk-lan/iptrk_host-10.1.0.80.rrd out_tcp+out_udp+out_other) + $(rrd_total iptrk-lan/iptrk_host-2001_db8_1__80.rrd out_tcp+out_udp+out_other)))" \
	"$(ledger "SELECT sum(out_bytes) FROM customer_slot JOIN customer ON id = customer WHERE name = 'client'")"
it 'counts what it forwards once' equal "$(books lan0 sent elsewhere packets)" \
	"$(($(books lan0 sent seen packets) - $(books lan0 sent recorded packets)))"
it 'counts twenty pings of 98 bytes, five of three fragments and no more' equal \
	$((20 * 98 + 5 * (1514 + 1514 + 4008 - 2 * 1480 + 34))) \
	"$(rrd_total iptrk-lan/iptrk_host-10.1.0.80.rrd out_other)"
it 'counts IPv6 hosts by their address' equal $((5 * 118)) \
	"$(rrd_total iptrk-lan/iptrk_host-2001_db8_1__80.rrd out_other)"

# --- captures of attacks
victim_total() {
	rrd_total "iptrk-target/iptrk_host-$1.rrd" in_tcp+in_udp+in_other+out_tcp+out_udp+out_other
}

replay_exactly() {
	local capture=$1 victim=$2 file packets bytes before
	file=$captures/$capture
	packets=$(capinfos -M -c "$file" | awk '/Number of packets/ { print $NF }')
	bytes=$(capinfos -M -d "$file" | awk '/Data size/ { print $(NF - 1) }')
	it "replays $capture offline to capinfos' totals" equal "$packets $bytes" \
		"$(iptrk replay --json "$file" | jq_py "str(d['packets']) + ' ' + str(d['bytes'])")"
	before=$(victim_total "$victim" 2>/dev/null || echo 0)
	in_ns outside tcpreplay -q --pps 4000 -i out0 "$file" >/dev/null 2>&1
	slot_written
	it "counts $capture for $victim to the byte, live (layer 2)" equal "$bytes" \
		$(($(victim_total "$victim") - before))
}

if [[ -d $captures ]]; then
	replay_exactly synscan.pcap 64.13.134.52
	replay_exactly amp.UDP.isakmp.pcap 10.10.10.10
	replay_exactly pkt.TCP.synflood.spoofed.pcap 10.10.10.10
else
	skip 'replays captures of attacks to the byte' "no $captures"
fi

# --- a reader that dies; the next one's disk is slow, so that values wait for it
collectd_kill KILL
in_ns client ping -q -c 30 -i 0.05 44.1.2.10 >/dev/null
sed -i 's/CacheTimeout 0/&\nWritesPerSecond 8/' /run/collectd.conf
collectd_start
slot_written
wait_for '[[ $(rrd_last iptrk-interface-wan0/iptrk_books-sent.rrd) -ge $(rrd_last iptrk-all/iptrk_network.rrd) ]]' 60
it 'loses no packet while collectd is dead, and counts none twice' equal \
	"$(recorded packets) $(recorded bytes)" "$(accounted _packets) $(accounted '')"
it 'nor does its ledger' equal "$(recorded packets) $(recorded bytes)" \
	"$(ledger_total packets) $(ledger_total bytes)"

# seen_by received|sent: by RRDs and ledger.
seen_by() {
	printf '%s %s\n' "$(rrd_total "iptrk-interface-wan0/iptrk_books-$1.rrd" seen)" \
		"$(ledger "SELECT sum(seen_bytes) FROM books JOIN interface ON id = interface WHERE name = 'wan0' AND sent = ('$1' = 'sent')")"
}
for way in received sent; do
	seen=$(books wan0 $way seen bytes)
	it "nor do the books of what is $way, in RRDs and ledger" equal "$seen $seen" "$(seen_by $way)"
done

# --- one that dies before its ledger, which somebody has locked, has its slots
sed -i /WritesPerSecond/d /run/collectd.conf
collectd_kill TERM
collectd_start
slot_written
/usr/bin/python3 -c 'import sqlite3, sys, time
ledger = sqlite3.connect(sys.argv[1])
ledger.execute("BEGIN IMMEDIATE")
time.sleep(600)' "$ledger" &
locked=$!
sleep 2
in_ns client ping -q -c 30 -i 0.05 -s 1000 44.1.2.10 >/dev/null
slot_written
collectd_kill KILL
kill $locked
collectd_start
slot_written
for way in received sent; do
	seen=$(books wan0 $way seen bytes)
	it "nor when the ledger was locked, of what is $way" equal "$seen $seen" "$(seen_by $way)"
done

# --- names are bytes to the kernel
collectd_kill TERM
sed -i 's/"lan0"\]/"lan0", "odd*"]/' /run/iptrk.toml
ip link add $'odd\xff' up type dummy
ip neigh add 44.9.9.2 lladdr 02:00:00:00:00:09 dev $'odd\xff'
ip route add 44.9.9.2 dev $'odd\xff'
collectd_start
in_ns client ping -q -c 3 -W 1 -i 0.05 44.9.9.2 >/dev/null
slot_written
it 'goes on with an interface whose name is no UTF-8' equal \
	"$(recorded packets) $(recorded bytes) 6F6464FF" \
	"$(accounted _packets) $(accounted '') $(ledger "SELECT hex(name) FROM interface WHERE name LIKE 'odd%'")"
ip link del $'odd\xff'

it 'still balances after all that' equal '[]' "$(books_balance)"
collectd_kill TERM
it 'unloads when collectd is gone' rmmod iptrk
it_ends
