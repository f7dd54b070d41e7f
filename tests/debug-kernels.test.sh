#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every test of tests/vm once more, on the kernels that look for our mistakes
# (tests/vm/debug-kernel): tests/debug-kernels.test.sh [kasan|kcsan] [TEST]...
#
# A claim holds when the test passes there and the kernel has nothing to say:
# no warning, no leak, no wrong lock, no race. Results stay below
# IPTRK_DEBUG_OUT, by default a new directory. Takes long, and is done only when
# IPTRK_DEBUG_KERNELS=1 says so; the kernels are built once.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
out=$(realpath -m "${IPTRK_DEBUG_OUT:-$(mktemp -d /tmp/iptrk-debug.XXXXXX)}")
mkdir -p "$out"

kinds=(kasan kcsan)
case ${1:-} in kasan | kcsan) kinds=("$1") && shift ;; esac
tests=("${@:-*}")

# The sources elsewhere, so that the module made for everybody else stays; and
# once for all runs with the same results, which name the lines that ran.
module() {
	local profile=()
	# shellcheck disable=SC2153 # from tests/vm/debug-kernel
	[[ $1 != kasan ]] || profile=(GCOV_PROFILE=y)
	mkdir -p "$2" && cp -rpu kernel/{Kbuild,Makefile,*.[ch],uapi} "$2" &&
		nice make -C "$2" "KDIR=$KDIR" KCFLAGS=-g "${profile[@]}"
}

# Runs one test; what it and the machine said is in the file "said".
machine() {
	local options
	read -ra options < <(sed -n 's/^# boot: //p' "$2")
	rm -rf "$3"
	mkdir -p "$3"
	# Ten times slower than what a test asks for.
	tests/vm/boot "${options[@]}" --kernel "$1" --memory 2048 --timeout 7200 --out "$3" \
		"$2" &>"$3/said"
	echo $? >"$3/status"
}

passed() {
	local status
	status=$(<"$1/status")
	((status == 0)) && grep -qE '^ok - |^\[ +OK \]' "$1/said" &&
		! grep -qE '^not ok - |^\[ +FAILED' "$1/said" && return
	printf 'status %d, see %s\n' "$status" "$1"
	grep -A 15 -E '^not ok - |^\[ +FAILED|^boot: ' "$1/said" || tail -n 20 "$1/said"
	return 1
}

for kind in "${kinds[@]}"; do
	if [[ ! ${IPTRK_DEBUG_KERNELS:-} ]]; then
		skip "all of tests/vm passes on the $kind kernel" \
			'set IPTRK_DEBUG_KERNELS=1 (25 minutes of one processor to build it once, and an hour to run)'
		continue
	fi
	if ! lines=$(tests/vm/debug-kernel --headers "$kind"); then
		it "builds the $kind kernel" false
		continue
	fi
	eval "$lines"
	it "builds the module for the $kind kernel" module "$kind" "$out/$kind/module"
	export IPTRK_MODULE=$out/$kind/module/iptrk.ko
	[[ -f $IPTRK_MODULE ]] || continue
	for test in "${tests[@]}"; do
		for file in tests/vm/$test.test.sh; do
			name=$(basename "$file" .test.sh)
			result=$out/$kind/$name
			why=$(sed -n 's/^# not on debug kernels: //p' "$file")
			if [[ $why ]]; then
				skip "$name passes on the $kind kernel" "$why"
				continue
			fi
			machine "$kind" "$file" "$result"
			why=$(sed -n 's/^skip - .*: //p' "$result/said" | head -n 1)
			if [[ $why ]] && ! grep -qE '^(not )?ok - ' "$result/said"; then
				skip "$name passes on the $kind kernel" "$why"
			else
				it "$name passes on the $kind kernel, which has no complaint" passed "$result"
			fi
		done
	done
done
it_ends
