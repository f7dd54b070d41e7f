# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The network the tests count, to be sourced inside the test machine:
#
#   outside                 the machine itself            inside: a bridge, and
#   (namespace)             is the gateway                one namespace per host
#
#   44.1.2.10..19           wan0             lan0          +-- web     10.1.0.10
#   44.1.2.66    out0 ===== 44.1.2.1   10.1.0.1 ===== br0 -+-- dns     10.1.0.26
#   44.1.2.80               2001:db8:2::1    2001:db8:1::1 +-- speed   10.1.0.54
#   2001:db8:2::10                                         +-- client  10.1.0.80
#                                                          +-- idle    10.1.0.103
#                                                          +-- victim  10.1.0.216
#
# Own networks: 10.1.0.0/24, and 2001:db8:1::/64 for web, client and the
# gateway; a host's IPv6 address ends like its IPv4 one. 44.1.2.10 to .19 are
# visitors, .66 attacks, .80 serves files, names and a backup store to the own
# hosts. What the gateway cannot place it sends outside, where it ends. `web` serves the same files, `dns` answers for *.lab, `speed` has iperf3
# on ports 5201 and 5202.
#
# Every namespace answers to its name: in_ns web ip address. The gateway is
# where you are.

lab_hosts=(web:10 dns:26 speed:54 client:80 idle:103 victim:216)
lab_ipv6_hosts=' web client '
lab_files=/run/lab/files # small 1 kB, page 64 kB, big 4 MB

. tests/vm/space.sh

# Frames and bytes that have crossed the gateway's two sides so far.
lab_counters() {
	cat /sys/class/net/{wan0,lan0}/statistics/{rx,tx}_{packets,bytes}
}

# shellcheck disable=SC2120
# lab_settle [TIMEOUT]: waits until no frame has crossed for a second.
lab_settle() {
	local before='' end=$((SECONDS + ${1:-30}))
	until [[ $before == "$(lab_counters)" ]]; do
		((SECONDS <= end)) || return 1
		before=$(lab_counters)
		sleep 1
	done
}

# Nothing may send a frame nobody asked for. Namespaces inherit this, and are
# made before forwarding is switched on here.
lab_namespaces() {
	printf '%s\n' net.core.devconf_inherit_init_net=1 net.ipv6.conf.lo.disable_ipv6=0 \
		net.ipv6.conf.{all,default}.{disable_ipv6,accept_ra,autoconf}=0 \
		net.ipv6.conf.{all,default}.{accept_dad,dad_transmits,router_solicitations}=0 \
		net.ipv6.conf.{all,default}.addr_gen_mode=1 | sysctl -q -p -
	printf 'netns add %s\n' outside inside "${lab_hosts[@]%:*}" | ip -batch -
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

lab_links() {
	local host name
	# A router asks for neighbours from its link-local address.
	ip -batch - <<-END
		link add wan0 type veth peer name out0 netns outside
		link add lan0 type veth peer name up0 netns inside
		link set wan0 up
		link set lan0 up
		address add 44.1.2.1/24 dev wan0
		address add 10.1.0.1/24 dev lan0
		address add 2001:db8:2::1/64 dev wan0 nodad
		address add 2001:db8:1::1/64 dev lan0 nodad
		address add fe80::1/64 dev wan0 nodad
		address add fe80::1/64 dev lan0 nodad
		route add default via 44.1.2.80
	END
	{
		# Up first: an IPv6 address given to a link that is down stays deaf.
		printf '%s\n' 'link set lo up' 'link set out0 up'
		printf 'address add 44.1.2.%s/24 dev out0\n' 80 66 {10..19}
		printf '%s\n' 'address add 2001:db8:2::10/64 dev out0 nodad' \
			'route add 10.1.0.0/24 via 44.1.2.1' \
			'route add 2001:db8:1::/64 via 2001:db8:2::1'
	} | ip -n outside -batch -
	{
		printf '%s\n' 'link add br0 type bridge mcast_snooping 0 forward_delay 0' \
			'link set up0 master br0 up' 'link set br0 up'
		for host in "${lab_hosts[@]}"; do
			name=${host%:*}
			printf '%s\n' "link add $name type veth peer name eth0 netns $name" \
				"link set $name master br0 up"
		done
	} | ip -n inside -batch -
	for host in "${lab_hosts[@]}"; do
		name=${host%:*}
		{
			printf '%s\n' 'link set lo up' 'link set eth0 up' \
				"address add 10.1.0.${host#*:}/24 dev eth0" \
				'route add default via 10.1.0.1'
			[[ $lab_ipv6_hosts != *" $name "* ]] || printf '%s\n' \
				"address add 2001:db8:1::${host#*:}/64 dev eth0 nodad" \
				'route add default via 2001:db8:1::1'
		} | ip -n "$name" -batch -
	done
}

# lab_daemon NAMESPACE COMMAND...: in the background, until lab_down.
lab_daemon() {
	ip netns exec "$@" </dev/null >>"/run/lab/$1.log" 2>&1 &
	echo $! >>/run/lab/pids
}

lab_dns() {
	lab_daemon "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
		--no-resolv --no-hosts --addn-hosts=/run/lab/hosts --pid-file= --local=/lab/
}

lab_services() {
	local host
	mkdir -p "$lab_files"
	head -c 1024 /dev/zero | tr '\0' s >"$lab_files/small"
	head -c 65536 /dev/zero | tr '\0' p >"$lab_files/page"
	head -c 4194304 /dev/zero | tr '\0' b >"$lab_files/big"
	for host in "${lab_hosts[@]}"; do
		printf '10.1.0.%s %s.lab\n' "${host#*:}" "${host%:*}"
	done >/run/lab/hosts
	lab_daemon web busybox httpd -f -p 80 -h "$lab_files"
	lab_daemon outside busybox httpd -f -p 80 -h "$lab_files"
	lab_dns dns
	lab_dns outside
	lab_daemon speed iperf3 --server --port 5201
	lab_daemon speed iperf3 --server --port 5202
	lab_daemon outside busybox nc -ll -p 873 -e sh -c 'cat >/dev/null'
	wait_for 'lab_listens web 80 && lab_listens outside 80 &&
		lab_listens dns 53 && lab_listens outside 53 && lab_listens outside 873 &&
		lab_listens speed 5201 && lab_listens speed 5202' 60
}

# lab_listens NAMESPACE PORT: somebody accepts TCP connections there.
lab_listens() {
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}

lab_up() {
	mkdir -p /run/lab
	: >/run/lab/pids
	lab_namespaces && lab_links && lab_services && lab_settle
}

lab_down() {
	local pids
	mapfile -t pids </run/lab/pids
	kill "${pids[@]}" 2>/dev/null
	wait "${pids[@]}" 2>/dev/null
	ip link delete wan0
	ip link delete lan0
	printf 'netns delete %s\n' outside inside "${lab_hosts[@]%:*}" | ip -batch -
	rm -rf /run/lab
}
