# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark's packets, to be sourced in the test machine. pktgen makes
# them on d0 and hands them to the stack as if d0 had received them; nobody
# wants them there, and they end behind the routing decision.
#
#   one        60-byte UDP, always the same          ipv6       78 bytes, 65,536
#   thousand   from 1,024 sources, at random                    destinations
#   many       from 65,536 sources, at random        vlan       many, tagged
#   new        each from a source of its own         forwarded  many, routed to d1
#   sent       many, sent through d0 instead

traffic_init() {
	# Without a seed, each random address would cost thousands.
	perl -e 'open my $random, ">", "/dev/random" or die;
		ioctl $random, 0x40085203, pack("iia64", 512, 64, rand) or die'
	modprobe dummy numdummies=0 && modprobe pktgen || return
	ip link add d0 type dummy && ip link add d1 type dummy || return
	ip link set d0 up && ip link set d1 up || return
	ip address add 198.18.0.1/24 dev d1
	ip neighbour add 198.18.0.2 lladdr 02:00:00:00:00:99 nud permanent dev d1
	# Random sources are no martians here.
	sysctl -qw net.ipv4.conf.{all,d0}.rp_filter=0
	ip route add 44.0.0.0/8 dev d1
}

# traffic_settings TRAFFIC REPETITION: what pktgen is told, a line each.
traffic_settings() {
	local first=44.0.0.0 last=44.0.255.255 mode=netif_receive
	printf '%s\n' 'pkt_size 60' 'delay 0' 'clone_skb 0' \
		"dst_mac $(cat /sys/class/net/d0/address)" 'src_mac 02:00:00:00:00:01' \
		'udp_src_min 4000' 'udp_src_max 4000' 'udp_dst_min 9' 'udp_dst_max 9'
	case $1 in
	one) first=44.0.0.1 last=44.0.0.1 ;;
	thousand) last=44.0.3.255 ;;
	new) first=44.$2.0.0 last=44.$2.255.255 ;;
	ipv6) printf '%s\n' 'dst6_min 2001:db8::' 'dst6_max 2001:db8::ffff' 'src6 2001:db8:1::1' ;;
	vlan) echo 'vlan_id 5' ;;
	sent) mode=queue_xmit ;;
	esac
	if [[ $1 != ipv6 ]]; then
		printf '%s\n' "dst_min 198.18.0.2" "src_min $first" "src_max $last"
		[[ $1 == one || $1 == new ]] || echo 'flag IPSRC_RND'
	fi
	echo "xmit_mode $mode"
}

# traffic_send TRAFFIC COUNT REPETITION: prints how many nanoseconds it took.
traffic_send() {
	local line forward=0
	[[ $1 != forwarded ]] || forward=1
	echo "$forward" >/proc/sys/net/ipv4/ip_forward
	echo rem_device_all >/proc/net/pktgen/kpktgend_0
	echo 'add_device d0' >/proc/net/pktgen/kpktgend_0
	{ traffic_settings "$1" "$3" && echo "count $2"; } | while read -r line; do
		echo "$line" >/proc/net/pktgen/d0 || { echo "pktgen refuses: $line" >&2; return 1; }
	done || return
	echo start >/proc/net/pktgen/pgctrl
	sed -nE 's/^Result: OK: ([0-9]+)\(.*/\1000/p' /proc/net/pktgen/d0 | grep .
}
