# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every network of namespaces needs, to be sourced by tests/vm/lab.sh and
# tests/vm/topology.sh.

# in_ns NAMESPACE COMMAND...
in_ns() {
	ip netns exec "$@"
}

# wait_for CONDITION TIMEOUT: evaluates CONDITION until it holds, for at most
# TIMEOUT seconds. A test never just sleeps.
wait_for() {
	local end=$((SECONDS + $2))
	until eval "$1" >/dev/null 2>&1; do
		if ((SECONDS > end)); then
			printf 'waited %s s in vain for: %s\n' "$2" "$1" >&2
			return 1
		fi
		sleep 0.1
	done
}
