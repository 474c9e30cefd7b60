#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim study: tables, CSV and files, claims that hold and that do not, and every exit status.

. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")

# study FILE [FIELD...] <CLAIMS: some cgroups are removed, and what that takes is measured
study() {
	file=$work/$1
	shift
	cat >"$file" <<LUA
-- Cgroups are removed, one after the other.  Nothing here depends on what an operation costs.
return scenario {
  options = { boxes = { 1, "cgroups" }, more = { 0, "and so many" } },
  setup = function(sim, opt)
    sim.boxes = {}
    for i = 1, opt.boxes + opt.more do sim.boxes[i] = sim:cgroup("box" .. i) end
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,
  tasks = {
    task("admin", { cpu = 0 }, function(t, sim)
      for i, box in ipairs(sim.boxes) do
        t:rmdir(box)
        t:measure("removed", i)
        t:measure("drawn", t:random(1000))
      end
      t:free(t:alloc(sim.dentry))
      t:sleep(ms(100))
    end),
  },
  study = {
    title = "removal of cgroups",
    series = { "v4.0", "v5.3" },
    x = { set = "boxes", values = { 1, 3 } },
    replications = 3,
    $*
    metrics = {
      { "removed", measured = "removed" },
      { "dying at most", gauge = "dying_cgroups", value = "max" },
      { "drawn", measured = "drawn", value = "mean", unit = "points" },
      { "cgroup_mutex taken", hold = "cgroup_mutex", value = "count" },
    },
    claims = {
$(cat)
    },
  },
}
LUA
}

study good.lua <<'LUA'
{ "as many die as are removed", function(r)
  return r:mean("removed", "v5.3") == 3 and r:mean("dying at most", "v5.3", 1) == 1,
    string.format("%.0f removed", r:mean("removed", "v5.3"))
end },
LUA
study bad.lua <<'LUA'
{ "all is well", function(r) return r:below("removed", "v5.3", 100), "3 < 100" end },
{ "none is removed", function(r) return r:mean("removed", "v4.0") == 0, "3 are" end },
LUA

# ---- what is said -----------------------------------------------------------

try 0 study "$work/good.lua"
cmp -s "$work/stdout" "$here/study/small.txt" || complain "not the text of small.txt"
try 0 study "$work/good.lua" --csv -q
cmp -s "$work/stdout" "$here/study/small.csv" || complain "not the CSV of small.csv"
[ ! -s "$work/stderr" ] || complain "-q has something to say"
head -n 1 "$work/stdout" |
	grep -qx 'study,series,x,x_unit,metric,unit,replications,mean,ci_low,ci_high' ||
	complain "the columns of the CSV"

# The same bytes whatever the number of workers; others with other seeds.
try 0 study "$work/good.lua" --csv --jobs 1
cmp -s "$work/stdout" "$here/study/small.csv" || complain "--jobs 1 changes the figures"
try 0 study "$work/good.lua" --csv --jobs 5
cmp -s "$work/stdout" "$here/study/small.csv" || complain "--jobs 5 changes the figures"
try 0 study "$work/good.lua" --csv --seed 2
cmp -s "$work/stdout" "$here/study/small.csv" && complain "--seed changes nothing"

# Seeds 1 to 3 are there whether one asks for them together or not: replication k has seed + k - 1.
try 0 study "$work/good.lua" --csv --replications 1 --seed 2
says stdout ',1,3,,'
try 0 study "$work/good.lua" --replications 1
says stdout 'one replication has no intervals'
try 0 study "$work/good.lua" --replications 2 -q
[ "$(tail -n 1 "$work/stdout")" = "good: SUPPORTED 1 of 1 claim; 8 runs" ] || complain "the verdict"
try 1 study "$work/good.lua" --set more=2 -q
says stdout 'NOT SUPPORTED  as many die as are removed'
says stdout '5 removed'

# ---- claims that do not hold, runs that break something -----------------------

try 1 study "$work/bad.lua"
says stdout '  supported      all is well'
says stdout '  NOT SUPPORTED  none is removed'
says stdout '                 3 are'
[ "$(tail -n 1 "$work/stdout")" = "bad: NOT SUPPORTED 1 of 2 claims; 12 runs" ] ||
	complain "the verdict of claims that do not hold"

study typo.lua 'series = { { "typo", variant = { "none", "get-cache-rcu-typo" } } },' <<'LUA'
{ "nothing", function(r) return true, "" end },
LUA
sed -i '/series = { "v4.0"/d' "$work/typo.lua"
try 1 study "$work/typo.lua" --jobs 3
says stdout 'typo: INVALID 1 of 1 claim; 6 runs'
says stdout '6 of 6 runs broke an invariant; the first:'
command=$(sed -n 's/^  slabsim \(run .*\)/\1/p' "$work/stdout")
# shellcheck disable=SC2086 # a command line
try 1 $command

