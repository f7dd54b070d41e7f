#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --nic-failover
# not on debug kernels: net_failover takes a lock it never initialised, at boot, which ends lockdep
# A card of two, net_failover: all of its frames pass the one on top.
. tests/vm/topology.sh
topology_begins

below=$(echo /sys/class/net/*/lower_*)
part=${below##*/lower_} whole=$(basename "${below%/*}")
ip link set "$whole" up
watch
it 'watches a card as a whole and not its part, by default' equal "$whole" "$(watched_names | grep -xE "$whole|$part")"
sent=$(frames "$whole" udp4*9)
taken
it 'and records what it is given to send once' exactly "$sent" "$(recorded direction=sent protocol=17 "interface=$whole")"
watch "$whole" "$part"
sent=$(frames "$whole" udp4*8)
taken
it 'also when both are named' exactly "$sent" "$(recorded direction=sent protocol=17)"

it 'unloads after all that' rmmod iptrk
it_ends
