#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The mail plugin in a real collectd, with a real mail server (smtp-sink).
#
# usage: mail-collectd.test.sh [path of iptrk_mail.so [path of iptrk]]
#
# One "ok" or "not ok" line for each claim, or a "skip" when collectd or
# python3-aiosmtpd is missing; the exit status is 0 when none failed. Uses only
# files below a temporary directory and ports of 127.0.0.1; less than a minute,
# most of it for the one retry that is waited for, 10 s after the first try:
# elsewhere a restart of collectd is a retry at once.
# Most functions are called by ok, until_true or the trap.
# shellcheck disable=SC2317
set -u

here=$(cd "$(dirname "$0")" && pwd)
module=$(realpath "${1:-$here/../build/plugin/iptrk_mail.so}")
# What draws the pictures, and with which templates.
IPTRK_COMMAND=$(realpath "${2:-$here/../build/tools/iptrk}")
iptrk=$IPTRK_COMMAND
IPTRK_TEMPLATES=$here/../rrd-templates
fill=$(dirname "$IPTRK_COMMAND")/../tests/unit/ledger_fill
export IPTRK_COMMAND IPTRK_TEMPLATES
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
	umount "$work/full" 2>/dev/null
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

group=1 # seconds
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

# configure [EXTRA [MAIL]]: more lines for collectd.conf, and for [mail].
configure() {
	cat >"$work/iptrk.toml" <<-END
		[collectd]
		rrd_directory = "$work/rrd"
		[networks.lan]
		prefixes = ["10.1.0.0/24"]
		[customers.acme]
		prefixes = ["10.1.0.80/28"]
		[ledger]
		path = "$work/ledger.sqlite"
		[mail]
		server = "127.0.0.1"
		port = $port
		from = "iptrk@gw1.example.org"
		to = ["op@example.org", "night@example.org"]
		spool = "$work/spool"
		templates = "$work/templates"
		group = $group
		hourly_limit = 100
		${2:-}
		[mail.recipients.acme]
		address = "noc@acme.example"
		customers = ["acme"]
	END
	cat >"$work/collectd.conf" <<-END
		Hostname "gw1"
		Interval 1
		BaseDir "$work"
		PIDFile "$work/collectd.pid"
		PluginDir "/usr/lib/collectd"
		LoadPlugin logfile
		<Plugin logfile>
		  LogLevel info
		  File "$work/collectd.log"
		</Plugin>
		LoadPlugin csv
		<Plugin csv>
		  DataDir "$work/csv"
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

# incident STATE TIME ID [SUBJECT [PACKETS/S]]
incident() {
	local severity=failure end=
	[ "$1" = open ] || {
		severity=okay
		end='s:end="2026-11-22T23:35:24Z"'
	}
	notify severity=$severity time="$2" host=gw1 plugin=iptrk \
		'message="packets: 10.1.0.216"' s:incident="\"$3\"" \
		s:kind=packets s:subject="${4:-10.1.0.216}" s:direction=in s:state="$1" \
		s:start=2026-11-22T23:34:12Z "$end" s:duration=72 \
		's:rule="more than 1000 packets/s to one host in 3 of 5 s"' \
		s:value=31250 s:limit=1000 s:baseline=140 s:window=5 s:unit=packets/s s:peak=40100 \
		s:total_packets=93750 s:total_bytes=5625000 s:network=lan \
		's:peers="[{\"address\":\"203.0.113.9\",\"packets\":54375,\"share\":0.58}]"' \
		's:ports="[{\"port\":53,\"protocol\":\"udp\",\"packets\":60000,\"share\":0.64}]"'
}

mails() { find "$work/in" -name '*.eml' | wc -l; }
have_mails() { [ "$(mails)" -ge "$1" ]; }
exactly() { sleep 1.2 && [ "$(mails)" -eq "$1" ]; }
so_far() { [ "$(mails)" -eq "$1" ]; }
spooled() { [ "$(find "$work/spool" -name '*.eml' | wc -l)" -eq "$1" ]; }

# mail_says NUMBER PYTHON: an expression is true over m (the parsed message),
# text and html (its parts), images and envelope. An independent parser reads
# it, and finds nothing to object to in any part.
mail_says() {
	/usr/bin/python3 - "$work/in/$1" "$2" <<-'END'
		import email, email.policy, json, re, struct, sys, zlib

		with open(sys.argv[1] + ".eml", "rb") as f:
		    raw = f.read()
		m = email.message_from_bytes(raw, policy=email.policy.default)
		with open(sys.argv[1] + ".json") as f:
		    envelope = json.load(f)

		def valid_png(data):
		    """Every chunk has its checksum; the pixels unpack."""
		    if data[:8] != b"\x89PNG\r\n\x1a\n":
		        return False
		    at, pixels, kinds = 8, b"", []
		    while at < len(data):
		        size, kind = struct.unpack(">I4s", data[at : at + 8])
		        body = data[at + 8 : at + 8 + size]
		        (crc,) = struct.unpack(">I", data[at + 8 + size : at + 12 + size])
		        if crc != zlib.crc32(kind + body):
		            return False
		        kinds.append(kind)
		        pixels += body if kind == b"IDAT" else b""
		        at += 12 + size
		    return kinds[-1] == b"IEND" and len(zlib.decompress(pixels)) > 10000

		parts = list(m.walk())
		structure = [part.get_content_type() for part in parts]
		images = [p for p in parts if p.get_content_maintype() == "image"]
		text = m.get_body(("plain",)).get_content().replace("\r\n", "\n")
		html = m.get_body(("html",)).get_content()
		faults = [d for part in parts for d in part.defects]
		faults += [d for part in parts for h in part.values() for d in h.defects]
		if any(len(line) > 80 for line in text.split("\n")):
		    faults.append("a line of the text is longer than 80 columns")
		if max(len(line) for line in raw.split(b"\r\n")) > 998 or re.search(
		    rb"[^\t\r\n -~]|[^\r]\n|\r[^\n]", raw
		):
		    faults.append("not only 7 bit, short lines and CRLF")
		for name in ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version"):
		    if len(m.get_all(name, [])) != 1:
		        faults.append("not one " + name)
		if not re.fullmatch(r"<[^@<> ]+@[^@<> ]+>", m["message-id"]):
		    faults.append("no Message-ID: " + m["message-id"])
		if structure not in (
		    ["multipart/alternative", "text/plain", "text/html"],
		    ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"],
		):
		    faults.append(structure)
		if faults or not eval(sys.argv[2]):
		    print(m, faults, file=sys.stderr)
		    sys.exit(1)
	END
}

# shows NAME NUMBER: collectd has that value of iptrk_mail/NAME.
shows() {
	/usr/bin/python3 - "$work/socket" "$1" "$2" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(f'GETVAL "gw1/iptrk_mail/{sys.argv[2]}"\n'.encode())
		lines = s.makefile()
		if not lines.readline().startswith("1 "):
		    sys.exit(1)
		sys.exit(float(lines.readline().split("=")[1]) != float(sys.argv[3]))
	END
}

# There is no queue here to tell of; mail is told of all the same.
status_says() {
	"$iptrk" --config "$work/iptrk.toml" status 2>/dev/null | grep -q "$1"
}

# The same Message-ID never twice.
no_doubles() {
	local doubles
	doubles=$(grep -ih '^Message-Id:' "$work"/in/*.eml | sort | uniq -d)
	[ -z "$doubles" ] || { echo "$doubles" >&2; return 1; }
}

kill_collectd() {
	kill -9 "$collectd_pid"
	wait "$collectd_pid" 2>/dev/null
	collectd_pid=
}

quickly() {
	local start
	start=$(date +%s%N)
	"$@" && [ $((($(date +%s%N) - start) / 1000000)) -lt 1000 ]
}

start_sink
configure
mkdir "$work/templates"
if /usr/bin/python3 "$here/make-sample-rrds" "$work" --hours 2 >"$work/rrds.out" 2>&1; then
	drawn=1
else
	echo "skip - mails have pictures: $(tail -n 1 "$work/rrds.out")"
	drawn=
fi
configure
start_collectd || {
	cat "$work/collectd.out"
	exit 1
}

incident open 1795390452 20261122T233412Z-packets-10.1.0.216
ok "an incident is mailed" until_true 20 have_mails 1
ok "its subject says who, what and how much" mail_says 0001 \
	'm["subject"] == "[iptrk] FAILURE packets: 10.1.0.216 in 31,250 packets/s (limit 1,000)"'
for line in "10.1.0.216 receives 31,250 packets/s; the limit is 1,000." \
	"Who       10.1.0.216, network lan" "What      packets, in" \
	"Since     2026-11-22 23:34:12 UTC" "Open for  1 min 12 s" \
	"Rule      more than 1000 packets/s to one host in 3 of 5 s" \
	"Measured  31,250 packets/s" "Limit     1,000 packets/s" \
	"Baseline  140 packets/s" "Window    5 s" \
	"Peak      40,100 packets/s" "Total     93,750 packets, 5.6 MB" \
	"Seen by   gw1" "  203.0.113.9  54,375 packets  58 %" \
	"  53/udp  60,000 packets  64 %" \
	"  iptrk incidents silence packets --subject 10.1.0.216 --for 2h" \
	"Incident 20261122T233412Z-packets-10.1.0.216"; do
	ok "its text says: $line" mail_says 0001 "'$line\n' in text"
done
ok "it says how to silence the rule for good" mail_says 0001 \
	"'under [detect.packets]' in text and '$work/iptrk.toml' in text"
ok "its HTML says the same" mail_says 0001 \
	'all(s in html for s in ("31,250 packets/s", "203.0.113.9", "53/udp", "--for 2h"))'
if [ -n "$drawn" ]; then
	ok "it shows the histogram of the network's addresses" mail_says 0001 \
		'len(images) == 1 and valid_png(images[0].get_content()) and "in the last hour (histogram.png)" in text'
	ok "the picture is inside the HTML, and can be saved" mail_says 0001 \
		'images[0]["content-id"] == "<histogram@iptrk>" and "cid:histogram@iptrk" in html and images[0].get_filename() == "histogram.png"'
fi
ok "it goes to every receiver" mail_says 0001 \
	'envelope["to"] == ["op@example.org", "night@example.org"]'
ok "it says that no human wrote it" mail_says 0001 \
	'm["auto-submitted"] == "auto-generated"'

incident cleared 1795390524 20261122T233412Z-packets-10.1.0.216
ok "its end is mailed" until_true 20 have_mails 2
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

export IPTRK_COMMAND=/nonexistent/iptrk
printf '{{#incidents}}{{unfinished}' >"$work/templates/mail.text.mustache"
stop_collectd 5
start_collectd
incident open 1795390500 a-customers 10.1.0.84
incident open 1795390501 another 10.1.0.200
ok "two incidents within the grouping time are one mail, and a customer's another" \
	until_true 10 have_mails 5
ok "no more" so_far 5
ours=0004 theirs=0005
grep -q noc@acme.example "$work/in/0004.json" && ours=0005 theirs=0004
ok "the mail of both names both" mail_says $ours \
	'm["subject"].startswith("[iptrk] FAILURE 2 incidents: 2 open: packets 10.1.0.84 in, packets 10.1.0.200 in")'
ok "the customer is told of his host alone, and of nothing that is not his to do" \
	mail_says $theirs 'envelope["to"] == ["noc@acme.example"] and "10.1.0.84" in text and "10.1.0.200" not in text + html and "silence" not in text + html'
ok "without a picture the mail says why" mail_says $ours \
	'not images and "/nonexistent/iptrk: No such file" in " ".join(text.split())'
ok "a template that is wrong is told, and the built-in one used" grep -q \
	"mail.text.mustache: .*; the built-in template is used instead" "$work/collectd.log"
rm "$work/templates/mail.text.mustache"

echo "slot $(date +%s) 300 300 0" | "$fill" "$work/ledger.sqlite"
/usr/bin/python3 - "$work/ledger.sqlite" <<-'END'
	import sqlite3, sys, time
	ledger = sqlite3.connect(sys.argv[1])
	until = int(time.time()) + 3600
	ledger.execute("INSERT INTO silence (kind, subject, network, until, made, who, note)"
	               " VALUES ('packets', '10.1.0.192/30', '*', ?, ?, 'op', '')", (until, until))
	ledger.commit()
END
incident open 1795390550 silenced 10.1.0.193
ok "what the ledger has a silence for is not mailed" exactly 5

stop_sink
incident open 1795390600 20261122T233640Z-packets-10.1.0.217 10.1.0.217
ok "without a server the mail is spooled" until_true 10 spooled 1
ok "the log says why it waits" until_true 10 \
	grep -q "mails waiting: 1,.*Connection refused" "$work/collectd.log"
ok "iptrk status says how many wait" status_says "mail: 1 waits, the oldest for 0 min"
ok "how many wait is a metric" until_true 5 shows queue_length-spool 1
start_sink
ok "it goes out when the server is back" until_true 20 have_mails 6
ok "exactly once" so_far 6
ok "that none waits is a metric, too" until_true 5 shows queue_length-spool 0

stop_sink
incident open 1795390700 20261122T233820Z-packets-10.1.0.218 10.1.0.218
ok "collectd stops at once with a mail not yet written" stop_collectd 5
start_collectd
until_true 10 spooled 1
ok "and with a mail in the spool" stop_collectd 5
start_sink
start_collectd
ok "the mail goes out after the restart" until_true 10 have_mails 7
ok "exactly once, too" so_far 7
ok "the spool is empty then" spooled 0

# Each kind of bad server: collectd's thread goes on at once, the mail stays,
# a kill loses nothing, and a good server gets it once.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$work/key" -out "$work/crt" 2>/dev/null
cat "$work/key" "$work/crt" >"$work/pem"
count=7
address=10
group=0
configure
bad_server() {
	local what=$1 words=$2
	shift 2
	stop_collectd 5
	stop_sink
	start_sink "$@"
	start_collectd
	: >"$work/collectd.log"
	address=$((address + 1))
	ok "with a server that $what no thread of collectd waits" quickly \
		incident open $((1795391000 + address)) "bad-$address" 10.1.0.$address
	ok "the mail waits: $what" until_true 10 spooled 1
	[ -z "$words" ] || ok "the log says so: $words" until_true 10 \
		grep -q "mails waiting: 1,.*$words" "$work/collectd.log"
	kill_collectd
	stop_sink
	start_sink
	configure
	start_collectd
	count=$((count + 1))
	ok "it comes after a kill -9 when the server is well" until_true 10 have_mails $count
}
bad_server "hangs after connect" "" --hang greeting
bad_server "hangs in the middle of a mail" "" --hang data
bad_server "hangs up in the middle of a mail" "did not answer" --die data
bad_server "refuses connections for now" "421 too many" --greeting "421 too many"
bad_server "greylists" "450 4.2.0 greylisted" \
	--rcpt "op@example.org=450 4.2.0 greylisted" --rcpt "night@example.org=450 4.2.0 greylisted"
configure '' 'tls = "starttls"' # lasts until that server is well
bad_server "has somebody else's certificate" "certificate is not accepted" --starttls "$work/pem"
configure '' "tls = \"starttls\"
ca_file = \"$work/crt\""
bad_server "breaks off TLS" "spoke no TLS" --starttls "$work/pem" --broken-tls
ok "each is mailed exactly once" exactly $count

# What was taken but not yet a mail is on disk.
group=3
configure
stop_collectd 5
start_collectd
incident open 1795392000 waits 10.1.0.40
until_true 5 grep -q '"10.1.0.40"' "$work/spool/schedule"
kill_collectd
start_collectd
count=$((count + 1))
ok "a kill -9 within the grouping time loses nothing" until_true 10 have_mails $count
ok "and doubles nothing" so_far $count
stop_collectd 5

group=0
mkdir "$work/full"
if mount -t tmpfs -o size=64k,mode=0700 iptrk-test "$work/full" 2>/dev/null; then
	configure
	sed -i "s|^spool = .*|spool = \"$work/full/spool\"|" "$work/iptrk.toml"
	start_collectd
	dd if=/dev/zero of="$work/full/fill" bs=4k 2>/dev/null
	: >"$work/collectd.log"
	ok "with a full disk no thread of collectd waits" quickly \
		incident open 1795393000 full 10.1.0.41
	ok "the log says that the mail is in memory only" until_true 10 \
		grep -q "waits in memory only: .*No space left" "$work/collectd.log"
	count=$((count + 1))
	ok "the mail goes out from there" until_true 20 have_mails $count
		rm "$work/full/fill"
	incident open 1795393001 room 10.1.0.42
	count=$((count + 1))
	until_true 20 have_mails $count
	stop_collectd 5
	start_collectd
	ok "nothing is sent again after a restart" exactly $count
	ok "and never was anything else" no_doubles
	stop_collectd 5
	umount "$work/full"
else
	echo "skip - mail with a full disk: a tmpfs can't be mounted here"
fi
ok "and with a Message-ID of its own" no_doubles
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
count=$((count + 1))
ok "a stock plugin's threshold is mailed" until_true 20 have_mails $count
ok "with the figures collectd adds" mail_says "$(printf %04d $count)" \
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
