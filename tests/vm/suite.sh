# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of other Debian suites, for tests/vm/kernel, which sources this.
#
# Every suite has an apt root of its own in the cache, with the mirror this
# machine uses; Debian's keyring verifies what comes from there. Headers come
# with the compiler, make and libraries of their suite: modules are built with
# what its users have, and the headers' own programs run on any machine. They
# are used by mounting their /usr over this machine's for as long as one command
# runs, so that all other paths stay what they are.
#
# From tests/vm/kernel: here, cache, apt_root, package, VERSION and home.
# shellcheck disable=SC2154

suite_sources() {
	local release=${suite%-backports} keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local debian
	debian=$("$here/../../packaging/mirror" debian)
	printf "deb [signed-by=$keyring] %s %s main\n" "$debian" "$release"
	[[ $suite == sid ]] ||
		printf "deb [signed-by=$keyring] %s %s main\n" "$("$here/../../packaging/mirror" debian-security)" "$release-security"
	[[ $suite == "$release" ]] || printf "deb [signed-by=$keyring] %s %s main\n" "$debian" "$suite"
}

# A file beats the machine's own configuration only by -c. What the machine has
# installed, pinned or made apt do afterwards says nothing about a suite.
suite_configuration() {
	local release=
	# Backports are not taken unasked.
	[[ $suite != *-backports ]] || release="APT::Default-Release \"$suite\";"
	cat <<-END
		#clear APT::Architectures;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Acquire::GzipIndexes "false";
		Acquire::Languages "none";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "$arch"; };
		$release
		APT::Install-Recommends "false";
		Dir::Cache "$apt_root";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::Etc::sourcelist "$apt_root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State "$apt_root";
		Dir::State::status "$apt_root/status";
	END
}

# suite_choose NAME: apt_root, suite and package become those of SUITE[:ARCH].
suite_choose() {
	local updated
	suite=${1%:*} arch=amd64 apt_root=$cache/apt/${1/:/-}
	[[ $1 != *:* ]] || arch=${1#*:}
	package=linux-image-$arch
	[[ $arch == amd64 ]] || package+=:$arch
	updated=$apt_root/updated
	[[ ! $(find "$updated" -mtime -1 2>/dev/null) ]] || return 0
	mkdir -p "$apt_root"/{lists,archives}/partial
	: >"$apt_root/status"
	suite_sources >"$apt_root/sources.list"
	suite_configuration >"$apt_root/apt.conf"
	if apt_get update; then
		touch "$updated"
	elif [[ -f $updated ]]; then
		printf 'kernel: no network: what was newest of %s some time ago\n' "$1" >&2
	else
		die "cannot read the package lists of $1"
	fi
}

# With an empty dpkg status, all a package depends on is missing.
suite_download_all() {
	apt_get -y -o Dir::Cache::archives="$PWD" --download-only install "$@" &&
		rm -rf lock partial
}

suite_download() {
	local tools=(bash binutils coreutils dash diffutils findutils gawk grep gzip make perl sed)
	local headers=linux-headers-$VERSION common
	if [[ $arch == amd64 ]]; then
		suite_download_all "${tools[@]}" "$headers"
		return
	fi
	# Cross-built: another architecture's headers, our programs; and its
	# busybox, for a machine that can't use this one's root file system.
	mapfile -t common < <(apt_cache depends --important "$headers:$arch" |
		grep -oE 'linux-(headers-[^ :>]*-common|kbuild-[^ :>]*)' | sort -u)
	suite_download_all "${tools[@]}" "crossbuild-essential-$arch" "${common[@]}" &&
		apt_get download "$headers:$arch" "busybox-static:$arch"
}

root_suite() {
	root_image "$1"
}

# finish_suite ROOT DESTINATION: what the packages' own scripts would have made,
# and a KDIR that needs no explanation.
finish_suite() {
	local make="make -C /usr/src/linux-headers-$VERSION"
	# Some headers depend on their image, which nobody needs twice.
	rm -rf "${1:?}"/boot "$1"/usr/lib/modules/*/kernel
	[[ -e $1/usr/bin/awk ]] || ln -s gawk "$1/usr/bin/awk"
	[[ -e $1/usr/bin/sh ]] || ln -s dash "$1/usr/bin/sh"
	[[ $arch == amd64 ]] || make+=" ARCH=$arch CROSS_COMPILE=aarch64-linux-gnu-"
	cat >"$1/within" <<-END
		#!/bin/sh
		# Runs a command with this suite's /usr.
		export LANG=C LC_ALL=C
		[ "\$(id -u)" = 0 ] || user=--map-root-user
		exec unshare --mount \$user sh -c \\
			'mount --rbind "\$0" /usr && exec "\$@"' '$2/usr' "\$@"
	END
	chmod +x "$1/within"
	mkdir "$1/kdir"
	cat >"$1/kdir/Makefile" <<-END
		%:: ; +@$2/within $make \$@
		Makefile: ;
	END
}

suite_headers() {
	[[ -d $home/suite ]] || unpack "$home/suite" suite_download
	printf 'KDIR=%q\nWITHIN=%q\n' "$home/suite/kdir" "$home/suite/within"
	[[ $arch == amd64 ]] || printf 'BUSYBOX=%q\n' "$home/suite/usr/bin/busybox"
}
