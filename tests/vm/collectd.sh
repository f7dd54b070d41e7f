# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# collectd with our plugins, to be sourced inside the test machine.
#
# collectd_config writes /run/iptrk.toml from its standard input and a
# collectd.conf beside it; collectd_start and collectd_kill do as they say.
# RRDs are in $rrds/iptrk-*; the interval is $interval seconds.

build=${IPTRK_BUILD:-build}
rrds=${rrds:-/run/rrd/gw}
interval=${interval:-10}
# shellcheck disable=SC2034 # for whoever starts a mail server
mail_port=2525
# What draws the pictures of mails.
export IPTRK_COMMAND=$PWD/$build/tools/iptrk IPTRK_TEMPLATES=$PWD/rrd-templates

collectd_config() {
	mkdir -p /run/rrd
	cat >/run/iptrk.toml
	cat >/run/collectd.conf <<-END
		Hostname "gw"
		Interval $interval
		WriteThreads 1
		BaseDir "/run/rrd"
		PIDFile "/run/collectd.pid"
		TypesDB "/usr/share/collectd/types.db" "$PWD/plugin/iptrk.types.db"
		PluginDir "/usr/lib/collectd"
		LoadPlugin logfile
		<Plugin logfile>
		  File "/run/collectd.log"
		  Timestamp true
		</Plugin>
		LoadPlugin rrdtool
		<Plugin rrdtool>
		  DataDir "/run/rrd"
		  CacheTimeout 0
		</Plugin>
		PluginDir "$PWD/$build/plugin"
		LoadPlugin iptrk
		<Plugin iptrk>
		  ConfigFile "/run/iptrk.toml"
		</Plugin>
		LoadPlugin iptrk_mail
		<Plugin iptrk_mail>
		  ConfigFile "/run/iptrk.toml"
		</Plugin>
	END
}

# How every configuration of the lab's gateway begins.
gateway_config() {
	cat <<-END
		[queue]
		interfaces = ["wan0", "lan0"]
		[collectd]
		interval = $interval
		host_interval = $interval
		rrd_directory = "/run/rrd"
		[networks.lan]
		prefixes = ["10.1.0.0/24", "2001:db8:1::/64"]
		[ledger]
		path = "$ledger"
	END
}

# Returns once the plugin reads its queue.
collectd_start() {
	collectd -f -C /run/collectd.conf &
	collectd_pid=$!
	wait_for 'iptrk_status | jq_py "d[\"queue\"][\"reader\"]" | grep -q True' 90 ||
		{ cat /run/collectd.log; return 1; }
}

collectd_kill() {
	kill "-$1" "$collectd_pid"
	wait "$collectd_pid" 2>/dev/null
	return 0
}

iptrk() {
	"$build/tools/iptrk" --config /run/iptrk.toml "$@"
}

iptrk_status() {
	iptrk status --json
}

# jq_py EXPRESSION: of the JSON object d on standard input.
jq_py() {
	/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

# books INTERFACE received|sent CLASS packets|bytes
books() {
	iptrk_status | jq_py "[i for i in d['interfaces'] if i['name'] == '$1'][0]['$2']['$3']['$4']"
}

# rrd_copy FILE: the name of a copy. rrdtool locks what it reads, and a collectd
# that wants to write it meanwhile loses the value.
rrd_copy() {
	cp "$rrds/$1" /run/copy.rrd && echo /run/copy.rrd
}
rrd_last() {
	rrdtool last "$(rrd_copy "$1")"
}

# Waits until a slot that began after now is in the RRDs.
slot_written() {
	local after=$(($(date +%s) + interval))
	wait_for "[[ \$(rrd_last iptrk-all/iptrk_network.rrd) -gt $after ]]" 60
}

# ledger QUERY: the first row of its answer.
ledger=${ledger:-/run/ledger.sqlite}
ledger() {
	/usr/bin/python3 -c 'import sqlite3, sys
row = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]).fetchone()
print(*(0 if value is None else value for value in row))' "$ledger" "$1"
}

# ledger_total bytes|packets: everything that is in there.
ledger_total() {
	ledger "SELECT sum(in_$1 + out_$1 + internal_$1 + bogon_$1 + spoofed_$1 + foreign_$1 + nonip_$1 + unattributed_$1) FROM total"
}

rrd_total() {
	tests/vm/rrd-total "$2" "$(rrd_copy "$1")"
}
