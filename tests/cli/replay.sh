#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim replay: the same bytes again, or a reason why not.

. "$(dirname "$0")/lib.sh"

# A flag that is looked at too early; the sleeper misses its wake-up.
cat >"$work/lost.lua" <<'LUA'
-- Is a wake-up lost?
return model {
  options = { extra = { 0, "more writes" } },
  setup = function(sim)
    sim.flag, sim.queue = sim:cell("flag", false), sim:waitqueue("queue")
  end,
  tasks = {
    task("sleeper", function(t, sim)
      if not t:read_once(sim.flag) then
        t:prepare_to_wait(sim.queue)
        t:schedule()
        t:finish_wait(sim.queue)
      end
    end),
    task("waker", function(t, sim, opt)
      for _ = 1, opt.extra do t:write_once(sim.flag, false) end
      t:write_once(sim.flag, true)
      t:wake_up(sim.queue)
    end),
  },
}
LUA
lost=$work/lost.lua
out=$work/out
try 1 explore "$lost" -o "$out" -q
sched=$out/lost.sched

# The same bytes, from the line that was printed.
replay=$(sed -n 's/^Replay: slabsim //p' "$work/stdout" | tail -n 1)
# shellcheck disable=SC2086 # a command line
try 1 $replay -o "$work/again"
holds "$work/again" lost.html lost.race.txt lost.splat.txt lost.trace.jsonl lost.txt
cmp -s "$out/lost.trace.jsonl" "$work/again/lost.trace.jsonl" || complain "another trace"
cmp -s "$out/lost.txt" "$work/again/lost.txt" || complain "another text"
# A file is read where it lies.
sed "s,$out/,," "$work/stdout" | cmp -s - "$out/lost.txt" || complain "stdout and the file differ"
head -n 1 "$work/stdout" | grep -q "^lost: FAIL progress " || complain "no verdict first"
try 1 replay "$sched" -q
says stdout "BUG: slabsim: progress"
try 1 replay "$sched" --json
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "not one line of JSON"
says stdout '"verdict":"fail"'
try 1 replay "$sched" -v --text --accesses
try 2 replay "$sched" -o "$work/again"
says stderr "--force"
one_line_error

# A thousand times would be the same as twenty.
i=0
while [ $i -lt 20 ]; do
	"$SLABSIM" replay "$sched" -o "$work/again" --force -q >/dev/null
	cmp -s "$out/lost.trace.jsonl" "$work/again/lost.trace.jsonl" || complain "run $i differs"
	i=$((i + 1))
done

# A part of it.
try 0 replay "$sched" --until 5
says stdout "INCOMPLETE"
try 0 replay "$sched" --until 20 -o "$work/part" -q
sed '1d;$d' "$work/part/lost.trace.jsonl" >"$work/part.events"
[ -s "$work/part.events" ] || complain "no events before the end that was asked for"
grep -qF '"seq":21,' "$work/part.events" && complain "an event beyond the end"
grep -vxFf "$out/lost.trace.jsonl" "$work/part.events" >/dev/null &&
	complain "a part of the run that is none"
try 1 replay "$sched" --until 1000000 -q

# From elsewhere, and when the script has moved along with the schedule.
mkdir "$work/elsewhere"
cp "$sched" "$lost" "$work/elsewhere"
mv "$lost" "$work/hidden.lua"
try 1 replay "$work/elsewhere/lost.sched" -q
try 2 replay "$sched" -q
says stderr "lost.lua' is neither here nor beside nor above it"
one_line_error
try 1 replay "$sched" "$work/elsewhere/lost.lua" -q
says stdout "Replay: slabsim replay $sched $work/elsewhere/lost.lua"
mv "$work/hidden.lua" "$lost"

# wrong TEXT ARGUMENT...
wrong() {
	text=$1
	shift
	try 2 "$@"
	says stderr "$text"
	one_line_error
}

# For something else: refused, and what differs is named.
wrong "made for scenario 'lost', not 'tiny'" replay "$sched" "$tiny"
wrong "made for lifecycle v5.3, not seed1-v4" replay "$sched" --lifecycle seed1-v4
wrong "made without workfn-clobber, which is on here" replay "$sched" --variant workfn-clobber
wrong "made with parameters none, not extra=1" replay "$sched" --set extra=1
wrong "made with seed 1, not 2" replay "$sched" --seed 2
wrong "made with checkers off: none, not leak" replay "$sched" --no-check leak
try 1 replay "$sched" --lifecycle v5.3 --seed 0x1 -q

