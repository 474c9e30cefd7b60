#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# page.sh BUILD - the page of a trace with 1,000,000 events: how large it is, how long it takes to
# open, to draw, to zoom and to search, and for how long it ever stands still.

set -eu

here=$(dirname "$0")
program=$(realpath "$1/slabsim")
events=${EVENTS:-1000000}

if ! command -v chromium >/dev/null || ! command -v python3 >/dev/null; then
	echo "page: skipped, chromium or python3 is not installed"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" run "$here/../../scenarios/demo.lua" -q -o "$work" >/dev/null
awk -v TIMES="$((events / 1000))" -f "$here/../html/big.awk" "$work/demo.trace.jsonl" \
	>"$work/big.jsonl"
"$program" report "$work/big.jsonl" --html "$work/big.html" -q
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here/../html python3 "$here/page.py" "$work/big.html"
