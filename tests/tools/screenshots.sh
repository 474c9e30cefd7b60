#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# screenshots.sh BUILD DIR - the pictures of the documentation, taken in a headless Chromium.

set -eu

program=$(realpath "$1/slabsim")
root=$(dirname "$0")/../..
dir=$2

mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
"$program" run scenarios/demo.lua -q -o "$work/demo.html" >/dev/null
offline=scenarios/lifecycle/offline_vs_alloc.lua
"$program" explore "$offline" --variant none --variant workfn-clobber -q \
	-o "$work/fail" >/dev/null 2>&1 || true
"$program" run "$offline" --variant none --order random -q -o "$work/pass" >/dev/null
"$program" diff "$work"/fail/*.trace.jsonl "$work"/pass/*.trace.jsonl -q \
	--html "$work/diff.html" || true
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/html python3 tests/tools/screenshots.py \
	"$work" "$dir"
ls -l "$dir"
