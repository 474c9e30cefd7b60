#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim compare: the rows, the figures against the trace of the same run, every format and status.

. "$(dirname "$0")/lib.sh"

# One object is held across the removal of its cgroup; then its cache is destroyed.
cat >"$work/life.lua" <<'LUA'
-- A cgroup is removed while an object of it lives.
return scenario {
  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
    sim:create_child(sim.dentry, sim.box)
  end,
  tasks = {
    task("user", { cpu = 0, cgroup = "box" }, function(t, sim)
      local held = t:alloc(sim.dentry)
      t:attach(sim.root)
      t:rmdir(sim.box)
      t:sleep(ms(30))
      t:free(held)
      t:destroy(sim.dentry)
    end),
  },
}
LUA
life=$work/life.lua

# row LIFECYCLE COLUMN: a field of the first table
row() {
	awk -v lifecycle="$1" -v column="$2" '/^Mutexes/ { exit }
		$1 == lifecycle { print $column; exit }' "$work/stdout"
}

# ---- rows ---------------------------------------------------------------------

try 0 compare "$life" --variant none
says stdout 'life: a timed run in each lifecycle, seed 1; variants: none'
"$SLABSIM" list lifecycles --json | sed 's/^{"name":"\([^"]*\)".*/\1/' >"$work/wanted"
awk '/^  lifecycle/ { on = 1; next } /^$/ && on { exit } on { print $1 }' "$work/stdout" |
	cmp -s - "$work/wanted" || complain "not a row for each lifecycle"
cp "$work/stdout" "$work/all"
awk 'length > 100' "$work/stdout" | grep -q . && complain "lines wider than 100 columns"
LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "the table is not ASCII"
# What was true of them: pages pin a memcg until reparenting came, and there is no end to it.
[ "$(row v4.18 4)" = 1 ] || complain "v4.18: no dying cgroup"
[ "$(row v4.18 5)" = - ] || complain "v4.18 is clean"
[ "$(row v5.3 4)" = 0 ] || complain "v5.3: a dying cgroup"
[ "$(row v5.3 6)" = ms ] || complain "v5.3 is not clean"
# The same bytes each time, in the order that was asked for.
try 0 compare "$life" --variant none
cmp -s "$work/stdout" "$work/all" || complain "two comparisons differ"
try 0 compare "$life" --variant none --lifecycles v5.3,v4.18,v5.3
sed -n 's/^  \(v[^ ]*\)  *PASS.*/\1/p' "$work/stdout" | tr '\n' ' ' >"$work/order"
[ "$(cat "$work/order")" = "v5.3 v4.18 v5.3 " ] || complain "not the lifecycles that were asked for"
# What v4.7 waits for under its mutexes is what it was changed for: four jiffies, not microseconds.
try 0 compare "$life" --variant none --json --lifecycles v4.7,v4.11
grep -q '"lifecycle":"v4.7".*"name":"slab_mutex","taken":[0-9]*,"longest_ns":[0-9]\{7,\},' \
	"$work/stdout" || complain "v4.7 holds slab_mutex for less than a millisecond"
grep -q '"lifecycle":"v4.11".*"name":"slab_mutex","taken":[0-9]*,"longest_ns":[0-9]\{3,6\},' \
	"$work/stdout" || complain "v4.11 holds slab_mutex for more than a millisecond"

# ---- figures against the trace ----------------------------------------------------

# The same counts out of the file that the run has left, from the start of the first task on.
try 0 compare "$life" --variant none --lifecycles v5.3,v6.1 --csv -o "$work/out" -q
holds "$work/out" life.v5.3.html life.v5.3.trace.jsonl life.v5.3.txt life.v6.1.html \
	life.v6.1.trace.jsonl life.v6.1.txt
head -n 1 "$work/stdout" >"$work/head"
grep -q '^lifecycle,verdict,checker,violation,dying_cgroups,clean_after_ns,' "$work/head" ||
	complain "no names in the CSV"
[ "$(wc -l <"$work/stdout")" -eq 3 ] || complain "--csv: not a line for each"
[ "$(tr -dc ',\n' <"$work/stdout" | sort -u | wc -l)" -eq 1 ] ||
	complain "--csv: not as many fields in each line"
