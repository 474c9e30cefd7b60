#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bugs.sh BUILD DIR - the bugs of the rework of June 2019, each in a directory of its own below DIR:
# race table, kernel-style report, reference ledger, page, schedule and trace of the shortest
# ordering that shows it.
#
# Nothing here says which ordering that is: the scenarios are those that the tests use.

set -eu

program=$1/slabsim
out=$2
# As somebody would type it: schedules and pages say it again.
scenarios=$(realpath --relative-to=. "$(dirname "$0")/../../scenarios/lifecycle")
failed=0

# bug VARIANT SCENARIO [OPTION...]
bug() {
	variant=$1
	scenario=$2
	shift 2
	status=0
	"$program" explore "$scenarios/$scenario.lua" --variant none --variant "$variant" "$@" -q \
		--force -o "$out/$variant" >"$out/log" 2>&1 || status=$?
	if [ "$status" -ne 1 ]; then
		cat "$out/log"
		echo "bugs: $variant was not found, exit status $status" >&2
		failed=1
		return
	fi
	for kind in race.txt splat.txt ledger.txt html sched; do
		[ -s "$out/$variant/$scenario.$kind" ] && continue
		echo "bugs: $variant has no $scenario.$kind" >&2
		failed=1
	done
	printf '%-26s %s\n' "$variant" \
		"$(sed -n 's/^[^:]*: FAIL \(.*\), found in .*/\1/p' "$out/log")"
}

mkdir -p "$out"
bug get-cache-rcu-typo offline_vs_alloc
bug release-lock-irq irq_free_vs_destroy
bug workfn-write-after-free sysfs_contention --strategy pct
bug workfn-clobber offline_vs_alloc
bug create-work-css-leak create_failure
bug refkill-vs-destroy destroy_with_children --check refcount
bug free-slab-memcg typesafe --set root_first=true
bug dying-on-alias alias
rm -f "$out/log"
exit "$failed"
