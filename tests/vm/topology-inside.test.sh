#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 1500
# Every frame once where one is inside another, or comes by a way of its own:
# tunnels, Open vSwitch, IPsec, groups, containers.
. tests/vm/topology.sh
topology_begins
sysctl -qw net.core.fb_tunnels_only_for_init_net=2
modprobe -a macvlan veth bridge vxlan ipip ip_gre || exit 1

tunnels() {
	local out
	host under 44.1.2.10/24
	ip address add 44.1.2.1/24 dev under
	ip neighbour replace 44.1.2.10 lladdr "$(mac eth0 under)" dev under nud permanent
	ip -n under neighbour replace 44.1.2.1 lladdr "$(mac under)" dev eth0 nud permanent
	local kind size
	for kind in vxlan:148 'vxlan dev under':148 gre:122 ipip:118; do
		IFS=: read -r kind size <<<"$kind"
		case $kind in
		vxlan*)
			# shellcheck disable=SC2086 # a device below it, or none
			ip link add tunnel type vxlan id 7 local 44.1.2.1 remote 44.1.2.10 dstport 4789 ${kind#vxlan}
			ip -n under link add tunnel type vxlan id 7 local 44.1.2.10 remote 44.1.2.1 dstport 4789
			;;
		*)
			ip link add tunnel type $kind local 44.1.2.1 remote 44.1.2.10
			ip -n under link add tunnel type $kind local 44.1.2.10 remote 44.1.2.1
			;;
		esac
		ip address add 10.7.0.1/24 dev tunnel
		ip -n under address add 10.7.0.2/24 dev tunnel
		ip link set tunnel up
		ip -n under link set tunnel up
		wait_for 'ping -q -c 1 -W 5 10.7.0.2' 30
		if [[ $kind == vxlan* ]]; then
			ip neighbour replace 10.7.0.2 lladdr "$(mac tunnel under)" dev tunnel nud permanent
			ip -n under neighbour replace 10.7.0.1 lladdr "$(mac tunnel)" dev tunnel nud permanent
		fi
		watch under
		ping -q -c 10 -i 0.02 10.7.0.2 >/dev/null
		taken
		it "counts $kind by its outer headers: 2 x 10 of $size bytes" exactly "$(times 20 "$size")" "$(recorded)"
		it "agrees with the interface below $kind" equal '' "$(balanced)"
		watch tunnel
		ping -q -c 10 -i 0.02 10.7.0.2 >/dev/null
		taken
		it "agrees with the $kind interface itself" equal '' "$(balanced)"
		watch under tunnel
		ping -q -c 10 -i 0.02 10.7.0.2 >/dev/null
		taken
		it "counts what is inside $kind at its own interface when both are watched" equal \
			"$(times 20 "$size") 20" "$(recorded interface=under) $(recorded interface=tunnel protocol=1 | cut -d ' ' -f 1)"
		ip link delete tunnel
		ip -n under link delete tunnel
	done
}

