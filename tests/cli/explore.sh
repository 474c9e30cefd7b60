#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim explore: what it finds, what it says it has covered, files, bad input.

. "$(dirname "$0")/lib.sh"

# Two tasks add to a counter without a lock: the smallest lost update.
cat >"$work/counter.lua" <<'LUA'
-- Does an addition get lost?
local function add(t, sim, opt)
  if opt.locked then t:lock(sim.lock) end
  local n = t:read_once(sim.n)
  t:write_once(sim.n, n + 1)
  if opt.locked then t:unlock(sim.lock) end
  if t:atomic_add(sim.done, 1) == 2 then
    t:assert(t:read_once(sim.n) == 2, "an addition was lost")
  end
end

return model {
  options = { locked = { false, "hold a lock over read and write" } },
  setup = function(sim)
    sim.n, sim.done, sim.lock = sim:cell("n", 0), sim:cell("done", 0), sim:mutex("lock")
  end,
  tasks = { task("one", add), task("two", add) },
}
LUA
counter=$work/counter.lua
out=$work/out

# Found, minimised, written.
try 1 explore "$counter" -o "$out"
head -n 1 "$work/stdout" | grep -q "^counter: FAIL assert of [a-z]*, found in execution " ||
	complain "no verdict first"
says stdout "an addition was lost"
grep -q "^minimised [0-9]* -> [0-9]* steps, [0-9]* -> 1 preemptions (" "$work/stdout" ||
	complain "no minimisation"
says stdout "no failure of this kind with fewer preemptions: all "
says stdout "others: --keep-going goes on, --no-check assert looks past this one"
tail -n 1 "$work/stdout" | grep -qxF "Replay: slabsim replay $out/counter.sched" ||
	complain "no replay line last"
holds "$out" counter.sched counter.trace.jsonl counter.txt counter.race.txt counter.splat.txt \
	counter.html
