#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 1500
# Every frame once, whatever it crosses: to the frame and byte, against what
# was sent and against the interfaces' own counters.
. tests/vm/topology.sh
topology_begins
modprobe bonding max_bonds=0 || exit 1
modprobe -a 8021q macvlan ipvlan veth bridge tun dummy || exit 1

routed() {
	gateway
	local lan_sent wan_sent
	lan_sent=$(sent_by lan) wan_sent=$(sent_by wan)
	watch lan wan
	in_ns lan ping -q -c 20 -i 0.02 44.1.2.10 >/dev/null
	in_ns lan ping -q -c 5 -i 0.02 -s 4000 44.1.2.10 >/dev/null
	in_ns lan ping -6 -q -c 10 -i 0.02 2001:db8:2::10 >/dev/null
	taken
	it 'records routed pings once: 2 x (20 of 98 bytes, 5 of three fragments)' \
		exactly "$(plus "$(times 40 98)" "$(times 20 1514)" "$(times 10 1082)")" "$(recorded protocol=1)"
	it 'records routed IPv6 pings once: 2 x 10 of 118 bytes' exactly "$(times 20 118)" \
		"$(plus "$(recorded protocol=58 sport=128)" "$(recorded protocol=58 sport=129)")"
	it 'recorded as received exactly what the two hosts sent' equal \
		"$(plus "$(sent_by lan)" "$(sent_by wan)")" \
		"$(plus "$lan_sent" "$wan_sent" "$(recorded direction=received)")"
	it 'agrees with both routed interfaces' equal '' "$(balanced)"
}

bridged() {
	local sent before
	host left
	host right
	bridge_of br0 left right
	before=$(received_by right)
	watch left right br0
	sent=$(frames_in left eth0 udp4*50 udp6=1000*10 --to "$(mac eth0 right)")
	taken
	it 'records what a bridge forwards at the first port, once' exactly "$sent" "$(recorded interface=left)"
	it 'records it nowhere else' exactly "$sent" "$(recorded)"
	it 'knows that the second port sent it as well' exactly "$sent" "$(books right sent elsewhere)"
	it 'saw there all that arrived behind it' exactly "$(received_by right)" "$(plus "$before" "$sent")"
	it 'agrees with the bridge and its ports' equal '' "$(balanced)"

	watch left right br0
	sent=$(frames_in left eth0 udp4*30 --to "$(mac br0)")
	sent=$(plus "$sent" "$(frames br0 udp4=200*20 --to "$(mac eth0 left)" --from "$(mac br0)")")
	taken
	it 'records what is for a bridge itself, or from it, at its port' exactly "$sent" "$(recorded interface=left)"
	it 'and not at the bridge' exactly "$sent" "$(recorded)"
	it 'whose books and counters agree, too' equal '' "$(balanced)"
	it 'and say it was seen elsewhere' exactly "$(times 30 60) $(times 20 200)" \
		"$(books br0 received elsewhere) $(books br0 sent elsewhere)"
}

