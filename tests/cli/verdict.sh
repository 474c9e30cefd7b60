#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Verdicts: exit status, what is printed, and a replay line that replays.

. "$(dirname "$0")/lib.sh"

try 0 run "$tiny"
head -n 1 "$work/stdout" | grep -q "^tiny: PASS " || complain "no verdict first"
tail -n 1 "$work/stdout" | grep -q "^tiny: PASS " || complain "no verdict last"
awk 'length > 100' "$work/stdout" | grep -q . && complain "lines wider than 100 columns"
LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "the report is not ASCII"
for section in "time us" Lives "References at the end" Counters; do
	says stdout "$section"
done

try 1 run "$typo" --variant get-cache-rcu-typo --seed 0x2a
head -n 1 "$work/stdout" | grep -q "^typo: FAIL " || complain "no verdict first"
says stdout "BUG: slabsim: "
says stdout "[simulated]"
says stdout "Call Trace:"
says stdout "seed 42"
replay=$(sed -n 's/^Replay: slabsim //p' "$work/stdout")
cp "$work/stdout" "$work/first"
# shellcheck disable=SC2086 # a command line
try 1 $replay
cmp -s "$work/stdout" "$work/first" || complain "the replay line gives another report"
try 0 run "$typo" --variant -get-cache-rcu-typo -q

# Many runs: stop at the first failure unless told otherwise.
try 0 run "$tiny" --runs 10 -q
says stdout "10 runs, seeds 1 to 10: no violation"
[ "$(wc -l <"$work/stdout")" -eq 1 ] || complain "quiet success is one line"
try 1 run "$typo" --variant get-cache-rcu-typo --runs 5 -q
says stdout "1 runs, seeds 1 to 1: 1 failed"
try 1 run "$typo" --variant get-cache-rcu-typo --runs 5 -q --keep-going -o "$work/many"
says stdout "5 runs, seeds 1 to 5: 5 failed"
[ -s "$work/many/typo.seed-5.trace.jsonl" ] || complain "a failing seed left no trace"

# A limit is no verdict, but what there is is kept.
try 5 run "$tiny" --max-steps 3 -o "$work/limit" -q
says stdout INCOMPLETE
says stderr --max-steps
tail -n 1 "$work/limit/tiny.trace.jsonl" | grep -q '"verdict":"incomplete"' ||
	complain "the trace of a stopped run does not say so"

# What a scenario says stands below its tables, as the timeline may be too long to be printed.
try 0 run scenarios/reclaim/enomem.lua --lifecycle v3.19 --set recovers=false
says stdout "252 of 1200 names looked up, ENOMEM 6 times, 252 dentries left"
try 0 run scenarios/reclaim/enomem.lua --lifecycle v3.19 --set recovers=false -q
grep -q "names looked up" "$work/stdout" && complain "-q prints what was said"

finish
