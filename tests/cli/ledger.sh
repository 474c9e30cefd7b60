#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# report --ledger and --counters: who holds a memcg that never goes away, and what was held when a
# cache was freed too early.

. "$(dirname "$0")/lib.sh"

dir=scenarios/lifecycle

# fails VARIANT SCENARIO: leaves the trace of a failing run in $trace
fails() {
	try 1 run "$dir/$2" --variant none --variant "$1" --runs 300 -q -o "$work/$1"
	trace=$(find "$work/$1" -name '*.trace.jsonl')
}

fails create-work-css-leak create_failure.lua
try 0 report "$trace" --ledger memcg:2
says stdout "never freed"
says stdout "HELD AT END: 1   verdict: leak at ev "
says stdout "  1 x create work of work:"
says stdout "memcg_schedule_kmem_cache_create <- memcg_kmem_get_cache <- "
says stdout "<-- not dropped"
cp "$work/stdout" "$work/first"
try 0 report "$trace" --ledger "memcg /box"
cmp -s "$work/stdout" "$work/first" || complain "the name and the number give different ledgers"
LC_ALL=C grep -q '[^ -~]' "$work/first" && complain "the ledger is not ASCII"
try 0 report "$trace" --counters
says stdout "dying memcgs "
[ "$(awk 'length > 100' "$work/stdout")" = "" ] || complain "counters: too wide"

fails refkill-vs-destroy destroy_with_children.lua
try 0 report "$trace" --ledger cache:3
says stdout "FREED WITH 1 HELD, at ev "
says stdout "(after it was freed)"

try 2 report "$trace" --ledger cache:99
one_line_error
says stderr "the trace has no reference to 'cache:99'; counted are: cache:1"
try 2 report "$trace" --ledger cache:1 --counters
one_line_error
try 0 report "$trace" --counters -o "$work/counters.txt" --csv -
says stderr "wrote $work/counters.txt"
says stdout "t_ns,counter,of,value"

# Names that are not, in the ledger either.
hostile=$(dirname "$0")/exports/hostile.trace.jsonl
for option in --text --splat --race --summary --states --counters '--text --verbose'; do
	# shellcheck disable=SC2086 # two options
	try 0 report "$hostile" $option
	LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "report $option is not ASCII"
	# Its names break lines, and what follows then looks like this.
	grep -q -e '^b' -e '^.\{0,2\}\[31mc' "$work/stdout" &&
		complain "report $option: a name begins a line"
done
try 1 diff "$hostile" "$trace"
LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "diff is not ASCII"

finish
