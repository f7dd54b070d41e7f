#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iptrk incidents, as a sysop uses it at night: tests/incidents.test.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ledger=$work/ledger.sqlite
now=$(date +%s)
export LOGNAME=anna
unset SUDO_USER

# one ID KIND SUBJECT START END NETWORK PEAK
one() {
	printf 'incident %s %s %s %s %s {"id":"%s","kind":"%s","subject":"%s","direction":"in","network":"%s","severity":"failure","rule":"a rule","unit":"packets/s","value":900,"limit":500,"window":5,"baseline":12,"peak":%s,"packets":40000,"bytes":2400000,"distinct_peers":2,"peers":[{"address":"44.1.2.66","packets":30000,"share":0.75,"bytes":1800000,"share_bytes":0.75}],"ports":[{"protocol":"tcp","port":80,"packets":40000,"share":1.0}]}\n' \
		"$1" "$2" "$3" "$4" "$5" "$1" "$2" "$3" "$6" "$7"
}
{
	one 20261001-old packets 10.1.0.7 $((now - 40 * 86400)) $((now - 39 * 86400)) lan 20000
	one 20261002-six udp-flood 2001:db8:3:10:: $((now - 39 * 86400)) $((now - 38 * 86400)) lan 900
	one 20261126-syn syn-flood 10.1.0.80 $((now - 200)) 0 lan 900
	one 20261126-scan port-scan 44.1.2.66 $((now - 7200)) $((now - 7000)) lan 30
	one 20261126-udp udp-flood 10.2.0.9 $((now - 600)) $((now - 500)) servers 12000
} | build/tests/unit/ledger_fill "$ledger" || exit 1

incidents() {
	build/tools/iptrk -c "${config:-/dev/null}" incidents --ledger "$ledger" "$@"
}

# ids ARGUMENT...: of what is listed.
ids() {
	incidents --json "$@" | python3 -c 'import json, sys; print(*(i["id"] for i in json.load(sys.stdin)["incidents"]))'
}

it 'lists those of the last week, the latest first' equal \
	'20261126-syn 20261126-udp 20261126-scan' "$(ids)"
it 'lists older ones when asked' equal 5 "$(ids --since 60d | wc -w)"
it 'lists those of a kind' equal 20261126-scan "$(ids --kind port-scan)"
it 'lists those of a host' equal 20261126-syn "$(ids --subject 10.1.0.80)"
it 'lists those in a prefix' equal 20261126-udp "$(ids --subject 10.2.0.0/16)"
printf '[networks.lan]\nprefixes = ["2001:db8:3::/48"]\nipv6_prefix = 64\n' >"$work/six.toml"
it 'lists those of an IPv6 host by any of its addresses' equal 20261002-six \
	"$(config=$work/six.toml ids --since 60d --subject 2001:db8:3:10::5)"
it 'refuses what can have none' complains 2 'no address, prefix' incidents --subject 10.1.0.80/24
it 'refuses a network that there is not' complains 2 "--network lam: unknown; there are: local" incidents --network lam
it 'lists those of a network' equal 20261126-udp "$(ids --network servers)"
it 'lists those that are open' equal 20261126-syn "$(ids --open)"
it 'says it in two lines each, for people' matches \
	$'^OPEN +20[0-9:TZ-]+ +syn-flood +in +10\\.1\\.0\\.80 +peak 900 packets/s, 3 min( [0-9]+ s)?\n +20261126-syn$' \
	"$(incidents --open)"
it 'says that there is none' matches '^no incidents since 20' "$(incidents --kind carpet)"

it 'says it with the right year, however long ago' equal 'no incidents since 1969-07-20T20:17:40Z' \
	"$(incidents --kind carpet --since 1969-07-20T20:17:40)"
it 'says that the disk is full' equal '1 iptrk: standard output: No space left on device' \
	"$(incidents 2>"$work/said" >/dev/full; echo "$? $(<"$work/said")")"

