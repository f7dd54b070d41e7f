#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# doc/larger-sites.md, as it is printed: tests/sites.test.sh
#
# Two nodes send values of IPTRK_SITE_HOSTS hosts (default 300) and
# IPTRK_SITE_SLOTS minutes (default 5) to a centre, encrypted; both sides write
# RRDs, and a node also offers its sums to Prometheus.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

work=$(mktemp -d)
buffer=$(sysctl -n net.core.rmem_default) buffer_max=$(sysctl -n net.core.rmem_max)
# shellcheck disable=SC2317 # from the trap
clean_up() {
	# Not children of this shell: claims are made in others.
	xargs kill <"$work/pids" 2>/dev/null
	sysctl -qw "net.core.rmem_default=$buffer" "net.core.rmem_max=$buffer_max"
	rm -rf "$work"
}
trap clean_up EXIT
port=$((20000 + $$ % 20000))

# printed SECTION N: the Nth block of that section of the document.
printed() {
	tests/printed doc/larger-sites.md "$@"
}

# daemon NAME: one collectd by what comes in.
daemon() {
	{
		printf '%s\n' "Hostname \"$1\"" "BaseDir \"$work\"" "PIDFile \"$work/$1.pid\"" \
			"TypesDB \"/usr/share/collectd/types.db\" \"$PWD/plugin/iptrk.types.db\"" \
			'WriteThreads 1' 'LoadPlugin unixsock' '<Plugin unixsock>' "SocketFile \"$work/$1.sock\"" '</Plugin>' \
			'LoadPlugin rrdtool' '<Plugin rrdtool>' "DataDir \"$work/$1.rrd\"" 'CacheTimeout 0' '</Plugin>'
		grep -v '^TypesDB'
	} >"$work/$1.conf"
	collectd -f -C "$work/$1.conf" >"$work/$1.log" 2>&1 &
	echo $! >>"$work/pids"
	for _ in {1..100}; do
		[[ ! -S $work/$1.sock ]] || return 0
		sleep 0.1
	done
	cat "$work/$1.log"
	return 1
}

node_config() {
	printed 'Several nodes, one place to look' 1 |
		sed -e "s/collectd\.example\.net/127.0.0.1/" -e "s/25826/$port/" -e "s/\"node1\"/\"$1\"/"
}

printed 'Several nodes, one place to look' 3 | sysctl -q -p - || skip 'sets the receive buffer' 'not root'
printf '%s: a long secret\n' node1 node2 >"$work/passwd"
it 'starts a centre by what is printed' daemon centre < <(
	printed 'Several nodes, one place to look' 2 |
		sed -e "s/25826/$port/" -e "s|/etc/collectd/network.passwd|$work/passwd|"
)
it 'starts a node' daemon node1 < <(node_config node1)
it 'starts a node that also offers its sums to Prometheus' daemon node2 < <(
	node_config node2
	printed Prometheus 1 | sed -e "s/9103/$((port + 1))/" -e 's|<Target "write">|&\n Plugin "network"|'
)

# Values of all hosts, network by network, at a pace that a small buffer holds.
feed() {
	/usr/bin/python3 - "$work/$1.sock" "$1" "${IPTRK_SITE_HOSTS:-300}" "${IPTRK_SITE_SLOTS:-5}" <<-'END'
		import random, socket, sys, time
		path, node, hosts, slots = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
		connection = socket.socket(socket.AF_UNIX)
		connection.connect(path)
		file = connection.makefile('rw')
		chance = random.Random(node)
		begin = int(time.time()) // 60 * 60 - 60 * (slots + 1)
		sent = 0
		def put(name, interval, when, count):
		    global sent
		    file.write(f'PUTVAL "{node}/iptrk-{name}" interval={interval} {when}:' + ':'.join(str(chance.randrange(10**9)) for _ in range(count)) + '\n')
		    file.flush()
		    if not file.readline().startswith('0'):
		        sys.exit(f'{name} was refused')
		    sent += 1
		    if sent % 100 == 0:
		        time.sleep(0.1)
		for slot in range(slots + 1):
		    for part in range(6):
		        when = begin + slot * 60 + part * 10
		        put('lan/iptrk_network', 10, when, 8)
		        put('lan/iptrk_service-web', 10, when, 3)
		        put('all/iptrk_martian', 10, when, 4)
		        put('interface-eth0/iptrk_books-received', 10, when, 6)
		        put('queue/iptrk_queue', 10, when, 4) if part == 0 else None
		    for host in range(hosts):
		        put(f'lan/iptrk_host-10.{host >> 16}.{host >> 8 & 255}.{host & 255}', 60, begin + slot * 60, 8)
	END
}
both() {
	feed node1 &
	feed node2 && wait $!
}
it 'takes the values of two nodes at once' both