for file in "$out"/*; do
	says stderr "wrote $file"
done
says stdout "$(sed -n 2p "$out/counter.race.txt")"
order=$(sed '1,/^steps:/d;/^stop$/,$d' "$out/counter.sched" | cut -d' ' -f1 | tr '\n' ' ')
[ "$order" = "one two one " ] || [ "$order" = "two one two " ] ||
	complain "the schedule is not one task in the middle of the other: $order"
cp -r "$out" "$work/first"
try 2 explore "$counter" -o "$out"
says stderr "--force"
one_line_error
try 1 explore "$counter" -o "$out" --force -q
[ ! -s "$work/stderr" ] || complain "-q says something on stderr"
diff -r "$out" "$work/first" >/dev/null || complain "the same exploration gives other files"

# Every strategy finds it, and says what it has covered.
for strategy in auto random pct bounded dpor exhaustive; do
	try 1 explore "$counter" --strategy $strategy --max-runs 10000 --seed 7
	says stdout "counter: FAIL assert of "
	says stdout "$strategy, seed 7"
	says stdout "-> 1 preemptions"
done

# Without -o the schedule is shown, and the line repeats the exploration.
try 1 explore "$counter" --strategy pct --seed 3 --set locked=false
says stdout "Schedule (-o DIR writes a file that replays it):"
replay=$(sed -n 's/^Replay: slabsim //p' "$work/stdout" | tail -n 1)
grep -v ' s)$\| after \|steps in\| recalled, in' "$work/stdout" >"$work/before"
# shellcheck disable=SC2086 # a command line
try 1 $replay
grep -v ' s)$\| after \|steps in\| recalled, in' "$work/stdout" >"$work/after"
cmp -s "$work/before" "$work/after" || complain "the replay line gives another report"

try 1 explore "$counter" --no-minimise --strategy random
says stdout "not minimised: "
try 1 explore "$counter" --keep-going --strategy dpor
says stdout "explored every ordering"
says stdout " failing"
! grep -q "^others: " "$work/stdout" || complain "told to do what was done"

# What was covered, and never more than that.
try 0 explore "$counter" --set locked=true --strategy dpor --require-exhaustive
says stdout "counter: PASS no violation; covered: every ordering; v5.3, dpor, seed 1"
grep -q "^[0-9]* executions.*, longest [0-9]* steps, " "$work/stdout" || complain "no counts"
try 0 explore "$counter" --set locked=true --strategy exhaustive --require-exhaustive
says stdout "covered: every ordering;"
says stdout "distinct states"
try 0 explore "$counter" --set locked=true -q
says stdout "covered: every ordering;"
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "quiet success is one line"
try 0 explore "$counter" --set locked=true --preemptions 1
says stdout "covered: every ordering with at most 1 preemption; v5.3, bounded"
try 0 explore "$counter" --set locked=true --strategy bounded --preemptions 0
says stdout "covered: every ordering without preemptions;"
try 5 explore "$counter" --set locked=true --preemptions 1 --require-exhaustive
try 0 explore "$counter" --set locked=true --strategy random --max-runs 50 --seed 9
says stdout "counter: INCOMPLETE no violation; covered: 50 random orderings, seed 9;"
says stdout "the limit of 50 executions was hit: --max-runs"
try 5 explore "$counter" --set locked=true --strategy random --max-runs 50 --require-exhaustive
try 0 explore "$counter" --set locked=true --strategy pct --max-time 50ms
says stdout "random orderings (pct), seed 1;"
says stdout "the limit of 0.05 s was hit: --max-time"
for strategy in dpor exhaustive bounded; do
	try 0 explore "$counter" --set locked=true --strategy $strategy --max-runs 1
	says stdout "INCOMPLETE"
	grep -q "covered: every ordering;" "$work/stdout" && complain "$strategy claims too much"
done
try 0 explore "$counter" --set locked=true --strategy dpor --max-steps 5
says stdout "INCOMPLETE"
says stdout "cut at the limit of steps: what comes after is not covered"
grep -q "every ordering" "$work/stdout" && complain "cut runs, and still every ordering"

# What the set-up breaks is said, and does not hide what the tasks break.
cat >"$work/setup.lua" <<'LUA'
-- Fails before any task starts.
return model {
  setup = function(sim) sim.n = sim:cell("n", 0) end,
  tasks = { task("one", function(t, sim) t:write_once(sim.n, 1) end) },
}
LUA
try 1 explore scenarios/lifecycle/offline_vs_alloc.lua --lifecycle seed1-v4
says stdout "offline_vs_alloc: FAIL lock of allocator, found in execution 1 "
says stdout "the set-up violates already, in every ordering: lock of task:1"
says stdout "*** SLEEP IN READ SECTION ***"
try 0 explore "$work/setup.lua"
grep -q "set-up" "$work/stdout" && complain "nothing is wrong with the set-up"

# JSON: an object a line, the summary last.
try 1 explore "$counter" --json -o "$out" --force
[ "$(wc -l <"$work/stdout")" -eq 2 ] || complain "not two lines"
head -n 1 "$work/stdout" | grep -q '^{"type":"finding",.*"rule":"assert",.*"preemptions":1,' ||
	complain "no finding"
tail -n 1 "$work/stdout" |
	grep -q '^{"type":"summary",.*"findings":1,.*"covered":"some",.*"executions":' ||
	complain "no summary"
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; [json.loads(l) for l in sys.stdin]' <"$work/stdout" ||
		complain "not JSON"
fi

# Interrupted: what was covered is said.
begin explore "$counter" --set locked=true --strategy random --max-time 600s
until_true told " executions"
end_with TERM
[ "$status" -eq 130 ] || complain "interrupted: exit $status"
says stdout "random orderings, seed 1"
says stdout "interrupted"

# wrong TEXT ARGUMENT...
wrong() {
	text=$1
	shift
	try 2 "$@"
	says stderr "$text"
	one_line_error
}

wrong "name a scenario" explore
wrong "one scenario" explore "$counter" "$counter"
wrong "did you mean 'pct'" explore "$counter" --strategy pctt
wrong "there are: auto, random, pct, bounded, dpor, exhaustive" explore "$counter" --strategy banana
wrong "did you mean '--strategy'" explore "$counter" --stratgy pct
for jobs in 0 -1 many 1025; do
	wrong "--jobs takes" explore "$counter" --jobs "$jobs"
done
for n in 0 -1 x 18446744073709551616; do
	wrong "--max-runs takes" explore "$counter" --max-runs "$n"
done
for time in 0 5 -1 5parsec ''; do
	wrong "--max-time takes" explore "$counter" --max-time "$time"
done
wrong "--preemptions takes" explore "$counter" --preemptions -1
wrong "--depth takes" explore "$counter" --depth 0
wrong "dpor has no bound" explore "$counter" --strategy dpor --preemptions 1
wrong "bounded has none" explore "$counter" --preemptions 1 --depth 3
wrong "--strategy changes nothing in an audit" explore "$counter" --audit --strategy dpor
wrong "--resume changes nothing in an audit" explore "$counter" --audit --resume "$work/nothing"
wrong "--jobs changes nothing in an audit" explore "$counter" --audit --jobs 2
wrong "--output changes nothing in an audit" explore "$counter" --audit -o "$work/audited"
wrong "missing argument for --set" explore "$counter" --set
wrong "--set takes NAME=VALUE, not '=1'" explore "$counter" --set =1
wrong "--depth takes a number from 1 to 16" explore "$counter" --depth 17
wrong "--seed takes a number" explore "$counter" --seed -1
wrong "Is a directory" explore "$work"
: >"$work/empty.lua"
wrong "empty.lua: expected the script to end with: return scenario" explore "$work/empty.lua"
# A file of a gigabyte, of which nothing is on the disk.
truncate -s 1G "$work/huge"
wrong "is larger than 16 MiB: no script" explore "$work/huge"
wrong "is larger than 16 MiB: no schedule" replay "$work/huge"
wrong "is larger than 16 MiB: no schedule" explain "$work/huge"
wrong "it is not a checkpoint" explore "$counter" --resume "$work/huge"
wrong "huge:1: the line is longer than" diff "$work/huge" "$work/huge"
wrong "is larger than 64 KiB: no race table" run "$counter" --ordering "$work/huge"
: >"$work/empty.sched"
for command in replay explain; do
	wrong "empty.sched:1: no schedule: it is empty" $command "$work/empty.sched"
	wrong "Is a directory" $command "$work"
	wrong "No such file" $command "$work/missing.sched"
	wrong "its scenario: cannot read" $command "$work/out/counter.sched" "$work/missing.lua"
	wrong "takes one schedule and its scenario" $command a b c
done
wrong "--until takes the number of an event" replay "$work/out/counter.sched" --until 0
wrong "made with seed 1, not 3" replay "$work/out/counter.sched" --seed 3
wrong "--runs takes a number from 1" explain "$work/out/counter.sched" --runs 0
for time in 1h 10m 10min; do
	try 1 explore "$counter" --max-time $time -q
done
wrong "did you mean 'v5.3'" explore "$counter" --lifecycle v5.33
wrong "contradict" explore "$counter" -q -v
wrong missing.lua explore "$work/missing.lua"
wrong "unknown parameter 'banana'" explore "$counter" --set banana=1
cat >"$work/broken.lua" <<'LUA'
-- Fails in some orderings only.
return model {
  setup = function(sim) sim.n = sim:cell("n", 0) end,
  tasks = {
    task("one", function(t, sim) t:write_once(sim.n, 1) end),
    task("two", function(t, sim) if t:read_once(sim.n) == 1 then t:banana() end end),
  },
}
LUA
wrong "broken.lua:6" explore "$work/broken.lua"

# Places where nothing can be written: said before time is spent, and nothing stays.
touch "$work/file"
wrong "cannot make directory" explore "$counter" -o "$work/file"
if [ "$(id -u)" -ne 0 ]; then
	mkdir -m 555 "$work/closed"
	wrong "cannot write" explore "$counter" -o "$work/closed"
	holds "$work/closed"
fi
mkdir "$work/taken"
mkdir "$work/taken/counter.sched"
wrong "counter.sched" explore "$counter" -o "$work/taken"
holds "$work/taken" counter.sched
if [ -e /dev/full ]; then
	status=0
	"$SLABSIM" explore "$counter" >/dev/full 2>"$work/stderr" || status=$?
	[ "$status" -eq 2 ] || complain "full disk: exit $status"
	says stderr "standard output"
	# What was found is said even where the file cannot be written.
	mkdir "$work/full"
	ln -s /dev/full "$work/full/counter.sched"
	try 2 explore "$counter" -o "$work/full"
	says stderr "$work/full/counter.sched"
	says stdout "counter: FAIL assert of "
	says stdout "Schedule (-o DIR writes a file that replays it):"
fi

grep -q ' $' "$work/out/counter.sched" && complain "a line of a schedule ends in a blank"

# A disk that has no room for the trace has some for the schedule; what cannot be kept is said.
cat >"$work/wide.lua" <<'LUA'
-- Many orderings, most of which fail.
return model {
  cpus = 6,
  setup = function(sim) sim.c = sim:cell("c", 0) end,
  tasks = function(sim)
    local all = {}
    for i = 1, 6 do
      all[i] = task("t" .. i, function(t)
        for _ = 1, 3 do t:xchg(sim.c, i) end
        t:assert(t:read_once(sim.c) ~= 1, "it is 1")
      end)
    end
    return all
  end,
}
LUA
(
	# Blocks of 512 bytes in dash, of 1024 in bash: the trace fits there.
	ulimit -f 12
	try 2 explore "$work/wide.lua" -k --strategy dpor --max-runs 3000 -o "$work/small"
	exit $failed
) || failed=1
says stderr "cannot write '$work/small/wide.checkpoint': File too large"
grep -q "cannot write '.*/wide.\(trace.jsonl\|html\)': File too large" "$work/stderr" ||
	complain "every report was written"