# ---- files --------------------------------------------------------------------

try 0 study "$work/good.lua" -o "$work/out"
holds "$work/out" good.csv good.study.txt
cmp -s "$work/out/good.csv" "$here/study/small.csv" || complain "the CSV of -o"
cmp -s "$work/out/good.study.txt" "$here/study/small.txt" || complain "the text of -o"
try 2 study "$work/good.lua" -o "$work/out"
one_line_error
try 0 study "$work/good.lua" -o "$work/out" --force -q
try 1 study "$work/bad.lua" -o "$work/out" -q
holds "$work/out" good.csv good.study.txt bad.csv bad.study.txt

# ---- what is wrong --------------------------------------------------------------

try 2 study
one_line_error
try 2 study "$work/good.lua" "$work/bad.lua"
one_line_error
try 2 study "$work/good.lua" --replications 0
one_line_error
try 2 study "$work/good.lua" --jobs none
one_line_error
try 2 study "$work/good.lua" --seed -1
one_line_error
try 2 study "$work/good.lua" --set boxes=2
says stderr "the study itself goes through values of 'boxes'"
try 2 study "$tiny"
says stderr 'tiny.lua: the scenario has no study = { ... }'
one_line_error
try 2 study "$work/nowhere.lua"
one_line_error
try 2 study "$work/good.lua" --set mor=1 -q
says stderr "did you mean 'more'?"

sed "s/values = { 1, 3 }/values = { $(seq -s, 1000) }/; s/\"v5.3\" }/\"v5.3\", $(
	seq -f '{ "s%g" }' -s, 60
) }/" "$work/good.lua" >"$work/large.lua"
try 2 study "$work/large.lua" --replications 10000
says stderr "values are too many"
one_line_error

# A slip of the pen that only a run can tell.
sed 's/hold = "cgroup_mutex"/hold = "cgroup_mutx"/' "$work/good.lua" >"$work/lock.lua"
try 2 study "$work/lock.lua" -q
says stderr "no run had a lock or measured a value called 'cgroup_mutx'"
sed 's/t:rmdir(box)/t:rmdir(box, nil, nothing)/' "$work/good.lua" >"$work/broken.lua"
try 2 study "$work/broken.lua" -o "$work/none" -q
says stderr "unknown name 'nothing'"
holds "$work/none"
sed 's/t:sleep(ms(100))/while true do t:yield() end/' "$work/good.lua" >"$work/endless.lua"
try 5 study "$work/endless.lua" -q --max-steps 10000
says stderr 'slabsim run '
says stderr ' --seed 1 --max-steps 10000'
sed 's/return r:mean/while true do end return r:mean/' "$work/good.lua" >"$work/stuck.lua"
try 5 study "$work/stuck.lua" -q --max-instructions 1000000
says stderr 'raise it with --max-instructions'

sed 's/values = { 1, 3 }/values = { 20000, 40000 }/' "$work/good.lua" >"$work/long.lua"

# ---- a worker that dies ----------------------------------------------------------

"$SLABSIM" study "$work/long.lua" --replications 1000 --jobs 1 >"$work/stdout" 2>"$work/stderr" &
runner=$!
worker=$(child "$runner")
kill -s KILL "$worker" || kill -s KILL "$runner"
status=0
wait "$runner" || status=$?
[ "$status" -eq 3 ] || complain "exit $status after a worker died, expected 3"
says stderr 'the worker was killed by SIGKILL'
says stderr '    slabsim run '

# ---- Ctrl-C ---------------------------------------------------------------------

begin study "$work/long.lua" --replications 1000 --jobs 2 -o "$work/none"
until_true told " of 4000 runs"
end_with TERM
[ "$status" -eq 130 ] || complain "exit $status when interrupted, expected 130"
grep -q '^slabsim: interrupted after [0-9]* of 4000 runs$' "$work/stderr" || complain "interrupted"
holds "$work/none"

# ---- the studies of the tree ------------------------------------------------------

# Their figures follow the model; what they claim has to hold, with fewer replications as well.
studies=$here/../../scenarios/studies
for study in "$studies"/*.lua; do
	try 0 study "$study" --replications 3
	grep -qx "<!-- slabsim study scenarios/studies/$(basename "$study") -->" \
		"$here/../../docs/studies.md" || complain "docs/studies.md lacks $study"
done

finish
