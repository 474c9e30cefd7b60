#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Race tables, out and in: for each variant of the seed-1 posting a failing run is found with no
# Race tables, out and in: for each variant of the seed-1 posting a failing run is found with no
# drives a run that fails in the same way.  UPDATE=1 writes the files instead.

. "$(dirname "$0")/lib.sh"

golden=$(dirname "$0")/race

# pastable FILE: nothing that git am, git commit or checkpatch would trip over
pastable() {
	if grep -n -e '^---' -e '^#' -e '^diff -' -e '.\{76,\}' -e ' $' "$1" >"$work/stdout"; then
		: >"$work/stderr"
		complain "$1 cannot be pasted"
	fi
}

# table NAME CHECKER SCENARIO [OPTION...] [-- OPTION...]: those after -- are not for the driven run
table() {
	name=$1
	checker=$2
	script=$3
	shift 3
	both=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		both="$both $1"
		shift
	done
	[ $# -eq 0 ] || shift
	out=$work/$name
	# shellcheck disable=SC2086 # lists of words
	try 1 run "$script" --variant none --variant "$name" $both "$@" --runs 300 --accesses -q \
		-o "$out"
	trace=$(find "$out" -name '*.trace.jsonl')
	try 0 report "$trace" --race
	says stderr "unrelated events not shown"
	cp "$work/stdout" "$out.txt"
	pastable "$out.txt"
	if [ -n "${UPDATE:-}" ]; then
		mkdir -p "$golden"
		cp "$out.txt" "$golden/$name.txt"
	elif ! diff "$golden/$name.txt" "$out.txt" >"$work/stdout"; then
		complain "$name: the table is not that of $golden/$name.txt"
	fi
	# shellcheck disable=SC2086
	try 1 run "$script" --variant none --variant "$name" $both --ordering "$out.txt" -q
	grep -q "FAIL $checker" "$work/stdout" ||
		complain "$name: its own table does not lead to $checker"
}

dir=scenarios/lifecycle
table get-cache-rcu-typo lock $dir/offline_vs_alloc.lua
table release-lock-irq lock $dir/irq_free_vs_destroy.lua
table workfn-write-after-free use-after-free $dir/sysfs_contention.lua -- --order random
table workfn-clobber progress $dir/offline_vs_alloc.lua -- --order random
table create-work-css-leak leak $dir/create_failure.lua
table refkill-vs-destroy shutdown-referenced $dir/destroy_with_children.lua
# A stock that holds a reference on its memcg would be one more reason for the order.
table free-slab-memcg use-after-free $dir/typesafe.lua --set root_first=true \
	--variant drain-all-stock-uaf

# The fix makes the ordering harmless or impossible, but never a failure.
script=$dir/destroy_with_children.lua
status=0
"$SLABSIM" run $script --variant none --ordering "$work/refkill-vs-destroy.txt" -q \
	>"$work/stdout" 2>"$work/stderr" || status=$?
case $status in
0) ;;
2) says stderr "can't happen there" ;;
*) complain "the fixed code fails in the order of the table: exit $status" ;;
esac

# A scenario carries its own table: it is what `run` follows, unless another order is asked for.
cat >"$work/own.lua" <<'LUA'
-- Two writers.
return model {
  setup = function(sim) sim.x = sim:cell("x", 0) end,
  tasks = {
    task("left", function(t, sim) t:store(sim.x, 1) end),
    task("right", function(t, sim) t:store(sim.x, 2) t:assert(t:load(sim.x) == 2, "overtaken") end),
  },
  ordering = [[
	CPU0: left		CPU1: right
				store(x)
	store(x)
				load(x)
  ]],
}
LUA
try 1 run "$work/own.lua" -q
says stdout "overtaken"
try 0 run "$work/own.lua" --order timed -q
try 1 run "$work/own.lua" --runs 3 -q
# What is printed repeats the run.
"$SLABSIM" run "$work/own.lua" -q -o "$work/a" >/dev/null 2>&1
"$SLABSIM" run "$work/own.lua" -q -o "$work/b" >/dev/null 2>&1
cmp -s "$work/a/own.trace.jsonl" "$work/b/own.trace.jsonl" || complain "two runs of a table differ"

# As somebody would write it by hand: no dashes, tabs, work in the column of who queued it.
cat >"$work/hand.txt" <<'TABLE'
	CPU0: worker			CPU1: admin
	memcg_kmem_get_cache
					memcg_deactivate_kmem_caches
	kmem_cache_free();
TABLE
try 0 run $dir/offline_vs_alloc.lua --variant none --ordering "$work/hand.txt" -q
says stdout "PASS"

# Wrong tables: what is wrong, in one line, and nothing is written.
printf 'CPU0  CPU1\n  stor(x)\n' >"$work/typo.txt"
try 2 run "$work/own.lua" --ordering "$work/typo.txt" -o "$work/none"
one_line_error
says stderr "typo.txt, line 2: 'stor' is never entered in this scenario; did you mean 'store'?"
[ ! -e "$work/none/own.trace.jsonl" ] || complain "a run that was not made has left a trace"
printf 'what happens\n' >"$work/prose.txt"
try 2 run "$work/own.lua" --ordering "$work/prose.txt"
one_line_error
says stderr "prose.txt, line 1: expected a header"
try 2 run "$work/own.lua" --ordering "$work/missing.txt"
one_line_error
try 2 run "$work/own.lua" --ordering "$work/typo.txt" --order timed
one_line_error
says stderr "one of them"
printf '  CPU0 (left)   CPU1 (right)\n                load(x)\n                store(x)\n' \
	>"$work/impossible.txt"
try 2 run "$work/own.lua" --ordering "$work/impossible.txt"
says stderr "impossible.txt, line 3: 'store(x)' (CPU1) can't happen there"
sed 's/ordering = \[\[/ordering = 7, doc = [[/' "$work/own.lua" >"$work/type.lua"
try 2 run "$work/type.lua"
one_line_error
says stderr "ordering: expected"

# A trace without a violation has no table; --race and --text contradict each other.
try 0 run "$tiny" -q -o "$work/clean"
try 0 report "$work/clean/tiny.trace.jsonl" --race
says stderr "no violation"
try 2 report "$work/clean/tiny.trace.jsonl" --race --text
one_line_error

# The README shows one of them.
sed -n '1,/\*\*\*/p' "$golden/workfn-clobber.txt" >"$work/table"
while IFS= read -r line; do
	grep -qxF -- "$line" README.md ||
		complain "README.md: the race table is not as printed: $line"
done <"$work/table"

finish
