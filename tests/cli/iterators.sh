#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What docs/iterators.md says in its tables is what is measured.

. "$(dirname "$0")/lib.sh"

tests/tools/iterators.sh "$(dirname "$SLABSIM")" >"$work/tables" 2>"$work/stderr"
grep '^|' "$work/tables" | while IFS= read -r line; do
	grep -qxF -e "$line" docs/iterators.md || echo "$line"
done >"$work/stdout"
[ -s "$work/tables" ] && ! [ -s "$work/stdout" ] ||
	complain "docs/iterators.md lacks what tests/tools/iterators.sh measures"

finish
