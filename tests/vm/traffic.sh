# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What passes through the lab of tests/vm/lab.sh: normal traffic by real
# programs, and attacks. Each function says what it does and ends by itself.

say() {
	printf '  %s\n' "$*"
}

# traffic_web ROUNDS: downloads in both directions over IPv4 and IPv6.
traffic_web() {
	local round
	say "web: $1 rounds of downloads, from our server and by our client"
	for ((round = 0; round < $1; round++)); do
		in_ns outside curl -s --interface "44.1.2.1$((round % 10))" \
			http://10.1.0.10/{big,page,small} >/dev/null
		in_ns client curl -s http://44.1.2.80/{page,small} >/dev/null
		in_ns client curl -g -s 'http://[2001:db8:2::10]/page' >/dev/null
	done
}

# traffic_dns COUNT: questions to our name server.
traffic_dns() {
	say "dns: $1 questions to our name server"
	in_ns outside python3 - "$1" <<-'END'
		import random, socket, struct, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(1)
		for number in range(int(sys.argv[1])):
		    host = random.choice([b"web", b"dns", b"speed", b"client", b"nobody"])
		    name = bytes([len(host)]) + host + b"\3lab\0"
		    s.sendto(struct.pack(">6H", number, 256, 1, 0, 0, 0) + name + b"\0\1\0\1", ("10.1.0.26", 53))
		    try:
		        s.recv(512)
		    except TimeoutError:
		        pass
	END
}

# traffic_tcp SECONDS: to our host and back, at 20 Mbit/s.
traffic_tcp() {
	say "iperf3: TCP to and from 10.1.0.54, $1 s each"
	in_ns outside iperf3 -c 10.1.0.54 -p 5201 -b 20M -t "$1" >/dev/null
	in_ns outside iperf3 -c 10.1.0.54 -p 5201 -b 20M -t "$1" -R >/dev/null
}

# traffic_udp SECONDS: a stream of 3 Mbit/s to our client, as a call would be.
traffic_udp() {
	say "iperf3: UDP to 10.1.0.54 for $1 s"
	in_ns outside iperf3 -c 10.1.0.54 -p 5202 -u -b 3M -t "$1" >/dev/null
}

# traffic_ping COUNT: the idle host, inside and out.
traffic_ping() {
	say "ping: $1 from 10.1.0.103 to the web server and outside"
	in_ns idle ping -q -i 0.2 -c "$1" 44.1.2.10 >/dev/null
	in_ns idle ping -q -i 0.2 -c "$1" 10.1.0.1 >/dev/null
}

# traffic_backup MEGABYTES: our web server sends its files away.
traffic_backup() {
	say "backup: $1 MB from 10.1.0.10 to a store outside"
	head -c "${1}000000" /dev/zero | in_ns web timeout 120 busybox nc 44.1.2.80 873
}

# attack_flood SECONDS: SYNs from 44.1.2.66 to the victim's port 80, as many as
# the machine can.
attack_flood() {
	say "attack: hping3 floods 10.1.0.216 with SYN for $1 s"
	# timeout's status says that the time was up, as it should be.
	in_ns outside timeout "$1" hping3 -q -S -p 80 --flood -a 44.1.2.66 10.1.0.216 >/dev/null 2>&1 || true
}

# attack_scan HOST: a thousand ports of one of our hosts.
attack_scan() {
	say "attack: nmap scans 1000 ports of $1"
	in_ns outside timeout 120 nmap -sS -Pn -n -S 44.1.2.66 -e out0 --max-retries 1 "$1" >/dev/null
}

# traffic_pktgen WORDS...: from outside by the kernel, as fast or as often as its
# words say, such as 'ratep 1000'. Prints what came of it.
traffic_pktgen() {
	say "pktgen: $(printf '%s, ' "$@")"
	# shellcheck disable=SC2016 # for the shell in the namespace
	in_ns outside bash -c '
		thread=/proc/net/pktgen/kpktgend_0 device=/proc/net/pktgen/out0
		modprobe pktgen || exit
		echo rem_device_all >"$thread"
		echo add_device out0 >"$thread"
		for word; do echo "$word" >"$device" || exit; done
		echo start >/proc/net/pktgen/pgctrl
		grep "^Result" "$device"' pktgen "dst_mac $(cat /sys/class/net/wan0/address)" "$@" |
		sed 's/^/  /'
}
