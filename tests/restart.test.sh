#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What restarts of collectd lose when a ring is full long before an interval
# ends: nothing. tests/restart.test.sh
#
# 3,000 frames a second for 500 hosts and a queue of the default size, which
# holds 21 seconds of them. IPTRK_RESTART_SECONDS is how long (100).
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
. tests/larger.sh
seconds=${IPTRK_RESTART_SECONDS:-100}
rate=3000 hosts=500 name=restart
larger_begins

reader() {
	{
		printf '%s\n' 'LoadPlugin rrdtool' '<Plugin rrdtool>' "DataDir \"$disk\"" 'CacheTimeout 0' 'RRARows 400' \
			'RRATimespan 24000' '</Plugin>'
		printf '%s\n' "PluginDir \"$build/tests/stand_in\"" 'LoadPlugin slow_stop'
		plugin "$work/iptrk.toml"
	} | daemon $name "$@"
}
# A slot that ended late has a share of the books; the next one has the rest.
in_ledger() {
	[[ $(of_ledger "$name" 'SELECT sum(in_bytes) FROM total') == $((60 * came)) &&
		$(of_ledger "$name" 'SELECT sum(seen_bytes) FROM books') == $((60 * came)) ]]
}
configuration $name "$disk" | sed '/^records/d' >"$work/iptrk.toml"
"$build/tests/stand_in/stand_in_feed" "$queues/$name" 65536 $hosts $rate "$seconds" >"$work/fed" &
feeding=$!
until_true 10 test -e "$queues/$name"
end=$((SECONDS + seconds)) kills=0 stops=0
reader
while ((SECONDS < end)); do
	sleep $((RANDOM % 7 + 2)).$((RANDOM % 10))
	if ((RANDOM % 2)); then
		kill -KILL "$(pid_of $name)"
		until_true 10 eval "! kill -0 $(pid_of $name)"
		kills=$((kills + 1))
	else
		stop $name
		stops=$((stops + 1))
	fi
	rm -f "$work/$name.sock"
	reader
done
wait $feeding
read -r came no_room <"$work/fed"
# Until intervals have ended, and what they gave away is written.
until_true 150 in_ledger
sleep 5
stop $name
printf '  %d kills and %d stops; %d frames\n' $kills $stops "$came"
it 'found room in the queue for every frame' equal 0 "$no_room"
it 'has every byte in the ledger' equal $((60 * came)) "$(of_ledger $name 'SELECT sum(in_bytes) FROM total')"
it 'has every byte in the RRDs of the hosts' equal $((60 * came)) "$(given "$disk/$name")"
it 'has every byte in the RRDs of the networks' equal $((60 * came)) \
	"$(tests/vm/rrd-total in "$disk/$name/iptrk-site/iptrk_network.rrd")"
it 'has whole books in the ledger' equal $((60 * came)) "$(of_ledger $name 'SELECT sum(seen_bytes) FROM books')"
it 'says nothing of trouble' equal '' "$(troubles)"

# An incident that was open when collectd ended, with all that is told of one.
open_incident() {
	python3 - "$1" <<-END
		import json, sqlite3, sys, time
		start = int(time.time()) - 3600
		stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
		incident = dict(id="1-packets-in-10.1.0.1", kind="packets", subject="10.1.0.1", network="site", direction="in",
		                state="open", start=stamp, opened=stamp, end=None, rule="more than 1 packets/s", unit="packets/s",
		                value=5, limit=1, window=5, baseline=0, severity="failure", customer="", peak=9, packets=99,
		                bytes=9900, distinct_peers=1, peers=[], ports=[])
		with sqlite3.connect(sys.argv[1]) as ledger:
		    ledger.execute("INSERT INTO incident VALUES (?, ?, ?, ?, 0, 1, ?)",
		                   (incident["id"], "packets", "10.1.0.1", start, json.dumps(incident)))
	END
}
open_incident "$work/$name.sqlite"
reader
it 'ends what was open when collectd did' until_true 30 \
	eval "[[ \$(of_ledger $name 'SELECT count(*) FROM incident WHERE open') == 0 ]]"
