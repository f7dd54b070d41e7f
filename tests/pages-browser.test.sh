#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The static site as its readers see it: tests/pages-browser.test.sh [PICTURES]
# long
#
# Chromium at three widths, light and dark, with axe-core; html-validate; a
# click on the tallest bar. Fetches those from npm once. Screenshots stay in
# PICTURES when that is named.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

iptrk=$PWD/build/tools/iptrk
tools=${IPTRK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iptrk}/npm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pictures=$(realpath -m "${1:-$work/pictures}")
mkdir -p "$pictures" "$tools"

type -P chromium node npm >/dev/null || packaging/dependencies browser || exit 2
[[ -d $tools/node_modules/html-validate ]] ||
	npm install --prefix "$tools" html-validate@8 axe-core@4 puppeteer-core@22 >"$work/npm.log" 2>&1 || {
	cat "$work/npm.log"
	exit 2
}

end=$(($(date +%s) / 300 * 300))
tests/make-sample-rrds "$work" --hours 26 --end "$end" || exit 2
{
	for ((i = 312; i > 0; i--)); do
		printf 'slot %d 300 300 0\ncustomer acme %d 70000000\n' $((end - (i - 1) * 300)) $((i * 1000000))
		for host in 0 1 80 216 255; do
			printf 'host 10.1.0.%d %d 30000 5000 %d 9000 70\n' "$host" $(((host + 1) * 40000)) $(((host + 7) * 30000))
		done
		printf 'host 2001:db8:1::10 900000 8000 70 400000 9000 50\n'
	done
	printf 'incident a packets 10.1.0.216 %d 0 %s\n' $((end - 600)) \
		'{"rule":"more than 20000 packets a second","unit":"packets/s","value":31250,"limit":20000,"direction":"in","peers":[{"address":"198.51.100.7","packets":9000000,"share":0.87}],"ports":[{"protocol":"udp","port":53,"packets":9000000,"share":1}]}'
	printf 'incident b silent 10.1.0.80 %d %d {}\n' $((end - 9000)) $((end - 8000))
} | build/tests/unit/ledger_fill "$work/ledger.sqlite" || exit 2
printf '10.1.0.80 <script>alert(1)</script>.example.net\n' >"$work/hosts"
cat >>"$work/iptrk.toml" <<-END
	[customers.acme]
	prefixes = ["10.1.0.0/28"]
	[ledger]
	path = "$work/ledger.sqlite"
	[pages]
	directory = "$work/site"
	names = "$work/hosts"
END

browse() (
	cd "$tools" && node "$OLDPWD/tests/site-browse.mjs" "$work/site" "$pictures"
)

validate() (
	cd "$tools" && npx html-validate --preset recommended "$work/site/*.html"
)

it 'writes the site' "$iptrk" -c "$work/iptrk.toml" pages --templates rrd-templates --page-templates tools/page-templates
it 'is whole' tests/site-check "$work/site"
it 'is valid HTML' validate
it 'reads well at a desk and on a phone, light and dark, without a serious fault, and its tallest bar leads to its host' browse
it_ends
