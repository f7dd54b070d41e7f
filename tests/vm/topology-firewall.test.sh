#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# not on debug kernels: they have no connection tracking
# A gateway that tracks connections: it puts fragments together and cuts them
# again, and translates addresses.
. tests/vm/topology.sh
topology_begins
modprobe veth || exit 1

# Somebody has a copy of everything, so that nothing can be sent on as it is.
keep_copies() {
	python3 -c '
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
time.sleep(600)' &
	copier=$!
	wait_for "grep -q . <(tail -n +2 /proc/$copier/net/packet)" 30
}

tracked() {
	local copies lan_sent wan_sent copier
	gateway
	nft -f - <<-END
		table inet firewall {
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related,new accept
			}
		}
	END
	for copies in without with; do
		[[ $copies == without ]] || keep_copies
		lan_sent=$(sent_by lan) wan_sent=$(sent_by wan)
		watch lan wan
		in_ns lan ping -q -c 5 -i 0.02 -s 4000 44.1.2.10 >/dev/null
		in_ns lan ping -6 -q -c 5 -i 0.02 -s 4000 2001:db8:2::10 >/dev/null
		taken
		it "records what was put together on the way once, $copies copies of it about" equal \
			"$(plus "$(sent_by lan)" "$(sent_by wan)")" "$(plus "$lan_sent" "$wan_sent" "$(recorded)")"
		it 'as the fragments that came in' exactly "$(plus "$(times 20 1514)" "$(times 10 1082)" "$(times 20 1510)" "$(times 10 1174)")" \
			"$(recorded direction=received fragment)"
		it 'agrees with both interfaces' equal '' "$(balanced)"
	done
	kill "$copier"
	nft delete table inet firewall
}

translated() {
	gateway
	nft -f - <<-END
		table ip translation {
			chain postrouting {
				type nat hook postrouting priority 100; policy accept;
				oifname "wan" masquerade
			}
		}
	END
	watch lan
	in_ns lan ping -q -c 10 -i 0.02 44.1.2.10 >/dev/null
	taken
	it 'knows the hosts behind translated addresses when the inner interface is watched alone' \
		exactly "$(times 10 98) $(times 10 98)" \
		"$(recorded src=10.1.0.80 dst=44.1.2.10) $(recorded src=44.1.2.10 dst=10.1.0.80)"
	it 'agrees with that interface' equal '' "$(balanced)"
	watch lan wan
	in_ns lan ping -q -c 10 -i 0.02 44.1.2.10 >/dev/null
	taken
	it 'and with both, what comes back is of the address it came for' \
		exactly "$(times 10 98) $(times 10 98)" \
		"$(recorded src=10.1.0.80 dst=44.1.2.10) $(recorded src=44.1.2.10 dst=44.1.2.1)"
	it 'each once' exactly "$(times 20 98)" "$(recorded protocol=1)"
	it 'agrees with both interfaces about translated addresses' equal '' "$(balanced)"
	nft delete table ip translation
}

run_parts tracked translated
it 'unloads after all that' rmmod iptrk
it_ends
