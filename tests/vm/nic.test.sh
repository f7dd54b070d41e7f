#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --nic-pair
# The books of a network card (virtio), with its offloads on: what was joined
# by GRO or will be cut by GSO is counted as on the wire.
. tests/vm/it.sh
. tests/vm/lab.sh
. tests/vm/collectd.sh

insmod "$IPTRK_MODULE" || exit 1
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip netns add far
in_ns far sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set eth1 netns far
ip -n far address add 44.1.2.10/24 dev eth1
ip -n far link set eth1 up
ip address add 44.1.2.1/24 dev eth0
ip link set eth0 up
collectd_config <<-END
	[queue]
	interfaces = ["eth0"]
	[networks.near]
	prefixes = ["44.1.2.1/32"]
	[ledger]
	path = "$ledger"
END
collectd_start || exit 1

mkdir -p /run/files
head -c 3000000 /dev/zero >/run/files/three
in_ns far busybox httpd -p 80 -h /run/files
busybox httpd -p 80 -h /run/files
wait_for 'curl -s http://44.1.2.10/three | wc -c | grep -qx 3000000' 30
in_ns far curl -s http://44.1.2.1/three >/dev/null
ping -q -c 5 -i 0.1 -s 4000 44.1.2.10 >/dev/null
in_ns far killall busybox 2>/dev/null

balanced() {
	iptrk_status | jq_py "[(i['received']['unseen'], i['sent']['unseen']) for i in d['interfaces']]"
}

# More frames on the wire than buffers: something was joined and cut.
segmented() {
	iptrk_status | jq_py "d['interfaces'][0]['$1']['seen']['packets'] > d['interfaces'][0]['$1']['buffers']['packets']"
}

nothing="[({'bytes': 0, 'packets': 0}, {'bytes': 0, 'packets': 0})]"
wait_for '[[ $(balanced) == "$nothing" ]]' 10
it 'sees every frame and byte a card counts, both ways' equal "$nothing" "$(balanced)"
it 'saw buffers of several frames when sending' equal True "$(segmented sent)"
it 'counts three megabytes of TCP as at least that and its headers' at_least $((3000000 + 2070 * 54)) \
	"$(books eth0 sent seen bytes)"
explained() {
	iptrk_status | tests/docs-check keys doc/iptrk-status.1.scd
}
it 'explains each key of iptrk status --json in its manual page' explained
collectd_kill TERM
it 'unloads after that' rmmod iptrk
it_ends
