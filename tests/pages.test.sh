#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Histograms and the static site from a ledger whose every figure is known:
# tests/pages.test.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

iptrk=$PWD/build/tools/iptrk
fill=build/tests/unit/ledger_fill
export IPTRK_TEMPLATES=$PWD/rrd-templates
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
now=$(date +%s)
end=$((now - now % 300))

tests/make-sample-site "$work" 2 "$end" || exit 2

graph() {
	"$iptrk" -c "$work/iptrk.toml" graph "$@" --prefix 10.1.0.0/24 --start "$((end - 3600))" --end "$end"
}

pages() {
	"$iptrk" -c "$work/iptrk.toml" pages --templates rrd-templates --page-templates tools/page-templates "$@"
}

# bars FILE.svg [RED,GREEN,BLUE]: address and height of each bar of a colour, in
# percent of the tallest, by the pixels that rrdgraph drew.
bars() {
	python3 tests/svg-bars "$1" "${2:-42,120,214}"
}

it 'draws a histogram from the ledger' graph histogram --width 1024 --height 400 --output "$work/h.svg"
it 'gives the bars the heights of their volumes, also at the first and the last address' \
	equal '0:25 216:100 255:50' "$(bars "$work/h.svg" | tr '\n' ' ' | sed 's/ $//')"
it 'and below the axis those of what was sent' equal 216:100 "$(bars "$work/h.svg" 240,140,46,below)"
heat() {
	graph heat --output "$work/heat.svg" && grep -o 'class="l7" d="[^"]*"' "$work/heat.svg"
}
it 'draws a heat map, whose hottest cells are those of the one address' \
	equal 'class="l7" d="M0 216h12"' "$(heat)"
it 'says that a heat map is SVG' matches 'heat is SVG' "$(graph heat --output "$work/heat.png" 2>&1)"
it 'draws a logarithmic one' graph histogram --log --output "$work/log.png"
it 'says that only a histogram can be' equal 2 "$(graph network --log --output "$work/no.png" >/dev/null 2>&1; echo $?)"
it 'takes what follows a variable for the template' graph --var watermark=x histogram --output "$work/var.svg"
private() {
	: >"$work/private.svg" && chmod 600 "$work/private.svg" &&
		graph histogram --output "$work/private.svg" && stat -c %a "$work/private.svg"
}
it 'leaves a file to those who could read it' equal 600 "$(private)"
for variant in histogram-packets histogram-internal; do
	it "draws $variant" graph "$variant" --output "$work/$variant.png"
done
it 'draws PDF with a font of ones own, for dense screens, dark' \
	graph histogram --theme dark --zoom 3 --font 'DejaVu Serif' --output "$work/h.pdf"
pipe() {
	mkfifo "$work/pipe.svg"
	graph histogram --output "$work/pipe.svg" &
	timeout 20 tail -c 7 "$work/pipe.svg"
	wait $!
}
it 'writes to a pipe, which stays one' equal '</svg> pipe' "$(pipe) $(test -p "$work/pipe.svg" && echo pipe)"
it 'writes where a link leads, which stays one' equal "a.svg </svg>" "$(
	ln -s a.svg "$work/link.svg" && graph histogram --output "$work/link.svg" &&
		echo "$(readlink "$work/link.svg") $(tail -c 7 "$work/a.svg")")"
appended() {
	echo before >"$work/both"
	graph histogram --output /dev/stdout >>"$work/both"
	head -n 1 "$work/both" && tail -c +8 "$work/both" | head -c 4 | tail -c 3
}
it 'adds to the end of what stdout is added to' equal $'before\nPNG' "$(appended)"
plain() {
	"$iptrk" -c "$work/iptrk.toml" graph "$@" --start "$((end - 3600))" --end "$end"
}
for picture in histogram heat network; do
	it "knows no other network than those there are, of $picture" \
		complains 2 '--network nowhere: unknown; there are: empty lan' plain "$picture" --network nowhere
done
it 'draws the only network that has data' plain histogram --output "$work/only.svg"
it 'says that a picture is too large to be one' complains 2 '--width 8192 with --zoom 4: a PNG has at most' \
	plain histogram --width 8192 --zoom 4 --output "$work/large.png"
it 'says that a template wants a network' complains 2 '--host 10\.1\.0\.80: network is of a network' \
	plain network --host 10.1.0.80
it 'says that a template wants a host' complains 2 '--host is needed, since time-domain is of a host' plain time-domain
it 'says that times are the wrong way round' matches 'is not before' \
	"$("$iptrk" -c "$work/iptrk.toml" graph histogram --start 20261002 --end 20261001 2>&1)"

it 'writes the site' pages
it 'has every page and picture that it links to, and no markup of others' \
	python3 tests/site-check "$work/site"
it 'says first that something is wrong, who is hit, by whom and since when' \
	matches '<h1>1 incident is open</h1>.*10\.1\.0\.216.*198\.51\.100\.7 \(87 %\)' "$(tr '\n' ' ' <"$work/site/index.html")"
it 'says of a scan that who was scanned is hit' \
	matches '>10\.1\.0\.216 \(100 %\)</a>[^%]*<td class="text"><a [^>]*>port-scan in</a></td><td class="text">198\.51\.100\.9<' \
	"$(tr '\n' ' ' <"$work/site/index.html")"
