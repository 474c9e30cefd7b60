#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# scenarios.sh - list the runs that the scenarios ask for, one a line: FILE STATUS [OPTION...]
#
# A scenario is run once, without options, and must end with status 0, unless it says otherwise:
#
#     -- test: --lifecycle seed1-v4 --seed 3 => 1
#
# Each such line is a run of its own.  What scenarios/lib holds is loaded by scenarios, not run.

set -eu

find scenarios -name '*.lua' ! -path 'scenarios/lib/*' | LC_ALL=C sort | while read -r file; do
	awk -v file="$file" '
		/^-- test:/ {
			status = 0
			if (match($0, /=> *[0-9]+ *$/)) {
				status = substr($0, RSTART + 2) + 0
				$0 = substr($0, 1, RSTART - 1)
			}
			sub(/^-- test: */, "")
			print file, status, $0
			seen = 1
		}
		END { if (!seen) print file, 0 }
	' "$file"
done
