#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# Every kernel of tests/vm/kernels, or those named: tests/kernels.test.sh [NAME]...
#
# The module is built for each (W=1, its distribution's compiler), and the
# claims of tests/vm/{device,count}.test.sh are put to it; on another
# architecture, those of its folder in tests/vm. One verdict a kernel; what its
# machine said is kept below build/kernels/NAME.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
failed=0

# Whether make warned, which neither stops make nor is always the compiler.
warned() {
	grep -inE 'warning|error' "$(dirname "$1")/make.log"
}

# Lines of verdicts in the log, ours or GoogleTest's: passed|failed|skipped.
verdicts() {
	case $1 in
	passed) grep -E '^ok - |^\[ +OK \]' ;;
	failed) grep -E '^not ok - |^\[ +FAILED +\] .*\([0-9]+ ms\)' ;;
	skipped) grep -E '^skip - |^\[ +SKIPPED +\] .*\([0-9]+ ms\)' ;;
	esac <"$out/output.log" 2>/dev/null
}

not_ok() {
	printf 'not ok - %s: %s\n' "$name" "$1"
	failed=1
}

# The claims, in a machine of that kernel.
machine() {
	case $name in
	*:*) "tests/vm/${name#*:}/run" --kernel "$name" --out "$out" ;;
	*) tests/vm/boot --kernel "$name" --out "$out" --timeout 1500 \
		tests/vm/each tests/vm/device.test.sh tests/vm/count.test.sh ;;
	esac
}

kernel_passes() {
	local module version
	module=$(tests/vm/module --fresh --kernel "$name" 2>"$out/module.log") || {
		not_ok 'the module builds'
		tail -n 40 "$out/module.log"
		return
	}
	if warned "$module"; then
		not_ok 'the module builds without a warning'
		return
	fi
	version=$(basename "${module%/*}")
	version=${version#kernel-}
	if ! IPTRK_MODULE=$module machine &>"$out/run.log" ||
		[[ ! $(verdicts passed) || $(verdicts failed) ]]; then
		not_ok "Linux $version boots and keeps its word"
		verdicts failed
		tail -n 60 "$out/run.log"
		return
	fi
	verdicts skipped | sed -E "s/^(skip - |\[ +SKIPPED +\] )/skip - $name: /; s/ \([0-9]+ ms\)$/: this kernel has no egress hook/"
	printf 'ok - %s: Linux %s builds without a warning, boots and passes %d claims\n' \
		"$name" "$version" "$(verdicts passed | wc -l)"
}

mapfile -t names < <((($#)) && printf '%s\n' "$@" || grep -v '^#' tests/vm/kernels)
for name in "${names[@]}"; do
	out=build/kernels/${name/:/-}
	rm -rf "$out" && mkdir -p "$out"
	kernel_passes
done
exit "$failed"
