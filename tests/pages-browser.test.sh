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
tests/make-sample-site "$work" 26 "$end" || exit 2

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
