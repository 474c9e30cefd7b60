#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# report --states: how many caches and memcgs are in which state, and what pins the dying ones.

. "$(dirname "$0")/lib.sh"

dir=scenarios/lifecycle

# pinned TEXT MEMCGS REFS: a row of the last report
pinned() {
	awk -v text="$1" -v memcgs="$2" -v refs="$3" '
		index($0, "  " text " ") == 1 && $0 ~ ("  " memcgs " +" refs "  [0-9]") { n++ }
		END { exit !n }' "$work/stdout" ||
		complain "no row '$1' with $2 memcgs, $3 references"
}

# A leak: one reference that nobody will drop.
try 1 run "$dir/create_failure.lua" --variant none --variant create-work-css-leak --runs 300 -q \
	-o "$work/leak"
trace=$(find "$work/leak" -name '*.trace.jsonl')
try 0 report "$trace" --states
says stdout "AT THE END, "
says stdout ": 1 dying memcg"
pinned "create work" 1 1
says stdout "longest: memcg /box, dying for "
says stdout "--ledger memcg:2 says"
[ "$(awk 'length > 100' "$work/stdout")" = "" ] || complain "too wide"

# Pages that pin their memcgs: as many references as the ledgers of the memcgs say.
try 0 run "$dir/tree_removal.lua" --lifecycle v3.19 -q -o "$work/tree"
trace=$work/tree/tree_removal.trace.jsonl
try 0 report "$trace" --states
says stdout "  memcgs   created 0  online 1  offline 0  killed 6  released 0  freed 0"
pinned "slab page" 6 6
refs=$(awk '/^AT THE PEAK/ { exit } / [0-9]+ +[0-9]+  [0-9.]+ us$/ { n += $(NF - 2) }
	END { print n }' "$work/stdout")
held=0
for memcg in 2 3 4 5 6 7; do
	try 0 report "$trace" --ledger memcg:$memcg
	n=$(sed -n 's/^HELD AT END: \([0-9]*\) .*/\1/p' "$work/stdout")
	held=$((held + n))
done
[ "$refs" -eq "$held" ] || complain "the groups have $refs references, the ledgers $held"

# A child that is pinned pins its parent, and a cache its memcg: said through to the end.
try 0 report "$trace" --states
pinned "child (memcg <- slab page)" 2 3
try 0 run scenarios/demo.lua -q -o "$work/demo"
try 0 report "$work/demo/demo.trace.jsonl" --states
says stdout "AT THE END, 75402.953 us: 0 dying memcgs"
says stdout "AT THE PEAK, "
pinned "cache (cache dentry <- base, slab page)" 1 1

# What is cut short, empty, or not ours.
head -n 300 "$work/demo/demo.trace.jsonl" >"$work/cut.jsonl"
try 0 report "$work/cut.jsonl" --states -q
head -n 1 "$work/demo/demo.trace.jsonl" >"$work/empty.jsonl"
try 0 report "$work/empty.jsonl" --states -q
says stdout "AT THE END, 0.000 us: 0 dying memcgs"
for name in hostile race; do
	try 0 report "$(dirname "$0")/exports/$name.trace.jsonl" --states -q
	LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "$name: not ASCII"
done
try 2 report "$trace" --states --counters
one_line_error
finish
