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
ln -s "$PWD/scenarios" "$work/scenarios" # schedules name it from here
for dir in "$work"/bugs/*; do
	variant=$(basename "$dir")
	grep -q '^ *\*\*\* [A-Z -]* \*\*\*$' "$dir"/*.race.txt || complain "$variant: no race table"
	awk 'length > 75' "$dir"/*.race.txt | grep -q . && complain "$variant: a table too wide"
	grep -q '^BUG: slabsim: ' "$dir"/*.splat.txt || complain "$variant: no kernel-style report"
	grep -q '^REFERENCE LEDGER  ' "$dir"/*.ledger.txt || complain "$variant: no ledger"
	for text in '"race":"' '"splat":"' '"ledger":"' "\"bugs\":[{\"name\":\"$variant\""; do
		grep -qF -e "$text" "$dir"/*.html || complain "$variant: the page lacks $text"
	done
	grep -q '^What is wrong:$' "$dir"/*.splat.txt || complain "$variant: what is wrong?"
	grep -q "^ $variant: " "$dir"/*.splat.txt || complain "$variant: not said which bug it is"

	# All of it follows from the trace, and so does whatever a replay writes, from wherever.
	trace=$(find "$dir" -name '*.trace.jsonl')
	base=${trace%.trace.jsonl}
	for kind in race splat 'ledger violation'; do
		# shellcheck disable=SC2086 # an option and its value
		try 0 report "$trace" --$kind
		cmp -s "$work/stdout" "$base.${kind%% *}.txt" ||
			complain "$variant: report --$kind says something else"
	done
	try 0 report "$trace" --html -
	cmp -s "$work/stdout" "$base.html" || complain "$variant: report --html: another page"
	(cd "$dir" && "$SLABSIM" replay "${base##*/}.sched" -q -o "$work/again/$variant") \
		>"$work/stdout" 2>"$work/stderr"
	[ $? -eq 1 ] || complain "$variant: not replayed from its directory"
	for file in "$work/again/$variant"/*; do
		cmp -s "$file" "$dir/${file##*/}" || complain "$variant: another ${file##*/}"
	done
done

# What makes this one a bug is a callback that nobody waits for: the table has to say that.
tr '\n' ' ' <"$work/bugs/refkill-vs-destroy/destroy_with_children.race.txt" >"$work/said"
grep -q 'is still pending: nothing makes destroy_memcg_params(C) ' "$work/said" ||
	complain "refkill-vs-destroy: what is missing is not said"
finish
