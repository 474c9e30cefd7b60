#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# scenarios/history as somebody finds it who has just cloned it: every schedule replays, every file
# has the others that belong to it, and every bug says where it comes from.  What the scenarios
# expect is tested by `slabsim test`.  `make gallery` renews what is not current.

. "$(dirname "$0")/lib.sh"

dir=scenarios/history
for sched in "$dir"/*.sched; do
	try 1 replay "$sched" -q
	[ ! -s "$work/stderr" ] || complain "$sched is not current: make gallery"
	[ -e "${sched%.sched}.race.txt" ] || complain "$sched has no race table"
	[ -e "${sched%.sched}.lua" ] || complain "$sched has no scenario"
done
for script in "$dir"/*.lua; do
	[ -e "${script%.lua}.sched" ] || complain "$script keeps no schedule"
	for part in 'Upstream' 'Had it'; do
		grep -q "^-- $part[: ]" "$script" || complain "$script: no '$part' in its comment"
	done
	grep -qE '^-- (Fix|Upstream and fix): ' "$script" || complain "$script: no 'Fix'"
done

# value SCHEDULE LINE: what the schedule says there
value() {
	awk -v line="$2" '$1 == line { print $2 }' "$1"
}

# A race table leads back to the violation, as any table does that somebody has written down, where
# that is a matter of the order of its rows.
for bug in alias-resurrect destroy-vs-create destroy-vs-create-deact dying-on-alias \
	dying-on-alias-shrink free-slab-memcg get-cache-rcu-typo refkill-vs-destroy \
	sysfs-name-reuse workfn-clobber workfn-write-after-free; do
	sched=$dir/$bug.sched
	set -- --lifecycle "$(value "$sched" lifecycle)" --variant none
	for name in $(value "$sched" variant); do set -- "$@" --variant "$name"; done
	for name in $(value "$sched" set); do set -- "$@" --set "$name"; done
	checker=$(value "$sched" checker)
	try 1 run "$dir/$bug.lua" "$@" --check "$checker" --ordering "$dir/$bug.race.txt" -q
	says stdout "$bug: FAIL $checker of "
done

# Who explores such a scenario as it is, and finds nothing, is told how.
try 0 explore "$dir/free-slab-memcg.lua" --max-runs 10
found_by=$(sed -n 's/^the failure that is kept beside it was found by: slabsim //p' "$work/stdout")
# shellcheck disable=SC2086 # a command line
try 1 $found_by
says stdout "free-slab-memcg: FAIL use-after-free of "
try 0 explore "$dir/free-slab-memcg.lua" --variant none --max-runs 10
! grep -q "was found by" "$work/stdout" || complain "told how, with a variant given"

finish
