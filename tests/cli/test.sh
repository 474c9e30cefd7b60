#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim test: what is selected, what is judged, every way of saying it, and every exit status.

. "$(dirname "$0")/lib.sh"

tree=$work/scenarios
mkdir -p "$tree/good" "$tree/bad" "$tree/lib"

# scenario FILE [OBJECTS] <EXPECTATIONS: an allocation that get-cache-rcu-typo breaks
scenario() {
	cat >"$tree/$1" <<LUA
-- An allocation looks up the cache of its cgroup.
return scenario {
  options = { objects = { 1, "objects" } },
  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,
  tasks = {
    task("allocator", { cpu = 0, cgroup = "box" }, function(t, sim, opt)
      t:free_many(t:alloc_many(sim.dentry, opt.objects))
    end),
    task("other", { cpu = 1 }, function(t) t:mkdir("other") end),
  },
  expect = {
$(cat)
  },
}
LUA
}

typo='variant = { "none", "get-cache-rcu-typo" }'
scenario good/clean.lua <<LUA
{ "v5.3", never = "*" },
{ "v5.3", never = { "leak", "lock" }, set = { objects = 2 }, order = "random", runs = 5 },
{ "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 20 } },
LUA
scenario good/caught.lua <<LUA
{ "v5.3", $typo, always = "lock", runs = 3 },
{ "v5.3", $typo, finds = "lock", explore = { strategy = "random", runs = 20 } },
{ "v5.3", $typo, finds = "lock", explore = { strategy = "dpor" } },
LUA
cp "$tiny" "$tree/good/silent.lua"
# Loaded by others, and no test.
echo 'error("must not be run")' >"$tree/lib/shared.lua"

# ---- what is selected -------------------------------------------------------

try 0 test "$tree" --list
cat >"$work/wanted" <<'EOT'
good/caught:v5.3+none+get-cache-rcu-typo:always-lock@seeds
good/caught:v5.3+none+get-cache-rcu-typo:finds-lock@random
good/caught:v5.3+none+get-cache-rcu-typo:finds-lock@dpor
good/clean:v5.3:never
good/clean:v5.3:objects=2:never-leak+lock@order=random
good/clean:v5.3+none:never@pct
good/silent:v5.3:never
EOT
cmp -s "$work/stdout" "$work/wanted" || complain "not the names that should be there"
try 0 test "$tree" --list --filter silent
[ "$(cat "$work/stdout")" = good/silent:v5.3:never ] || complain "--filter with a part of a name"
try 0 test "$tree" --list -k '*:never' -k '*dpor'
[ "$(wc -l <"$work/stdout")" -eq 3 ] || complain "--filter with patterns"
try 0 test "$tree/good/clean.lua" "$tree/good/clean.lua" --list
[ "$(wc -l <"$work/stdout")" -eq 3 ] || complain "a file that is named twice is one"
try 0 test "$tree" --list --json
[ "$(grep -c '^{"name":".*","command":"slabsim .*"}$' "$work/stdout")" -eq 7 ] ||
	complain "--list --json"
try 4 test "$tree" --filter nothing-like-it
one_line_error
mkdir "$work/empty"
try 4 test "$work/empty"
try 2 test "$work/nowhere"
one_line_error

# ---- what is said -----------------------------------------------------------

try 0 test "$tree" --jobs 2
head -n 1 "$work/stdout" | grep -q '^     Running 7 tests of 3 scenarios, 2 jobs$' ||
	complain "no header"
grep -Eq '^        PASS \[ *[0-9]+\.[0-9]{3}s\] good/clean:v5.3:never$' "$work/stdout" ||
	complain "no PASS line with a time"
says stdout '] 7 tests run: 7 passed, 0 failed, 0 skipped'

# The same bytes whatever the number of workers and however often.
try 0 test "$tree" --no-timing -v --jobs 1
tail -n +2 "$work/stdout" >"$work/first"
says stdout '             20 random orderings (pct), seed 1, longest '
says stdout '             5 runs, seeds 1 to 5'
grep -q '[0-9]s\]' "$work/stdout" && complain "--no-timing tells the time"
try 0 test "$tree" --no-timing -v --jobs 4
tail -n +2 "$work/stdout" | cmp -s - "$work/first" || complain "--jobs changes the output"
try 0 test "$tree" -q --no-timing
[ "$(wc -l <"$work/stdout")" -eq 2 ] || complain "-q says more than the summary"
try 0 test "$tree" --slow 1ms -k :never
says stdout '        SLOW ['
says stdout ' slow)'

# ---- what fails -------------------------------------------------------------

scenario bad/wrong.lua <<LUA
{ "v5.3", $typo, never = "*" },
{ "v5.3", $typo, never = "lock", explore = { strategy = "pct", runs = 20 } },
{ "v5.3", variant = "none", always = "lock", runs = 3 },
{ "v5.3", variant = "none", sometimes = "lock", runs = 3 },
{ "v5.3", $typo, sometimes = "lock", explore = { strategy = "random", runs = 3 } },
{ "v5.3", variant = "none", finds = "lock", explore = { strategy = "pct", runs = 20 } },
{ "v5.3", never = "*", skip = "needs hotplug" },
LUA
printf 'return scenario {\n  nonsense = 1 }\n' >"$tree/bad/broken.lua"
echo 'while true do end' >"$tree/bad/endless.lua"
try 1 test "$tree/bad" --no-timing --jobs 2
says stdout '9 tests run: 0 passed, 8 failed, 1 skipped'
says stdout "broken.lua:1: scenario: unknown field 'nonsense'"
says stdout 'raise it with --max-instructions'
says stdout 'nesting 2'
says stdout '(expected: never)'
says stdout 'lock: a violation in 0 of 1 runs (expected: always)'
says stdout 'lock: a violation in 0 of 3 runs (expected: sometimes)'
says stdout 'lock: a violation in 3 of 3 runs (expected: sometimes)'
says stdout 'lock: a violation in 0 of 20 runs (expected: finds)'
says stdout '        SKIP bad/wrong:v5.3:never'
says stdout '             needs hotplug'
rm "$tree/bad/endless.lua"
# Each failure stands there again after the summary, with its command.
awk '/^     Summary/ { after = 1 }
	/^        FAIL/ { n[after + 0]++ } /^             slabsim / { c[after + 0]++ }
	END { exit !(n[0] > 5 && n[0] == n[1] && c[0] == n[0] && c[1] == n[1]) }' "$work/stdout" ||
	complain "failures are not repeated with their commands"

# The command of a failing run fails by itself, as often as it is typed.
command=$(sed -n 's/^             slabsim \(run .*wrong.*\)/\1/p' "$work/stdout" | head -n 1)
# shellcheck disable=SC2086 # a command line
try 1 $command

# With -o it leaves its reports, those of the command; what passes leaves none.
try 1 test "$tree/bad/wrong.lua" "$tree/good" --no-timing -o "$work/reports" --junit "$work/o.xml"
first=$work/reports/bad/wrong.v5.3+none+get-cache-rcu-typo.never
holds "$first" wrong.html wrong.ledger.txt wrong.race.txt wrong.splat.txt wrong.trace.jsonl \
	wrong.txt
holds "$first-lock@pct" wrong.html wrong.ledger.txt wrong.race.txt wrong.sched wrong.splat.txt \
	wrong.trace.jsonl wrong.txt
says stdout "             reports: $first"
grep -qF "reports: $first" "$work/o.xml" || complain "JUnit does not say where the reports are"
[ ! -e "$work/reports/good" ] || complain "a test that passes leaves reports"
# A search that found nothing can be resumed.
holds "$work/reports/bad/wrong.v5.3+none.finds-lock@pct" wrong.checkpoint
grep -c '^             reports: ' "$work/stdout" >"$work/count"
[ "$(cat "$work/count")" -eq "$(find "$work/reports/bad" -mindepth 1 -type d | wc -l)" ] ||
	complain "not every directory is named"
# shellcheck disable=SC2086 # a command line
try 1 $command -o "$work/by-hand" -q
cmp -s "$work/by-hand/wrong.html" "$first/wrong.html" || complain "the command writes another page"
try 2 test "$tree/bad/wrong.lua" --no-timing -o "$work/reports"
says stderr "exists; --force replaces it"
try 1 test "$tree/bad/wrong.lua" --json -o "$work/reports" --force
says stdout '{"type":"reports","name":"bad/wrong:v5.3+none+get-cache-rcu-typo:never","directory"'

# --fail-fast: what comes after the first failure is not run.
try 1 test "$tree/bad/wrong.lua" --fail-fast --no-timing --jobs 1
says stdout '1 test run: 0 passed, 1 failed, 0 skipped; 6 not run'
try 1 test "$tree/bad/wrong.lua" --fail-fast --no-timing --jobs 3
says stdout '1 test run: 0 passed, 1 failed, 0 skipped; 6 not run'

# A test that does not end is killed, and the next one is run.
scenario good/long.lua <<LUA
{ "v5.3", variant = "none", never = "*", explore = { strategy = "pct", runs = 100000000 } },
{ "v5.3", never = "*" },
LUA
try 1 test "$tree/good/long.lua" --timeout 300ms --no-timing
says stdout 'still running after 0 s, killed'
says stdout '2 tests run: 1 passed, 1 failed'

# ---- workers that die, and Ctrl-C --------------------------------------------

"$SLABSIM" test "$tree/good/long.lua" --jobs 1 --no-timing >"$work/stdout" 2>"$work/stderr" &
runner=$!
worker=$(child "$runner")
kill -s KILL "$worker"
status=0
wait "$runner" || status=$?
[ "$status" -eq 1 ] || complain "exit $status after a worker died, expected 1"
says stdout 'the worker was killed by SIGKILL'
says stdout '2 tests run: 1 passed, 1 failed'

have_passed() {
	[ "$(grep -c PASS "$work/stdout")" -eq "$1" ]
}
begin test "$tree/good/caught.lua" "$tree/good/long.lua" --jobs 1 --no-timing \
	--junit "$work/interrupted.xml"
until_true have_passed 3
end_with TERM
[ "$status" -eq 130 ] || complain "exit $status when interrupted, expected 130"
says stdout '3 tests run: 3 passed, 0 failed, 0 skipped; 2 not run'
grep -q '<skipped message="interrupted"/>' "$work/interrupted.xml" || complain "JUnit: interrupted"
rm "$tree/good/long.lua"

# ---- formats ------------------------------------------------------------------

try 1 test "$tree" --junit "$work/results.xml" --no-timing -q
grep -q '^<testsuites name="slabsim" tests="[0-9]*" failures="[56]" errors="1">$' \
	"$work/results.xml" || complain "JUnit: the counts are wrong"
if command -v xmllint >/dev/null; then
	xmllint --noout "$work/results.xml" || complain "the JUnit file is no XML"
fi
try 2 test "$tree" --junit "$work/results.xml"
says stderr 'exists; --force replaces it'
[ ! -s "$work/stdout" ] || complain "tests were run although the results have nowhere to go"
try 1 test "$tree" --junit "$work/results.xml" --force -q
try 2 test "$tree" --junit "$work/nowhere/results.xml"
try 2 test "$tree/good" --junit /dev/full -q
says stderr "cannot write '/dev/full'"
holds "$work/empty"

try 1 test "$tree" --tap --no-timing
cp "$work/stdout" "$work/tap"
head -n 1 "$work/tap" | grep -q '^TAP version 13$' || complain "no TAP"
[ "$(grep -c '^\(not \)\?ok ' "$work/tap")" -eq \
	"$(sed -n 's/^1\.\.//p' "$work/tap")" ] || complain "the plan is not what follows"
if command -v prove >/dev/null; then
	prove -e cat "$work/tap" >"$work/prove" 2>&1
	grep -q '^  Failed tests: ' "$work/prove" || complain "prove does not see the failures"
	grep -q 'Parse errors' "$work/prove" && complain "prove cannot read the TAP"
	"$SLABSIM" test "$tree/good" --tap >"$work/tap"
	prove -e cat "$work/tap" >/dev/null 2>&1 || complain "prove: not all passed"
fi

try 1 test "$tree" --ktap --no-timing
says stdout 'KTAP version 1'
says stdout '  # Subtest: bad'
says stdout '  # Subtest: good'
says stdout '# good: pass:7 fail:0 skip:0 total:7'
says stdout 'ok 2 good'

try 1 test "$tree" --json --no-timing
tail -n 1 "$work/stdout" | grep -q '^{"type":"summary","tests":' || complain "--json: no summary"
grep -v '^{.*}$' "$work/stdout" && complain "--json: not an object a line"

# ---- golden traces ---------------------------------------------------------------

scenario good/golden.lua <<LUA
{ "v5.3", golden = "golden.trace.jsonl", seed = 3 },
LUA
golden=$tree/good/golden.trace.jsonl
try 1 test "$tree/good/golden.lua" --no-timing
says stdout "golden.trace.jsonl'; --bless writes it"
[ ! -e "$golden" ] || complain "a golden trace was written without --bless"
try 0 test "$tree/good/golden.lua" --bless -v
says stdout "wrote $golden"
try 0 test "$tree/good/golden.lua"
try 0 run "$tree/good/golden.lua" --lifecycle v5.3 --seed 3 -o "$work/golden" -q
cmp -s "$work/golden/golden.trace.jsonl" "$golden" || complain "run writes another trace"
sed -i '3s/"t":/"t":1/' "$golden"
cp "$golden" "$work/edited"
try 1 test "$tree/good/golden.lua" --no-timing
says stdout 'line 3 was  {'
cmp -s "$golden" "$work/edited" || complain "the golden trace was touched without --bless"
try 0 test "$tree/good/golden.lua" --bless
try 0 test "$tree/good/golden.lua"
holds "$tree/good" caught.lua clean.lua golden.lua golden.trace.jsonl silent.lua

# Places where nothing can be written are said before any test is run.
touch "$work/a-file"
try 2 test "$tree" -o "$work/a-file"
says stderr "-o $work/a-file: cannot make directory: it is a file"
one_line_error
try 2 test "$tree" --gallery "$tree"
says stderr "--gallery $tree: it is a directory; name the page"
one_line_error

# ---- schedules -------------------------------------------------------------------

scenario good/replayed.lua </dev/null
try 1 explore "$tree/good/replayed.lua" --lifecycle v5.3 --variant none \
	--variant get-cache-rcu-typo --check lock --strategy pct --max-runs 100 -q -o "$work/found"
cp "$work/found/replayed.sched" "$tree/good"
# That the schedule is expected changes the script, and not what it does.
scenario good/replayed.lua <<LUA
{ "v5.3", $typo, replay = "replayed.sched" },
LUA
try 0 test "$tree/good/replayed.lua" -v
says stdout 'preemptions'
command=$("$SLABSIM" test "$tree/good/replayed.lua" --list -v | cut -f 2)
# shellcheck disable=SC2086 # a command line
try 1 ${command#slabsim } -q
scenario good/replayed.lua <<LUA
{ "v5.3", variant = "none", replay = "replayed.sched" },
{ "v5.3", $typo, replay = "nowhere.sched" },
LUA
try 1 test "$tree/good/replayed.lua" --no-timing
says stdout 'the schedule was made for lifecycle v5.3 with variants: get-cache-rcu-typo'
says stdout '2 tests run: 0 passed, 2 failed'
# With other tasks it cannot be followed any more.
scenario good/replayed.lua <<LUA
{ "v5.3", $typo, replay = "replayed.sched" },
LUA
sed -i 's/"allocator"/"somebody"/' "$tree/good/replayed.lua"
try 1 test "$tree/good/replayed.lua" --no-timing
says stdout '1 test run: 0 passed, 1 failed'
rm "$tree"/good/replayed.*

# ---- what was found is kept, and comes back ------------------------------------------

mkdir "$tree/kept"
cat >"$tree/kept/again.lua" <<LUA
-- As in the other folder, with expectations of its own.
return scenario {
  like = require "good.caught",
  expect = {
    { "v5.3", $typo, set = { objects = 2 }, finds = "lock", keeps = "again",
      explore = { strategy = "random", runs = 20 } },
  },
}
LUA
again=$tree/kept/again
try 1 test "$tree/kept" --no-timing
says stdout '2 tests run: 1 passed, 1 failed'
says stdout 'again.sched'
holds "$tree/kept" again.lua
try 0 test "$tree/kept" --no-timing --bless -v
says stdout 'wrote again.sched, found anew: '
holds "$tree/kept" again.lua again.sched again.race.txt
says stdout '2 tests run: 2 passed'
grep -q '^set *objects=2$' "$again.sched" || complain "the schedule lacks its parameter"
grep -qF '*** SLEEP IN READ SECTION ***' "$again.race.txt" || complain "no race table was kept"
# The page about it: written, compared, and told from what it was.
page=$tree/kept/page.md
try 1 test "$tree/kept" -q --gallery "$page"
says stderr "there is no '$page'; --bless writes it"
try 0 test "$tree/kept" -q --gallery "$page" --bless
found='| [again](again.lua) | v5.3 | lock | objects=2 | random, seed 1 | 1 | '
kept=' | 0 | [table](again.race.txt) |'
grep -F -e "$found" "$page" | grep -qF -e "$kept" || complain "not the row that should be there"
grep -q '^| `get-cache-rcu-typo` | .* | seed1-v4 |$' "$page" || complain "the bug is not described"
grep -q '^- `workfn-clobber`: ' "$page" || complain "what has no search is not listed"
grep -q 'destroy-without-dying' "$page" && complain "what upstream never had is listed"
sed -i 's/ [0-9.]* s |/ 77.123 s |/' "$page"
try 0 test "$tree/kept" -q --gallery "$page"
sed -i 's/| random, seed 1 | 1 |/| random, seed 1 | 2 |/' "$page"
try 1 test "$tree/kept" -q --gallery "$page"
says stderr "page.md is not current; --bless renews it"
says stderr 'random, seed 1 | 2 |'
try 2 test "$tree/kept" --gallery "$page" -k replay
one_line_error
rm "$page"
# It replays from anywhere, as every schedule does, and tests read it without touching it.
cp "$again.sched" "$again.race.txt" "$work"
try 1 replay "$again.sched" -q
try 0 test "$tree/kept"
cmp -s "$again.sched" "$work/again.sched" || complain "a test has changed a schedule"
# Blessed once more it is the same, and not looked for.
try 0 test "$tree/kept" --bless -v --no-timing
says stdout 'wrote again.sched, renewed: '
cmp -s "$again.sched" "$work/again.sched" || complain "--bless has changed a good schedule"
# The script is edited, and the schedule is still for it.
echo "-- A remark." >>"$again.lua"
try 2 replay "$again.sched" -q
try 0 test "$tree/kept"
try 0 test "$tree/kept" --bless
try 1 replay "$again.sched" -q
# The verdict is the same, the trace is not: it is said, and a failure only for who asks for that.
cat >"$tree/kept/other.lua" <<LUA
return model {
  setup = function(sim) sim.c = sim:cell("c", 0) end,
  tasks = {
    task("a", function(t, sim)
      t:read_once(sim.c)
      t:log("one")
      t:assert(false, "it is over")
    end),
  },
  expect = {
    { "v5.3", finds = "assert", keeps = "other", explore = { strategy = "pct", runs = 5 } },
  },
}
LUA
try 0 test "$tree/kept/other.lua" --bless
try 0 test "$tree/kept/other.lua" --strict-traces
grep -q "trace" "$work/stdout" && complain "the trace is the one that was kept"
sed -i 's/"one"/"another"/' "$tree/kept/other.lua"
trace="the trace differs from the one that other.sched was kept with; --bless renews it"
for format in "" --tap --ktap --json; do
	# shellcheck disable=SC2086 # one word or none
	try 0 test "$tree/kept/other.lua" $format
	says stdout "$trace"
done
try 1 test "$tree/kept/other.lua" --strict-traces --no-timing
says stdout "$trace"
says stdout '2 tests run: 1 passed, 1 failed'
try 0 test "$tree/kept/other.lua" --bless
try 0 test "$tree/kept/other.lua" --strict-traces
rm "$tree/kept/other.lua" "$tree/kept/other.sched" "$tree/kept/other.race.txt"
# It gets there sooner: the steps that are left over would make a file that cannot be read.
cat >"$tree/kept/sooner.lua" <<LUA
return model {
  setup = function(sim) sim.c = sim:cell("c", 0) end,
  tasks = {
    task("a", function(t, sim)
      t:read_once(sim.c)
      t:write_once(sim.c, 1)
      t:assert(false, "it is over")
    end),
  },
  expect = {
    { "v5.3", finds = "assert", keeps = "sooner", explore = { strategy = "pct", runs = 5 } },
  },
}
LUA
try 0 test "$tree/kept/sooner.lua" --bless
sed -i 's/.*write_once.*//' "$tree/kept/sooner.lua"
try 0 test "$tree/kept/sooner.lua" --bless -v --no-timing
says stdout 'wrote sooner.sched, found anew: '
try 0 test "$tree/kept/sooner.lua"
try 1 replay "$tree/kept/sooner.sched" -q
rm "$tree"/kept/sooner.*
# A race table that is another one.
echo "// a row that nobody drew" >>"$again.race.txt"
try 1 test "$tree/kept" --no-timing
says stdout "the race table is not that of '$again.race.txt'; --bless replaces it"
says stdout 'a row that nobody drew'
try 0 test "$tree/kept" --bless
cmp -s "$again.race.txt" "$work/again.race.txt" || complain "--bless has left the race table"
# A schedule for something else, one that cannot be read, and one that is not there: found anew.
sed -i 's/objects=2/objects=1/' "$again.sched"
try 1 test "$tree/kept" --no-timing
says stdout 'the schedule was made with parameters: objects=1'
try 0 test "$tree/kept" --bless -v --no-timing
says stdout 'found anew: '
echo nonsense >"$again.sched"
try 1 test "$tree/kept"
try 0 test "$tree/kept" --bless
tail -n +7 "$again.sched" >"$work/now"
tail -n +7 "$work/again.sched" | sed '/^sum/d' >"$work/before"
sed -i '/^sum/d' "$work/now"
cmp -s "$work/now" "$work/before" || complain "what was found anew is another schedule"
# The other scenario is not there.
mv "$tree/good/caught.lua" "$work/caught.lua"
try 1 test "$tree/kept" --no-timing
says stdout "again.lua:3: require: there is no $tree/kept/lib/good/caught.lua, and no "
mv "$work/caught.lua" "$tree/good/caught.lua"
# Nothing can be found: an error that says so, and no file.
rm "$again.sched" "$again.race.txt"
sed -i 's/get-cache-rcu-typo/workfn-clobber/' "$again.lua"
try 1 test "$tree/kept" --bless --no-timing
says stdout 'nothing was found in 20 executions'
holds "$tree/kept" again.lua
# A schedule that nothing tells how to find is renewed, or left alone.
cp "$work/found/replayed.sched" "$tree/kept"
scenario kept/replayed.lua <<LUA
{ "v5.3", $typo, replay = "replayed.sched", race = "replayed.race.txt" },
LUA
try 1 test "$tree/kept/replayed.lua" --no-timing
says stdout "there is no golden race table '$tree/kept/replayed.race.txt'; --bless writes it"
try 0 test "$tree/kept/replayed.lua" --bless
try 0 test "$tree/kept/replayed.lua"
try 1 replay "$tree/kept/replayed.sched" -q
sed -i 's/get-cache-rcu-typo/workfn-clobber/' "$tree/kept/replayed.lua"
cp "$tree/kept/replayed.sched" "$work"
try 1 test "$tree/kept/replayed.lua" --bless --no-timing
says stdout "may find another one"
cmp -s "$tree/kept/replayed.sched" "$work/replayed.sched" || complain "a schedule was spoilt"
rm -r "$tree/kept"

# ---- git bisect run ----------------------------------------------------------------

try 0 test "$tree/good" --bisect
try 1 test "$tree/bad/wrong.lua" --bisect
try 125 test "$tree/bad/broken.lua" --bisect
try 125 test "$work/nowhere" --bisect
try 125 test "$tree" --filter nothing-like-it --bisect
try 125 test "$tree" --bisect --jobs 0

# ---- wrong usage ----------------------------------------------------------------------

for options in '--jobs 0' '--jobs many' '--jobs 1000' '--slow never' '--timeout 0s' \
	'--tap --ktap' '--json --tap' '-q -v' '--color blue' '--filtr x' '--junit'; do
	# shellcheck disable=SC2086 # a list of words
	try 2 test "$tree/good" $options
	one_line_error
done
says stderr 'junit'
try 2 test "$tree/good" --filtr x
says stderr "did you mean '--filter'?"

finish