says stdout "wide: FAIL assert of "
says stdout "Replay: slabsim replay $work/small/wide.sched"
[ -z "$(find "$work/small" -name '.*' -type f)" ] || complain "half a file is left"
try 1 replay "$work/small/wide.sched" -q

# Of two findings in one run the first counts, for the minimiser as for whoever repeats the run.
cat >"$work/both.lua" <<'LUA'
return model {
  setup = function(sim)
    sim.c, sim.wq = sim:cell("c", 0), sim:workqueue("wq")
    sim.w = sim:work("w", function(t) t:assert(t:read_once(sim.c) ~= 0, "the work came first") end)
  end,
  tasks = {
    task("owner", { cpu = 0 }, function(t, sim) t:preempt_disable() t:wait_until(sim.c, 2) end),
    task("queuer", { cpu = 1 }, function(t, sim) t:queue_work_on(0, sim.wq, sim.w) end),
  },
}
LUA
try 1 explore "$work/both.lua" -k --strategy exhaustive -o "$work/both"
says stdout "both: FAIL progress of w, found in execution 1"
says stdout ", and 2 more;"
for i in '' .2 .3; do
	try 1 replay "$work/both/both$i.sched" -q
done

# Where one run of dpor would take seconds, auto does not begin with it.
try 0 explore scenarios/reclaim/many.lua --max-runs 1
says stdout "auto: random orderings, in which most failures show soon: 0"