# A bridge that is fed by a watched port and one that is not.
half_watched() {
	local one two three
	host left
	host right
	host wan
	bridge_of br0 left right
	ip address add 10.1.0.1/24 dev br0
	ip address add 44.1.2.1/24 dev wan
	routed_to 44.1.2.10 wan
	routed_to 44.1.2.11 wan
	watch left wan
	frames_in left eth0 udp4=100*300 --to "$(mac br0)" --dst 44.1.2.10 --src 10.1.0.8 >/run/one &
	frames_in right eth0 udp4=120*200 --to "$(mac br0)" --dst 44.1.2.11 --src 10.1.0.9 >/run/two &
	wait
	one=$(</run/one) two=$(</run/two)
	taken
	it 'records what comes by a watched port of a half-watched bridge there' exactly "$one" "$(recorded interface=left)"
	it 'and what comes by another port where it leaves' exactly "$two" "$(recorded interface=wan direction=sent)"
	it 'no double, no miss' exactly "$(plus "$one" "$two")" "$(recorded)"
	it 'agrees with the interfaces about a half-watched bridge' equal '' "$(balanced)"

	# Frames that wait for a neighbour, and others that pass meanwhile.
	sysctl -qw net.ipv4.neigh.wan.mcast_solicit=300
	ip neighbour delete 44.1.2.11 dev wan
	watch left wan
	frames_in right eth0 udp4=120*3 --to "$(mac br0)" --dst 44.1.2.11 --src 10.1.0.9 >/run/two
	frames_in left eth0 udp4=140*3 --to "$(mac br0)" --dst 44.1.2.11 --src 10.1.0.8 >/run/three
	frames_in left eth0 udp4=100*100 --to "$(mac br0)" --dst 44.1.2.10 --src 10.1.0.8 >/run/one
	routed_to 44.1.2.11 wan
	one=$(</run/one) two=$(</run/two) three=$(</run/three)
	taken
	it 'tells them apart when they had to wait for a neighbour' exactly "$(plus "$one" "$three") $two" \
		"$(recorded interface=left protocol=17) $(recorded interface=wan direction=sent protocol=17)"

	watch left br0
	one=$(frames_in left eth0 udp4=100*20 --to "$(mac br0)")
	two=$(frames_in right eth0 udp4=120*30 --to "$(mac br0)")
	three=$(plus "$(frames br0 udp4=130*40 --to "$(mac eth0 left)" --from "$(mac br0)")" \
		"$(frames br0 udp4=140*50 --to "$(mac eth0 right)" --from "$(mac br0)")")
	taken
	it 'records what is for a bridge with one port watched once' exactly "$one $two" \
		"$(recorded interface=left direction=received) $(recorded interface=br0 direction=received)"
	it 'and what is from it' exactly "$three" "$(recorded direction=sent protocol=17)"
	it 'agrees with the bridge and its only watched port' equal '' "$(balanced)"

	# Ports that come and go while watched.
	watch left br0
	ip link set right nomaster
	one=$(frames_in left eth0 udp4=100*7 --to "$(mac br0)")
	ip link set left nomaster
	ip link set right master br0
	wait_for 'bridge link | grep -q "right.*forwarding"' 20
	two=$(frames_in right eth0 udp4=120*8 --to "$(mac br0)")
	three=$(frames_in left eth0 udp4=130*9 --to "$(mac br0)")
	taken
	it 'follows ports that leave and join a bridge' exactly "$(plus "$one" "$three") $two" \
		"$(recorded interface=left direction=received) $(recorded interface=br0 direction=received)"
	it 'and keeps its books closed meanwhile' equal '' "$(balanced)"
}

vlans() {
	local in out names
	host trunk
	ip link add link trunk name tag10 up type vlan id 10
	ip link add link trunk name tag20 up type vlan id 20 protocol 802.1ad
	ip link add link tag20 name tag20.10 up type vlan id 10
	ip -n trunk link add link eth0 name tag10 up type vlan id 10
	ip -n trunk link add link eth0 name tag20 up type vlan id 20 protocol 802.1ad
	ip -n trunk link add link tag20 name tag20.10 up type vlan id 10
	for names in 'trunk tag10' trunk tag10; do
		# shellcheck disable=SC2086
		watch $names
		in=$(frames_in trunk tag10 udp4*11 --to "$(mac trunk)")
		out=$(frames tag10 udp4*12 --from "$(mac trunk)")
		taken
		case $names in
		tag10)
			it 'records VLAN frames at the VLAN when only that is watched, as they are there' exactly "$in $out" \
				"$(recorded interface=tag10 direction=received) $(recorded interface=tag10 direction=sent)"
			;;
		*)
			it "records tagged frames once at the trunk, watching $names" exactly "$(times 11 64) $(times 12 64)" \
				"$(recorded interface=trunk direction=received tagged vlan=0xa ethertype=0x0800 l2_len=18) $(recorded interface=trunk direction=sent tagged vlan=0xa)"
			;;
		esac
		it "no double, no miss, watching $names" equal $((11 + 12)) "$(recorded | cut -d ' ' -f 1)"
		it "agrees with the interfaces, watching $names" equal '' "$(balanced)"
	done
	watch trunk tag20 tag20.10
	in=$(frames_in trunk tag20.10 udp4*13 --to "$(mac trunk)")
	out=$(frames tag20.10 udp4*14 --from "$(mac trunk)")
	taken
	it 'records QinQ frames with both tags, received' exactly "$(times 13 68)" \
		"$(recorded interface=trunk direction=received vlan=0x14 ethertype=0x0800 l2_len=22)"
	it 'and sent' exactly "$(times 14 68)" "$(recorded interface=trunk direction=sent vlan=0x14 ethertype=0x0800 l2_len=22)"
	it 'QinQ: no double, no miss' equal $((13 + 14)) "$(recorded | cut -d ' ' -f 1)"
	it 'agrees with the trunk and the inner VLAN' equal '' "$(balanced | grep -v 'interface=tag20 ')"
	# It counts the tags of those it carries, as only a VLAN does.
	it 'and with the outer one but for the inner tags' equal "$((13 * 4)) $((14 * 4))" \
		"$(grep 'interface=tag20 ' $topology/taken | sed -n 's/.*unseen_packets=0 unseen_bytes=//p' | paste -sd ' ')"
}

