#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# What a sysop does with the packages, on fresh systems: tests/packages.test.sh
# [bookworm|trixie]...
#
# Each system boots with systemd, collectd, postfix and a kernel's headers.
# Installs, edits one line, looks at RRDs, pages and mail; reboots, upgrades,
# has a second kernel, removes and purges. The steps inside are in
# tests/packages/inside. Systems and packages are made by mmdebstrap and
# packaging/build-packages; root, and a few minutes each.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
cache=${IPTRK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iptrk}
suites=("$@")
((${#suites[@]})) || suites=(bookworm trixie)
work=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-packages.XXXXXX")
trap 'rm -rf "$work/root" "$work"/*.disk' EXIT
packaging/dependencies package test || exit 2

# What a collectd shop has. The second kernel is of the cloud.
have=systemd-sysv,udev,dbus,kmod,iproute2,iputils-ping,procps,apt-utils
have+=,linux-image-amd64,linux-headers-amd64,collectd-core,rrdtool,postfix,s-nail,hping3,curl

# fresh SUITE: prints the archive of such a system, which is made once. What our
# packages depend on is in its apt archive, since it has no network.
fresh() {
	local system=$cache/build-systems/fresh-$1-2.tar packages
	if [[ ! -f $system ]]; then
		packages="$(dpkg-deb -f "$work/$1/one"/iptrk_*.deb Depends), $(dpkg-deb -f "$work/$1/one"/collectd-iptrk_*.deb Depends)"
		packages=$(tr ',' '\n' <<<"$packages" | sed -e 's/(.*)//' -e 's/|.*//' -e 's/ //g' -e '/iptrk/d' | sort -u | paste -sd' ')
		mmdebstrap --quiet --variant=important --include="$have" \
			--customize-hook='chroot "$1" apt-get -qq -o APT::Sandbox::User=root install -y --download-only dkms linux-image-cloud-amd64 linux-headers-cloud-amd64 '"$packages" \
			--skip=cleanup/apt "$1" "${system%.tar}.new.tar" >&2 || return 1
		mv "${system%.tar}.new.tar" "$system"
	fi
	printf '%s\n' "$system"
}

# disk SUITE: a root file system on it, which runs tests/packages/inside.
disk() {
	local system root=$work/root
	system=$(fresh "$1") || return 1
	rm -rf "$root"
	mkdir "$root" && tar -C "$root" -xf "$system" || return 1
	mkdir -p "$root/tests" && cp -r "$work/$1/one" "$work/$1/two" tests/packages/inside "$root/tests" || return 1
	cp tests/packages/iptrk-test.service "$root/etc/systemd/system/"
	ln -sf ../iptrk-test.service "$root/etc/systemd/system/multi-user.target.wants/"
	printf '/dev/vda / ext4 defaults 0 1\n' >"$root/etc/fstab"
	echo gw >"$root/etc/hostname"
	rm -rf "${work:?}/boot"
	mkdir "$work/boot" && cp "$root"/boot/{vmlinuz,initrd.img}-* "$work/boot" || return 1
	truncate -s 6G "$work/$1.disk"
	/sbin/mkfs.ext4 -q -d "$root" "$work/$1.disk" && rm -rf "$root"
}

# machine SUITE: until it powers off; a reboot is a start.
machine() {
	local kernel
	kernel=$(find "$work/boot" -name 'vmlinuz-*' ! -name '*cloud*')
	timeout "$2" qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-M q35 -cpu max -m 2048 -smp 2 -no-reboot -serial "file:$work/$1.console" \
		-chardev "file,id=said,path=$work/$1.said,append=on" -device virtio-serial -device virtserialport,chardev=said,name=said \
		-device virtio-rng-pci -drive "file=$work/$1.disk,if=virtio,format=raw,cache=unsafe" \
		-kernel "$kernel" -initrd "${kernel/vmlinuz/initrd.img}" \
		-append 'root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 systemd.show_status=0' </dev/null >&2
}

for suite in "${suites[@]}"; do
	mkdir -p "$work/$suite"
	it "builds the packages in a clean $suite, twice the same, and lintian has nothing to say" \
		packaging/build-packages --twice --suite "$suite" "$work/$suite/one"
	it "builds a later version in $suite" \
		packaging/build-packages --version 0.1.0+later --suite "$suite" "$work/$suite/two"
	[[ -n $(ls "$work/$suite/two"/*.deb 2>/dev/null) ]] || continue
	it "makes a fresh $suite" disk "$suite"
	: >"$work/$suite.said"
	for boot in 1 2 3; do
		machine "$suite" 2400 || break
		grep -q '^the end$' "$work/$suite.said" && break
	done
	sed -n "s/^\(ok\|not ok\|skip\) - /\1 - $suite: /p; /^    /p" "$work/$suite.said"
	it_made=$((it_made + $(grep -c '^ok - ' "$work/$suite.said")))
	it_failed=$((it_failed + $(grep -c '^not ok - ' "$work/$suite.said")))
	it "$suite came to its end in $boot boots (see $work)" grep -q '^the end$' "$work/$suite.said"
done
it_ends
