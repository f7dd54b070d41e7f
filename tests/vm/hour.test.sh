#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
# not on debug kernels: an hour takes half a day there
# boot: --icount --timeout 3600 --memory 2048
# What a live collectd, as it comes, says after an hour of learning: of a speed
# test, backup, download and video call nothing, of a flood by a million
# spoofed sources one thing. The machine's clock runs as fast as it finds
# something to do, so that the hour takes minutes.
. tests/vm/it.sh
. tests/vm/lab.sh
. tests/vm/traffic.sh
. tests/vm/collectd.sh
spoofed=1048576

insmod "$IPTRK_MODULE" || exit 1
lab_up || exit 1
mkdir /run/mail
tests/smtp-sink --port "$mail_port" --directory /run/mail >/run/smtp-sink.log 2>&1 &
{
	gateway_config
	cat <<-END
		[mail]
		to = ["sysop@example.net"]
		from = "iptrk@gw.example.net"
		server = "127.0.0.1"
		port = $mail_port
		spool = "/run/mail-spool"
		group = 5
	END
} | collectd_config
collectd_start || exit 1

incidents() {
	iptrk incidents --json --since 3h | jq_py '[(i["kind"], i["subject"]) for i in d["incidents"]]'
}
mails() {
	find /run/mail -name '*.eml' | wc -l
}

# --- an hour as any other
hour_end=$(($(date +%s) + 3600))
in_ns outside /usr/bin/python3 tests/vm/ledger/bursts 1 10.1.0.10 10.1.0.54 10.1.0.216 &
bursts=$!
while (($(date +%s) < hour_end)); do
	traffic_web 1
	traffic_dns 20
	traffic_udp 5
	sleep 50
done >/dev/null
kill $bursts
slot_written
it 'has learnt what is usual' at_least 1 "$(ledger 'SELECT length(learnt) FROM baseline')"
it 'says nothing of an hour as any other' equal '[]' "$(incidents)"

# --- what is unusual, and none of our business
say 'speed test: four connections at once, each way'
in_ns outside iperf3 -c 10.1.0.54 -p 5201 -t 10 -P 4 >/dev/null
in_ns outside iperf3 -c 10.1.0.54 -p 5201 -t 10 -P 4 -R >/dev/null
traffic_backup 200
say 'download: 80 MB from a server of the world'
in_ns client curl -s http://44.1.2.80/{big,big,big,big,big}{,,,} >/dev/null
say 'a video call: 4 Mbit/s each way'
in_ns outside iperf3 -c 10.1.0.54 -p 5202 -u --bidir -b 4M -l 1100 -t 60 >/dev/null
slot_written
it 'says nothing of a speed test, backup, download and call' equal '[]' "$(incidents)"
it 'has mailed nobody' equal 0 "$(mails)"

# --- a datagram of each source in 44.16.0.0/12
memory() {
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$collectd_pid/status"
}
before=$(memory VmRSS)
unread=$(ledger 'SELECT sum(unattributed_bytes) + sum(merged_bytes) FROM books')
packets=$(books wan0 received recorded packets)
say 'a flood, at which somebody looks'
iptrk top --once --json --seconds 20 >/run/top.json &
console=$!
sleep 1
traffic_pktgen "count $spoofed" 'pkt_size 60' 'ratep 100000' 'dst 10.1.0.54' 'udp_dst_min 9' 'udp_dst_max 9' \
	'src_min 44.16.0.0' 'src_max 44.31.255.255'
wait $console
slot_written
grown=$(($(memory VmHWM) - before))
say "collectd: $before KiB before, $grown KiB more at most"
it 'has a record of every datagram' at_least $spoofed $(($(books wan0 received recorded packets) - packets))
it 'gave up none of them unread' equal "$unread" "$(ledger 'SELECT sum(unattributed_bytes) + sum(merged_bytes) FROM books')"
it 'shows each of them on the console' at_least $spoofed \
	"$(jq_py 'd["directions"]["total"]["in"]["packets"]' </run/top.json)"
it 'needs at most 64 MiB for a million sources' at_least $grown 65536
wait_for 'iptrk incidents --json --since 3h | grep -q cleared' 180
sleep 60
it 'tells of one incident' equal "[('udp-flood', '10.1.0.54')]" "$(incidents)"
it 'mails of it' at_least 1 "$(mails)"
it 'mails at most three times' at_least "$(mails)" 3
cp -r /run/mail /run/collectd.log /run/out/
iptrk incidents --json --since 3h >/run/out/incidents.json

collectd_kill TERM
it_ends
