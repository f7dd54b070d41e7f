# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# To be sourced by tests that build a topology and count what crosses it:
#
#   watch wan0 lan0             a queue that fills from here on
#   ...                         traffic
#   taken                       ends when it has passed; now these can tell:
#   recorded interface=wan0     PACKETS BYTES of all such records
#   books wan0 sent elsewhere   PACKETS BYTES
#   balanced                    nothing, or what the books and devices dispute

. tests/vm/it.sh
. tests/vm/space.sh
records=${IPTRK_BUILD:-build}/tests/vm/device/records
topology=/run/topology
watching=()

frames() {
	tests/vm/frames "$@"
}

# frames_in NAMESPACE INTERFACE ...
frames_in() {
	in_ns "$1" tests/vm/frames "${@:2}"
}

topology_begins() {
	mkdir -p $topology
	sysctl -qw net.core.devconf_inherit_init_net=1 net.ipv4.ip_forward=1 \
		net.ipv4.conf.{all,default}.rp_filter=0 \
		net.ipv6.conf.{all,default}.disable_ipv6=1 net.ipv6.conf.{all,default}.router_solicitations=0
	insmod "$IPTRK_MODULE" || exit 1
}

# space NAME: a namespace in which nobody speaks unasked.
space() {
	ip netns add "$1"
	in_ns "$1" sysctl -qw net.ipv4.conf.{all,default}.rp_filter=0 \
		net.ipv6.conf.{all,default}.disable_ipv6=1 net.ipv6.conf.{all,default}.router_solicitations=0
}

# host NAME ADDRESS[/LENGTH] ...: a namespace with that on its eth0, which is
# wired to the device NAME here. Both ends are up, and silent.
host() {
	local name=$1 address
	shift
	space "$name"
	ip link add "$name" type veth peer name eth0 netns "$name"
	ip link set "$name" up
	ip -n "$name" link set lo up
	ip -n "$name" link set eth0 up
	for address in "$@"; do
		ip -n "$name" address add "$address" dev eth0
	done
}

# Devices and namespaces that tests made, all of them. Those of tunnels that are
# built into a kernel are always there.
clear_topology() {
	local name stays='^[0-9]+: (lo|eth[01]|sit0|tunl0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0)[:@]'
	for name in $(ip netns list | awk '{ print $1 }'); do
		ip netns delete "$name"
	done
	# What stands above goes before what it stands on.
	for name in $(ip -o link | grep -vE "$stays" | awk -F'[:@] *' '{ print $2 }' | tac); do
		ip link delete "$name" 2>/dev/null
	done
	wait_for "! ip -o link | grep -vE '$stays'" 20
}

# mac NAME [NAMESPACE]
mac() {
	if [[ ${2:-} ]]; then
		in_ns "$2" cat "/sys/class/net/$1/address"
	else
		cat "/sys/class/net/$1/address"
	fi
}

# Two hosts, lan and wan, that reach each other through this machine by IPv4 and
# IPv6, and say nothing unasked.
gateway() {
	host lan 10.1.0.80/24
	host wan 44.1.2.10/24
	sysctl -qw net.ipv6.conf.{lan,wan}.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
	ip address add 10.1.0.1/24 dev lan
	ip address add 44.1.2.1/24 dev wan
	ip address add 2001:db8:1::1/64 dev lan nodad
	ip address add 2001:db8:2::1/64 dev wan nodad
	local name before
	for name in lan:1:10.1.0.1:80 wan:2:44.1.2.1:10; do
		IFS=: read -r name net gateway own <<<"$name"
		in_ns "$name" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
		ip -n "$name" address add "2001:db8:$net::$own/64" dev eth0 nodad
		ip -n "$name" route add default via "$gateway"
		ip -n "$name" route add default via "2001:db8:$net::1"
	done
	wait_for 'in_ns lan ping -6 -q -c 1 -W 5 2001:db8:2::10' 60
	wait_for 'in_ns lan ping -q -c 1 -W 5 44.1.2.10' 60
	# Nobody asks again who the others are, and what multicast membership has
	# to say is said after a while.
	for name in lan wan; do
		ip neighbour show dev $name | lasting "" $name
		ip -n $name neighbour show dev eth0 | lasting "-n $name" eth0
	done
	until [[ $before == "$(sent_by lan) $(sent_by wan)" ]]; do
		before="$(sent_by lan) $(sent_by wan)"
		sleep 3
	done
}

# bridge_of NAME PORT...
bridge_of() {
	local name=$1 port
	shift
	ip link add "$name" type bridge mcast_snooping 0 forward_delay 0
	for port in "$@"; do
		ip link set "$port" master "$name"
		bridge fdb replace "$(mac eth0 "$port")" dev "$port" master static
	done
	ip link set "$name" up
	wait_for "bridge link | grep -c forwarding | grep -qx $#" 20
}

# routed_to ADDRESS DEVICE: whoever that is, no need to ask.
routed_to() {
	ip neighbour replace "$1" lladdr 02:00:00:00:99:99 dev "$2" nud permanent
}

