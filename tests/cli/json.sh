#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# --json: only JSON on stdout, one object a line.

. "$(dirname "$0")/lib.sh"

try 0 run "$tiny" --json
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "one line expected"
says stdout '"type":"result"'
says stdout '"verdict":"pass"'
says stdout '"violations":[]'
try 1 run "$typo" --variant get-cache-rcu-typo --json
says stdout '"verdict":"fail"'
says stdout '"rule":"lock"'
cat "$work/stdout" >"$work/all"
try 1 run "$typo" --variant get-cache-rcu-typo --runs 3 -k --json -o "$work/out"
says stdout '"type":"summary"'
says stdout '"failed":3'
cat "$work/stdout" >>"$work/all"
for what in lifecycles variants checks events; do
	try 0 list "$what" --json
	cat "$work/stdout" >>"$work/all"
done
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <"$work/all" \
		>"$work/stdout" 2>"$work/stderr" || complain "not JSON"
fi

finish
