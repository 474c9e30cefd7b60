#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# slabsim explore --jobs, checkpoints and --resume: the same outcome, however the work
# is divided.

. "$(dirname "$0")/lib.sh"

needle=tests/explore/needle.lua
model=scenarios/models/cache_shutdown.lua
out=$work/out

# What does not say how long it took.
timeless() {
	sed 's/ after [0-9.]* s//; s/, [0-9.]* s)$/)/; s/, longest .*//' "$1"
}

# The verdict, the counts and every file but for times are those of one job.
for strategy in auto random pct bounded dpor exhaustive; do
	try 1 explore $needle --set appends=3 --strategy $strategy --max-time 100s -o "$work/1"
	timeless "$work/stdout" | sed "s|$work/1|DIR|" >"$work/one"
	for jobs in 2 3 8; do
		try 1 explore $needle --set appends=3 --strategy $strategy --max-time 100s \
			-o "$work/$jobs" --jobs $jobs
		timeless "$work/stdout" | sed "s|$work/$jobs|DIR|" >"$work/more"
		cmp -s "$work/one" "$work/more" ||
			complain "$strategy: $jobs jobs say something else"
		for file in needle.sched needle.trace.jsonl needle.race.txt; do
			cmp -s "$work/1/$file" "$work/$jobs/$file" ||
				complain "$strategy: $jobs jobs give another $file"
		done
		rm -r "${work:?}/$jobs"
	done
	try 1 replay "$work/1/needle.sched"
	rm -r "$work/1"
done

# A lifecycle, with the variant that it is to be caught in.
for jobs in 1 2; do
	try 1 explore scenarios/lifecycle/sysfs_contention.lua --variant workfn-write-after-free \
		--strategy pct --max-time 100s -o "$work/v$jobs" --jobs $jobs -q
done
cmp -s "$work/v1/sysfs_contention.sched" "$work/v2/sysfs_contention.sched" ||
	complain "another schedule"

# Stopped by a limit, and gone on from there, it adds up to the whole.
for strategy in dpor exhaustive bounded; do
	runs=150
	[ $strategy = dpor ] || runs=25
	set -- explore $needle --set appends=2 --set needle=no --strategy $strategy
	try 0 "$@"
	grep '^[0-9]* executions' "$work/stdout" | sed 's/, longest.*//' >"$work/whole"
	try 0 "$@" --max-runs $runs -o "$out"
	says stdout INCOMPLETE
	says stderr "wrote $out/needle.checkpoint; --resume goes on from it"
	holds "$out" needle.checkpoint
	try 0 "$@" --max-runs $((2 * runs)) -o "$out" --resume "$out/needle.checkpoint"
	says stdout "the limit of $((2 * runs)) executions was hit"
	for jobs in 1 2; do
		try 0 "$@" --resume "$out/needle.checkpoint" --jobs $jobs
		says stdout "needle: PASS no violation; covered: every ordering"
		grep '^[0-9]* executions' "$work/stdout" | sed 's/, longest.*//' >"$work/sum"
		cmp -s "$work/whole" "$work/sum" || complain "$strategy does not add up"
	done
	rm -r "$out"
done

# By a time limit, with and without a place for the checkpoint.
try 0 explore $needle --set appends=5 --set needle=no --strategy dpor --max-time 300ms --jobs 2 \
	-o "$out"
says stdout "the limit of 0.3 s was hit: --max-time"
holds "$out" needle.checkpoint
try 0 explore $needle --set appends=5 --set needle=no --strategy dpor --max-time 300ms
says stderr "-o DIR keeps a checkpoint to go on from"
rm -r "$out"

# By a signal, while workers are at work: nothing is lost, nobody is left.
for strategy in random dpor exhaustive; do
	begin explore $needle --set appends=5 --set needle=no --strategy $strategy \
		--max-time 600s --jobs 2 -o "$out"
	until_true told " executions"
	end_with TERM
	[ "$status" -eq 130 ] || complain "$strategy, interrupted: exit $status"
	says stdout "interrupted"
	holds "$out" needle.checkpoint
	executions=$(sed -n 's/^\([0-9]*\) execution.*/\1/p' "$work/stdout")
	try 0 explore $needle --set appends=5 --set needle=no --strategy $strategy \
		--max-time 1s --resume "$out/needle.checkpoint" -o "$out"
	more=$(sed -n 's/^\([0-9]*\) execution.*/\1/p' "$work/stdout")
	[ "$more" -ge "$executions" ] || complain "$strategy: $executions executions, then $more"
	rm -r "$out"
