# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests of doc/larger-sites.md at its full size have in common, to be
# sourced: collectds with our plugin, whose queue is a file (tests/stand_in), so
# that writing RRDs takes what it takes on this machine. Everything is below
# $work, and RRDs on a disk of their own, $disk.

build=$PWD/${IPTRK_BUILD:-build}
section='Some thousand hosts and more'

# larger_begins [SIZE]: of the disk, which is sparse; none: a directory.
larger_begins() {
	((EUID == 0)) || { skip 'runs as doc/larger-sites.md says' 'not root'; it_ends; }
	work=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-larger.XXXXXX")
	queues=$(mktemp -d /dev/shm/iptrk-larger.XXXXXX)
	disk=$work/disk
	mkdir -p "$disk"
	trap larger_ends EXIT
	(($#)) || return 0
	truncate -s "$1" "$work/image"
	/sbin/mkfs.ext4 -q -N 300000 "$work/image" && mount -o loop,noatime "$work/image" "$disk" || exit 1
	# shellcheck disable=SC2034 # for whoever wants its statistics
	device=$(findmnt -no SOURCE "$disk")
}
# shellcheck disable=SC2317 # from the trap
larger_ends() {
	cat "$work"/*.started 2>/dev/null | xargs -r kill -KILL 2>/dev/null
	sleep 1
	! mountpoint -q "$disk" || umount "$disk"
	rm -rf "$work/image" "$disk" "$queues"
}

# printed N: of the section on RRDs, with our paths.
printed() {
	tests/printed doc/larger-sites.md "$section" "$1" |
		sed -e "s|/var/lib/collectd/rrd|$disk|" -e "s|/var/lib/rrdcached|$disk|" -e "s|/run/rrdcached.sock|$work/rrdcached.sock|"
}

# configuration NAME RRD_DIRECTORY: iptrk.toml, with the queue that is printed.
configuration() {
	printed 4
	cat <<-END
		name = "$1"
		[collectd]
		rrd_directory = "$2"
		[networks.site]
		prefixes = ["10.64.0.0/16"]
		[ledger]
		path = "$work/$1.sqlite"
	END
}

# daemon NAME [IN...]: one collectd by what comes in; IN is a command before it.
daemon() {
	local name=$1
	shift
	{
		printf '%s\n' "Hostname \"$name\"" 'Interval 10' "BaseDir \"$work\"" "PIDFile \"$work/$name.pid\"" \
			"TypesDB \"/usr/share/collectd/types.db\" \"$PWD/plugin/iptrk.types.db\"" 'WriteThreads 1' \
			'CollectInternalStats true' 'PluginDir "/usr/lib/collectd"' \
			'LoadPlugin logfile' '<Plugin logfile>' "File \"$work/$name.log\"" '</Plugin>' \
			'LoadPlugin unixsock' '<Plugin unixsock>' "SocketFile \"$work/$name.sock\"" '</Plugin>'
		grep -v '^TypesDB'
	} >"$work/$name.conf"
	# One whose name is not that of a queue reads none.
	"$@" env "IPTRK_STAND_IN=$queues/$name" "LD_PRELOAD=$build/tests/stand_in/libstand_in_device.so" \
		collectd -f -C "$work/$name.conf" &>>"$work/$name.said" &
	echo $! >"$work/$name.started"
	until_true 60 test -S "$work/$name.sock"
}
plugin() {
	printf '%s\n' "PluginDir \"$build/plugin\"" 'LoadPlugin iptrk' '<Plugin iptrk>' "ConfigFile \"$1\"" '</Plugin>'
}
pid_of() {
	cat "$work/$1.started"
}
# stop NAME...: by a signal, as systemd does. Returns when they are gone.
stop() {
	local name
	for name; do
		kill "$(pid_of "$name")"
	done
	for name; do
		until_true 900 eval "! kill -0 $(pid_of "$name") 2>/dev/null"
		rm -f "$work/$name.started" "$work/$name.sock"
	done
}

# cache: rrdcached by Debian's names for its options.
cache() {
	local BASE_OPTIONS JOURNAL_PATH BASE_PATH
	eval "$(printed 2)"
	mkdir -p "$JOURNAL_PATH" "$BASE_PATH"
	# shellcheck disable=SC2086 # words
	rrdcached -g -p "$work/rrdcached.pid" $BASE_OPTIONS -l "unix:$work/rrdcached.sock" \
		-b "$BASE_PATH" -j "$JOURNAL_PATH" &>"$work/rrdcached.log" &
	echo $! >"$work/rrdcached.started"
	until_true 60 test -S "$work/rrdcached.sock"
}

# feed NAME HOSTS SECONDS: prints the frames that came in and those that found
# no room.
feed() {
	local records
	records=$(printed 4 | sed -n 's/^records = //p')
	"$build/tests/stand_in/stand_in_feed" "$queues/$1" "$records" "$2" $(($2 / 16)) "$3"
}

# until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	until "${@:2}" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# of_ledger NAME QUERY: its first row.
of_ledger() {
	/usr/bin/python3 -c 'import sqlite3, sys
row = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]).fetchone()
print(*(0 if value is None else value for value in row))' "$work/$1.sqlite" "$2"
}

# host_rrds DIRECTORY, and what their hosts received by them.
host_rrds() {
	find "$1" -name 'iptrk_host-*'
}
given() {
	host_rrds "$1" | xargs -P 2 -n 2048 tests/vm/rrd-total in_tcp+in_udp+in_other |
		awk '{ sum += $1 } END { printf "%d", sum }'
}
# But that the traffic ends.
troubles() {
	cat "$work"/*.log | grep -v mirror-lost | grep -iE 'error|warning|fail|dropped'
}
