#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Files: written whole or not at all, and never over others unasked.

. "$(dirname "$0")/lib.sh"

out=$work/out

try 0 run "$tiny" -o "$out" -q
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "quiet success is one line"
[ ! -s "$work/stderr" ] || complain "-q says something on stderr"
holds "$out" tiny.trace.jsonl tiny.txt

# Never overwritten without --force.
cp "$out/tiny.txt" "$work/before"
echo mine >"$out/tiny.trace.jsonl"
try 2 run "$tiny" -o "$out"
says stderr "--force"
one_line_error
[ "$(cat "$out/tiny.trace.jsonl")" = mine ] || complain "a file was overwritten"
try 0 run "$tiny" -o "$out" --force
says stderr "wrote $out/tiny.trace.jsonl"
says stderr "wrote $out/tiny.txt"
[ "$(cat "$out/tiny.trace.jsonl")" != mine ] || complain "--force did not overwrite"
cmp -s "$out/tiny.txt" "$work/before" || complain "the same run gives another text"
cmp -s "$out/tiny.txt" "$work/stdout" || complain "stdout and the file differ"
holds "$out" tiny.trace.jsonl tiny.txt

# The report of the trace is the report of the run, but for the path in "Replay:".
try 0 report "$out/tiny.trace.jsonl"
cmp -s "$out/tiny.txt" "$work/stdout" || complain "report and run differ"
try 0 report "$out/tiny.trace.jsonl" --text -o "$work/again.txt"
cmp -s "$out/tiny.txt" "$work/again.txt" || complain "report -o differs"
try 2 report "$out/tiny.trace.jsonl" -o "$work/again.txt"
says stderr "--force"
try 2 report "$out/tiny.trace.jsonl" -o "$work"
one_line_error
"$SLABSIM" report - <"$out/tiny.trace.jsonl" >"$work/stdin.txt" || complain "report -"
cmp -s "$out/tiny.txt" "$work/stdin.txt" || complain "report of stdin differs"

# A script that is wrong leaves nothing.
echo 'return scenario {' >"$work/wrong.lua"
try 2 run "$work/wrong.lua" -o "$work/none"
[ ! -d "$work/none" ] || holds "$work/none"
[ ! -s "$work/stdout" ] || complain "a wrong script prints a report"

# Places where nothing can be written.
touch "$work/file"
try 2 run "$tiny" -o "$work/file"
one_line_error
try 2 run "$tiny" -o "$work/file/deeper"
one_line_error
if [ "$(id -u)" -ne 0 ]; then
	mkdir -m 555 "$work/closed"
	try 2 run "$tiny" -o "$work/closed"
	one_line_error
	holds "$work/closed"
fi
if [ -e /dev/full ]; then
	status=0
	"$SLABSIM" run "$tiny" >/dev/full 2>"$work/stderr" || status=$?
	[ "$status" -eq 2 ] || complain "full disk: exit $status"
	says stderr "standard output"
	try 2 report "$out/tiny.trace.jsonl" -o /dev/full
	says stderr /dev/full
	[ -c /dev/full ] || complain "/dev/full was replaced"
fi

# Inputs that are not there.
try 2 run "$work/missing.lua"
says stderr missing.lua
one_line_error
try 2 run "$work"
one_line_error
try 2 report "$work/missing.jsonl"
says stderr missing.jsonl
one_line_error
try 2 report "$work"
one_line_error

finish