for lifecycle in v5.3 v6.1; do
	awk '/"ev":"task_start"/ && /"ctx":"task"/ { tasks++ }
		tasks > 1 && /"ev":"rcu_barrier"/ { barriers++ }
		tasks > 1 && /"ev":"rcu_gp_end"/ { gps++ }
		/"type":"end"/ {
			match($0, /"t":[0-9]+/)
			end = substr($0, RSTART + 4, RLENGTH - 4)
		}
		END { print barriers + 0 "," gps + 0 "," end }' \
		"$work/out/life.$lifecycle.trace.jsonl" >"$work/counted"
	grep "^$lifecycle," "$work/stdout" | cut -d, -f 7-9 | cmp -s - "$work/counted" ||
		complain "$lifecycle: not what the trace says: $(cat "$work/counted")"
done
# The trace is that of run.
try 0 run "$life" --lifecycle v5.3 --variant none -q -o "$work/run"
cmp -s "$work/run/life.trace.jsonl" "$work/out/life.v5.3.trace.jsonl" || complain "another run"
try 2 compare "$life" --lifecycles v5.3 -o "$work/out"
says stderr '--force'

# ---- verdicts -----------------------------------------------------------------------

try 1 compare "$typo" --lifecycles v5.3,seed1-v4 -q
[ "$(row v5.3 2)" = PASS ] && [ "$(row seed1-v4 2)" = FAIL ] || complain "not the verdicts"
[ "$(row seed1-v4 3)" = lock ] || complain "not the first violation"
try 1 compare "$typo" --lifecycles v5.3,seed1-v4
says stdout 'seed1-v4: lock: illegal context switch'
command=$(sed -n 's/^  slabsim //p' "$work/stdout")
# shellcheck disable=SC2086 # a command line
try 1 $command -q
# What only an ordering shows takes a search, and the line repeats it.
script=scenarios/lifecycle/destroy_with_children.lua
try 0 compare $script --lifecycles v5.8,v5.3 --set cgroups=1 --check refcount
try 1 compare $script --lifecycles v5.8,v5.3 --set cgroups=1 --check refcount --search 2000
[ "$(row v5.8 2)" = PASS ] && [ "$(row v5.3 2)" = FAIL ] || complain "--search: not the verdicts"
says stdout 'in random ordering '
command=$(sed -n 's/^  slabsim //p' "$work/stdout")
# shellcheck disable=SC2086 # a command line
try 1 $command -q
# A lifecycle against itself with one variant more, or less.
columns=v5.3,v5.3+get-cache-rcu-typo,seed1-v4+none,seed1-v4+-get-cache-rcu-typo
try 1 compare "$typo" --lifecycles "$columns"
[ "$(row v5.3 2)" = PASS ] && [ "$(row v5.3+get-cache-rcu-typo 2)" = FAIL ] ||
	complain "v5.3 with a variant of its own"
[ "$(row seed1-v4+none 2)" = PASS ] && [ "$(row seed1-v4+-get-cache-rcu-typo 2)" = PASS ] ||
	complain "seed1-v4 without one"
says stdout '  slabsim run '
command=$(sed -n 's/^  slabsim //p' "$work/stdout")
# shellcheck disable=SC2086 # a command line
try 1 $command -q
try 0 compare "$typo" --lifecycles seed1-v4+-get-cache-rcu-typo --variant get-cache-rcu-typo
try 5 compare "$life" --lifecycles v5.3 --max-steps 10
says stdout INCOMPLETE
says stdout 'raise it with --max-steps'

# ---- wrong usage ----------------------------------------------------------------------

try 2 compare
one_line_error
try 2 compare "$life" "$life"
one_line_error
try 2 compare "$life" --lifecycles v5.3,v5.33
one_line_error
says stderr "did you mean 'v5.3'?"
try 2 compare "$life" --lifecycles v5.3+refkill-vs-destory
one_line_error
says stderr "did you mean 'refkill-vs-destroy'?"
for options in '--lifecycle v5.3' '-L v5.3,,v5.8' '-L,' '-L v5.3+' '--csv --json' \
	'--search none' '--search 0' '--lifecycles'; do
	# shellcheck disable=SC2086 # a list of words
	try 2 compare "$life" $options
	one_line_error
done
echo 'return 7' >"$work/seven.lua"
try 2 compare "$work/seven.lua"
one_line_error
try 2 compare "$work/nowhere.lua"
one_line_error

finish
