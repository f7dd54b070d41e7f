#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# 65,536 hosts and a datagram for each every 16 s, by doc/larger-sites.md, for
# half an hour: tests/larger.test.sh [WRITER[:HOSTS]]...
#
# With the writers rrdtool and rrdcached, one after the other, or those named; so
# many hosts, or those named; IPTRK_LARGER_SECONDS is how long. Prints what it
# takes, which the document's table has. Needs 25 GB of disk.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
. tests/larger.sh
seconds=${IPTRK_LARGER_SECONDS:-1800}
parts=("$@")
((${#parts[@]})) || parts=(rrdtool rrdcached)

# CPU ticks and MiB of a process: cost NAME
cost() {
	if [[ $writer == rrdtool && $1 == rrdcached ]]; then
		echo 0 0
		return
	fi
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$(pid_of "$1")/stat"
	awk '$1 == "VmRSS:" { print int($2 / 1024) }' "/proc/$(pid_of "$1")/status"
}
# The second; of collectd, of rrdcached and of the disk what they have used:
# ticks, MiB, ticks, MiB, writes, KiB written.
used() {
	echo $SECONDS "$(cost "$name")" "$(cost rrdcached)" "$(awk '{ print $5, int($7 / 2) }' "/sys/block/${device#/dev/}/stat")" | xargs
}
# What came between two of these, as rates.
between() {
	awk -v hertz="$(getconf CLK_TCK)" -v from="$1" -v to="$2" 'BEGIN {
		split(from, a, " "); split(to, b, " "); s = b[1] - a[1]
		printf "collectd %.1f %% of a CPU, %d MiB; rrdcached %.1f %%, %d MiB; disk %.0f writes/s, %.0f KiB/s",
			100 * (b[2] - a[2]) / hertz / s, b[3], 100 * (b[4] - a[4]) / hertz / s, b[5],
			(b[6] - a[6]) / s, (b[7] - a[7]) / s }'
}
# internal WHAT: one of collectd's own figures, rounded up; 0 when it has not
# said yet.
internal() {
	/usr/bin/python3 - "$work/$name.sock" "$name/collectd-write_queue/$1" <<-'END'
		import math, socket, sys
		with socket.socket(socket.AF_UNIX) as daemon:
		    daemon.connect(sys.argv[1])
		    daemon.sendall(f'GETVAL "{sys.argv[2]}"\n'.encode())
		    answer = daemon.makefile()
		    lines = int(answer.readline().split()[0])
		    values = [float(answer.readline().split('=')[1]) for _ in range(lines)]
		    print(sum(math.ceil(value) for value in values if not math.isnan(value)))
	END
}
# Seconds from the end of the newest slot in the ledger until now; 0 when it has
# none yet. It gets the hosts of a minute at the minute's end.
lag() {
	local now
	now=$(date +%s)
	echo $((now - $(of_ledger "$name" "SELECT coalesce(max(end), $now) FROM applied")))
}

set_up() {
	configuration "$name" "$disk" >"$work/iptrk.toml"
	if [[ $writer == rrdcached ]]; then
		cache || return
	fi
	{
		if [[ $writer == rrdtool ]]; then printed 1; else printed 3; fi
		plugin "$work/iptrk.toml"
	} | daemon "$name"
}

# watch SECONDS: says each minute how it goes, and at last what the second half
# took, when all RRDs are there.
watch() {
	local end=$((SECONDS + $1)) half='' before now values lag
	before=$(used)
	while ((SECONDS < end)); do
		sleep 60
		now=$(used)
		values=$(internal queue_length)
		lag=$(lag)
		dropped=$((dropped + $(internal derive-dropped)))
		printf '  %4d s: %s; %s of disk; %d values wait, the ledger is %d s behind\n' $((SECONDS - end + $1)) \
			"$(between "$before" "$now")" "$(df -h --output=used "$disk" | tail -n 1 | tr -d ' ')" "$values" "$lag"
		before=$now
		((SECONDS > end - $1 / 2)) || continue
		half=${half:-$now}
		most_values=$((values > most_values ? values : most_values))
		most_lag=$((lag > most_lag ? lag : most_lag))
	done
	printf '  %d hosts, second half: %s; at most %d values wait and the ledger is %d s behind\n' "$hosts" \
		"$(between "$half" "$now")" "$most_values" "$most_lag"
}

for part in "${parts[@]}"; do
	writer=${part%:*} name=node-${part%:*} hosts=65536 dropped=0 most_values=0 most_lag=0
	[[ $part != *:* ]] || hosts=${part#*:}
	larger_begins 32G
	feed "$name" "$hosts" "$seconds" >"$work/fed" &
	feeding=$!
	until_true 10 test -e "$queues/$name"
	set_up || { cat "$work/$name.log"; exit 1; }
	watch "$seconds"
	wait "$feeding"
	read -r came no_room <"$work/fed"
	# In the middle of an interval: what it has so far comes after the start.
	before=$SECONDS
	stop "$name"
	stopped=$((SECONDS - before))
	[[ $writer == rrdtool ]] || stop rrdcached
	printf '  collectd stopped after %d s; with its writer %d s\n' $stopped $((SECONDS - before))
	set_up
	sleep 150 # two intervals of the hosts
	stop "$name"
	[[ $writer == rrdtool ]] || stop rrdcached

	it "has an RRD for each of $hosts hosts, written by $writer" equal "$hosts" "$(host_rrds "$disk" | wc -l)"
	it 'found room in the queue for every frame' equal 0 "$no_room"
	it 'recorded every frame' equal $((60 * came)) "$(of_ledger "$name" 'SELECT sum(in_bytes) FROM total')"
	it 'has every byte in the RRDs of the hosts after a stop and a start' equal $((60 * came)) "$(given "$disk")"
	it 'dropped no value' equal 0 "$dropped"
	it 'stops within the ten minutes that the document gives it' at_least "$stopped" 600
	it 'says nothing of trouble' equal '' "$(troubles)"
	larger_ends
done
trap - EXIT
it_ends