# A bridge with a tunnel that learns from each packet where it came from, and
# says so in its dst.
metadata() {
	local in out
	host under 44.1.2.10/24
	host left
	ip address add 44.1.2.1/24 dev under
	ip neighbour replace 44.1.2.10 lladdr "$(mac eth0 under)" dev under nud permanent
	ip -n under neighbour replace 44.1.2.1 lladdr "$(mac under)" dev eth0 nud permanent
	ip link add tunnel type vxlan external dstport 4789
	ip -n under link add tunnel up type vxlan id 7 local 44.1.2.10 remote 44.1.2.1 dstport 4789
	ip link set tunnel up
	ip link add br0 type bridge mcast_snooping 0 forward_delay 0
	ip link set tunnel master br0
	ip link set left master br0
	ip link set br0 up
	bridge fdb replace "$(mac eth0 left)" dev left master static
	wait_for 'bridge link | grep -c forwarding | grep -qx 2' 20
	for names in 'under left' left; do
		# shellcheck disable=SC2086
		watch $names
		in=$(frames_in under tunnel udp4=100*17 --to "$(mac eth0 left)")
		taken
		it "records what comes out of such a tunnel where it leaves, watching $names" exactly "$in" "$(recorded interface=left direction=sent protocol=17)"
	done
	watch
	in=$(frames_in under tunnel udp4=100*18 --to "$(mac eth0 left)")
	taken
	it 'and by default where it came from' exactly "$in" "$(recorded interface=tunnel direction=received protocol=17)"
	# The other way: by a VLAN's own tunnel.
	ip link set br0 type bridge vlan_filtering 1
	ip link set tunnel type bridge_slave vlan_tunnel on
	bridge vlan add dev left vid 5 pvid untagged
	bridge vlan add dev tunnel vid 5
	bridge vlan add dev tunnel vid 5 tunnel_info id 7
	bridge fdb add "$(mac tunnel under)" dev tunnel dst 44.1.2.10 src_vni 7
	bridge fdb replace "$(mac tunnel under)" dev tunnel master static vlan 5
	watch left under
	out=$(frames_in left eth0 udp4=100*19 --to "$(mac tunnel under)")
	taken
	it 'records what goes into it where it came, and the tunnel around it' exactly "$out $(times 19 150)" \
		"$(recorded interface=left protocol=17) $(recorded interface=under direction=sent dport=4789)"
}

# datapath COMMAND: of Open vSwitch, by the name ovs0; 1 makes it, 2 deletes it.
datapath() {
	python3 - "$1" <<-END
		import socket, struct, sys
		def attribute(kind, data):
		    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
		def ask(family, command, version, body):
		    s.send(struct.pack("IHHII", 20 + len(body), family, 5, 1, 0) + struct.pack("BBH", command, version, 0) + body)
		    return s.recv(65536)
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
		s.bind((0, 0))
		answer = ask(16, 3, 1, attribute(2, b"ovs_datapath\0"))[20:]
		while answer:
		    size, kind = struct.unpack_from("HH", answer)
		    if kind == 1:
		        family = struct.unpack_from("H", answer, 4)[0]
		    answer = answer[(size + 3) & ~3:]
		ask(family, int(sys.argv[1]), 2, struct.pack("i", 0) + attribute(1, b"ovs0\0") + attribute(2, bytes(4)))
	END
}

# Its own devices are on top of its ports, though the kernel does not say so.
openvswitch() {
	modprobe openvswitch 2>/dev/null || {
		skip "leaves Open vSwitch's own devices out unless asked" "no openvswitch in Linux $(uname -r)"
		return
	}
	host port
	datapath 1
	ip link set ovs0 up
	watch
	it "leaves Open vSwitch's own devices out unless asked" equal 'port' "$(watched_names | grep -xE 'port|ovs0')"
	taken
	watch ovs0
	it 'and takes them when asked' equal 'ovs0' "$(watched_names | paste -sd ' ')"
	taken
	datapath 2
}

# What comes to a device's ingress hook and never was on its wire.
groups() {
	local out
	host port
	ip address add 10.6.0.1/24 brd + dev port
	ip route add 239.1.2.0/24 dev port
	watch port
	# The stack hands a copy of each to its own receivers.
	out=$(python3 - <<-END
		import socket, struct
		listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		listener.bind(("", 5353))
		listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
		                    socket.inet_aton("239.1.2.3") + socket.inet_aton("10.6.0.1"))
		listener.settimeout(20)
		sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
		sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.6.0.1"))
		for address in ("239.1.2.3", "10.6.0.255"):
		    for i in range(10):
		        sender.sendto(bytes(58), (address, 5353))
		        listener.recv(100)
		print(20, 20 * 100)
	END
	)
	taken
	it 'records what it sends to a group it is in, and to all, once' exactly "$out" "$(recorded protocol=17)"
	it 'agrees with the interface about it' equal '' "$(balanced)"
}

