#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Exports: the bytes are those of the golden files, readers of our own find in each format what the
# trace says, and no name breaks any of them.  UPDATE=1 writes the golden files instead.

. "$(dirname "$0")/lib.sh"

golden=$(dirname "$0")/exports

# export_all TRACE DIR [OPTION...]: every format at once
export_all() {
	trace=$1
	out=$2
	shift 2
	mkdir -p "$out"
	try 0 report "$trace" --chrome "$out/x.json" --perfetto "$out/x.pftrace" \
		--trace-dat "$out/x.dat" --ctf "$out/x.ctf" --ftrace "$out/x.ftrace" \
		--mermaid "$out/x.mmd" --csv "$out/x.csv" "$@"
	[ ! -s "$work/stdout" ] || complain "exports alone print nothing"
}

# valid TRACE: every format says what the trace says
valid() {
	rm -rf "$work/valid"
	export_all "$1" "$work/valid" -q
	command -v python3 >/dev/null || return 0
	python3 "$golden/validate.py" "$1" "$work/valid" >"$work/stdout" 2>"$work/stderr" ||
		complain "exports of $1 do not say what it says"
}

# same_as_golden NAME: those of NAME.trace.jsonl; of binary ones only the digest is kept
same_as_golden() {
	out=$work/$1
	export_all "$golden/$1.trace.jsonl" "$out" -q
	cp "$out/x.ctf/metadata" "$out/x.metadata"
	(cd "$out" && sha256sum x.pftrace x.dat x.ctf/cpu*) >"$out/x.sha256"
	for kind in json ftrace mmd csv metadata sha256; do
		if [ -n "${UPDATE:-}" ]; then
			cp "$out/x.$kind" "$golden/$1.$kind"
		elif ! cmp -s "$golden/$1.$kind" "$out/x.$kind"; then
			diff "$golden/$1.$kind" "$out/x.$kind" | head -n 20 >"$work/stdout"
			complain "$1: the export is not that of $golden/$1.$kind"
		fi
	done
}

same_as_golden race
same_as_golden hostile
valid "$golden/race.trace.jsonl"
valid "$golden/hostile.trace.jsonl"

# Nothing that a terminal, a spreadsheet or a diagram would obey.
for file in x.ftrace x.csv x.mmd x.ctf/metadata; do
	if LC_ALL=C grep -q '[^ -~]' "$work/valid/$file"; then
		complain "$file: a control character, or not ASCII"
	fi
done
if grep -q '[<;#]' "$work/valid/x.mmd"; then
	complain "x.mmd: markup"
fi

# Kinds of events are numbered by the trace alone, whatever others slabsim knows.
{
	head -n 1 "$golden/race.trace.jsonl"
	grep '"ev":"queue_work"' "$golden/race.trace.jsonl" | head -n 1
	grep '"ev":"task_start"' "$golden/race.trace.jsonl" | tail -n 1 | sed 's/"seq":/&99/'
} >"$work/few.jsonl"
export_all "$work/few.jsonl" "$work/few" -q
numbers=$(sed -n 's/^  name = "memcgslab:\(.*\)";/\1/p;s/^  id = \(.*\);/\1/p' \
	"$work/few/x.ctf/metadata" | tr '\n' ' ')
[ "$numbers" = "0 queue_work 0 task_start 1 " ] || complain "CTF: events are numbered '$numbers'"
numbers=$(grep -a -o -e 'name: [a-z_]*' -e '^ID: [0-9]*' "$work/few/x.dat" | tr '\n' ' ')
case $numbers in
*"queue_work ID: 500 name: task_start ID: 501 "*) ;;
*) complain "trace.dat: events are numbered '$numbers'" ;;
esac

# Very long names, many events at one time, a run that was cut short, one that counts steps.
awk 'BEGIN { for (i = 0; i < 70000; i++) s = s "x" }
	{ gsub("</script><script>", s); print }' \
	"$golden/hostile.trace.jsonl" >"$work/long.jsonl"
valid "$work/long.jsonl"
sed '$d' "$golden/race.trace.jsonl" | head -n 100 >"$work/cut.jsonl"
valid "$work/cut.jsonl"
head -n 1 "$golden/race.trace.jsonl" >"$work/empty.jsonl"
valid "$work/empty.jsonl"
try 1 run "$typo" --variant get-cache-rcu-typo -q -o "$work/typo"
valid "$work/typo/typo.trace.jsonl"
try 0 run "$tiny" --order random --accesses -q -o "$work/steps"
valid "$work/steps/tiny.trace.jsonl"

# The same from the script on: what it says, and how it is called.
script="$work/<script>\";# end.lua"
printf '%s\n' 'local evil = "</script>\n\27[31m=cmd|\255\254\";#" .. string.rep("y", 5000)' \
	'return scenario {' \
	'  setup = function(sim) sim.a = sim:cache("a", { object_size = 64 }) end,' \
	'  tasks = { task("t", function(t, sim) t:free(t:alloc(sim.a)) t:log(evil) end) },' \
	'}' >"$script"
try 0 run "$script" -q -o "$work/evil"
valid "$work/evil/<script>\";# end.trace.jsonl"

# A file or standard output, the same bytes.
race=$golden/race.trace.jsonl
for kind in chrome:json perfetto:pftrace trace-dat:dat ftrace:ftrace mermaid:mmd csv:csv; do
	try 0 report "$race" "--${kind%:*}" -
	cmp -s "$work/stdout" "$work/race/x.${kind#*:}" || complain "--${kind%:*} - differs"
done

# Existing files stay without --force; one export more or less changes none of the others.
try 2 report "$race" --csv "$work/race/x.csv"
one_line_error
says stderr "--force replaces it"
try 2 report "$race" --ctf "$work/race/x.ctf"
one_line_error
says stderr "--force replaces it"
: >"$work/race/x.ctf/cpu7"
try 0 report "$race" --ctf "$work/race/x.ctf" --csv "$work/race/x.csv" --force -q
holds "$work/race/x.ctf" cpu0 cpu1 metadata
try 0 report "$race" --csv "$work/new.csv" --race
says stdout '*** SHUTDOWN WHILE REFERENCED ***'
says stderr "wrote $work/new.csv"

# Wrong usage.
try 2 report "$race" --csv - --ftrace -
one_line_error
try 2 report "$race" --csv - --race
one_line_error
try 2 report "$race" --ctf -
one_line_error
try 2 report "$race" --chrome "$work/missing/x.json"
one_line_error
try 2 report "$race" --ctf "$work/missing/x/y"
one_line_error
if [ -w /dev/full ]; then
	try 2 report "$race" --perfetto /dev/full
	one_line_error
fi

finish
