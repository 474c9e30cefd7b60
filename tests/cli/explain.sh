#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim explain: which steps of a failing schedule decided it.

. "$(dirname "$0")/lib.sh"

# Overtaken if left comes between the two operations of right: easy to see where that is decided.
cat >"$work/two.lua" <<'LUA'
-- Two writers.
return model {
  setup = function(sim) sim.x = sim:cell("x", 0) end,
  tasks = {
    task("left", function(t, sim) t:store(sim.x, 1) end),
    task("right", function(t, sim) t:store(sim.x, 2) t:assert(t:load(sim.x) == 2, "overtaken") end),
  },
}
LUA
try 1 explore "$work/two.lua" -q -o "$work/out"
sched=$work/out/two.sched

try 0 explain "$sched" -n 400
says stdout "(the beginning)"
says stdout "Decisive choice: at step 2 left went on, instead of right."
says stdout "Point of no return: step 2 of"
says stdout "Nearest passing ordering: as before, but at step 2 right goes before left."
# From the beginning: right first (1/2), then left (1/2).
share=$(sed -n 's/.*(the beginning).* \([0-9]*\)%$/\1/p' "$work/stdout")
[ "${share:-0}" -ge 15 ] && [ "$share" -le 35 ] || complain "a quarter fails, not $share %"
cp "$work/stdout" "$work/first"
try 0 explain "$sched" -n 400
cmp -s "$work/first" "$work/stdout" || complain "explaining twice differs"

# On a real one.
try 1 explore scenarios/lifecycle/offline_vs_alloc.lua --variant none --variant workfn-clobber -q \
	-o "$work/out"
try 0 explain "$work/out/offline_vs_alloc.sched" -n 50
says stdout "100%"
says stdout "Decisive choice"
if grep -n '.\{121,\}' "$work/stdout" >&2; then
	complain "a line is too long"
fi

# What is wrong in every ordering is not explained by one of them.
cat >"$work/always.lua" <<'LUA'
-- Wrong whoever comes first.
return model {
  setup = function(sim) sim.x = sim:cell("x", 0) end,
  tasks = {
    task("left", function(t, sim) t:store(sim.x, 1) end),
    task("right", function(t, sim) t:store(sim.x, 1) t:assert(t:load(sim.x) == 2, "not two") end),
  },
}
LUA
try 1 explore "$work/always.lua" -q -o "$work/out"
try 0 explain "$work/out/always.sched" -n 20
says stdout "It is lost from the beginning"
grep -q "Point of no return" "$work/stdout" && complain "there was no return from the start"

# A choice inside the decisive step is said.
try 1 explore scenarios/lifecycle/create_failure.lua --variant none \
	--variant create-work-css-leak -q -o "$work/out"
try 0 explain "$work/out/create_failure.sched" -n 50
says stdout ", and an allocation failed on purpose"

# Trouble.
try 2 explain
one_line_error
try 2 explain "$work/missing.sched"
one_line_error
try 2 explain "$sched" -n 0
one_line_error
try 2 explain "$sched" --seed x
one_line_error
echo 'not a schedule' >"$work/text.sched"
try 2 explain "$work/text.sched"
one_line_error
cp "$work/two.lua" "$work/other.lua"
try 2 explain "$sched" "$work/other.lua"
one_line_error
says stderr "made for scenario 'two', not 'other'"
sed 's/ x1 / x2 /' "$sched" >"$work/edited.sched"
try 2 explain "$work/edited.sched" "$work/two.lua"
one_line_error
says stderr "edited since slabsim wrote it (the sum differs)"
echo '-- edited' >>"$work/two.lua"
try 2 explain "$sched"
one_line_error
says stderr "was edited since"

finish
