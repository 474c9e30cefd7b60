#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Spin on the model that bench_explore explores, on the same machine: states, time, memory.
# Debian's package spin is installed if it can be.  BENCH_LONG=1: the sizes that take minutes.

set -eu

dir=$(dirname "$0")

if ! command -v spin >/dev/null; then
	"$dir/../tools/setup.sh" spin >/dev/null 2>&1 || true
fi
if ! command -v spin >/dev/null; then
	echo "spin: skipped, it is not installed (Debian: apt-get install spin)"
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$dir/cache_shutdown.pml" "$work"
cd "$work"

# check N K
check() {
	spin -DN="$1" -DK="$2" -a cache_shutdown.pml >/dev/null
	cc -O3 -w -DMEMLIM=12000 -DSAFETY -o pan pan.c
	# It leaves out the time when that is too short to be measured.
	./pan -m1000000 -w24 >out
	awk -v n="$1" -v k="$2" '
		/errors: / { errors = $NF }
		/ states, stored/ { states = $1 }
		/ transitions / { transitions = $1 }
		/total actual memory usage/ { memory = $1 }
		/elapsed time/ { seconds = $4 }
		END {
			printf "spin (%d,%d) %11d states ", n, k, states
			printf "%12d transitions  ", transitions
			printf "%8.2f s  %8.1f MB  %d errors\n", seconds, memory, errors
			exit errors > 0
		}' out
}

for size in "2 2" "3 2" "4 1"; do
	# shellcheck disable=SC2086 # two numbers
	check $size
done
if [ "${BENCH_LONG:-0}" != 0 ]; then
	check 4 2
	check 4 3
	check 5 2
fi
