#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iptrk report against bills that Python computes: tests/report.test.sh
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

iptrk=build/tools/iptrk
fill=build/tests/unit/ledger_fill
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ledger=$work/ledger.sqlite

report() {
	"$iptrk" -c "$work/iptrk.toml" report --ledger "$ledger" "$@"
}

# Milliseconds that the report of 500 customers takes, the fastest of three.
many_ms() {
	local best=99999 begin took
	for _ in 1 2 3; do
		begin=$(date +%s%N)
		"$iptrk" report --ledger "$work/many.sqlite" --month 2026-10 >"$work/many.txt" || return 1
		took=$((($(date +%s%N) - begin) / 1000000))
		((took >= best)) || best=$took
	done
	echo "$best"
}

many() {
	local slot
	for ((slot = 1; slot <= 8928; slot++)); do
		printf 'slot %d 300 300 0 customers 500 %d\n' $((1790812800 + slot * 300)) "$slot"
	done | "$fill" "$work/many.sqlite"
}

cat >"$work/iptrk.toml" <<-END
	[networks.lan]
	prefixes = ["10.1.0.0/24"]
	[customers.acme]
	prefixes = ["10.1.0.0/28"]
	timezone = "Australia/Lord_Howe"
	convention = "p95-of-sum"
END

it 'writes a ledger of months, gaps and daylight-saving changes' \
	bash -c "set -o pipefail; tests/report-check fill | $fill $ledger"
tests/report-check compare "$iptrk" "$ledger" || it_failed=1

it "bills a customer in the configured time zone, by the configured convention" \
	equal '"Australia/Lord_Howe" 8922 "p95-of-sum"' \
	"$(report acme --month 2026-10 --json | python3 -c '
import json, sys
bill = json.load(sys.stdin)["customers"][0]
print(json.dumps(bill["timezone"]), bill["samples"]["expected"], json.dumps(bill["p95"][0]["convention"]))')"
it 'still bills who is no longer configured' \
	matches 'steps .* not configured' "$(report --month 2026-06)"
it 'says a range by its dates in the zone' \
	matches '"expected": 288,' "$(report acme --from 2026-06-01 --to 2026-06-02 --json 2>/dev/null)"
it 'writes an HTML page that needs no other file' \
	matches '<td>438 of 8755</td>.*</html>' \
	"$(report acme --month 2027-01 --timezone UTC --format html --page-templates tools/page-templates 2>/dev/null | tr '\n' ' ')"
it 'lists every slot for an audit' \
	equal 8640 "$(report steps --month 2026-06 --timezone UTC --audit --format csv | grep -c '^steps,' | {
		read -r count
		# The gaps are not in it.
		echo $((count + $(python3 -c '
import importlib.machinery, importlib.util
loader = importlib.machinery.SourceFileLoader("check", "tests/report-check")
check = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
loader.exec_module(check)
start, end = check.month_span("UTC", "2026-06")
print(8640 - sum(start < e <= end for e, _, _ in check.slots()))')))
	})"
it 'writes a file whole' bash -c "$iptrk report --ledger $ledger --month 2026-06 --output $work/june.txt &&
	grep -q 'layer 2 without FCS' $work/june.txt"

it 'fails with one line where too little is covered to be billed' \
	complains 1 'are not billable: less than 99 % is covered; --allow-gaps' report --month 2027-01 --timezone UTC
it 'bills it when gaps are allowed' report --month 2027-01 --timezone UTC --allow-gaps
it 'names the customers there are for one there is not' \
	complains 2 'nobody: no such customer; .* acme' report nobody
it 'says how a month is written' complains 2 '--month 2026-13: no month; write e.g. 20' report --month 2026-13
it 'says which conventions there are' \
	complains 2 '--convention p99: unknown; known are max-of-p95, ' report --convention p99
it 'takes only whole slots' complains 2 'slots of five minutes; write e.g.' report \
	--from 2026-06-01T00:01 --to 2026-06-02
echo 'no ledger, but a line of text' >"$work/text.sqlite"
ledger=/nowhere/x.sqlite it 'says what is missing where there is no ledger' \
	complains 1 '/nowhere/x.sqlite: its directory does not exist; make it: mkdir -p' report --month 2026-06
ledger=$work/text.sqlite it 'tells a file that is no ledger' \
	complains 1 'text.sqlite: damaged' report --month 2026-06

# Somebody who may read, and write nothing.
as_reader() {
	if ((EUID)); then "$@"; else setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; fi
}
copy=$work/copy/ledger.sqlite
mkdir "$work/copy"
cp "$ledger" "$copy"
chmod 444 "$copy"
chmod 755 "$work"
chmod 555 "$work/copy"
if as_reader "$iptrk" --version >/dev/null 2>&1; then
	it 'reads a copy that is only to be read' \
		as_reader "$iptrk" -c /dev/null report steps --month 2026-06 --timezone UTC --allow-gaps --ledger "$copy"
	chmod 0 "$copy"
	it 'says who may not read it' complains 1 "can't be read .*give this user the right to read it" \
		as_reader "$iptrk" -c /dev/null report steps --month 2026-06 --ledger "$copy"
	chmod "$((EUID ? 0 : 700))" "$work/copy"
	it 'says the same of its directory' complains 1 "can't be read .* to enter its directory" \
		as_reader "$iptrk" -c /dev/null report steps --month 2026-06 --ledger "$copy"
	chmod 755 "$work/copy"
else
	skip 'reads a copy that is only to be read' 'another user may not run iptrk'
fi

it 'writes the month of 500 customers' many
took=$(many_ms)
it 'bills every one of 500 customers' equal 500 "$(grep -c '8928/8928' "$work/many.txt")"
# Its two halves run at the same time, where something lets them.
if ((took >= 2000)) && awk -v cpus="$(nproc)" '{exit !($1 > cpus / 2)}' /proc/loadavg; then
	skip 'bills 500 customers for a month in less than 2 s' "took $took ms beside other work"
else
	it "bills 500 customers for a month in less than 2 s: $took ms" test "$took" -lt 2000
fi
it_ends