it 'shows the evidence of an incident' \
	matches 'Rule</dt><dd>more than 20000.*udp/53' "$(tr '\n' ' ' <"$work/site/incidents.html")"
it 'shows an incident of a kind that it does not know' matches 'later-kind' "$(<"$work/site/incidents.html")"
it 'keeps the record of a silence with its host' \
	matches '24 of 24 five-minute.*Told as incidents' "$(tr '\n' ' ' <"$work/site/host-lan-10.1.0.80.html")"
it 'says when a host sent last' \
	matches "Sent last</dt><dd>In the five minutes before $(date -d "@$end" '+%Y-%m-%d %H:%M')" "$(<"$work/site/host-lan-10.1.0.216.html")"
it 'adds up the ports and peers of its incidents' \
	matches 'Ports and peers.*udp/53<.*100 %.*198\.51\.100\.7<.*87 %' "$(tr '\n' ' ' <"$work/site/host-lan-10.1.0.216.html")"
it "puts the ledger's 95th percentile to the graph of a host" \
	matches 'over time, last hour .*95th percentile in 26\.7 Mbit/s, out 13\.3 Mbit/s' "$(<"$work/site/host-lan-10.1.0.216.html")"
it 'and to that of a network' \
	matches 'lan over time, last hour .*95th percentile in 46\.7 Mbit/s, out 13\.3 Mbit/s' "$(<"$work/site/network-lan.html")"
it 'shows bills' matches 'acme' "$(<"$work/site/bills.html")"
it 'leads from the tallest bar to its host' \
	matches 'href="host-lan-10\.1\.0\.216\.html"[^>]*><title>10\.1\.0\.216   in 12\.0 GB   out 6\.00 GB' "$(<"$work/site/index.html")"
it 'says that a network has no data' matches 'No hosts yet' "$(<"$work/site/index.html")"
it 'draws nothing again that is the same' equal 'same' "$(
	find "$work/site/img" -printf '%p %T@\n' | sort >"$work/before"
	pages && find "$work/site/img" -printf '%p %T@\n' | sort | cmp - "$work/before" && echo same)"
it 'does not run twice at once' matches 'another run' "$(
	exec 9>"$work/site/.lock"
	flock 9
	pages 2>&1)"

it 'says when the ledger is no ledger, and goes on' matches 'not' "$(
	head -c 5000 /dev/urandom >"$work/broken.sqlite"
	pages --ledger "$work/broken.sqlite" --output "$work/broken" 2>&1
	python3 tests/site-check "$work/broken")"
it 'shows that on the overview' matches 'Problems' "$(<"$work/broken/index.html")"
it 'fails where the ledger that is asked for is not there, and says so' complains 1 'none\.sqlite: does not exist' \
	pages --ledger "$work/none.sqlite" --output "$work/broken"
it 'so does a graph' complains 1 'none\.sqlite: does not exist' graph histogram --ledger "$work/none.sqlite"
it 'fails where there are no RRDs of the host that is asked for' complains 1 '--collectd-host gw9: no RRDs of iptrk' \
	pages --collectd-host gw9 --output "$work/broken"
it 'so does a graph of RRDs that are not there' complains 1 'none: No such file' \
	graph network --rrd-directory "$work/none"
it 'never takes old data for live ones' matches 'Unknown: no fresh data' "$(
	printf 'slot 1790812800 300 300 0\nhost 10.1.0.1 9 9 9 9 9 9\n' | "$fill" "$work/old.sqlite"
	pages --ledger "$work/old.sqlite" --output "$work/old" && cat "$work/old/index.html")"

# A disk of its own for the site, that is filled up but for so many kilobytes.
fill_up() {
	rm -f "$disk/filler"
	dd if=/dev/zero of="$disk/filler" bs=1k count=$(($(df --output=avail -k "$disk" | tail -n 1) - $1)) status=none
}
disk=$work/disk
mkdir "$disk"
if mount -t tmpfs -o size=64m tmpfs "$disk" 2>/dev/null; then
	trap 'umount "$disk"; rm -rf "$work"' EXIT
	pages --output "$disk/site" && cp -a "$disk/site" "$work/whole"
	sed 's/^\[pages\]/&\ntitle = "Other"/' "$work/iptrk.toml" >"$work/other.toml"
	other() {
		"$iptrk" -c "$work/other.toml" pages --templates rrd-templates --page-templates tools/page-templates --output "$disk/site"
	}
	fill_up 0
	it 'says in a line that the disk is full' equal '1 1' "$(
		other 2>"$work/said"
		echo "$? $(grep -c 'No space left on device; what was there' "$work/said")")"
	it 'and leaves the site as it was' diff -r "$work/whole" "$disk/site"
	rm "$disk"/site/img/*
	fill_up 300
	it 'fails where the disk gets full half-way' equal 1 "$(other 2>/dev/null; echo $?)"
	rm "$disk/filler"
	it 'mends all of it the next time' other
	it 'which is whole again' python3 tests/site-check "$disk/site"
	it 'has no other file left' equal '.iptrk-pages.json .lock' "$(find "$disk/site" -name '.*' -printf '%f\n' | sort | xargs)"
else
	skip 'leaves the site whole when the disk is full' 'wants to mount a small disk'
fi
it_ends
