#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --nic-pair --timeout 1200
# Buffers of many frames, joined by GRO or to be cut by GSO, on a card (virtio)
# and a veth pair: counted as the frames they are.
. tests/vm/topology.sh
topology_begins
modprobe -a veth tun || exit 1
payload=3000000

# transfer FROM TO ADDRESS: that many octets over TCP; namespaces, or - for
# here. Headers are of one size: no time stamps, no SACK. As many as $carried
# went, with what was sent again.
transfer() {
	local from=(in_ns "$1") to=(in_ns "$2") size
	[[ $1 != - ]] || from=(command)
	[[ $2 != - ]] || to=(command)
	"${to[@]}" tests/vm/octets receive 5001 >/run/transferred &
	local server=$!
	wait_for "${to[*]} ss -Hltn 'sport = :5001' | grep -q ." 60
	carried=$("${from[@]}" timeout 120 tests/vm/octets send "$3" 5001 $payload)
	wait $server
	size=$(</run/transferred)
	[[ $size == "$payload" ]] || echo "only $size arrived"
}

# octets IP-HEADER WORD...: what TCP carried in such records, without the 8
# bytes of options that the one SYN has.
octets() {
	local ip=$1 packets bytes
	shift
	read -r packets bytes < <(recorded protocol=6 "$@")
	echo $((bytes - packets * (14 + ip + 20) - 8))
}

# Bytes of the biggest record.
biggest() {
	awk '$1 == "record" { for (i = 1; i <= NF; i++) if (sub("^bytes=", "", $i) && $i + 0 > most) most = $i + 0 } END { print most + 0 }' $topology/taken
}

near=10.3.0.1 far=10.3.0.2

# addresses DEVICE NAMESPACE OTHER: for both ends of a wire.
addresses() {
	local device=$1 space=$2 other=$3
	ip address add $near/24 dev "$device"
	ip -n "$space" address add $far/24 dev "$other"
	sysctl -qw "net.ipv6.conf.$device.disable_ipv6=0"
	in_ns "$space" sysctl -qw "net.ipv6.conf.$other.disable_ipv6=0" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0
	ip address add 2001:db8:3::1/64 dev "$device" nodad
	ip -n "$space" address add 2001:db8:3::2/64 dev "$other" nodad
	wait_for "ping -q -c 1 -W 5 $far && ping -6 -q -c 1 -W 5 2001:db8:3::2" 60
}

both_ways() {
	local device=$1 space=$2 what=$3 packets buffers
	for address in $far 2001:db8:3::2; do
		[[ $address == *:* ]] && ip=40 || ip=20
		watch "$device"
		transfer - "$space" $address
		taken
		it "counts $payload octets sent over TCP to $address exactly ($what)" equal "$carried" "$(octets $ip direction=sent)"
		it "agrees with the interface about TCP to $address, both ways ($what)" equal '' "$(balanced)"
		packets=$(books "$device" sent seen | cut -d ' ' -f 1)
		buffers=$(books "$device" sent buffers | cut -d ' ' -f 1)
		printf '  %s frames in %s buffers\n' "$packets" "$buffers"
	done
	watch "$device"
	sent=$(frames "$device" --vnet 1000 super=5000*3)
	taken
	it "counts buffers that say no number of frames as they will be cut ($what)" exactly "$sent" "$(recorded direction=sent protocol=6)"
	it "agrees with the interface about those ($what)" equal '' "$(balanced)"
	watch "$device"
	sent=$(frames "$device" --vnet 1480 superfragments=8000*3 superfragments=7400*2)
	taken
	it "counts buffers of UDP that will be cut into fragments ($what)" exactly "$sent" "$(recorded direction=sent protocol=17)"
	it "as many as the interface counts, which gets them cut ($what)" exactly "$(books "$device" sent nic)" "$(books "$device" sent seen)"
	labelled "$@"
	if ethtool -k "$device" | grep -q '^tx-checksumming: on'; then
		udp_gso "$@"
	else
		skip "counts UDP GSO ($what)" 'this card does no checksums, which that needs'
	fi
}

# What is before IP isn't parsed, and is cut to frames all the same.
labelled() {
	local device=$1 space=$2 what=$3 other
	if ! modprobe -a mpls_router mpls_iptunnel mpls_gso 2>/dev/null; then
		skip "counts TCP behind MPLS labels ($what)" "no MPLS in Linux $(uname -r)"
		return
	fi
	other=$(ip -n "$space" -o link show up type veth | sed -n 's/^[0-9]*: \([^@:]*\).*/\1/p')
	in_ns "$space" sysctl -qw net.mpls.platform_labels=1000 "net.mpls.conf.${other:-eth1}.input=1"
	ip -n "$space" -f mpls route add 100 dev lo
	ip -n "$space" link set lo up
	ip route add $far/32 encap mpls 100 via inet $far dev "$device"
	watch "$device"
	transfer - "$space" $far
	taken
	ip route delete $far/32 encap mpls 100 via inet $far dev "$device"
	ip -n "$space" -f mpls route delete 100 dev lo
	it "counts $payload octets of TCP behind MPLS labels exactly ($what)" equal "$carried" "$(
		read -r packets bytes < <(recorded ethertype=0x8847 direction=sent)
		echo $((bytes - packets * (14 + 4 + 20 + 20) - 8))
	)"
	it "agrees with the interface about them ($what)" equal '' "$(balanced)"
}

