#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot: --timeout 900
# Frames of every kind, received and sent: each one record, each byte counted.
. tests/vm/topology.sh
topology_begins
modprobe -a veth 8021q || exit 1

# kinds and what their records must show: KIND FRAMES BYTES WORD...
kinds='
udp4 1 60 ethertype=0x0800 protocol=17 src=44.1.2.3 dst=10.1.0.216 sport=40000 dport=5353 l2_len=14
udp6 1 80 ethertype=0x86dd protocol=17 src=2001:db8:2::3 dst=2001:db8:1::216 dport=5353 l2_len=14
udp4=9014 1 9014 protocol=17 l2_len=14
udp6=9014 1 9014 protocol=17 l2_len=14
arp 1 42 ethertype=0x0806
llc 1 52 ethertype=0x0004
unknown 1 60 ethertype=0x9000
runt 1 14 malformed
vlan 1 64 ethertype=0x0800 vlan=0xe00a protocol=17 dport=5353 l2_len=18
qinq 1 68 ethertype=0x0800 vlan=0x14 protocol=17 dport=5353 l2_len=22
options 1 68 protocol=17 sport=40000 dport=5353
fragments4 3 3110 protocol=17 fragment
fragments6 3 3194 protocol=17 fragment
extensions 1 104 protocol=17 dport=5353
shortip 1 29 ethertype=0x0800 malformed
longip 1 60 ethertype=0x0800
zerolength 1 60 ethertype=0x0800
version 1 60 ethertype=0x0800 malformed
ihl 1 60 ethertype=0x0800 malformed
cutudp 1 39 ethertype=0x0800 malformed
shortip6 1 44 ethertype=0x86dd malformed
cutextension 1 55 ethertype=0x86dd malformed
'

host port
ip link set port mtu 9000
ip -n port link set eth0 mtu 9000
# slice DIRECTION FIRST LAST: records in the order they came. All frames are
# sent on one CPU, so they are in one ring.
slice() {
	grep "^record .*direction=$1" $topology/all | sed -n "$2,$3p" >$topology/taken
}

mapfile -t names < <(awk 'NF { print $1 }' <<<"$kinds")
watch port
taskset 1 tests/vm/frames port "${names[@]/%/*2}" --each >/run/sent
ip netns exec port taskset 1 tests/vm/frames eth0 "${names[@]/%/*3}" --each >/run/received
taken
it 'records every frame of every kind, received and sent' exactly \
	"$(tail -n 1 /run/received) $(tail -n 1 /run/sent)" \
	"$(recorded direction=received) $(recorded direction=sent)"
it 'as many, and as many bytes, as the interface counts' exactly \
	"$(tail -n 1 /run/received) $(tail -n 1 /run/sent)" \
	"$(books port received nic) $(books port sent nic)"
# A veth pair counts a tag that came inside the frame, and no other. When it
# gets here it is outside, whatever it was; only such an interface disputes it.
it 'agrees with it but for the tags inside 6 frames' exactly '0 24' \
	"$(awk '/^books/ { for (i = 1; i <= NF; i++) if (split($i, pair, "=") == 2 && pair[1] ~ /^unseen/) sum[pair[1]] += pair[2] } END { print sum["unseen_packets"], sum["unseen_bytes"] }' $topology/taken)"
mv $topology/taken $topology/all
from=0
while read -r kind number bytes words; do
	[[ $kind ]] || continue
	slice received $((from * 3 + 1)) $(((from + number) * 3))
	received="$(recorded) $(recorded "$words")"
	slice sent $((from * 2 + 1)) $(((from + number) * 2))
	it "knows '$kind' both ways: $words" exactly \
		"$((3 * number)) $((3 * bytes)) $((3 * number)) $((3 * bytes)) $((2 * number)) $((2 * bytes)) $((2 * number)) $((2 * bytes))" \
		"$received $(recorded) $(recorded "$words")"
	from=$((from + number))
done <<<"$kinds"