# secure IP-OPTIONS OWN OTHER: pings between them go through a tunnel of IPsec.
secure() {
	local from to way
	for way in out in; do
		[[ $way == out ]] && from=$2 to=$3 || from=$3 to=$2
		# shellcheck disable=SC2086
		ip $1 xfrm state add src "$from" dst "$to" proto esp spi "0x10${from##*.}" reqid 1 mode tunnel \
			enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff \
			auth 'hmac(sha1)' 0x0011223344556677889900112233445566778899 &&
			ip $1 xfrm policy add src "$from" dst "$to" proto icmp dir $way \
				tmpl src "$from" dst "$to" proto esp reqid 1 mode tunnel
	done
}

ipsec() {
	local out
	host port 10.6.0.2/24
	ip address add 10.6.0.1/24 dev port
	modprobe -a esp4 xfrm_user cbc sha1_generic aes_generic 2>/dev/null
	secure '' 10.6.0.1 10.6.0.2
	secure '-n port' 10.6.0.2 10.6.0.1
	ping -q -c 1 -W 5 10.6.0.2 >/dev/null
	watch port
	out=$(ping -q -c 10 -i 0.05 10.6.0.2 | grep -c '10 received')
	taken
	it 'sends and receives by IPsec' equal 1 "$out"
	it 'records IPsec by its outer headers, both ways' equal '10 10' \
		"$(recorded protocol=50 direction=received | cut -d ' ' -f 1) $(recorded protocol=50 direction=sent | cut -d ' ' -f 1)"
	it 'and not what was inside' equal '0 0' "$(recorded protocol=1)"
	# It finishes what is sent behind us; see the README's limits.
	if grep -q esp4_offload "/lib/modules/$(uname -r)/modules.builtin"; then
		skip 'agrees with the interface about IPsec' 'esp4_offload is built in'
	else
		it 'agrees with the interface about IPsec' equal '' "$(balanced)"
	fi
	# With this one GRO decrypts, before anything else can look.
	if modprobe esp4_offload 2>/dev/null; then
		ethtool -K port gro on
		in_ns port ethtool -K eth0 tso off gso off
		wait_for '[[ $(cat /sys/class/net/port/carrier) == 1 ]]' 10
		ping -q -c 1 -W 5 10.6.0.2 >/dev/null
		watch port
		out=$(ping -q -c 10 -i 0.05 10.6.0.2 | grep -c '10 received')
		taken
		it 'receives what GRO decrypts' equal 1 "$out"
		it 'records it once, as what was inside' equal '10 0' \
			"$(recorded direction=received protocol=1 | cut -d ' ' -f 1) $(recorded direction=received protocol=50 | cut -d ' ' -f 1)"
		it 'agrees with the interface about its packets' equal 'unseen_packets=0' \
			"$(grep -o 'books interface=port direction=received.*' $topology/taken | grep -o 'unseen_packets=[^ ]*')"
	else
		skip 'receives what GRO decrypts' "no esp4_offload in Linux $(uname -r)"
	fi
	ip xfrm state flush
	ip xfrm policy flush
}

# A container with a macvlan of ours, which routes; and watches what it has.
containers() {
	local out i
	host port
	space box
	ip link add inside netns box link port type macvlan mode bridge
	# A device there with the number that a watched one has here.
	ip -n box link add from index "$(cat /sys/class/net/port/ifindex)" type veth peer name source
	for i in inside from source; do
		ip -n box link set "$i" up
	done
	in_ns box sysctl -qw net.ipv4.ip_forward=1
	ip -n box address add 10.6.0.1/24 dev inside
	ip -n box address add 10.7.0.1/24 dev from
	ip -n box neighbour replace 10.6.0.9 lladdr 02:00:00:00:99:99 dev inside nud permanent
	watch port
	in_ns box "$records" watch topology
	out=$(frames_in box source udp4*33 --to "$(mac from box)" --src 10.7.0.2 --dst 10.6.0.9)
	taken
	it 'records what a container forwards to its macvlan, at the device below' exactly "$out" "$(recorded direction=sent protocol=17)"
	it 'agrees with that device' equal '' "$(balanced)"
	in_ns box "$records" read topology >$topology/taken
	it 'and a container watches its macvlan when not told what' exactly "$out $out" "$(recorded protocol=17) $(books inside sent elsewhere)"
	in_ns box "$records" destroy topology
}