bonds() {
	local in out mode
	space switch
	for slave in slave1 slave2; do
		ip link add $slave type veth peer name $slave netns switch
		ip -n switch link set $slave up
	done
	for mode in active-backup balance-rr; do
		ip link add bond0 type bond mode $mode miimon 100
		ip link set slave1 down master bond0
		ip link set slave2 down master bond0
		ip link set bond0 up
		wait_for 'grep -c "MII Status: up" /proc/net/bonding/bond0 | grep -qx 3' 30
		watch slave1 slave2 bond0
		in=$(frames_in switch slave1 udp4*21 --to "$(mac bond0)")
		out=$(frames bond0 udp4=200*20 --from "$(mac bond0)")
		taken
		it "records a bond's frames once at its slaves ($mode)" exactly "$in $out" \
			"$(recorded interface=slave1 direction=received) $(recorded direction=sent)"
		it "and nowhere else ($mode)" exactly "$(plus "$in" "$out")" "$(recorded)"
		it "agrees with bond and slaves ($mode)" equal '' "$(balanced)"
		watch slave1 bond0
		in=$(plus "$(frames_in switch slave1 udp4*22 --to "$(mac bond0)")" \
			"$([[ $mode == active-backup ]] && echo 0 0 || frames_in switch slave2 udp4=90*23 --to "$(mac bond0)")")
		out=$(frames bond0 udp4=200*20 --from "$(mac bond0)")
		taken
		it "records a half-watched bond's frames once ($mode)" exactly "$in $out" \
			"$(recorded direction=received) $(recorded direction=sent)"
		it "and has them in the books of its slave ($mode)" exactly "$(times 22 60)" "$(books slave1 received recorded)"
		ip link delete bond0
	done
}

veths() {
	local out more
	ip link add left0 type veth peer name right0
	ip link set left0 up
	ip link set right0 up
	watch left0 right0
	out=$(frames left0 udp4*25)
	taken
	it 'records what crosses a veth pair with both ends here once' exactly "$out" "$(recorded)"
	it 'and says at the other end that it was seen' exactly "$out" "$(books right0 received elsewhere)"
	it 'agrees with both ends' equal '' "$(balanced)"
	watch right0
	out=$(plus "$(frames left0 udp4*26)" "$(frames right0 udp4=300*27)")
	taken
	it 'records it at the only end that is watched, both ways' exactly "$out" "$(recorded interface=right0)"

	host wan
	ip address add 10.9.0.1/24 dev left0
	routed_to 10.9.0.2 left0
	watch wan right0
	out=$(frames_in wan eth0 udp4=100*40 --to "$(mac wan)" --dst 10.9.0.2 --src 44.1.2.9)
	more=$(frames left0 udp4=110*30)
	taken
	it 'tells what was forwarded into the far end from what was made here' exactly "$out $more" \
		"$(recorded interface=wan) $(recorded interface=right0)"
	it 'agrees with the interfaces of such a detour' equal '' "$(balanced)"

	# One end moves away while watched, and both ends count on their own.
	watch left0 right0
	space away
	ip link set right0 netns away
	ip -n away link set right0 up
	in_ns away "$records" watch topology right0
	wait_for '[[ $(cat /sys/class/net/left0/carrier) == 1 ]]' 20
	out=$(frames left0 udp4*31)
	more=$(frames_in away right0 udp4=90*32)
	taken
	it 'records both directions here when the other end moved to another namespace' exactly "$out $more" \
		"$(recorded interface=left0 direction=sent) $(recorded interface=left0 direction=received)"
	in_ns away "$records" read topology right0 >$topology/taken
	it 'and lets a queue there record them for itself' exactly "$out $more" \
		"$(recorded interface=right0 direction=received) $(recorded interface=right0 direction=sent)"
	in_ns away "$records" destroy topology
}

