#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# determinism.sh BUILD... - does every build write the same bytes, whatever surrounds it?
#
# One run of each kind that scenarios expect something of is made by the first BUILD.  Then it is
# made again by the same program, by each other program, and in other locales, time zones,
# directories and environments.
# Everything that `slabsim run -o` leaves must be equal byte for byte, and so must the exit status.
# The same goes for two studies, whose figures are not whole numbers.

set -eu

work=$PWD/build/determinism
rm -rf "$work"
mkdir -p "$work/elsewhere"
# The same path from another directory, so that only the directory differs.
ln -s "$PWD/scenarios" "$work/elsewhere/scenarios"
ln -s "$PWD/lua" "$work/elsewhere/lua"

# A locale that writes 1,5 and sorts its own way, if there is one.
locale=$(locale -a 2>/dev/null | grep -E '^(de|fr|tr|cs)_' | head -n 1 || true)
locale=${locale:-C.UTF-8}

nr_compared=0
nr_differ=0

# compare LABEL PROGRAM... - run "PROGRAM COMMAND FILE OPTIONS" and compare with the reference
compare()
{
	label=$1
	shift
	rm -rf "$work/other"
	status=0
	# shellcheck disable=SC2086 # a list of words
	"$@" "$command" "$file" $options -o "$work/other" >"$work/log" 2>&1 </dev/null || status=$?
	nr_compared=$((nr_compared + 1))
	if [ "$status" -eq "$reference_status" ] &&
		diff -rq "$work/reference" "$work/other" >"$work/diff" 2>&1; then
		return
	fi
	nr_differ=$((nr_differ + 1))
	echo "DIFFERS: $label: $command $file $options"
	echo "    exit status $status, reference $reference_status"
	# Keep both sides: they are what somebody has to look at.
	kept=$work/differ.$nr_differ
	mkdir "$kept"
	cp -r "$work/reference" "$kept/reference" 2>/dev/null || true
	cp -r "$work/other" "$kept/other" 2>/dev/null || true
	sed "s|$work/|$kept/|g; s/^/    /" "$work/diff"
}

in_elsewhere()
{
	(cd "$work/elsewhere" && "$@")
}

reference=$PWD/$1/slabsim
"$reference" test --list -v |
	sed -n 's/^.*\tslabsim run /run /; T; s/ --runs [0-9]* -q$//p; t; p' | LC_ALL=C sort -u \
	>"$work/scenarios"
for study in destroy_cost memory; do
	echo "study scenarios/studies/$study.lua --replications 3" >>"$work/scenarios"
done
while read -r command file options; do
	rm -rf "$work/reference"
	reference_status=0
	# shellcheck disable=SC2086 # a list of words
	"$reference" "$command" "$file" $options -o "$work/reference" >"$work/log" 2>&1 \
		</dev/null || reference_status=$?
	if [ ! -d "$work/reference" ]; then
		echo "FAILED: $command $file $options"
		echo "    exit status $reference_status, nothing written"
		sed 's/^/    /' "$work/log"
		nr_differ=$((nr_differ + 1))
		continue
	fi

	for build in "$@"; do
		if [ ! -x "$build/slabsim" ]; then
			continue
		fi
		compare "$build" "$PWD/$build/slabsim"
	done
	compare "LC_ALL=$locale" env LANG="$locale" LC_ALL="$locale" "$reference"
	compare "LC_ALL=C" env LANG=C LC_ALL=C "$reference"
	compare "TZ" env TZ=ABC-5:45 "$reference"
	compare "another directory" in_elsewhere "$reference"
	compare "one more variable" env SLABSIM_UNRELATED=0123456789abcdef "$reference"
	compare "empty environment" env -i "$reference"
done <"$work/scenarios"

for build in "$@"; do
	[ -x "$build/slabsim" ] || echo "Not compared: $build, because its compiler is missing."
done
echo "$(wc -l <"$work/scenarios") runs, $nr_compared comparisons, $nr_differ differ."
[ "$nr_differ" -eq 0 ]