done

has_worker() {
	pgrep -P "$pid" >/dev/null
}

# A worker that is killed is said, at once.
begin explore $needle --set appends=6 --set needle=no --strategy dpor --max-time 600s --jobs 2
if command -v pgrep >/dev/null; then
	until_true has_worker
	kill -KILL "$(pgrep -P "$pid" | head -n 1)"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 3 ] || complain "killed worker: exit $status"
	says stderr "a worker was killed by SIGKILL"
	[ -z "$(pgrep -P "$pid")" ] || complain "a worker is left"
else
	kill "$pid"
	wait "$pid" || :
fi

# Memory for states.
try 0 explore $needle --set appends=5 --set needle=no --strategy exhaustive --seen-memory 1M \
	--max-time 100s -o "$out"
says stdout "the memory for states that were seen is full: --seen-memory"
holds "$out" needle.checkpoint
rm -r "$out"

# refused TEXT ARGUMENT...: the checkpoint does not go with it
refused() {
	text=$1
	shift
	try 2 explore "$@" --resume "$out/needle.checkpoint"
	says stderr "cannot resume '$out/needle.checkpoint': "
	says stderr "$text"
	one_line_error
}

set -- $needle --set needle=no --set appends=2 --strategy dpor
try 0 explore "$@" --max-runs 50 -o "$out"
refused "it differs in 'scenario': 'needle', and here it is 'cache_shutdown'" $model --strategy dpor
refused "it differs in 'parameters': 'needle=no appends=2', and here it is" "$@" --set choices=1
refused "it differs in 'strategy': 'dpor', and here it is 'exhaustive'" \
	$needle --set needle=no --set appends=2 --strategy exhaustive
refused "it differs in 'seed': '1', and here it is '2'" "$@" --seed 2
refused "it differs in 'lifecycle': 'v5.3', and here it is 'seed1-v4'" "$@" --lifecycle seed1-v4
refused "it differs in 'keep-going'" "$@" --keep-going
cp $needle "$work/needle.lua"
echo "-- edited" >>"$work/needle.lua"
refused "it differs in 'digest'" "$work/needle.lua" --set needle=no --set appends=2 --strategy dpor
try 2 explore "$@" --resume "$work/nothing"
says stderr "$work/nothing"
one_line_error
cp "$out/needle.checkpoint" "$work/good"
sed 's/^seed 1$/seed 2/' "$work/good" >"$out/needle.checkpoint"
refused "incomplete or was edited: the sum is wrong" "$@" --seed 2
head -c 500 "$work/good" >"$out/needle.checkpoint"
sed '1s/2$/1/' "$work/good" >"$out/needle.checkpoint"
refused "its format is not version 2" "$@"
: >"$out/needle.checkpoint"
refused "not a checkpoint" "$@"
head -c 100000 /dev/urandom >"$out/needle.checkpoint"
refused "not a checkpoint" "$@"

# forge OFFSET: the good one with eight bytes of its state changed, and the sum that it has then
forge() {
	lines=$(grep -anm 1 "^state " "$work/good" | cut -d : -f 1)
	state=$(head -n "$lines" "$work/good" | wc -c)
	head -c -65 "$work/good" >"$work/forged"
	printf '\377\377\377\377\377\377\377\377' |
		dd of="$work/forged" bs=1 seek=$((state + $1)) conv=notrunc status=none
	sha256sum <"$work/forged" | cut -d " " -f 1 >"$work/sum"
	cat "$work/forged" "$work/sum" >"$out/needle.checkpoint"
}

forge 0
refused "its state is not one of this exploration" "$@"
# 600 and more: the paths to go on from.
offset=8
while [ $offset -lt 2000 ]; do
	forge $offset
	status=0
	"$SLABSIM" explore "$@" --resume "$out/needle.checkpoint" --max-time 1s \
		>"$work/stdout" 2>"$work/stderr" || status=$?
	case $status in
	0) ;;
	2)
		says stderr "cannot resume '$out/needle.checkpoint': "
		one_line_error
		;;
	*) complain "forged at $offset: exit status $status" ;;
	esac
	offset=$((offset + 104))
done

for size in 0 -1 lots 4K; do
	try 2 explore $needle --seen-memory $size
	says stderr "--seen-memory takes"
	one_line_error
done

finish