macvlans() {
	local in out between
	host low
	ip link add link low name mac1 up type macvlan mode bridge
	ip link add link low name mac2 up type macvlan mode bridge
	watch low mac1 mac2
	in=$(frames_in low eth0 udp4*41 --to "$(mac mac1)")
	out=$(frames mac1 udp4=200*42 --from "$(mac mac1)")
	taken
	it 'records frames for and from a macvlan once, on the device below' exactly "$in $out" \
		"$(recorded interface=low direction=received) $(recorded interface=low direction=sent)"
	it 'macvlan: no double, no miss' exactly "$(plus "$in" "$out")" "$(recorded)"
	it 'agrees with the macvlans and the device below' equal '' "$(balanced)"
	watch low mac1 mac2
	between=$(frames mac1 udp4=300*43 --from "$(mac mac1)" --to "$(mac mac2)")
	taken
	it 'records frames between two macvlans once' exactly "$between" "$(recorded)"
	it 'and both macvlans agree' equal '' "$(balanced | grep -v '=low ')"
	watch mac1
	in=$(frames_in low eth0 udp4*44 --to "$(mac mac1)")
	taken
	it 'records them at the macvlan when only that is watched' exactly "$in" "$(recorded interface=mac1)"
}

ipvlans() {
	local in out between
	host low
	ip link add link low name ip1 type ipvlan mode l2
	ip link add link low name ip2 type ipvlan mode l2
	ip address add 10.5.0.1/24 dev ip1
	ip address add 10.5.0.2/24 dev ip2
	ip link set ip1 up
	ip link set ip2 up
	routed_to 10.5.0.9 ip1
	routed_to 10.5.0.9 ip2
	watch low ip1 ip2
	in=$(frames_in low eth0 udp4*51 --to "$(mac low)" --src 10.5.0.9 --dst 10.5.0.1)
	out=$(frames ip1 udp4=200*52 --from "$(mac low)" --src 10.5.0.1 --dst 10.5.0.9)
	between=$(frames ip1 udp4=300*53 --from "$(mac low)" --to "$(mac low)" --src 10.5.0.1 --dst 10.5.0.2)
	taken
	it 'records frames from outside for an ipvlan once' exactly "$in" "$(recorded direction=received protocol=17)"
	it 'those it sends, outside or to another one, once' exactly "$(plus "$out" "$between")" "$(recorded direction=sent protocol=17)"
	it 'agrees with the sending ipvlan and the device below' equal '' "$(balanced | grep -v 'interface=ip2 direction=received')"
	# It counts the layer-2 header of what another one hands it twice.
	it 'and with the receiving one but for its 14 bytes a frame' equal $((53 * 14)) \
		"$(sed -n 's/.*interface=ip2 direction=received.* unseen_packets=0 unseen_bytes=//p' $topology/taken)"
}

taps() {
	local out
	ip tuntap add tap0 mode tap
	ip tuntap add tun0 mode tun
	ip link set tap0 up
	ip link set tun0 up
	watch tap0 tun0
	out=$(frames tap0 --tap udp4*61 arp*3)
	out="$out $(frames tap0 --tap --out udp4=100*62)"
	out="$out $(frames tun0 --tun udp4=46*63 udp6=70*5)"
	out="$out $(frames tun0 --tun --out udp4=50*64)"
	taken
	it 'records what a tap and a tun receive and send' exactly "$out" \
		"$(recorded interface=tap0 direction=received) $(recorded interface=tap0 direction=sent) $(recorded interface=tun0 direction=received) $(recorded interface=tun0 direction=sent)"
	it 'agrees with tap and tun' equal '' "$(balanced)"
	watch
	it 'leaves loopback out unless it is asked for' equal 0 "$(watched_names | grep -cx lo)"
	taken
	watch lo
	ping -q -c 5 -i 0.02 127.0.0.1 >/dev/null
	taken
	it 'records what crosses loopback once: 5 pings and their answers' exactly "$(times 10 98)" "$(recorded)"
	it 'agrees with loopback' equal '' "$(balanced)"
}

