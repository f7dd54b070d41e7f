#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long
#
# packaging/iptrk.spec, as far as it can be tried without such a distribution:
# rpmlint reads it, and rpmbuild makes all packages from it with this machine's
# libraries. tests/rpm.test.sh
cd "$(dirname "$0")/.." || exit 2
. tests/vm/it.sh
packaging/dependencies build rpm || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^project.iptrk VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)

it 'is for the version of the build' grep -qx "Version: $version" packaging/iptrk.spec
# Nobody has set a build root since 2009.
it 'has nothing that rpmlint complains of' equal '' \
	"$(rpmlint packaging/iptrk.spec 2>&1 | grep '^iptrk.spec:' | grep -v no-buildroot-tag)"

# What its distributions' systemd has and Debian's has not.
macros=(_unitdir=/usr/lib/systemd/system _udevrulesdir=/usr/lib/udev/rules.d
	_modulesloaddir=/usr/lib/modules-load.d 'systemd_post()=:' 'systemd_preun()=:' 'systemd_postun()=:')
defines=()
for macro in "${macros[@]}"; do
	defines+=(--define "${macro/=/ }")
done
built() {
	git ls-files -z --cached --others --exclude-standard |
		tar --null -czf "$work/iptrk-$version.tar.gz" --transform "s,^,iptrk-$version/," -T - &&
		rpmbuild -ta --nodeps --define "_topdir $work" --define 'collectd_include /usr/include' \
			"${defines[@]}" "$work/iptrk-$version.tar.gz"
}
it 'makes the packages' built

# has PACKAGE FILE...
has() {
	local files
	files=$(rpm -qlp "$work"/RPMS/*/"$1-$version"-*.rpm) || return
	shift
	for file; do
		grep -qE "^$file\$" <<<"$files" || { printf '%s is not in\n%s\n' "$file" "$files"; return 1; }
	done
}
it 'has the command, its templates and manuals in one' has iptrk /usr/bin/iptrk /etc/iptrk/iptrk.toml \
	'/usr/share/iptrk/rrd-templates/histogram.*' '/usr/share/man/man1/iptrk-top.1.*' '.*/iptrk-pages.timer'
it "has collectd's plugins in another" has collectd-iptrk '.*/collectd/iptrk.so' '.*/collectd/iptrk_mail.so' \
	/etc/collectd.d/iptrk.conf /usr/share/iptrk/types.db
it 'has the module for DKMS in a third' has iptrk-dkms "/usr/src/iptrk-$version/dkms.conf" \
	"/usr/src/iptrk-$version/Kbuild" '/usr/lib/udev/rules.d/60-iptrk.rules'
module() {
	local KDIR
	eval "$(tests/vm/kernel --headers)" && mkdir "$work/dkms" && cd "$work/dkms" &&
		rpm2cpio "$work"/RPMS/*/iptrk-dkms-*.rpm | cpio -id --quiet &&
		make -C "usr/src/iptrk-$version" KDIR="$KDIR"
}
it 'has all of the module' module
it_ends
