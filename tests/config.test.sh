#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The configuration, as a sysop meets it: tests/config.test.sh
#
# Asks `iptrk check` about good, odd and bad files, and fuzzes the parser for
# IPTRK_FUZZ_SECONDS (default 15) from IPTRK_FUZZ_SEED (default 1).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

seconds=${IPTRK_FUZZ_SECONDS:-15}
iptrk=build/tools/iptrk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
example=packaging/iptrk.toml

# checked STATUS FILE [OPTION...]: what check says of it, on both outputs.
checked() {
	local expected=$1 file=$2 status
	shift 2
	"$iptrk" check -c "$file" "$@" 2>&1
	status=$?
	((status == expected)) || { echo "exit code $status, not $expected"; return 1; }
}

# says STATUS FILE REGEX...
says() {
	local output regex
	output=$(checked "$1" "$2") || { echo "$output"; return 1; }
	for regex in "${@:3}"; do
		matches "$regex" "$output" || return 1
	done
}

# json STATUS FILE PYTHON: a condition on the array `found`.
json() {
	local output
	output=$(checked "$1" "$2" --json) || { echo "$output"; return 1; }
	python3 -c "import json, sys; found = json.loads(sys.argv[1]); sys.exit(not ($3))" "$output" ||
		{ echo "$output"; return 1; }
}

uncommented() {
	sed -E 's/^#(\[.*|[a-z0-9_]+ = .*)$/\1/' "$example"
}

cat >"$work/good.toml" <<'END'
[networks.lan]
prefixes = ["10.1.0.0/24", "2001:db8:1::/48"]
ipv6_prefix = 64
[customers.acme]
prefixes = ["10.1.0.64/26"]
timezone = "Europe/Berlin"
[services]
web = ["tcp/80", "udp/443"]
END
cat >"$work/odd.toml" <<'END'
[queue]
interfaces = ["lo", "nosuch*"]
END
cat >"$work/bad.toml" <<'END'
[colectd]
[queue]
recordz = 1024
[mail]
tls = starttls
[customers.acme]
prefixes = ["10.1.0.1/24"]
timezone = "Berlin"
END

it 'takes the example as it is' says 0 "$example" ': ok'
it 'takes the example with every key uncommented' says 0 <(uncommented) ': ok'
it 'says what a configuration means' says 0 "$work/good.toml" \
	'network lan: 10\.1\.0\.0/24: 256 addresses, 2001:db8:1::/48: 65,536 hosts, a /64 each' \
	'customer acme: 10\.1\.0\.64/26; billed by max-of-p95, months of Europe/Berlin' \
	'service web: tcp/80, udp/443' 'incidents: .*syn-flood' 'ledger: /var/lib/iptrk/ledger\.sqlite'
it 'warns of an interface that is not there, and takes the file' says 0 "$work/odd.toml" \
	"odd\.toml:2:21: no interface of this machine matches 'nosuch\*' now" ': ok'
it 'names every fault of a file, its place and its remedy' says 1 "$work/bad.toml" \
	'bad\.toml:1:2: \[colectd\] is not a section; did you mean \[collectd\]\?' \
	'bad\.toml:3:1: queue\.recordz is not a key; did you mean records\?' \
	"bad\.toml:5:7: 'starttls' is no value; text must be in quotes" \
	"bad\.toml:7:13: '10\.1\.0\.1/24' .* did you mean 10\.1\.0\.0/24\?" \
	"bad\.toml:8:12: 'Berlin' is no time zone"
it 'prints as many faults as JSON for machines' json 1 "$work/bad.toml" \
	'len(found) == 5 and found[1]["line"] == 3 and found[1]["column"] == 1 and found[1]["severity"] == "error" and found[1]["file"].endswith("bad.toml")'
it 'prints an empty list of faults when there are none' json 0 "$work/good.toml" 'found == []'
it 'says that there is no file' says 1 "$work/none.toml" "none\.toml: can't be read: No such file"

# In so many seconds of its own, whatever else runs.
within() {
	local TIMEFORMAT=%U used
	used=$({ time "${@:2}" >"$work/said" 2>&1; } 2>&1) || { tail -n 5 "$work/said"; return 1; }
	python3 -c 'import sys; sys.exit(float(sys.argv[1]) > float(sys.argv[2]))' "$used" "$1" ||
		{ echo "$used s"; return 1; }
}

# ten_thousand LINE: with %d for what makes each its own.
ten_thousand() {
	python3 -c 'import sys; print("\n".join(sys.argv[1] % i for i in range(10000)))' "$1"
}
{
	printf '[networks.all4]\nprefixes = ["10.0.0.0/8"]\n'
	python3 -c 'for i in range(10000): print(f"[customers.c{i}]\nprefixes = [\"10.{i // 250}.{i % 250}.0/24\"]")'
} >"$work/large.toml"
ten_thousand '[customers.x%d]
prefixs = "300.0.0.0/8"' >"$work/absurd.toml"
ten_thousand 'this is line %d = [[[ "of' >"$work/no.toml"
it 'takes ten thousand customers, in 2 s' within 2 checked 0 "$work/large.toml"
it 'names the faults of ten thousand customers, in 2 s' within 2 checked 1 "$work/absurd.toml"
it 'refuses ten thousand lines that are no TOML, in 2 s' within 2 checked 1 "$work/no.toml"
rm "$work/large.toml" "$work/absurd.toml" "$work/no.toml"

fuzz() {
	mkdir -p "$work/corpus" "$work/seeds"
	cp "$example" "$work"/*.toml "$work/seeds"
	uncommented >"$work/seeds/uncommented"
	# The words of the file, so that they need not be found letter by letter.
	grep -ohE '[a-z0-9_.-]{3,}|"[^"\\]+"' "$work/seeds"/* | tr -d '"' | sort -u |
		sed 's/.*/"&"/' >"$work/words"
	"$work/fuzz" -seed="${IPTRK_FUZZ_SEED:-1}" -max_total_time="$seconds" -max_len=4096 -timeout=10 -dict="$work/words" \
		-artifact_prefix="$work/" "$work/corpus" "$work/seeds" >"$work/log" 2>&1 && return
	grep -vE '^#[0-9]+' "$work/log" | tail -n 40
	for input in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do
		[[ ! -f $input ]] || { echo "$input:"; base64 "$input"; }
	done
	return 1
}
it 'builds the fuzzer of the configuration' tests/fuzz/build config "$work/fuzz"
it "finds a place for every fault in $seconds s of fuzzed files" fuzz
it_ends
