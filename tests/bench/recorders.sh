# shellcheck shell=bash disable=SC2154,SC2034 # shared with the sourcing script
# SPDX-License-Identifier: GPL-2.0-only
#
# What the benchmark compares, to be sourced by tests/bench/measure. Each
# recorder has NAME_start TRAFFIC, which returns when packets may come, and
# NAME_stop TRAFFIC, which prints how many it saw, as WHAT=N.

nothing_start() { :; }
nothing_stop() { :; }
nothing_live_start() { :; }
nothing_live_stop() { :; }

empty_start() {
	insmod "$bin/empty_hook.ko" "devices=$(recorder_devices "$1")"
}
empty_stop() {
	rmmod empty_hook
}

# Which devices a recorder of this traffic watches.
recorder_devices() {
	if [[ $1 == forwarded ]]; then echo d0,d1; else echo d0; fi
}

# recorder_warm RECORDER TRAFFIC: packets that are not measured: once for the
# caches and the allocator, more to fill a table.
recorder_warm() {
	local warm=1000
	case $1:$2 in
	iptrk_full:*) warm=8192 ;;
	netflow:many | nft_set:many) warm=65536 ;;
	esac
	traffic_warm=$warm
	# Random sources would take long to be all of them.
	if ((warm == 65536)); then traffic_send sweep "$warm" 0; else traffic_send "$2" "$warm" 0; fi
}

reader_pids=()

# reader_start PROGRAM ARG...: in the background, and waits until it is ready.
reader_start() {
	local words
	words=$(mktemp -u)
	mkfifo "$words"
	"$@" >"$words" &
	reader_pids+=($!)
	exec {reader_words}<"$words"
	rm "$words"
	read -r <&"$reader_words" && [[ $REPLY == ready ]]
}

# reader_stop: prints the newest reader's last words, and ends the others.
reader_stop() {
	kill "${reader_pids[@]}"
	cat <&"$reader_words"
	wait "${reader_pids[@]}"
	reader_pids=()
}

iptrk_load() {
	insmod "$module" memory_mib=512
}
iptrk_unload() {
	rmmod iptrk
}

iptrk_unused_start() { :; }
iptrk_unused_stop() { :; }

# iptrk_hold RECORDS TRAFFIC
iptrk_hold() {
	local devices
	IFS=, read -ra devices < <(recorder_devices "$2")
	reader_start "$bin/read_iptrk" hold "$1" "${devices[@]}"
}

# Room for all packets of a measurement.
iptrk_start() { iptrk_hold 65536 "$1"; }
iptrk_stop() { reader_stop; }

iptrk_twice_start() { iptrk_hold 65536 "$1" && iptrk_hold 65536 "$1"; }
iptrk_twice_stop() { reader_stop; }

# Ring and merge table are full before the first packet that is measured.
iptrk_full_start() { iptrk_hold 512 "$1"; }
iptrk_full_stop() { reader_stop; }

iptrk_live_start() { reader_start "$bin/read_iptrk" live 65536 d0; }
iptrk_live_stop() { reader_stop; }

tpacket_start() { reader_start "$bin/read_tpacket" hold d0; }
tpacket_stop() { reader_stop; }
tpacket_live_start() { reader_start "$bin/read_tpacket" live d0; }
tpacket_live_stop() { reader_stop; }

ringbuf_start() { reader_start "$bin/read_ringbuf" hold "$bin/ringbuf.bpf.o" d0; }
ringbuf_stop() { reader_stop; }
ringbuf_live_start() { reader_start "$bin/read_ringbuf" live "$bin/ringbuf.bpf.o" d0; }
ringbuf_live_stop() { reader_stop; }

# nft_chain RULE
nft_chain() {
	nft -f - <<-END
		table netdev bench {
			set hosts { type ipv4_addr; size 131072; flags dynamic; }
			chain received {
				type filter hook ingress device d0 priority 0; policy accept;
				$1
			}
		}
	END
}
nft_stop() {
	nft delete table netdev bench
}

nft_empty_start() { nft_chain ''; }
nft_empty_stop() { nft_stop; }

nft_set_start() { nft_chain 'update @hosts { ip saddr counter }'; }
nft_set_stop() {
	# Listing many would take minutes.
	[[ $1 != one ]] || nft list set netdev bench hosts | sed -nE 's/.*packets ([0-9]+).*/seen=\1/p'
	nft_stop
}

# As Debian's package builds it, and with its defaults, but that nothing expires
# while the machine waits for its host.
netflow_start() {
	modprobe iptable_raw && insmod "$bin/ipt_NETFLOW.ko" destination=127.0.0.1:2055 inactive_timeout=3600 &&
		XTABLES_LIBDIR=$bin/xtables iptables-legacy -t raw -A PREROUTING -j NETFLOW
}
netflow_stop() {
	sed -nE 's/.*InHash: ([0-9]+) pkt.*/seen=\1/p' /proc/net/stat/ipt_netflow
	XTABLES_LIBDIR=$bin/xtables iptables-legacy -t raw -F PREROUTING
	rmmod ipt_NETFLOW
}
