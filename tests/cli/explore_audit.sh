#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim explore --audit: the table, the verdicts, the exit codes.

. "$(dirname "$0")/lib.sh"

# Two tasks add to a counter without a lock.
cat >"$work/counter.lua" <<'LUA'
local function add(t, sim)
  local n = t:read_once(sim.n)
  t:write_once(sim.n, n + 1)
end
return model {
  setup = function(sim) sim.n = sim:cell("n", 0) end,
  tasks = { task("one", add), task("two", add) },
}
LUA

# All 6 orders of 2 + 2 steps; 4 of them differ by more than commuting reads.
try 0 explore "$work/counter.lua" --audit
head -n 1 "$work/stdout" | grep -q "^  engine  *executions  *blocked  *states " ||
	complain "no table first"
grep -q "^  full  *6  *0  *-  *4  *2  *0  reference$" "$work/stdout" || complain "full search"
grep -q "^  dpor  *4  *[0-9]*  *-  *4  *2  *0  same$" "$work/stdout" || complain "dpor"
grep -q "^  dpor, known  *4  *[0-9]*  *-  *4  *2  *0  same$" "$work/stdout" ||
	complain "dpor, known"
grep -q "^  bounded  .*  same, bound [0-9]*$" "$work/stdout" || complain "bounded"
grep -q "^  recalled  .*  same$" "$work/stdout" || complain "recalled"
grep -q "^  drawn  *1000  *0  *-  *-  *-  *0  same runs$" "$work/stdout" || complain "drawn"
says stdout "counter: SAME: every engine that came to its end found the same"

# What is found is no difference.
try 0 explore scenarios/models/lost_wakeup.lua --set buggy=true --audit
grep -q "^  full .* 1  reference$" "$work/stdout" || complain "the finding is not counted"

# Nobody came to an end: no verdict.
try 5 explore scenarios/lifecycle/whole_life.lua --audit --max-time 100ms -q
says stdout "whole_life: INCOMPLETE: no engine came to its end"

# Nor does a limit of time wait for the end of a run, which may take long.
before=$(date +%s)
try 5 explore scenarios/reclaim/many_items.lua --audit --max-time 500ms -q
[ $(($(date +%s) - before)) -le 60 ] || complain "--max-time took $(($(date +%s) - before)) s"
[ "$(grep -c "gave up: time$" "$work/stdout")" -eq 8 ] || complain "not all gave up for time"

# An error of the script is one.
echo "return model { tasks = { task('t', function(t) t:nothing() end) } }" >"$work/broken.lua"
try 2 explore "$work/broken.lua" --audit
says stderr "broken.lua:1"

finish
