#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The main demo tells the story that it promises: the task is moved out in the middle of its
# allocations, no operation fails, and what it prints is named.

. "$(dirname "$0")/lib.sh"

demo=$(dirname "$0")/../../scenarios/demo.lua

for seed in 1 2 3 4 5; do
	try 0 run "$demo" --seed "$seed"
	grep -E '(attach|rmdir|destroy|alloc|alloc_many) returns -|wait:[0-9]' "$work/stdout" &&
		complain "seed $seed: an operation fails, or an object has no name"
	says stdout " wait ready"
	# Before the admin moves the task, and after.
	sed '/allocator joins \/app$/,$d' "$work/stdout" | grep -q ' alloc inode$' ||
		complain "seed $seed: no allocation before the task is moved"
	sed '1,/allocator joins \/app$/d' "$work/stdout" | grep -q '^ .*kmem_cache_free' ||
		complain "seed $seed: no free after the task is moved"
done

# What the README shows of it is what it prints.
readme=$(dirname "$0")/../../README.md
try 0 run "$demo"
sed -n '/^  time us /,/^```$/p' "$readme" | grep -vxF -e '...' -e '```' >"$work/shown"
[ "$(wc -l <"$work/shown")" -gt 20 ] || complain "the README shows nothing of the demo"
grep -vxF -f "$work/stdout" "$work/shown" >"$work/stderr" && {
	: >"$work/stdout"
	complain "the README shows lines that the demo does not print"
}

finish