# Only the first fragment has ports.
watch port
frames_in port eth0 fragments4*5 fragments6*5 >/dev/null
taken
it 'marks two later parts of each fragmented packet' equal 20 "$(recorded fragment later | cut -d ' ' -f 1)"
it 'and gives the first the ports' equal 10 "$(recorded fragment sport=40000 dport=5353 | cut -d ' ' -f 1)"

# Past the qdisc, and what never comes to our hooks: named, never hidden.
watch port
sent=$(frames port --bypass udp4=100*20)
taken
it 'records what is sent past the qdisc' exactly "$sent" "$(recorded direction=sent)"
it 'agrees with the interface about it' equal '' "$(balanced)"

unseen() {
	awk -v direction="direction=$1" '
		$1 == "books" && $3 == direction {
			for (i = 1; i <= NF; i++)
				if (sub("^unseen_[a-z]*=", "", $i))
					printf "%s ", $i
		}' $topology/taken
}

modprobe -a sch_ingress cls_matchall act_gact || exit 1
watch port
tc qdisc add dev port clsact
tc filter add dev port ingress matchall action drop
dropped=$(frames_in port eth0 udp4=100*13)
tc qdisc delete dev port clsact
seen=$(frames_in port eth0 udp4=100*7)
taken
it 'shows what tc drops before us as unseen, exactly' exactly "$dropped $seen" "$(unseen received)$(recorded)"

mount -t bpf bpf /sys/fs/bpf 2>/dev/null
python3 - <<-'END'
	# A program that returns XDP_DROP, pinned; 38 where the kernel has no eBPF.
	import ctypes, errno, os, struct, sys
	code = ctypes.create_string_buffer(struct.pack("<BBhi", 0xb7, 0, 0, 1) + struct.pack("<BBhi", 0x95, 0, 0, 0))
	licence = ctypes.create_string_buffer(b"GPL")
	bpf = lambda command, attributes: ctypes.CDLL(None, use_errno=True).syscall(
	    321, command, ctypes.create_string_buffer(attributes, 128), 128)
	program = bpf(5, struct.pack("<IIQQ", 6, 2, ctypes.addressof(code), ctypes.addressof(licence)))
	if program < 0 and ctypes.get_errno() == errno.ENOSYS:
	    sys.exit(errno.ENOSYS)
	assert program >= 0, os.strerror(ctypes.get_errno())
	path = ctypes.create_string_buffer(b"/sys/fs/bpf/drop")
	assert bpf(6, struct.pack("<QI", ctypes.addressof(path), program)) == 0
END
ebpf=$?
ip link set port mtu 1500
ip -n port link set eth0 mtu 1500
for mode in xdpgeneric xdpdrv; do
	if ((ebpf == 38)); then
		skip "shows what $mode drops before us as unseen, exactly" 'this kernel has no eBPF'
		continue
	fi
	# With a driver's program the pair counts behind layer 2 (POLLED).
	[[ $mode == xdpgeneric ]] && size=100 || size=86
	ip link set port $mode pinned /sys/fs/bpf/drop
	[[ $mode == xdpgeneric ]] || ip -n port link set eth0 up
	watch port
	dropped=$(frames_in port eth0 udp4=100*17)
	taken
	it "shows what $mode drops before us as unseen, exactly" exactly "$(times 17 "$size") 0 0" "$(unseen received)$(recorded)"
	ip link set port $mode off
done

modprobe pktgen || exit 1
watch port
echo 'rem_device_all' >/proc/net/pktgen/kpktgend_0
echo 'add_device port' >/proc/net/pktgen/kpktgend_0
printf '%s\n' 'count 50' 'pkt_size 100' 'delay 0' 'dst_mac 02:00:00:00:00:01' 'dst 10.1.0.216' |
	while read -r line; do echo "$line" >/proc/net/pktgen/port; done
echo start >/proc/net/pktgen/pgctrl
taken
it 'shows what pktgen sends past us as unseen, exactly' exactly "$(times 50 100) 0 0" "$(unseen sent)$(recorded)"
echo 'rem_device_all' >/proc/net/pktgen/kpktgend_0

clear_topology
it 'unloads after all that' rmmod iptrk
it_ends