# altered SCRIPT: the schedule as sed SCRIPT leaves it
altered() {
	sed "$1" "$sched" >"$work/altered.sched"
	cmp -s "$sched" "$work/altered.sched" && complain "'$1' changes nothing"
}

altered 's/^version .*/version 0.0.9/'
wrong "made by slabsim version 0.0.9, and this is version " replay "$work/altered.sched"
try 2 replay "$work/altered.sched" --force
altered 's/^seed .*/seed 2/'
wrong "edited since slabsim wrote it" replay "$work/altered.sched" "$lost"
altered 's/^lifecycle .*/lifecycle v9.9/'
try 2 replay "$work/altered.sched" "$lost" --force
says stderr "v9.9"

# The script was edited: refused, unless somebody insists.
sed -i 's/-- Is a wake-up lost?/-- Does a wake-up get lost?/' "$lost"
wrong "was edited since (digest " replay "$sched"
try 1 replay "$sched" --force -q
try 1 replay "$sched" --force
says stderr "following it as far as possible"
# A renamed task is taken for what stands in its place.
sed -i 's/"waker"/"alarm"/' "$lost"
try 1 replay "$sched" --force -q
says stdout "BUG: slabsim: progress"
# The failure is gone.
sed -i 's/if not t:read_once(sim.flag) then/if false then/' "$lost"
try 3 replay "$sched" --force -q
says stderr "did not come back"

# Steps that were edited: refused, and with --force tried.
cp "$work/elsewhere/lost.lua" "$lost"
altered 's/^sleeper x/sleeper x1/'
wrong "edited since slabsim wrote it" replay "$work/altered.sched" "$lost"
altered 's/^waker /nobody /'
wrong "edited since slabsim wrote it" replay "$work/altered.sched" "$lost"
try 1 replay "$work/altered.sched" "$lost" --force -q
altered 's/^text .*/text "something else"/'
try 3 replay "$work/altered.sched" "$lost" --force -q
says stderr "did not come back"
sed 's/^#.*/# mine/; s/ *#.*$//' "$sched" >"$work/altered.sched"
try 1 replay "$work/altered.sched" "$lost" -q

# No schedule, or half of one.
size=$(wc -c <"$sched")
for n in 0 1 20 200 $((size / 2)) $((size - 20)) $((size - 1)); do
	head -c "$n" "$sched" >"$work/short.sched"
	wrong "short.sched:" replay "$work/short.sched"
done
wrong "no schedule: it should begin with 'slabsim schedule 1'" replay "$lost"
wrong "tiny.lua:1: no schedule" replay "$tiny"
wrong "no schedule" replay "$work/again/lost.trace.jsonl"
head -c 100000 "$SLABSIM" >"$work/program"
wrong ":1: " replay "$work/program"
wrong "larger than 16 MiB" replay /dev/zero
head -c 17000000 /dev/zero | tr '\0' '\n' >"$work/large.sched"
wrong "larger than 16 MiB" replay "$work/large.sched"
{ sed '/^steps:/q' "$sched"; yes 'sleeper x9999999' | head -n 3; } >"$work/many.sched"
wrong "more than 10000000 steps" replay "$work/many.sched"
wrong "missing.sched" replay "$work/missing.sched"
wrong "Is a directory" replay "$work"
wrong "name a schedule" replay
wrong "one schedule" replay "$sched" "$lost" "$lost"
for n in 0 -1 x; do
	wrong "--until takes" replay "$sched" --until "$n"
done
wrong "contradict" replay "$sched" --text --json
wrong "unknown option '--banana'" replay "$sched" --banana

# A model is what it is whatever its lifecycle has wrong with it; what was asked for is kept.
if grep -q "^variant" "$sched"; then complain "$sched names variants"; fi
try 1 explore "$lost" -o "$work/asked" -q --variant free-slab-memcg
grep -q "^variant     free-slab-memcg$" "$work/asked/lost.sched" ||
	complain "the schedule lacks the variant that was asked for"
try 1 replay "$work/asked/lost.sched"
wrong "made without free-slab-memcg, which is on here" replay "$sched" --variant free-slab-memcg
wrong "made with free-slab-memcg, which is off here" replay "$work/asked/lost.sched" --variant none

# Files.
touch "$work/file"
wrong "cannot make directory" replay "$sched" -o "$work/file"
if [ -e /dev/full ]; then
	status=0
	(cd "$work/elsewhere" && "$SLABSIM" replay lost.sched) >/dev/full 2>"$work/stderr" ||
		status=$?
	[ "$status" -eq 2 ] || complain "full disk: exit $status"
	says stderr "standard output"
fi

finish