# macsec_end DEVICE PEER [OPTION OF ip]...: makes "clear" there.
macsec_end() {
	local ip=(ip "${@:3}") key
	key="01 $(printf '1%.0s' {1..32})"
	"${ip[@]}" -batch - <<-END
		link add link $1 clear type macsec encrypt on
		macsec add clear tx sa 0 pn 1 on key $key
		macsec add clear rx port 1 address $2
		macsec add clear rx port 1 address $2 sa 0 pn 1 on key $key
		link set clear up
	END
}

# Below a MACsec device there is nothing but what it encrypted.
macsec() {
	local mine theirs
	modprobe -q macsec || {
		skip 'counts what MACsec carries' "no MACsec in Linux $(uname -r)"
		return
	}
	host under
	host left 10.2.0.2/24
	mine=$(mac under) theirs=$(mac eth0 under)
	macsec_end under "$theirs"
	macsec_end eth0 "$mine" -n under
	ip address add 10.7.0.1/24 dev clear
	ip address add 10.2.0.1/24 dev left
	ip -n under address add 10.7.0.2/24 dev clear
	ip -n under route add default via 10.7.0.1
	ip -n left route add default via 10.2.0.1
	wait_for 'in_ns left ping -q -c 1 -W 5 10.7.0.2' 30
	ip neighbour replace 10.7.0.2 lladdr "$theirs" dev clear nud permanent
	ip neighbour replace 10.2.0.2 lladdr "$(mac eth0 left)" dev left nud permanent
	ip -n under neighbour replace 10.7.0.1 lladdr "$mine" dev clear nud permanent
	ip -n left neighbour replace 10.2.0.1 lladdr "$(mac left)" dev eth0 nud permanent
	watch
	in_ns left ping -q -c 10 -i 0.02 10.7.0.2 >/dev/null
	taken
	it 'records what comes and goes by MACsec once where it is clear' exactly "$(times 10 98) $(times 10 98)" \
		"$(recorded interface=left direction=received protocol=1) $(recorded interface=clear direction=received protocol=1)"
	it 'and as nothing else where it is not' equal "$(times 20 98)" "$(recorded protocol=1)"
	# 8 more of a tag, 8 of the channel's name and 16 that prove it.
	it 'and what comes below as it is there: 10 of 130 bytes' exactly "$(times 10 130)" "$(recorded interface=under)"
	it 'whereas what goes was seen before' exactly "$(times 10 130) $(times 10 98)" \
		"$(books under sent elsewhere) $(books clear sent elsewhere)"
	it 'agrees with the interfaces about MACsec' equal '' "$(balanced)"
}

# A modem's driver is told while it is watched that its packets have no Ethernet
# header, and drops it.
modem() {
	local read write
	modprobe -q tun
	coproc driver {
		exec python3 -u -c '
import fcntl, os, struct
tun = os.open("/dev/net/tun", os.O_RDWR)
def link(kind):
    fcntl.ioctl(tun, 0x400454CD, kind)
    print("changed")
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH", b"modem0", 0x1001))
link(1)
input()
link(0xFFFE)
while True:
    os.read(tun, 65536)'
	}
	read=${driver[0]} write=${driver[1]}
	read -r -u "$read"
	watch modem0
	echo >&"$write"
	read -r -u "$read"
	ip address add 10.9.0.1/24 dev modem0
	ip link set modem0 up
	ping -q -c 10 -i 0.02 -W 1 10.9.0.2 >/dev/null
	taken
	it "knows a modem's packets when they lost their Ethernet header" exactly "$(times 10 84)" "$(recorded direction=sent protocol=1)"
	it 'agrees with the modem about them' equal '' "$(balanced)"
	# shellcheck disable=SC2154 # from coproc
	kill "$driver_PID"
	wait "$driver_PID"
}

run_parts tunnels macsec metadata openvswitch groups ipsec containers modem
it 'unloads after all that' rmmod iptrk
it_ends
