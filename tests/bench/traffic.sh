# shellcheck shell=bash disable=SC2034 # traffic_* are for the sourcing script
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark's packets, to be sourced in the test machine. pktgen makes
# them on d0 and hands them to the stack as if d0 had received them. They end
# where routing begins, because they are for 127.0.0.9: a refused route would
# be an object that RCU frees, now within what is measured, now after it.
#
#   one        60-byte UDP, always the same          ipv6       78 bytes, 65,536
#   thousand   from 1,024 sources, at random                    destinations
#   many       from 65,536 sources, at random        vlan       many, tagged
#   new        each from a source of its own         forwarded  many, routed to d1
#   sweep      each source of many, in order         sent       many, sent by d0
#   mirrored   many, to another machine's MAC: the stack drops it at once
#
# traffic_rate is packets a second, 0 for as fast as they can be made.

traffic_rate=0

traffic_init() {
	# Without a seed, each random address would cost thousands.
	perl -e 'open my $random, ">", "/dev/random" or die;
		ioctl $random, 0x40085203, pack("iia64", 512, 64, rand) or die'
	modprobe dummy numdummies=0 && modprobe pktgen || return
	ip link add d0 type dummy && ip link add d1 type dummy || return
	ip link set d0 up && ip link set d1 up || return
	traffic_mac=$(cat /sys/class/net/d0/address)
	ip address add 198.18.0.1/24 dev d1
	ip neighbour add 198.18.0.2 lladdr 02:00:00:00:00:99 nud permanent dev d1
	# Random sources are no martians here.
	sysctl -qw net.ipv4.conf.{all,d0}.rp_filter=0
	ip route add 44.0.0.0/8 dev d1
}

# traffic_settings TRAFFIC REPETITION: what pktgen is told, a line each.
traffic_settings() {
	local first=44.0.0.0 last=44.0.255.255 to=127.0.0.9 mode=netif_receive
	local mac=$traffic_mac
	[[ $1 != mirrored ]] || mac=02:00:00:00:00:77
	if ((traffic_rate)); then echo "ratep $traffic_rate"; else echo 'delay 0'; fi
	printf '%s\n' 'pkt_size 60' 'clone_skb 0' "dst_mac $mac" 'src_mac 02:00:00:00:00:01' \
		'udp_src_min 4000' 'udp_src_max 4000' 'udp_dst_min 9' 'udp_dst_max 9'
	case $1 in
	one) first=44.0.0.1 last=44.0.0.1 ;;
	thousand) last=44.0.3.255 ;;
	new) first=44.$2.0.0 last=44.$2.255.255 ;;
	ipv6) printf '%s\n' 'dst6_min 2001:db8::' 'dst6_max 2001:db8::ffff' 'src6 2001:db8:1::1' ;;
	vlan) echo 'vlan_id 5' ;;
	sent) mode=queue_xmit ;;
	forwarded) to=198.18.0.2 ;;
	esac
	if [[ $1 != ipv6 ]]; then
		printf '%s\n' "dst_min $to" "src_min $first" "src_max $last"
		[[ $1 == one || $1 == new || $1 == sweep ]] || echo 'flag IPSRC_RND'
	fi
	echo "xmit_mode $mode"
}

# traffic_device NAME THREAD: gives the thread this device and no other. It may
# be slow to let go of what it had.
traffic_device() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		[[ -e /proc/net/pktgen/$1 ]] || break
		echo rem_device_all >"/proc/net/pktgen/$2"
	done
	echo "add_device $1" >"/proc/net/pktgen/$2"
}

# traffic_send TRAFFIC COUNT REPETITION: leaves in traffic_ns how long it took,
# and in traffic_reader_ns what the reader, if there is one, had run by its end.
traffic_send() {
	local line settings result forward=0
	# Nothing of ours may end while pktgen runs: the signal would stop it.
	settings=$(traffic_settings "$1" "$3" && echo "count $2")
	[[ $1 != forwarded ]] || forward=1
	echo "$forward" >/proc/sys/net/ipv4/ip_forward
	traffic_device d0 kpktgend_0 || return
	while read -r line; do
		echo "$line" >/proc/net/pktgen/d0 || { echo "pktgen refuses: $line" >&2; return 1; }
	done <<<"$settings"
	# From here on each instruction of ours would count.
	echo start >/proc/net/pktgen/pgctrl
	[[ -z ${reader_pids[*]} ]] || read -r traffic_reader_ns _ <"/proc/${reader_pids[-1]}/schedstat"
	result=$(</proc/net/pktgen/d0)
	[[ $result =~ Result:\ OK:\ ([0-9]+)\( ]] || { echo "pktgen: $result" >&2; return 1; }
	traffic_ns=${BASH_REMATCH[1]}000
}
