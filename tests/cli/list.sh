#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Lists: one thing a line, stable, and one JSON object a line with --json.

. "$(dirname "$0")/lib.sh"

for what in lifecycles variants checks strategies events iterators; do
	try 0 list "$what"
	[ -s "$work/stdout" ] || complain "list $what is empty"
	cp "$work/stdout" "$work/first"
	try 0 list "$what"
	cmp -s "$work/stdout" "$work/first" || complain "list $what changes"
	try 0 list "$what" --json
	grep -qv '^{"name":".*}$' "$work/stdout" && complain "list $what --json has odd lines"
done
try 0 list lifecycles
says stdout v5.3
says stdout v5.8
for generation in v5.9 v5.10 v6.1 v6.12; do
	says stdout "$generation"
done
says stdout seed1-v4
says stdout "= seed2, keeps-id off, offline-unordered off, deactivate ipi, offline-walk-no-rcu"
try 0 list lifecycles --json
says stdout '"deactivate":"gp-once"'
try 0 list events
says stdout "name: kmem_cache_free"
says stdout "field:object slab;"

# Scenarios of the directory where we are, sorted, with their first comment.
mkdir -p "$work/here/scenarios/b"
cp "$tiny" "$work/here/scenarios/z.lua"
cp "$tiny" "$work/here/scenarios/b/a.lua"
SLABSIM=$(realpath "$SLABSIM")
cd "$work/here" || exit 1
try 0 list scenarios
[ "$(sed 's/ .*//' "$work/stdout" | tr '\n' ' ')" = "scenarios/b/a.lua scenarios/z.lua " ] ||
	complain "list scenarios"
says stdout "A cgroup lives and dies."

# Nothing to list.
rm -r scenarios/*
try 4 list scenarios
one_line_error

finish
