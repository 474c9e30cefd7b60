#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The tables of docs/iterators.md are what tests/tools/iterators.sh measures.

. "$(dirname "$0")/lib.sh"

tests/tools/iterators.sh "$(dirname "$SLABSIM")" >"$work/tables"
grep '^|' "$work/tables" | while IFS= read -r line; do
	grep -qxF -e "$line" docs/iterators.md || echo "$line"
done >"$work/missing"
if [ -s "$work/missing" ] || ! [ -s "$work/tables" ]; then
	complain "docs/iterators.md lacks what is measured:"
	cat "$work/missing"
fi

finish