whole=$(incidents show 20261126-s 2>&1)
it 'asks for more of an id that two begin with' matches '2 incidents begin so' "$whole"
whole=$(incidents show 20261126-sy)
for part in 'syn-flood in 10\.1\.0\.80, open' 'rule +a rule' 'value +900 packets/s over 5 s' \
	'limit +500 packets/s' 'usual +12 packets/s' 'top peers' '44\.1\.2\.66 +30000 packets +75\.0 %' 'tcp/80 +40000 packets 100\.0 %'; do
	it "shows one with its evidence: $part" matches "$part" "$whole"
done

it 'silences a kind of a host' matches '^silence 1: udp-flood of 10\.2\.0\.9 in network \* until ' \
	"$(incidents silence udp-flood --subject 10.2.0.9 --for 2h --note 'a test')"
it 'silences what an incident is of' matches '^silence 2: syn-flood of 10\.1\.0\.80 ' \
	"$(incidents silence 20261126-syn --for 30m)"
it 'lists what is silenced, by whom and why' matches \
	'1 +udp-flood +10\.2\.0\.9 .*, by anna: a test' "$(incidents silences)"
it 'still lists what is silenced, and says so' matches 'silenced' "$(incidents --kind udp-flood)"
it 'ends a silence' equal 'silence 2 is ended' "$(incidents unsilence 2)"
it 'ends one for machines' matches '"ended": true' "$(incidents silence carpet >/dev/null && incidents unsilence 3 --json)"
it 'silences no more then' equal 1 "$(incidents silences --json | grep -c '"id"')"

cat >"$work/iptrk.toml" <<-END
	[networks.lan]
	prefixes = ["10.1.0.0/16", "2001:db8::/32"]
	ipv6_prefix = 64
END
ours() {
	build/tools/iptrk -c "$work/iptrk.toml" incidents --ledger "$ledger" "$@"
}
it 'silences the host that an IPv6 address is of' matches 'packets of 2001:db8:0:1::/64 in network lan ' \
	"$(ours silence packets --subject 2001:db8:0:1::77 --network lan)"
it 'silences an interface' matches 'books of lo ' "$(ours silence books --subject lo)"
it 'silences no subject that can be none' complains 2 '--subject 10\.1\.0\.x: no address' \
	ours silence packets --subject 10.1.0.x
it 'silences no network that there is not' complains 2 '--network lam: unknown; there are: lan' \
	ours silence packets --network lam

it 'acknowledges' equal '20261126-syn is acknowledged' "$(incidents acknowledge 20261126-syn --note 'on it')"
it 'says who acknowledged' matches 'acknowledged +20.* by anna: on it' "$(incidents show 20261126-syn)"
it 'takes an acknowledgement back' matches 'no longer acknowledged' "$(incidents acknowledge 20261126-syn --undo)"
it 'takes none back where there is none' complains 2 '20261126-syn: is not acknowledged' \
	incidents acknowledge 20261126-syn --undo
it 'acknowledges for machines' matches '"acknowledged": true' "$(incidents acknowledge 20261126-udp --json)"
it 'takes back for machines' matches '"acknowledged": false' "$(incidents acknowledge 20261126-udp --undo --json)"
it 'has no acknowledged one then' equal 0 "$(incidents --json | grep -c '"acknowledged": true')"

it 'refuses an unknown kind and names the known' complains 2 'kind.*known are .*syn-flood' incidents --kind flood
it 'refuses a time that is none' complains 2 "--for later: no time; write such as 30m" incidents silence packets --for later
it 'refuses a date that is none' complains 2 '--since soon: no time' incidents --since soon
it 'knows no such incident' complains 2 'no such incident' incidents show nothing
it 'knows no such silence' complains 2 '7: no such silence' incidents unsilence 7
it 'silences nothing that is neither kind nor incident' complains 2 'neither a kind nor an incident' incidents silence nothing
head -c 8192 /dev/urandom >"$work/other"
ledger=$work/other
it 'takes no other file for a ledger' complains 1 'other' incidents
ledger=$work/none.sqlite
it 'makes no ledger by a slip' complains 1 'none\.sqlite' incidents silence packets
it 'has made none' test ! -e "$ledger"
it_ends
