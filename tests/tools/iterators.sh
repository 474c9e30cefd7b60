#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# iterators.sh BUILD - print the tables of docs/iterators.md: what each design of mem_cgroup_iter()
# costs when a cgroup is removed, what removals elsewhere do to reclaim, and what a search finds

slabsim=${1:-build}/slabsim
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
designs='css-id pinned pinned-cleanup global-count dead-count pinned-cmpxchg weak weak-retry'

# said WORD SCENARIO [OPTION...]: the figures that the scenario logs after WORD
said() {
	word=$1
	shift
	"$slabsim" run -q "$@" -o "$work" --force >/dev/null 2>&1
	sed -n "s/.*\"ev\":\"log\".*\"text\":\"$word: \([^\"]*\)\".*/\1/p" "$work"/*.trace.jsonl
	rm -f "$work"/*
}

# row DESIGN FIGURES...: name=value name=value ... as cells
row() {
	design=$1
	shift
	printf '| `%s` |' "$design"
	for figure; do
		printf ' %s |' "${figure#*=}"
	done
	echo
}

# judged DESIGN OPTION...: which checker objects first in a search, as a cell; - for none
judged() {
	design=$1
	shift
	verdict=$("$slabsim" explore scenarios/reclaim/iter.lua --variant none \
		--set iterator="$design" "$@" --strategy pct --max-runs 5000 --no-minimise \
		2>/dev/null | sed -n '1s/^iter: \([A-Z]*\) \([a-z-]*\).*/\1 \2/p')
	case $verdict in
	FAIL*) printf ' %s |' "${verdict#FAIL }" ;;
	INCOMPLETE*) printf ' - |' ;;
	*) printf ' ? |' ;;
	esac
}

# found DESIGN OPTION...: a row of them
found() {
	judged "$@"
	judged "$@" --set 'removed=a b c box'
	judged "$@" --set hierarchy=false --set whole=true
	judged "$@" --set at_rmdir=true
	echo
}

echo '| design | positions | locks | counters | cleared |'
echo '|---|---|---|---|---|'
for design in $designs; do
	row "$design" $(said removal scenarios/reclaim/removal_cost.lua --set iterator="$design")
done
echo
for where in removals=0 removals=100 inside=true; do
	echo "With \`$where\`:"
	echo
	echo '| design | c1 | c2 | c3 | c4 | restarts | needless | excess |'
	echo '|---|---|---|---|---|---|---|---|'
	for design in $designs; do
		row "$design" $(said reclaimed scenarios/reclaim/neighbour.lua \
			--set iterator="$design" --set "$where")
	done
	echo
done
echo '| design | share | least | most | visits | rounds |'
echo '|---|---|---|---|---|---|'
for design in $designs; do
	row "$design" $(said fairness scenarios/reclaim/fairness.lua --set iterator="$design")
done
row 'dead-count, unlocked' $(said fairness scenarios/reclaim/fairness.lua \
	--set iterator=dead-count --variant dead-count-unlocked)
echo
echo '| design | cgroups | and the root of the walk | no hierarchy | offline at rmdir |'
echo '|---|---|---|---|---|'
for design in $designs; do
	printf '| `%s` |' "$design"
	found "$design"
done