# lasting IP-OPTIONS DEVICE: makes the neighbours it is shown permanent.
lasting() {
	local address lladdr
	# shellcheck disable=SC2086
	sed -nE 's/^(\S+) .*lladdr (\S+).*/\1 \2/p' | while read -r address lladdr; do
		ip $1 neighbour replace "$address" lladdr "$lladdr" dev "$2" nud permanent
	done
}

# run_parts NAME...: each on its own, or of them what IPTRK_ONLY names.
run_parts() {
	local part
	for part in "$@"; do
		[[ -z ${IPTRK_ONLY:-} || " $IPTRK_ONLY " == *" $part "* ]] || continue
		printf '# %s\n' "$part"
		"$part"
		"$records" destroy topology 2>/dev/null
		clear_topology
	done
}

# device_counts NAME: "RXPACKETS RXBYTES TXPACKETS TXBYTES", here.
device_counts() {
	local statistics=/sys/class/net/$1/statistics
	[[ -d $statistics ]] || return 0
	paste -sd ' ' "$statistics"/{rx_packets,rx_bytes,tx_packets,tx_bytes}
}

# sent_by NAMESPACE [DEVICE], received_by ...: its own counters.
sent_by() {
	in_ns "$1" cat "/sys/class/net/${2:-eth0}/statistics/tx_packets" "/sys/class/net/${2:-eth0}/statistics/tx_bytes" | paste -sd ' '
}

received_by() {
	in_ns "$1" cat "/sys/class/net/${2:-eth0}/statistics/rx_packets" "/sys/class/net/${2:-eth0}/statistics/rx_bytes" | paste -sd ' '
}

watched_names() {
	"$records" books topology | awk '{ sub("interface=", "", $2); print $2 }' | sort -u
}

watch() {
	watching=("$@")
	"$records" watch topology "$@" || exit 1
	local name
	for name in $(watched_names); do
		printf 'before %s %s\n' "$name" "$(device_counts "$name")"
	done >$topology/before
}

# Waits until no watched interface has seen a frame for a while, reads all.
taken() {
	local before='' now end=$((SECONDS + 60)) name
	until now=$("$records" books topology) && [[ $now == "$before" ]]; do
		((SECONDS <= end)) || break
		before=$now
		sleep 0.3
	done
	"$records" read topology "${watching[@]}" >$topology/taken
	for name in $(watched_names); do
		printf 'after %s %s\n' "$name" "$(device_counts "$name")"
	done >$topology/after
	"$records" destroy topology
}

# recorded [KEY=VALUE | WORD]...: packets and bytes of records with all these.
recorded() {
	awk -v want="$*" '
		BEGIN { n = split(want, wants, " ") }
		$1 == "record" {
			for (i = 1; i <= n; i++)
				if (index(" " $0 " ", " " wants[i] " ") == 0)
					next
			for (i = 1; i <= NF; i++) {
				split($i, pair, "=")
				if (pair[1] == "packets") packets += pair[2]
				if (pair[1] == "bytes") bytes += pair[2]
			}
		}
		END { print packets + 0, bytes + 0 }' $topology/taken
}

# books INTERFACE received|sent CLASS
books() {
	awk -v interface="interface=$1" -v direction="direction=$2" -v class="$3" '
		$1 == "books" && $2 == interface && $3 == direction {
			for (i = 1; i <= NF; i++) {
				split($i, pair, "=")
				value[pair[1]] = pair[2]
			}
			print value[class "_packets"], value[class "_bytes"]
		}' $topology/taken
}

# Books that don't close, interfaces that counted something else than we saw,
# and interfaces whose counters the module misread.
balanced() {
	awk '
		FILENAME ~ /before/ { for (i = 3; i <= 6; i++) before[$2, i] = $i; next }
		FILENAME ~ /after/ { if (NF == 6 && ($2, 3) in before) for (i = 3; i <= 6; i++) grown[$2, i] = $i - before[$2, i]; next }
		$1 == "books" {
			for (i = 2; i <= NF; i++) {
				split($i, pair, "=")
				value[pair[1]] = pair[2]
			}
			name = value["interface"]
			at = value["direction"] == "sent" ? 5 : 3
			if (!value["closed"] || value["unseen_packets"] || value["unseen_bytes"])
				print
			if ((name, 3) in grown && (grown[name, at] != value["nic_packets"] || grown[name, at + 1] != value["nic_bytes"]))
				print name, value["direction"], "counted", grown[name, at], grown[name, at + 1], "not", value["nic_packets"], value["nic_bytes"]
		}' $topology/before $topology/after $topology/taken
}

# plus "P B" "P B"...: their sum; nothing when one of them is no such thing.
plus() {
	local term
	for term in "$@"; do
		[[ $term =~ ^[0-9]+\ [0-9]+$ ]] || return
	done
	printf '%s\n' "$@" | awk '{ packets += $1; bytes += $2 } END { print packets + 0, bytes + 0 }'
}

# times N BYTES: that many frames of that size.
times() {
	echo "$1 $(($1 * $2))"
}

# exactly EXPECTED ACTUAL: equal, and there is something.
exactly() {
	[[ $1 == *[1-9]* ]] || {
		printf 'nothing was sent: "%s"\n' "$1"
		return 1
	}
	equal "$@"
}
