#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# --skip and explore --shrink: parts of a scenario that are left out, and those that need not be.

. "$(dirname "$0")/lib.sh"

out=$work/out

cat >"$work/parts.lua" <<'LUA'
-- A cgroup is removed while somebody works in it; others have nothing to do with it.
return scenario {
  options = {
    others = { 3, "cgroups that come and go", least = 0 },
    rounds = { 2, "allocations" },
  },
  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,
  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      for _ = 1, opt.rounds do
        local o = t:alloc(sim.dentry)
        t:free(o)
      end
      t:sleep(ms(1))
      t:yield()
    end),
    task("admin", { cpu = 1 }, function(t, sim)
      t:join(sim:task("user"))
      t:rmdir(sim.box)
    end),
    task("others", { cpu = 1 }, function(t, _, opt)
      for i = 1, opt.others do t:rmdir(t:mkdir("other" .. i)) end
    end),
  },
}
LUA

# A task that is left out does nothing, and an operation neither.
try 0 run "$work/parts.lua" --skip others
grep -q "other1" "$work/stdout" && complain "a task that was left out has made a cgroup"
try 0 run "$work/parts.lua" --skip user:5-6
grep -q "sleep" "$work/stdout" && complain "the fifth operation was not left out"
try 0 run "$work/parts.lua" --skip others:2 --skip others:4-6
grep -q "other3\|rmdir /other" "$work/stdout" && complain "left out, and done"
says stdout "mkdir /other2"

wrong() {
	text=$1
	shift
	try 2 "$@"
	says stderr "$text"
	one_line_error
}
wrong "unknown task 'nobody'; there are: user, admin, others" run "$work/parts.lua" --skip nobody
# A cgroup that was not made cannot be removed: that is the script's error, with its line.
wrong "parts.lua:25: t:rmdir: expected a cgroup, got nil" run "$work/parts.lua" --skip others:1
for bad in user: user:0 user:2-1 user:x user:1-2-3 :3; do
	wrong "expected TASK, TASK:N or TASK:N-M" run "$work/parts.lua" --skip "$bad"
done

# What the failure needs stays; the schedule says what does not, and is followed without it.
try 1 explore "$work/parts.lua" --variant none --variant workfn-clobber --shrink -o "$out"
says stdout "shrunk "
says stdout "others=0"
says stdout "without others"
grep -q "without user[, ]\|without admin" "$work/stdout" && complain "left out what is needed"
grep -q "^skip *others$" "$out/parts.sched" || complain "the schedule does not say what is left out"
grep -q "^set *others=0$" "$out/parts.sched" || complain "the schedule does not say how small"
try 1 replay "$out/parts.sched" -q
says stdout "FAIL progress"
try 2 replay "$out/parts.sched" --skip admin
says stderr "made with parts left out: "
try 0 explain "$out/parts.sched" -n 20
says stdout "100%"

# Again, to the byte.
cp -r "$out" "$work/first"
try 1 explore "$work/parts.lua" --variant none --variant workfn-clobber --shrink -o "$out" --force
diff -r "$out" "$work/first" >/dev/null || complain "the same command gives other files"

# BUG 3 of the model: what four allocators with three rounds show in 33 steps one shows in 11.
try 1 explore scenarios/models/cache_shutdown.lua --set n=4 --set k=3 --set bug=3 --shrink
says stdout "shrunk 33 -> 11 steps, 1 -> 1 preemptions, with k=1, n=1"
grep -q "bug=[012]" "$work/stdout" && complain "a parameter without a least value was changed"
try 1 explore scenarios/models/cache_shutdown.lua --set n=1 --set bug=3 --shrink --json
head -n 1 "$work/stdout" | grep -q '"sets":\["bug=3","n=1"\]\|"sets":\["n=1","bug=3"\]' ||
	complain "JSON does not say what it was shrunk to"

# Nothing can be left out.
try 1 explore scenarios/models/lost_wakeup.lua --set buggy=true --shrink
says stdout "shrunk: nothing in the scenario could be left out"

finish
