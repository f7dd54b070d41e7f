# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the benchmark compares, to be sourced by tests/bench/measure. Each
# recorder has NAME_start TRAFFIC, which returns when packets may come, and
# NAME_stop TRAFFIC, which prints how many it saw, as WHAT=N.

nothing_start() { :; }
nothing_stop() { :; }

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

# The ring is full before the first packet that is measured.
iptrk_full_start() { iptrk_hold 1024 "$1"; }
iptrk_full_stop() { reader_stop; }