it 'and says so' equal 'cleared' "$(of_ledger $name "SELECT json_extract(json, '$.state') FROM incident")"
stop $name

# With no networks configured, those of addresses, and of one that comes late.
sed -i -e '/^\[networks/,/^prefixes/d' -e 's/^\[collectd\]/&\ninterval = 10\nhost_interval = 10/' "$work/iptrk.toml"
ip link delete iptrk-late 2>/dev/null
ip link add iptrk-late type veth peer name iptrk-peer || exit 1
reader
ip address add 198.51.100.1/24 dev iptrk-late
it 'takes an address that comes late for ours' until_true 60 grep -q 'taking connected prefix 198.51.100.0/24 as ours' "$work/$name.log"
stop $name
ip link delete iptrk-late

# feeds SECONDS: by 300 frames a second, of whose hosts is told every 10 s.
feeds() {
	configuration $name "$disk" | sed -e '/^records/d' -e 's/^\[collectd\]/&\nhost_interval = 10/' >"$work/iptrk.toml"
	"$build/tests/stand_in/stand_in_feed" "$queues/$name" 65536 $hosts 300 "$1" >"$work/fed" &
	feeding=$!
	until_true 10 test -e "$queues/$name"
}
# all_fed: and in the ledger.
all_fed() {
	wait $feeding
	read -r came no_room <"$work/fed"
	until_true 60 in_ledger
}

# Whoever writes values may take minutes to stop, and frames come all the while:
# several intervals end that nobody writes.
name=slow
feeds 80
reader env IPTRK_STOP_SECONDS=40
sleep 25
stop $name
reader
all_fed
sleep 15
stop $name
it 'found room in the queue then' equal 0 "$no_room"
it 'has every byte in the ledger after a stop that took long' equal $((60 * came)) \
	"$(of_ledger $name 'SELECT sum(in_bytes) FROM total')"
it 'has every byte in the RRDs of the hosts then' equal $((60 * came)) "$(given "$disk/$name")"
it 'has every byte in the RRDs of the networks then' equal $((60 * came)) \
	"$(tests/vm/rrd-total in "$disk/$name/iptrk-site/iptrk_network.rrd")"

# A changed file makes RRDs of other names, whose first values count, too.
name=changed
feeds 50
reader
sleep 25
sed -i -e 's/^\[networks.site\]/[networks.office]/' -e '$a [services]\ndiscard = ["udp/9"]' "$work/iptrk.toml"
all_fed
sleep 15
stop $name
it 'takes the change in' grep -q 'was read anew' "$work/$name.log"
it 'has every byte in the RRDs of the hosts, by both names of their network' equal $((60 * came)) "$(given "$disk/$name")"
for what in network service; do
	it "has every byte in those of each ${what}, by old and new names" equal $((60 * came)) \
		"$(tests/vm/rrd-total in "$disk/$name"/iptrk-{site,office}/iptrk_"$what"*.rrd)"
done
it 'counts by the new service' at_least 1 "$(tests/vm/rrd-total in "$disk/$name/iptrk-office/iptrk_service-discard.rrd")"

# A clock that is set back by ten minutes while collectd is away.
name=clock
feeds 60
reader env IPTRK_CLOCK_AHEAD=600
sleep 25
stop $name
slots=$(of_ledger $name 'SELECT count(*) FROM mark')
another_slot() {
	(($(of_ledger $name 'SELECT count(*) FROM mark') > slots))
}
reader
it 'goes on at once after the clock was set back' until_true 30 another_slot
it 'and says so' until_true 10 grep -q 'the system clock was set back by 5[0-9][0-9] s' "$work/$name.log"
all_fed
stop $name
it 'has every byte in the ledger then' equal $((60 * came)) "$(of_ledger $name 'SELECT sum(in_bytes) FROM total')"
it_ends
