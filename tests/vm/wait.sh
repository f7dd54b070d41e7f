# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Waiting, to be sourced by tests: one never just sleeps. Seconds are of the
# kernels people have; those that look for our mistakes make programs ten times
# slower, and get $patience times as many.

case $(uname -r) in *-kasan | *-kcsan) patience=10 ;; *) patience=1 ;; esac

# within SECONDS COMMAND...: waits until it succeeds, or so long.
within() {
	local end=$((SECONDS + $1 * patience))
	shift
	until "$@"; do
		((SECONDS <= end)) || return 1
		sleep 0.1
	done
}

# wait_for CONDITION SECONDS: evaluates CONDITION until it holds, or says that it
# did not.
wait_for() {
	within "$2" eval "$1" >/dev/null 2>&1 || {
		printf 'waited %s s in vain for: %s\n' "$2" "$1" >&2
		return 1
	}
}
