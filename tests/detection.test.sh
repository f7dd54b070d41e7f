#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which attacks are found, and which normal traffic is left alone:
# tests/detection.test.sh
#
# Replays what tests/detection/traffic writes, and the captures of real attacks
# in the directory $IPTRK_CAPTURES. What is right is in tests/detection/labels.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=tests/vm/it.sh
. tests/vm/it.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

it 'writes captures of attacks and of normal traffic' tests/detection/traffic "$work"
tests/detection/judge build/tools/iptrk "$work" "${IPTRK_CAPTURES:-../shared/captures}" || it_failed=1
it_ends
