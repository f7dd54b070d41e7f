# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every network of namespaces needs, to be sourced by tests/vm/lab.sh and
# tests/vm/topology.sh.
. tests/vm/wait.sh

# in_ns NAMESPACE COMMAND...
in_ns() {
	ip netns exec "$@"
}
