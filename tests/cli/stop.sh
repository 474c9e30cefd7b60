#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What is told to stop does so at once, also in the middle of a run that takes long.

. "$(dirname "$0")/lib.sh"

cat >"$work/long.lua" <<'LUA'
-- Runs of a hundred thousand steps.
return model {
  cpus = 2,
  options = { n = { 16000, "additions by each" }, fails = { false, "it goes wrong in the end" } },
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

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# in_time MS: were less than that since $begun?
in_time() {
	ms=$(($(now_ms) - begun))
	# Far from what it takes, for machines that are busy: how soon it is is no matter of a test.
	[ $ms -lt $((20 * $1)) ] || complain "it took $ms ms"
}

# A limit of time, and again where the path to go on from is long.
for how in "dpor 1" "dpor 2" "exhaustive 1" "bounded 2" "pct 1"; do
	set -- "$long" --strategy "${how% *}" --jobs "${how#* }" --max-time 500ms -o "$out"
	begun=$(now_ms)
	try 0 explore "$@"
	in_time 2000
	says stdout "the limit of 0.5 s was hit: --max-time"
	holds "$out" long.checkpoint
	begun=$(now_ms)
	try 0 explore "$@" --resume "$out/long.checkpoint"
	in_time 2500
	says stdout "INCOMPLETE no violation"
	rm -r "$out"
done
begun=$(now_ms)
try 5 explore "$long" --audit --max-time 500ms
in_time 2000

# stop_after SECONDS ARGUMENT...: the first signal ends it, and is obeyed at once
stop_after() {
	seconds=$1
	shift
	"$SLABSIM" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null &
	pid=$!
	sleep "$seconds"
	begun=$(now_ms)
	kill -TERM "$pid" 2>/dev/null
	status=0
	wait "$pid" || status=$?
	in_time 1000
}

for how in "dpor 1" "bounded 2" "random 1"; do
	stop_after 0.5 explore "$long" --strategy "${how% *}" --jobs "${how#* }" -o "$out"
	[ "$status" -eq 130 ] || complain "$how, interrupted: exit $status"
	says stdout "interrupted"
	holds "$out" long.checkpoint
	rm -r "$out"
done

# While what was found is made shorter, while its scenario is, and while it is explained.
try 1 explore "$long" --set n=8000 --set fails=true --strategy random --no-minimise -o "$out"
for seconds in 1 2; do
	stop_after $seconds explore "$long" --set n=8000 --set fails=true --strategy random --shrink
	[ "$status" -eq 130 ] || [ "$status" -eq 1 ] ||
		complain "shrinking, interrupted: exit $status"
	says stdout "long: FAIL assert of "
	says stdout "Replay: "
done
for seconds in 0.3 1.5; do
	stop_after $seconds explain "$out/long.sched"
	[ "$status" -eq 130 ] || [ "$status" -eq 143 ] ||
		complain "explain, interrupted: exit $status"
done
rm -r "$out"

# The second signal ends it whatever it does; no half of a file stays.
"$SLABSIM" explore "$long" --strategy dpor --jobs 2 -o "$out" >"$work/stdout" 2>"$work/stderr" &
pid=$!
sleep 0.3
begun=$(now_ms)
kill -TERM "$pid" 2>/dev/null
kill -TERM "$pid" 2>/dev/null
status=0
wait "$pid" || status=$?
in_time 1000
[ "$status" -eq 130 ] || [ "$status" -eq 143 ] || complain "two signals: exit $status"
[ ! -d "$out" ] || [ -z "$(find "$out" -name '.*' -type f)" ] || complain "half a file is left"

finish