# More names than the table has rows, as containers come and go.
churned() {
	local out i
	watch 'made*'
	ip -batch <(for ((i = 0; i < 1030; i++)); do
		echo "link add made$i type dummy"
		echo "link delete made$i"
	done)
	host made
	out=$(frames_in made eth0 udp4*9)
	taken
	it 'watches an interface after a thousand others that went' exactly "$out" "$(recorded interface=made)"
	it 'in the place of the one that is gone the longest' equal '1 0' \
		"$(grep -c 'books interface=made direction=received' $topology/taken) $(grep -c 'books interface=made0 ' $topology/taken)"
	it 'agrees with it' equal '' "$(balanced)"
}

mirror() {
	local out
	host port
	watch -p port
	out=$(frames_in port eth0 udp4*70 udp6*5 --to 02:00:00:00:00:77)
	it 'puts an interface into promiscuous mode when asked to' matches 'promiscuity [1-9]' "$(ip -d link show port)"
	taken
	it 'records frames to other hosts, as on a mirror port' exactly "$out" "$(recorded type=3)"
	it 'agrees with the interface about them' equal '' "$(balanced)"
	it 'and ends promiscuous mode with the queue' matches 'promiscuity 0' "$(ip -d link show port)"
}

hot_plugged() {
	local out
	watch 'late*'
	host late0
	out=$(frames_in late0 eth0 udp4*3)
	ip link set late0 down
	ip link set late0 name late1
	ip link set late1 up
	wait_for '[[ $(cat /sys/class/net/late1/carrier) == 1 ]]' 20
	out=$(plus "$out" "$(frames_in late0 eth0 udp4*4)")
	ip link set late1 down
	ip link set late1 name other
	ip link set other up
	wait_for '[[ $(cat /sys/class/net/other/carrier) == 1 ]]' 20
	frames_in late0 eth0 udp4*5 >/dev/null
	ip link set other down
	ip link set other name late1
	ip link set late1 up
	wait_for '[[ $(cat /sys/class/net/late1/carrier) == 1 ]]' 20
	out=$(plus "$out" "$(frames_in late0 eth0 udp4*6)")
	# Another device with the same name, and one with the same number.
	index=$(cat /sys/class/net/late1/ifindex)
	# A veth's counters go before it does; what was read of them stands.
	"$records" books topology >/dev/null
	ip link delete late1
	ip link add late1 index "$index" type veth peer name eth1 netns late0
	ip link set late1 up
	ip -n late0 link set eth1 up
	out=$(plus "$out" "$(frames_in late0 eth1 udp4*7)")
	taken
	it 'follows an interface that comes, is renamed, leaves its pattern, and is replaced' exactly "$out" "$(recorded)"
	it 'in a row of its own' equal 1 "$(grep -c 'books interface=late1 direction=received' $topology/taken)"
	it 'and its counts agree with every device that it was' equal '' "$(balanced)"

	# A name that another device had.
	watch 'pair*'
	host pair1
	host pair2
	frames_in pair1 eth0 udp4*3 >/dev/null
	ip link delete pair1
	frames_in pair2 eth0 udp4*4 >/dev/null
	ip link set pair2 down
	ip link set pair2 name pair1
	taken
	it 'has no two rows of one name' equal '' "$(sed -n 's/^books \(interface=.* direction=received\) .*/\1/p' $topology/taken | sort | uniq -d)"
	it 'and the counts of both' equal '180 240' "$(sed -n 's/.*direction=received .*recorded_bytes=\([1-9][0-9]*\).*/\1/p' $topology/taken | sort -n | paste -sd ' ')"
}

run_parts routed bridged half_watched vlans bonds veths macvlans ipvlans taps mirror hot_plugged churned
it 'unloads after all that' rmmod iptrk
it_ends