# Compares all RRDs of the node with those at the centre, value by value.
same() {
	/usr/bin/python3 - "$work/$1.rrd/$1" "$work/centre.rrd/$1" "${IPTRK_SITE_HOSTS:-300}" "$work/$1.sock" <<-'END'
		import os, shutil, socket, sys, time
		import rrdtool
		own, centre = sys.argv[1:3]
		copy = own + '.copy'
		def rows(path):
		    # rrdtool locks what it reads, and a collectd that wants to write
		    # it meanwhile loses the value.
		    shutil.copyfile(path, copy)
		    try:
		        return read(copy)
		    except rrdtool.OperationalError as error:  # made just now
		        return error
		def read(path):
		    step, end = rrdtool.info(path)['step'], rrdtool.last(path)
		    return end, rrdtool.fetch(path, 'AVERAGE', '-s', str(end - 600 * step // 10), '-e', str(end))[2]
		deadline = time.time() + 20 + float(sys.argv[3]) / 50
		while True:
		    # What does not fill a packet would leave with the next values.
		    with socket.socket(socket.AF_UNIX) as node:
		        node.connect(sys.argv[4])
		        node.sendall(b'FLUSH plugin=network\n')
		        node.recv(100)
		    files = [os.path.relpath(os.path.join(d, f), own) for d, _, names in os.walk(own) for f in names]
		    other = [f for f in files if not os.path.exists(os.path.join(centre, f)) or rows(os.path.join(own, f)) != rows(os.path.join(centre, f))]
		    if not other or time.time() > deadline:
		        break
		    time.sleep(1)
		print(f'{len(files)} RRDs, {len(other)} differ: {other[:5]}')
		sys.exit(bool(other) or len(files) < 10)
	END
}
dashboard() {
	curl -s "http://127.0.0.1:$((port + 1))/metrics" >"$work/metrics"
	/usr/bin/python3 - packaging/grafana/iptrk.json "$work/metrics" <<-'END'
		import json, re, sys
		wanted = set(re.findall(r'collectd_iptrk_\w+', open(sys.argv[1]).read()))
		json.load(open(sys.argv[1]))
		there = {re.match(r'\w+', line)[0] for line in open(sys.argv[2]) if line.startswith('collectd_')}
		print('not offered:', sorted(wanted - there))
		# "all" is one of the networks, so that a sum of them has everything twice.
		twice = [sums for sums in re.findall(r'\bsum[^(]*\(([^)]*)\)', open(sys.argv[1]).read()) if 'iptrk' not in sums]
		print('sums over networks:', twice)
		sys.exit(bool(wanted - there or twice) or not wanted)
	END
}
it 'offers Prometheus all that the dashboard draws' dashboard
it 'offers no hosts to Prometheus' equal 0 "$(grep -c 'iptrk_host' "$work/metrics")"
it 'has at the centre what the first node has' same node1
it 'has at the centre what the second node has' same node2
# No ledger is at the centre.
cat >"$work/centre.toml" <<-END
	[networks.lan]
	prefixes = ["10.0.0.0/23"]
	[ledger]
	path = "$work/none.sqlite"
END
pages() {
	"${IPTRK_BUILD:-build}/tools/iptrk" --config "$work/centre.toml" pages --templates rrd-templates \
		--page-templates tools/page-templates --collectd-host node1 \
		--rrd-directory "$work/centre.rrd" --output "$work/site" && grep -q '10\.0\.' "$work/site/index.html"
}
it 'draws the pages of a node at the centre' pages
it_ends
