#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Files: written whole or not at all, and never over others unasked.

. "$(dirname "$0")/lib.sh"

out=$work/out

try 0 run "$tiny" -o "$out" -q
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "quiet success is one line"
[ ! -s "$work/stderr" ] || complain "-q says something on stderr"
holds "$out" tiny.html tiny.trace.jsonl tiny.txt

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
holds "$out" tiny.html tiny.trace.jsonl tiny.txt

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

# The page is that of the trace, and so is everything that is asked for by name.
try 0 report "$out/tiny.trace.jsonl" --html - --force
cmp -s "$out/tiny.html" "$work/stdout" || complain "the page of the run is not that of its trace"
mkdir "$work/named"
cd "$work/named"
try 0 run "$tiny" -o x.html -o x.trace.jsonl -o x.json -o x.pftrace -o x.dat -o x.ctf \
	-o x.ftrace -o x.mmd -o x.csv -o x.txt -o x.race.txt
says stderr "wrote x.pftrace"
holds . x.html x.trace.jsonl x.json x.pftrace x.dat x.ctf cpu0 metadata x.ftrace x.mmd x.csv \
	x.txt
mkdir exported
try 0 report x.trace.jsonl --html exported/x.html --chrome exported/x.json \
	--perfetto exported/x.pftrace --trace-dat exported/x.dat --ctf exported/x.ctf \
	--ftrace exported/x.ftrace --mermaid exported/x.mmd --csv exported/x.csv
for file in $(cd exported && find . -type f); do
	cmp -s "$file" "exported/$file" || complain "$file: run and report differ"
done
try 2 run "$tiny" -o x.csv
says stderr "--force"
one_line_error
try 0 run "$tiny" -o x.csv -o x.ctf --force -q
try 0 run "$tiny" -o y.html/ -q
holds y.html/ tiny.html tiny.trace.jsonl tiny.txt
cd "$OLDPWD"

# What fails has a race table; of many seeds each has its own files.
try 1 run "$typo" --variant get-cache-rcu-typo -q -o "$work/fails"
holds "$work/fails" typo.html typo.ledger.txt typo.race.txt typo.splat.txt \
	typo.trace.jsonl typo.txt
try 0 report "$work/fails/typo.trace.jsonl" --race
cmp -s "$work/fails/typo.race.txt" "$work/stdout" || complain "the race table differs"
try 0 report "$work/fails/typo.trace.jsonl" --ledger violation
cmp -s "$work/fails/typo.ledger.txt" "$work/stdout" || complain "the ledger differs"
try 0 report "$work/fails/typo.trace.jsonl" --splat
grep -v '^Replay: ' "$work/stdout" >"$work/splat"
grep -v '^Replay: ' "$work/fails/typo.splat.txt" | cmp -s - "$work/splat" ||
	complain "the kernel-style report differs"
try 0 report "$work/fails/typo.trace.jsonl" --summary
[ "$(grep -c -F -f "$work/stdout" "$work/fails/typo.txt")" -gt 10 ] || complain "no summary"
[ "$(wc -l <"$work/stdout")" -lt "$(wc -l <"$work/fails/typo.txt")" ] ||
	complain "the summary has the timeline"
try 2 report "$out/tiny.trace.jsonl" --ledger violation
says stderr "no violation"
one_line_error
try 0 report "$out/tiny.trace.jsonl" --splat
[ ! -s "$work/stdout" ] || complain "a report of nothing"
try 1 run "$typo" --variant get-cache-rcu-typo -q -n 2 -k -o "$work/many" -o "$work/many.html"
for seed in 1 2; do
	for kind in html ledger.txt race.txt splat.txt trace.jsonl txt; do
		[ -s "$work/many/typo.seed-$seed.$kind" ] || complain "seed $seed has no $kind"
	done
done
for seed in 1 2; do
	cmp -s "$work/many.seed-$seed.html" "$work/many/typo.seed-$seed.html" ||
		complain "the page of seed $seed differs"
done

# What -o cannot mean.
echo mine >"$work/mine"
for wrong in - "$work/mine" "$work/x.sched" "$work/missing/x.html" \
	"$work/named/x.csv/deeper.html"; do
	try 2 run "$tiny" -o "$wrong"
	one_line_error
done
try 2 run "$tiny" -o "$work/a" -o "$work/b"
says stderr "one directory is enough"
try 2 run "$tiny" -o "$work/a.html" -o "$work/b.html"
says stderr "one file of a kind is enough"

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

# What has no end is not read to its end.
for args in "run /dev/zero" "explore /dev/zero" "run $tiny --ordering /dev/zero" \
	"explore $tiny --resume /dev/zero" "report /dev/zero" "replay /dev/zero"; do
	# shellcheck disable=SC2086 # a command line
	try 2 $args
	one_line_error
	says stderr /dev/zero
done
printf 'CPU0  CPU1\nrmdir\000\n' >"$work/zero.txt"
try 2 run "$tiny" --ordering "$work/zero.txt"
says stderr "zero byte"

# With standard output closed, no file takes its place.
status=0
"$SLABSIM" run "$tiny" -o "$work/shut" >&- 2>"$work/stderr" || status=$?
[ "$status" -eq 2 ] || complain "closed output: exit $status"
says stderr "standard output"
try 0 run "$tiny" -o "$work/shut.open" -q
for f in "$work/shut/"*; do
	cmp -s "$f" "$work/shut.open/${f##*/}" || complain "closed output: $f differs"
done

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
