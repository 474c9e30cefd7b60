#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The bugs of the rework of June 2019, as `make bugs` shows them: found without a word about
# orderings, and each with the four reports that explain it.

. "$(dirname "$0")/lib.sh"
: >"$work/stdout"
: >"$work/stderr"

"$(dirname "$0")/../tools/bugs.sh" "$(dirname "$SLABSIM")" "$work/bugs" >"$work/stdout" 2>&1 ||
	complain "not every bug is found, or lacks a report"
[ "$(wc -l <"$work/stdout")" -eq 8 ] || complain "not eight bugs"
for dir in "$work"/bugs/*; do
	variant=$(basename "$dir")
	grep -q '^ *\*\*\* [A-Z -]* \*\*\*$' "$dir"/*.race.txt || complain "$variant: no race table"
	awk 'length > 75' "$dir"/*.race.txt | grep -q . && complain "$variant: a table too wide"
	grep -q '^BUG: slabsim: ' "$dir"/*.splat.txt || complain "$variant: no kernel-style report"
	grep -q '^REFERENCE LEDGER  ' "$dir"/*.ledger.txt || complain "$variant: no ledger"
	for text in '"race":"' '"splat":"' '"ledger":"' "\"bugs\":[{\"name\":\"$variant\""; do
		grep -qF -e "$text" "$dir"/*.html || complain "$variant: the page lacks $text"
	done
	replayed=$(find "$dir" -name '*.sched')
	try 1 replay "$replayed" -q
done

# What makes this one a bug is a callback that nobody waits for: the table has to say that.
tr '\n' ' ' <"$work/bugs/refkill-vs-destroy/destroy_with_children.race.txt" >"$work/said"
grep -q 'is still pending: nothing makes destroy_memcg_params(C) ' "$work/said" ||
	complain "refkill-vs-destroy: what is missing is not said"
finish
