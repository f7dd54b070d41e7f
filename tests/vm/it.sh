# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Claims and their verdicts, to be sourced by tests.
#
#   it 'counts ten pings as ten' equal 10 "$count"     a command decides
#   skip 'replays captures' 'there are none'           said, never passed
#   it_ends                                            at the end of a test
#
# Each prints "ok - ...", "not ok - ..." with what the command said, or
# "skip - ...". it_ends exits with 1 when any failed, or none was made.

it_made=0
it_failed=0

it() {
	local sentence=$1 output
	shift
	it_made=$((it_made + 1))
	if output=$("$@" 2>&1); then
		printf 'ok - %s\n' "$sentence"
	else
		it_failed=$((it_failed + 1))
		printf 'not ok - %s\n' "$sentence"
		printf '%s\n' "$output" | sed 's/^/    /' | tail -n 40
	fi
}

# equal EXPECTED ACTUAL
equal() {
	[[ $1 == "$2" ]] || {
		printf 'expected: %s\nactual:   %s\n' "$1" "$2"
		return 1
	}
}

# at_least LEAST ACTUAL
at_least() {
	[[ $2 -ge $1 ]] || {
		printf 'expected at least: %s\nactual:            %s\n' "$1" "$2"
		return 1
	}
}

# matches REGEX TEXT
matches() {
	[[ $2 =~ $1 ]] || {
		printf 'expected to match: %s\nactual:\n%s\n' "$1" "$2"
		return 1
	}
}

# complains STATUS REGEX COMMAND...: with that exit code, and in one line on
# stderr.
complains() {
	local status=$1 expected=$2 line actual
	shift 2
	line=$("$@" 2>&1 >/dev/null)
	actual=$?
	equal "$status" "$actual" && matches "$expected" "$line" && equal 1 "$(wc -l <<<"$line")"
}

skip() {
	it_made=$((it_made + 1))
	printf 'skip - %s: %s\n' "$1" "$2"
}

it_ends() {
	((it_made > 0 && it_failed == 0))
	exit
}
