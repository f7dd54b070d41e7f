#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The mail plugin in a real collectd, with a real mail server (smtp-sink).
#
# usage: mail-collectd.test.sh [path of iptrk_mail.so]
#
# One "ok" or "not ok" line for each claim, or a "skip" when collectd or
# python3-aiosmtpd is missing; the exit status is 0 when none failed. Uses only files below a
# temporary directory and ports of 127.0.0.1; about a minute, because the
# first retry comes after 10 s.
# Most functions are called by ok, until_true or the trap.
# shellcheck disable=SC2317
set -u

here=$(cd "$(dirname "$0")" && pwd)
module=$(realpath "${1:-$here/../build/plugin/iptrk_mail.so}")
collectd=$(PATH=$PATH:/usr/sbin command -v collectd) || {
	echo "skip - mails of a real collectd arrive: collectd is missing"
	exit 0
}
work=$(mktemp -d)
collectd_pid=
sink_pid=
failed=0

cleanup() {
	stop_sink
	[ -z "$collectd_pid" ] || kill -9 "$collectd_pid" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

# ok CLAIM COMMAND...: the claim holds if the command succeeds.
ok() {
	local claim=$1
	shift
	if "$@"; then
		echo "ok - $claim"
	else
		echo "not ok - $claim"
		failed=1
	fi
}

# until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

port=0
# A port of 0 becomes the one the kernel chose, so a server can come back.
start_sink() {
	: >"$work/sink.out"
	"$here/smtp-sink" --directory "$work/in" --port "$port" "$@" \
		>"$work/sink.out" 2>"$work/sink.err" &
	sink_pid=$!
	until_true 10 grep -q listening "$work/sink.out" || {
		echo "skip - mails of a real collectd arrive: $(cat "$work/sink.err")"
		exit 0
	}
	port=$(cut -d' ' -f2 "$work/sink.out")
}

stop_sink() {
	[ -n "$sink_pid" ] || return 0
	kill -9 "$sink_pid" 2>/dev/null
	wait "$sink_pid" 2>/dev/null
	sink_pid=
}

# configure [EXTRA]: more lines for collectd.conf.
configure() {
	cat >"$work/iptrk.toml" <<-END
		[mail]
		server = "127.0.0.1"
		port = $port
		from = "iptrk@gw1.example.org"
		to = ["op@example.org", "night@example.org"]
		spool = "$work/spool"
	END
	cat >"$work/collectd.conf" <<-END
		Hostname "gw1"
		BaseDir "$work"
		PIDFile "$work/collectd.pid"
		PluginDir "/usr/lib/collectd"
		LoadPlugin logfile
		<Plugin logfile>
		  LogLevel info
		  File "$work/collectd.log"
		</Plugin>
		LoadPlugin unixsock
		<Plugin unixsock>
		  SocketFile "$work/socket"
		  DeleteSocket true
		</Plugin>
		PluginDir "$(dirname "$module")"
		LoadPlugin iptrk_mail
		<Plugin iptrk_mail>
		  ConfigFile "$work/iptrk.toml"
		</Plugin>
		${1:-}
	END
}

start_collectd() {
	rm -f "$work/socket"
	"$collectd" -f -C "$work/collectd.conf" >>"$work/collectd.out" 2>&1 &
	collectd_pid=$!
	until_true 10 test -S "$work/socket"
}

gone() { ! kill -0 "$collectd_pid" 2>/dev/null; }

# stop_collectd SECONDS: ask it to end, and fail if it is not gone by then.
stop_collectd() {
	local status=0
	kill "$collectd_pid"
	until_true "$1" gone || {
		status=1
		kill -9 "$collectd_pid"
	}
	wait "$collectd_pid" 2>/dev/null
	collectd_pid=
	return $status
}

# notify OPTION...: through collectd's own socket.
notify() {
	/usr/bin/python3 - "$work/socket" "$*" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(b"PUTNOTIF " + sys.argv[2].encode() + b"\n")
		reply = s.recv(1000).decode()
		sys.exit(0 if reply.startswith("0 ") else reply)
	END
}

# incident STATE TIME ID
incident() {
	local severity=failure end=
	[ "$1" = open ] || {
		severity=okay
		end='s:end="2026-11-22T23:35:24Z"'
	}
	notify severity=$severity time="$2" host=gw1 plugin=iptrk \
		'message="packets: 10.1.0.216"' s:incident="\"$3\"" \
		s:kind=packets s:subject=10.1.0.216 s:direction=in s:state="$1" \
		s:start=2026-11-22T23:34:12Z "$end" s:duration=72 \
		's:rule="more than 1000 packets/s to one host in 3 of 5 s"' \
		s:value=31250 s:limit=1000 s:unit=packets/s s:peak=40100 \
		s:total_packets=93750 s:total_bytes=5625000 s:network=lan \
		's:peers="[{\"address\":\"203.0.113.9\",\"packets\":54375,\"share\":0.58}]"' \
		's:ports="[{\"port\":53,\"protocol\":\"udp\",\"packets\":60000,\"share\":0.64}]"'
}

mails() { find "$work/in" -name '*.eml' | wc -l; }
have_mails() { [ "$(mails)" -ge "$1" ]; }
exactly() { sleep 1 && [ "$(mails)" -eq "$1" ]; }
spooled() { [ "$(find "$work/spool" -name '*.eml' | wc -l)" -eq "$1" ]; }

# mail_says NUMBER PYTHON: an expression over m (the parsed message), text and
# envelope is true.
mail_says() {
	/usr/bin/python3 - "$work/in/$1" "$2" <<-'END'
		import email, email.policy, json, sys
		with open(sys.argv[1] + ".eml", "rb") as f:
		    m = email.message_from_binary_file(f, policy=email.policy.default)
		with open(sys.argv[1] + ".json") as f:
		    envelope = json.load(f)
		text = m.get_content().replace("\r\n", "\n")
		if m.defects or not eval(sys.argv[2]):
		    print(m, m.defects, file=sys.stderr)
		    sys.exit(1)
	END
}

start_sink
configure
start_collectd || {
	cat "$work/collectd.out"
	exit 1
}

incident open 1795390452 20261122T233412Z-packets-10.1.0.216
ok "an incident is mailed" until_true 10 have_mails 1
ok "its subject says who, what and how much" mail_says 0001 \
	'm["subject"] == "[iptrk] FAILURE packets: 10.1.0.216 in 31,250 packets/s (limit 1,000)"'
for line in "10.1.0.216 receives 31,250 packets/s; the limit is 1,000." \
	"Who       10.1.0.216, network lan" "What      packets, in" \
	"Since     2026-11-22 23:34:12 UTC" "Lasted    1 min 12 s" \
	"Rule      more than 1000 packets/s to one host in 3 of 5 s" \
	"Measured  31,250 packets/s" "Limit     1,000 packets/s" \
	"Peak      40,100 packets/s" "Total     93,750 packets, 5.6 MB" \
	"Seen by   gw1" "  203.0.113.9  54,375 packets  58 %" \
	"  53/udp  60,000 packets  64 %" \
	"Incident 20261122T233412Z-packets-10.1.0.216"; do
	ok "its text says: $line" mail_says 0001 "'$line\n' in text"
done
ok "it says how to silence the rule" mail_says 0001 \
	"'under [detect.packets]' in text and '$work/iptrk.toml' in text"
ok "it goes to every receiver" mail_says 0001 \
	'envelope["to"] == ["op@example.org", "night@example.org"]'
ok "it says that no human wrote it" mail_says 0001 \
	'm["auto-submitted"] == "auto-generated"'

incident cleared 1795390524 20261122T233412Z-packets-10.1.0.216
ok "its end is mailed" until_true 10 have_mails 2
ok "the mail of the end says how long and the peak" mail_says 0002 \
	'm["subject"] == "[iptrk] OKAY packets: 10.1.0.216 cleared after 1 min 12 s, peak 40,100 packets/s"'
ok "the mail of the end says when" mail_says 0002 \
	'"Until     2026-11-22 23:35:24 UTC\n" in text'
ok "both are one thread" mail_says 0002 \
	'm["references"] == "<20261122T233412Z-packets-10.1.0.216@gw1.example.org>" == m["in-reply-to"]'

notify severity=warning time=1795390460 host=gw1 plugin=df \
	plugin_instance=root type=percent_bytes type_instance=used \
	'message="91.5 % used, Grüße"' s:Note=hello
ok "another plugin's notification is mailed" until_true 10 have_mails 3
ok "its text has all identity fields and meta data" mail_says 0003 \
	'all(s in text for s in ("91.5 % used, Grüße", "WARNING", "gw1", "df / root", "percent_bytes / used", "Note      hello"))'

incident open 1795390452 20261122T233412Z-packets-10.1.0.216
ok "an event told twice is mailed once" exactly 3

stop_sink
incident open 1795390600 20261122T233640Z-packets-10.1.0.217
ok "without a server the mail is spooled" until_true 10 spooled 1
ok "the log says why it waits" until_true 10 \
	grep -q "mails waiting: 1,.*Connection refused" "$work/collectd.log"
start_sink
ok "it goes out when the server is back" until_true 20 have_mails 4
ok "exactly once" exactly 4

stop_sink
incident open 1795390700 20261122T233820Z-packets-10.1.0.218
until_true 10 spooled 1
ok "collectd stops at once with a mail in the spool" stop_collectd 5
start_sink
start_collectd
ok "the mail goes out after the restart" until_true 10 have_mails 5
ok "exactly once, too" exactly 5
ok "the spool is empty then" spooled 0

stop_sink
start_sink --hang greeting
incident open 1795390800 20261122T234000Z-packets-10.1.0.219
until_true 10 spooled 1
ok "collectd stops within seconds though the server hangs" stop_collectd 5
start_collectd
until_true 10 spooled 1
kill -9 "$collectd_pid"
wait "$collectd_pid" 2>/dev/null
stop_sink
start_sink
start_collectd
ok "the mail outlives that and a kill -9" until_true 10 have_mails 6
ok "and arrives exactly once" exactly 6
stop_collectd 5

configure '
	PluginDir "/usr/lib/collectd"
	LoadPlugin load
	LoadPlugin threshold
	<Plugin threshold>
	  <Type "load">
	    DataSource "shortterm"
	    WarningMax -1
	  </Type>
	</Plugin>'
start_collectd
ok "a stock plugin's threshold is mailed" until_true 20 have_mails 7
ok "with the figures collectd adds" mail_says 0007 \
	'm["subject"].startswith("[iptrk] WARNING load on gw1: ") and "WarningMax    -1\n" in text and "CurrentValue  " in text'
stop_collectd 5

printf '[mail]\nto = ["op@example.org"]\nprot = 25\n' >"$work/iptrk.toml"
"$collectd" -f -C "$work/collectd.conf" >>"$work/collectd.out" 2>&1 &
collectd_pid=$!
ok "a fault of the file is logged with its place" until_true 10 \
	grep -q "iptrk_mail: $work/iptrk.toml:3:" "$work/collectd.log"
ok "and the plugin is not started" until_true 10 \
	grep -q "Initialization of plugin .iptrk_mail. failed" \
	"$work/collectd.log"
gone || stop_collectd 5

ok "only module_register is exported" test "$(
	nm -D --defined-only "$module" | awk '{ print $3 }'
)" = module_register

[ "$failed" = 0 ] || cat "$work/collectd.log"
exit "$failed"