udp_gso() {
	local device=$1 space=$2 what=$3
	watch "$device"
	in_ns "$space" python3 - <<-END
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(17, 103, 1000)  # UDP_SEGMENT
		for i in range(5):
		    s.sendto(bytes(9500), ("$near", 5353))
	END
	taken
	it "counts 5 x 9,500 octets of UDP GSO received as 5 x 10 frames ($what)" equal \
		"50 $((5 * (9500 + 10 * 42)))" "$(recorded protocol=17 direction=received)"
	watch "$device"
	python3 - <<-END
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.setsockopt(17, 103, 1000)
		for i in range(5):
		    s.sendto(bytes(9500), ("$far", 5353))
	END
	taken
	it "and sent ($what)" equal "50 $((5 * (9500 + 10 * 42)))" "$(recorded protocol=17 direction=sent)"
	it "agrees with the interface about UDP GSO ($what)" equal '' "$(balanced)"
}

# Its buffers are cut into pieces of any size; behind our hook, so that the
# device counts frames.
sctp_gso() {
	if ! modprobe sctp 2>/dev/null; then
		skip 'counts SCTP GSO' "this kernel has no SCTP"
		return
	fi
	ethtool -K peer tx-sctp-segmentation off
	local program='
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
if sys.argv[1] == "receive":
    s.bind(("", 5001))
    s.listen()
    s, _ = s.accept()
    total = 0
    while total < 720600:
        total += len(s.recv(65536))
    print(total)
else:
    s.connect((sys.argv[1], 5001))
    for size in range(500, 1300):
        s.sendall(bytes(size))
    s.sendall(bytes(1000))
    try:
        s.recv(1)
    except OSError:
        pass  # the other end had it all
'
	watch peer
	in_ns peer python3 -c "$program" receive >/run/transferred &
	local server=$!
	wait_for "in_ns peer ss -HlnS 'sport = :5001' | grep -q ." 30
	timeout 60 python3 -c "$program" $far
	wait $server
	taken
	it 'receives what SCTP carries' equal 720600 "$(</run/transferred)"
	it "counts SCTP's buffers as the frames that the interface does" exactly "$(books peer sent nic)" "$(books peer sent seen)"
	it 'which were more than the buffers' at_least $(($(books peer sent buffers | cut -d ' ' -f 1) + 10)) "$(books peer sent seen | cut -d ' ' -f 1)"
	ethtool -K peer tx-sctp-segmentation on
}

sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0

space card
ip link set eth1 netns card
ip link set eth0 up
ip -n card link set eth1 up
addresses eth0 card eth1
both_ways eth0 card virtio

watch -p eth0
sent=$(frames_in card eth1 udp4*20 arp*5 --to 02:00:00:00:00:77)
taken
it 'records frames to other hosts on a card in promiscuous mode' exactly "$sent" "$(recorded type=3)"
it 'agrees with the card about them' equal '' "$(balanced)"
ip address flush dev eth0

host peer
addresses peer peer eth0
both_ways peer peer 'veth'
sctp_gso

# Polling: GRO on here, and the other end cuts what it sends.
ethtool -K peer gro on
in_ns peer ethtool -K eth0 tso off gso off
wait_for '[[ $(cat /sys/class/net/peer/carrier) == 1 ]]' 10
# No more at once than the end that polls has room for.
before=$(sysctl -n net.ipv4.tcp_rmem)
sysctl -qw net.ipv4.tcp_rmem='4096 65536 65536'
watch peer
transfer peer - $near
sysctl -qw net.ipv4.tcp_rmem="$before"
in_ns peer ping -q -c 10 -i 0.02 $near >/dev/null
taken
it 'counts as much from a veth pair that polls and joins' equal "$carried" "$(octets 20 direction=received)"
it 'agrees with an interface that counts like that' equal '' "$(balanced)"
it 'counts pings there as the 98 bytes they are' equal "$(times 10 98)" "$(recorded protocol=1 direction=received)"
ethtool -K peer gro off
in_ns peer ethtool -K eth0 tso on gso on

# BIG TCP
for device in '' '-n peer'; do
	name=peer
	[[ $device ]] && name=eth0
	# shellcheck disable=SC2086
	ip $device link set $name gso_max_size 150000 gro_max_size 150000
	# shellcheck disable=SC2086
	ip $device link set $name gso_ipv4_max_size 150000 gro_ipv4_max_size 150000 2>/dev/null
done
payload=20000000
sysctl -qw net.ipv4.tcp_wmem='4096 8000000 16000000' net.core.wmem_max=16000000
in_ns peer sysctl -qw net.ipv4.tcp_rmem='4096 8000000 16000000'
# Otherwise a slow machine's TCP makes them of what it sends in a millisecond.
sysctl -qw net.ipv4.tcp_min_tso_segs=100
watch peer
transfer - peer 2001:db8:3::2
taken
it "counts $payload octets of BIG TCP over IPv6 exactly" equal "$carried" "$(octets 40 direction=sent)"
it 'which came in buffers of more than 64 KiB' at_least 70000 "$(biggest)"
it 'agrees with the interface about BIG TCP' equal '' "$(balanced)"
if ip -d link show peer | grep -q gso_ipv4_max_size.150000; then
	watch peer
	transfer - peer $far
	taken
	it "counts $payload octets of BIG TCP over IPv4 exactly" equal "$carried" "$(octets 20 direction=sent)"
	it 'which, too, came in buffers of more than 64 KiB' at_least 70000 "$(biggest)"
else
	skip 'counts BIG TCP over IPv4' "no gso_ipv4_max_size in Linux $(uname -r) or this ip"
fi

ip tuntap add tap0 mode tap
ip link set tap0 up
watch tap0
sent=$(frames tap0 --tap --vnet 1000 super=5000*3 superzero=5000*4)
taken
it "counts a guest's buffers, IPv4 with total length 0 among them" exactly "$sent" "$(recorded direction=received)"
it 'agrees with the tap about them' equal '' "$(balanced)"

it 'unloads after all that' rmmod iptrk
it_ends
