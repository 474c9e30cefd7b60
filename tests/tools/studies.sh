#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# studies.sh PROGRAM FILE - write anew what stands in FILE between lines like
# <!-- slabsim study scenarios/studies/churn.lua -->  and  <!-- end -->

set -eu

program=$1
file=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

sed -n 's/^<!-- slabsim \(study .*\) -->$/\1/p' "$file" >"$work/commands"
n=0
while read -r command; do
	n=$((n + 1))
	echo "slabsim $command" >&2
	# shellcheck disable=SC2086 # a command line
	"$program" $command >"$work/$n" </dev/null
done <"$work/commands"

awk -v work="$work" '
	/^<!-- end -->$/ { inside = 0 }
	!inside { print }
	/^<!-- slabsim study .* -->$/ {
		inside = 1
		printf "\n```\n"
		output = work "/" ++n
		while ((getline line < output) > 0)
			print line
		printf "```\n\n"
	}' "$file" >"$work/new"
cat "$work/new" >"$file"
