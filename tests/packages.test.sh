#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# What a sysop does with the packages, on fresh systems: tests/packages.test.sh
# [bookworm|trixie]...
#
# Each system is a disk of its own with systemd, collectd, postfix and a
# kernel's headers, and no network. It installs, edits one line, looks at RRDs,
# pages and mail; boots again, upgrades; boots a second kernel; enforces
# signatures; removes and purges; begins anew and follows the README to the
# letter. The steps inside are in tests/packages/inside.
# Systems and packages are made by mmdebstrap and packaging/build-packages; as
# root, and half an hour each. IPTRK_PACKAGES=DIR takes packages from
# DIR/SUITE/one and, of a later version, DIR/SUITE/two.
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
cache=${IPTRK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iptrk}
suites=("$@")
((${#suites[@]})) || suites=(bookworm trixie)
work=$(mktemp -d "${TMPDIR:-/tmp}/iptrk-packages.XXXXXX")
trap 'rm -rf "$work"/*/root "$work"/*/disk' EXIT
packaging/dependencies package test || exit 2

# What a collectd shop has, and what the steps look at it with.
have=systemd-sysv,udev,dbus,kmod,cron,iproute2,iputils-ping,procps,apt-utils,man-db
have+=,linux-image-amd64,linux-headers-amd64,collectd,rrdtool,postfix,hping3,sqlite3,openssl

# system SUITE PACKAGES: prints the archive of such a system, which is made once
# for the same packages' dependencies. What apt will want to install is in it.
system() {
	local archive key
	key=$({ echo "$1 $have" && cat tests/packages/make && for deb in "$2"/*.deb; do dpkg-deb -f "$deb" Depends | sed 's/(= [^)]*)//g'; done; } | sha256sum)
	archive=$cache/build-systems/fresh-$1-${key:0:16}.tar
	if [[ ! -f $archive ]]; then
		mkdir -p "${archive%/*}"
		mmdebstrap --quiet --variant=important --include="$have" \
			--customize-hook="$PWD/tests/packages/make \"\$1\" $2" \
			--skip=cleanup/apt "$1" "$archive.new.tar" "$(packaging/mirror debian)" >&2 || return 1
		mv "$archive.new.tar" "$archive"
	fi
	printf '%s\n' "$archive"
}

# disk DIRECTORY SUITE: a root file system on it, which runs tests/packages/inside.
disk() {
	local archive root=$1/root
	archive=$(system "$2" "$1/one") || return 1
	mkdir "$root" && tar -C "$root" -xf "$archive" || return 1
	mkdir -p "$root/tests" && cp -r "$1/one" "$1/two" tests/packages/inside README.md "$root/tests" || return 1
	cp tests/packages/iptrk-test.service "$root/etc/systemd/system/"
	ln -sf ../iptrk-test.service "$root/etc/systemd/system/multi-user.target.wants/"
	printf '/dev/vda / ext4 defaults 0 1\n' >"$root/etc/fstab"
	echo gw >"$root/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 gw\n' >"$root/etc/hosts"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	truncate -s 6G "$1/disk" && /sbin/mkfs.ext4 -q -d "$root" "$1/disk" && rm -rf "$root"
}

# kernel DIRECTORY PATTERN: the newest kernel on the disk whose version matches,
# and its initramfs.
kernel() {
	local version
	version=$(/sbin/debugfs -R 'ls -p /boot' "$1/disk" 2>/dev/null | sed -n 's#.*/vmlinuz-\([^/]*\)/.*#\1#p' | grep -E "$2" | sort -V | tail -n 1)
	[[ $version ]] || return 1
	/sbin/debugfs -R "dump /boot/vmlinuz-$version $1/vmlinuz" "$1/disk" &>/dev/null
	/sbin/debugfs -R "dump /boot/initrd.img-$version $1/initrd" "$1/disk" &>/dev/null
	[[ -s $1/vmlinuz && -s $1/initrd ]]
}

# machine DIRECTORY SECONDS PART [ARGUMENT]...: until it powers off.
machine() {
	: >"$1/said"
	timeout --kill-after=5 "$2" qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-M q35 -accel tcg -cpu Nehalem -m 2048 -smp 2 -no-reboot -serial "file:$1/console.$3" \
		-chardev "file,id=said,path=$1/said" -device virtio-serial -device virtserialport,chardev=said,name=said \
		-device virtio-rng-pci -drive "file=$1/disk,if=virtio,format=raw,cache=unsafe" \
		-kernel "$1/vmlinuz" -initrd "$1/initrd" \
		-append "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 panic=-1 systemd.show_status=0 iptrk.part=$3 ${*:4}" </dev/null >&2
}

# part SUITE PART KERNEL [ARGUMENT]...: a boot and what was said in it.
part() {
	local suite=$1 part=$2 said=$work/$1/said
	kernel "$work/$suite" "$3" || { it "$suite has a kernel for '$part'" false; return; }
	machine "$work/$suite" 5400 "$part" "${@:4}"
	sed -nE "s/^(ok|not ok|skip) - /\1 - $suite: /p; /^    /p" "$said"
	it_made=$((it_made + $(grep -cE '^(not )?ok - ' "$said")))
	it_failed=$((it_failed + $(grep -c '^not ok - ' "$said")))
	it "$suite: comes to the end of '$part' (logs in $work/$suite)" grep -qx "the end of $part" "$said"
	cp "$said" "$said.$part"
}

for suite in "${suites[@]}"; do
	mkdir -p "$work/$suite"
	if [[ ${IPTRK_PACKAGES:-} ]]; then
		cp -r "$IPTRK_PACKAGES/$suite"/{one,two} "$work/$suite" || exit 2
	else
		it "$suite: packages build in a clean system, twice the same, and lintian has nothing to say" \
			packaging/build-packages --twice --suite "$suite" "$work/$suite/one"
		it "$suite: a later version builds" \
			env DEB_BUILD_OPTIONS=noautodbgsym packaging/build-packages --version 0.1.0+later --suite "$suite" "$work/$suite/two"
	fi
	rm -f "$work/$suite"/*/*-dbgsym_*
	it "$suite: a fresh system is made" disk "$work/$suite" "$suite"
	[[ -f $work/$suite/disk ]] || continue
	part "$suite" install '[0-9]-amd64$|deb[0-9]+-amd64$'
	part "$suite" upgrade '[0-9]-amd64$|deb[0-9]+-amd64$'
	part "$suite" kernel 'cloud-amd64$'
	part "$suite" enforce '[0-9]-amd64$|deb[0-9]+-amd64$' module.sig_enforce=1
	part "$suite" readme '[0-9]-amd64$|deb[0-9]+-amd64$'
	rm -f "$work/$suite/disk"
done
it_ends
