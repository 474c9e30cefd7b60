#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim diff: exit status as of diff(1), and where two runs part.

. "$(dirname "$0")/lib.sh"

for seed in 1 2; do
	"$SLABSIM" run scenarios/lifecycle/destroy_with_children.lua --seed $seed -q \
		-o "$work/$seed" >/dev/null 2>&1
done
"$SLABSIM" run "$typo" --variant get-cache-rcu-typo -q -o "$work/bad" >/dev/null 2>&1
"$SLABSIM" run "$typo" --variant none -q -o "$work/good" >/dev/null 2>&1
a=$work/1/destroy_with_children.trace.jsonl
b=$work/2/destroy_with_children.trace.jsonl

try 0 diff "$a" "$a"
says stdout "The runs are the same."
try 1 diff "$a" "$b"
says stdout "FIRST DIVERGENCE"
says stdout "ORDER CHANGES"
says stdout "END STATE"
if grep -n -e '.\{101,\}' -e '^---' -e '^+++' "$work/stdout" >&2; then
	complain "a line that does not fit, or that patch tools would take for theirs"
fi

# The same in both directions, with the sides exchanged.
try 1 diff "$b" "$a"
says stdout "another seed"

# Only the times differ between runs whose costs differ.
cat >"$work/cost.lua" <<'LUA'
-- One task.
return scenario {
  options = { ns = { 10, "what an access costs" } },
  setup = function(sim) sim.box = sim:cgroup("box") end,
  tasks = { task("admin", function(t, sim, opt) t:sleep(opt.ns) t:rmdir(sim.box) end) },
}
LUA
for ns in 10 20; do
	"$SLABSIM" run "$work/cost.lua" --set ns=$ns -q -o "$work/ns$ns" >/dev/null 2>&1
done
try 1 diff "$work/ns10/cost.trace.jsonl" "$work/ns20/cost.trace.jsonl"
try 0 diff --ignore-time "$work/ns10/cost.trace.jsonl" "$work/ns20/cost.trace.jsonl"
says stdout "the same, times aside"

# What only one of them was asked to record is none; what both recorded is compared.
"$SLABSIM" run "$work/cost.lua" -q --accesses -o "$work/acc" >/dev/null 2>&1
for option in --verbose --ignore-time; do
	try 0 diff $option "$work/acc/cost.trace.jsonl" "$work/ns10/cost.trace.jsonl"
	says stderr "only the first trace records accesses: "
done
try 0 diff --verbose "$work/acc/cost.trace.jsonl" "$work/acc/cost.trace.jsonl"
[ ! -s "$work/stderr" ] || complain "accesses of both are left out"

# A violation is a difference.
try 1 diff --ignore-time "$work/good/typo.trace.jsonl" "$work/bad/typo.trace.jsonl"
says stdout "FAIL lock"
says stdout "violations"
try 1 diff -q "$work/good/typo.trace.jsonl" "$work/bad/typo.trace.jsonl"
[ ! -s "$work/stdout" ] || complain "-q prints something"
try 0 diff -q "$a" "$a"

# Trouble.
try 2 diff "$a"
one_line_error
try 2 diff "$a" "$b" "$b"
one_line_error
try 2 diff "$a" "$work/missing"
one_line_error
try 2 diff - -
one_line_error
echo 'not a trace' >"$work/text"
try 2 diff "$a" "$work/text"
one_line_error
head -n 100 "$a" >"$work/cut.jsonl"
try 1 diff "$a" "$work/cut.jsonl"
says stderr "cut short"
try 1 diff --verbose "$a" "$b"

finish
