#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# Two nodes and a centre by doc/larger-sites.md, for ten minutes (or
# IPTRK_LARGER_SECONDS): each node is a namespace of its own with 10,000 hosts
# (or IPTRK_SITE_HOSTS), to each of which goes a datagram every 16 s. What a node
# sends it also writes as CSV, to be compared with the centre's RRDs.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
. tests/larger.sh
seconds=${IPTRK_LARGER_SECONDS:-600}
hosts=${IPTRK_SITE_HOSTS:-10000}
nodes=(node1 node2)
buffers=$(sysctl net.core.rmem_default net.core.rmem_max)

# shellcheck disable=SC2317 # from the trap
clean_up() {
	larger_ends
	for name in "${nodes[@]}"; do
		ip netns delete "iptrk-$name"
	done
	ip link delete iptrk-centre
	sysctl -q -p - <<<"$buffers"
}
larger_begins 24G
ip link add iptrk-centre type bridge && ip link set iptrk-centre up &&
	ip address add 10.9.0.1/24 dev iptrk-centre || exit 1
trap clean_up EXIT
for name in "${nodes[@]}"; do
	ip netns add "iptrk-$name"
	ip link add "iptrk-$name" type veth peer name eth0 netns "iptrk-$name"
	ip link set "iptrk-$name" master iptrk-centre up
	ip -n "iptrk-$name" link set eth0 up
	ip -n "iptrk-$name" address add "10.9.0.1${name#node}/24" dev eth0
done

of_nodes() {
	tests/printed doc/larger-sites.md 'Several nodes, one place to look' "$1"
}
node() {
	configuration "$1" /none >"$work/$1.toml"
	{
		of_nodes 1 | sed -e 's/collectd\.example\.net/10.9.0.1/' -e "s/\"node1\"/\"$1\"/"
		printf '%s\n' 'LoadPlugin csv' '<Plugin csv>' "DataDir \"$work/csv\"" '</Plugin>'
		plugin "$work/$1.toml"
	} | daemon "$1" ip netns exec "iptrk-$1"
}
centre() {
	printf '%s: a long secret\n' "${nodes[@]}" >"$work/passwd"
	{
		of_nodes 2 | sed "s|/etc/collectd/network.passwd|$work/passwd|"
		printed 3
	} | daemon centre
}

# same NODE: every value of it, and at the same time, is at the centre. A CSV has
# six decimals. The first value of each, of nothing, makes the RRD.
same() {
	/usr/bin/python3 - "$work/csv/$1" "$disk/$1" "$work/$1.values" <<-'END'
		import csv, math, os, sys
		import rrdtool
		own, centre, count = sys.argv[1:]
		def there(path):
		    end = rrdtool.last(path)
		    (first, _, step), _, rows = rrdtool.fetch(path, 'AVERAGE', '-r', '1', '-s', str(end - 3600), '-e', str(end))
		    return {first + (number + 1) * step: row for number, row in enumerate(rows)}
		def same(a, b):
		    return math.isnan(a) if b is None else math.isclose(a, b, rel_tol=1e-14, abs_tol=6e-7)
		series = values = 0
		wrong = []
		for directory, _, names in os.walk(own):
		    if not os.path.basename(directory).startswith('iptrk-'):  # collectd's own
		        continue
		    for name in names:
		        path = os.path.join(directory, name)
		        rrd = os.path.relpath(path, own)[:-len('-2000-01-01')] + '.rrd'
		        series += 1
		        try:
		            rows = there(os.path.join(centre, rrd))
		        except rrdtool.OperationalError as error:
		            wrong.append(str(error))
		            continue
		        for when, *columns in list(csv.reader(open(path)))[2:]:
		            values += len(columns)
		            row = rows.get(round(float(when)), ())
		            if len(row) != len(columns) or not all(map(same, map(float, columns), row)):
		                wrong.append(f'{rrd} at {when}: {columns}, {row}')
		print(f'{series} series, {values} values', file=open(count, 'w'))
		print(f'{len(wrong)} differ', *wrong[:5], sep='\n')
		sys.exit(bool(wrong) or values == 0)
	END
}
# Datagrams that the kernel had no room for.
lost() {
	nstat -asz UdpRcvbufErrors | awk '$1 == "UdpRcvbufErrors" { print $2 }'
}
draws() {
	"$build/tools/iptrk" --config "$work/$1.toml" graph network --network site --start end-20min --collectd-host "$1" \
		--rrd-directory "$disk" --templates rrd-templates --output "$work/$1.png"
}

lost_before=$(lost)
of_nodes 3 | sysctl -q -p - || exit 1
for name in "${nodes[@]}"; do
	feed "$name" "$hosts" "$seconds" >"$work/$name.fed" &
	feeds+=($!)
	until_true 10 test -e "$queues/$name"
done
for start in cache centre 'node node1' 'node node2'; do
	$start || { cat "$work"/*.log; exit 1; }
done
wait "${feeds[@]}"
sleep 150 # two intervals of the hosts
stop "${nodes[@]}"
sleep 5 # for what is on the way
stop centre rrdcached

it 'lost no datagram of collectd on the way' equal 0 $(($(lost) - lost_before))
for name in "${nodes[@]}"; do
	read -r came no_room <"$work/$name.fed"
	it "recorded every frame to the hosts of $name" equal $((60 * came)):0 \
		"$(of_ledger "$name" 'SELECT sum(in_bytes) FROM total'):$no_room"
	it "has an RRD at the centre for each host of $name" equal "$hosts" "$(host_rrds "$disk/$name" | wc -l)"
	it "has at the centre every value that $name has" same "$name"
	printf '  %s\n' "$(<"$work/$name.values")"
	it "has at the centre every byte of the hosts of $name" equal $((60 * came)) "$(given "$disk/$name")"
	it "draws $name at the centre" draws "$name"
done
it 'says nothing of trouble' equal '' "$(troubles)"
it_ends
