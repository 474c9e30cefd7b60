#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Wrong usage: one line on stderr, status 2, and a suggestion where there is one.

. "$(dirname "$0")/lib.sh"

# wrong TEXT ARGUMENT...
wrong() {
	text=$1
	shift
	try 2 "$@"
	says stderr "$text"
	one_line_error
}

wrong "slabsim help"
wrong "did you mean 'run'" rum "$tiny"
wrong "there are: run, explore, replay, list, report, " banana
wrong "did you mean '--version'" --versoin
wrong "did you mean '--seed'" run --sede 1 "$tiny"
wrong "did you mean '--lifecycle'" run "$tiny" --lifecylce=v5.3
wrong "unknown option '--banana'" run "$tiny" --banana
wrong "did you mean '--json'" list checks --jason
wrong "did you mean '--text'" report x --txet
wrong "did you mean 'v5.3'" run "$tiny" --lifecycle v5.33
wrong "did you mean 'workfn-clobber'" run "$tiny" --variant workfn-clober
wrong "did you mean 'workfn-clobber'" run "$tiny" --variant -workfn-clober
wrong "did you mean 'leak'" run "$tiny" --no-check leek
wrong "did you mean 'timed'" run "$tiny" --order timd
wrong "did you mean 'events'" list event
wrong "did you mean 'report'" help reprot
wrong "name a scenario" run
wrong "one scenario" run "$tiny" "$tiny"
wrong "name a trace" report
wrong "list takes one of" list
wrong "NAME=VALUE" run "$tiny" --set objects
wrong "there are: auto, always, never" run "$tiny" --color=purple
wrong "contradict" run "$tiny" -q -v

# A value may follow the letter of its option.
for options in "-s7" "-s=7" "-s 7" "-qs 7"; do
	# shellcheck disable=SC2086 # options
	try 0 run $options "$tiny"
	says stdout "seed 7"
done
wrong "--runs takes" run "$tiny" -n0
wrong "unknown option" run "$tiny" -Q3
try 2 run -- -s7
says stderr "-s7: cannot read"

for seed in '' -1 1x 0x 0x0x1 ' 1' +1 1.5 18446744073709551616; do
	wrong "--seed takes" run "$tiny" --seed "$seed"
done
for runs in 0 -1 many 1000000001; do
	wrong "--runs takes" run "$tiny" --runs "$runs"
done
for time in 0 5 -1 5parsec 1e3 99999999999999s; do
	wrong "--max-time takes" run "$tiny" --max-time "$time"
done
for size in 0 -1 big 1T 99999999999999G; do
	wrong "--max-memory takes" run "$tiny" --max-memory "$size"
done
wrong "--max-steps takes" run "$tiny" --max-steps 0
wrong "--max-instructions takes" run "$tiny" --max-instructions none

finish