# How likely it is that states were not told apart, where there are many.
try 0 explore scenarios/models/cache_shutdown.lua --set n=4 --set k=2 --strategy exhaustive
says stdout "1 execution, 532416 distinct states, "
says stdout "two states were taken for one with a probability of 1 in 130151004"
try 0 explore scenarios/models/cache_shutdown.lua --strategy exhaustive
grep -q "probability" "$work/stdout" && complain "hardly likely, and said"

# Copies that can be exchanged, and one that knows its number.
copies=scenarios/models/cache_shutdown_copies.lua
try 0 explore $copies --strategy exhaustive
says stdout "covered: every ordering, whichever copy is which;"
says stdout "of them recalled,"
try 0 explore $copies --strategy exhaustive --no-symmetry
says stdout "covered: every ordering; "
cat >"$work/numbered.lua" <<'LUA'
local nr = 0
return model {
  cpus = 2,
  setup = function(sim) sim.n = sim:cell("n", 0) end,
  tasks = { copies(2, function()
    nr = nr + 1
    local mine = nr
    return { task("add", function(t, sim) t:atomic_add(sim.n, mine) end) }
  end) },
}
LUA
try 2 explore "$work/numbered.lua" --strategy exhaustive
says stderr "numbered.lua: copies: add2 does not begin as its counterparts do:"
try 0 explore "$work/numbered.lua" --strategy exhaustive --no-symmetry
try 0 explore "$work/numbered.lua"
echo 'return model { tasks = { copies(0, function() end) } }' >"$work/none.lua"
try 2 explore "$work/none.lua"
says stderr "none.lua:1: copies: how many: expected 1 to 64, got 0"

# auto goes through all states of a model that has too many orderings; not of a lifecycle.
try 0 explore scenarios/models/cache_shutdown.lua --set n=4 --set k=2
says stdout "covered: every ordering; v5.3, auto, seed 1"
says stdout "; then all states, by steps that are known: 1"
says stdout ", 532416 distinct states,"

finish
