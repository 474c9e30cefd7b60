#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is told to stop does so at once, also in the middle of a run that takes long.

. "$(dirname "$0")/lib.sh"

cat >"$work/long.lua" <<'LUA'
-- Runs of tens of thousands of steps.
return model {
  cpus = 2,
  options = { n = { 6000, "additions by each" }, fails = { false, "it goes wrong in the end" } },
  setup = function(sim)
    sim.c, sim.n, sim.lock = sim:cell("c", 0), sim:cell("n", 0), sim:mutex("lock")
  end,
  tasks = function(sim, opt)
    local function add(t)
      for _ = 1, opt.n do
        t:lock(sim.lock) t:atomic_add(sim.c, 1) t:unlock(sim.lock)
        if opt.fails then t:write_once(sim.n, t:read_once(sim.n) + 1) end
      end
      t:assert(not opt.fails or t:read_once(sim.c) < 2 * opt.n or
               t:read_once(sim.n) == 2 * opt.n, "some are lost")
    end
    return { task("one", add), task("two", add) }
  end,
}
LUA
long=$work/long.lua
out=$work/out

now() {
	date +%s
}

# in_time: is it less than a minute since $begun?  What does not stop takes much longer, and how
# soon something stops is no matter of a test: machines are busy.
in_time() {
	seconds=$(($(now) - begun))
	[ $seconds -lt 60 ] || complain "it took $seconds s"
}

# A limit of time, and again where the path to go on from is long.
for how in "dpor 1" "dpor 2" "exhaustive 1" "bounded 2" "pct 1"; do
	set -- "$long" --strategy "${how% *}" --jobs "${how#* }" --max-time 500ms -o "$out"
	begun=$(now)
	try 0 explore "$@"
	in_time
	says stdout "the limit of 0.5 s was hit: --max-time"
	holds "$out" long.checkpoint
	begun=$(now)
	try 0 explore "$@" --resume "$out/long.checkpoint"
	in_time
	says stdout "INCOMPLETE no violation"
	rm -r "$out"
done
begun=$(now)
try 5 explore "$long" --audit --max-time 500ms
in_time

# stop_at TEXT ARGUMENT...: the first signal, when it says that, ends it, and is obeyed at once
stop_at() {
	text=$1
	shift
	begin "$@"
	until_true told "$text"
	begun=$(now)
	end_with TERM
	in_time
}

for how in "dpor 1" "bounded 2" "random 1"; do
	stop_at "0 executions" explore "$long" --strategy "${how% *}" --jobs "${how#* }" -o "$out"
	[ "$status" -eq 130 ] || complain "$how, interrupted: exit $status"
	says stdout "interrupted"
	holds "$out" long.checkpoint
	rm -r "$out"
done

# While what was found is made shorter, while its scenario is, and while it is explained.
try 1 explore "$long" --set n=3000 --set fails=true --strategy random --no-minimise -o "$out"
for what in minimising shrinking; do
	stop_at "$what: " explore "$long" --set n=3000 --set fails=true --strategy random --shrink
	[ "$status" -eq 130 ] || [ "$status" -eq 1 ] || complain "$what, interrupted: exit $status"
	says stdout "long: FAIL assert of "
	says stdout "Replay: "
done
stop_at "completions" explain "$out/long.sched"
[ "$status" -eq 130 ] || complain "explain, interrupted: exit $status"
rm -r "$out"

# timeout(1) tells the process and then its group, with all workers: that is one signal.
for how in "dpor 1" "dpor 2" "bounded 2"; do
	begin explore "$long" --strategy "${how% *}" --jobs "${how#* }" -o "$out"
	until_true told "0 executions"
	workers=$(pgrep -P "$pid" 2>/dev/null) || workers=
	# shellcheck disable=SC2086 # several or none
	kill -TERM "$pid" $workers
	end_with TERM
	[ "$status" -eq 130 ] || complain "$how, its group is told: exit $status"
	says stdout "interrupted"
	holds "$out" long.checkpoint
	rm -r "$out"
done

# The second signal ends it whatever it does; no half of a file stays.
begin explore "$long" --strategy dpor --jobs 2 -o "$out"
until_true told "0 executions"
begun=$(now)
kill -TERM "$pid" 2>/dev/null
sleep 0.4
end_with TERM
in_time
[ "$status" -eq 130 ] || [ "$status" -eq 143 ] || complain "two signals: exit $status"
[ ! -d "$out" ] || [ -z "$(find "$out" -name '.*' -type f)" ] || complain "half a file is left"

finish
