#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual pages: every command and option of the program, every exit status, every field of a
# trace; no complaint from mandoc.

. "$(dirname "$0")/lib.sh"
: >"$work/stdout"
: >"$work/stderr"

root=$(dirname "$0")/../..
man=$root/docs/man

awk -v SLABSIM="$SLABSIM" -f "$man/commands.awk" "$man/slabsim.1" >"$work/slabsim.1" ||
	complain "the page cannot be made"
cp "$man/slabsim-trace.5" "$work"
! grep -q '^@' "$work/slabsim.1" || complain "a place of the page was not filled in"

# A command that says nothing of itself is no page.
printf '#!/bin/sh\n[ $# -gt 1 ] || { echo Commands:; echo "  run  Runs"; }\n' >"$work/mute"
chmod +x "$work/mute"
if awk -v SLABSIM="$work/mute" -f "$man/commands.awk" "$man/slabsim.1" >/dev/null 2>&1; then
	complain "a command without help makes a page"
fi

if ! command -v mandoc >/dev/null; then
	echo "skipped: how the manual pages look; mandoc is not installed"
	finish
fi
for page in slabsim.1 slabsim-trace.5; do
	mandoc -Tlint -Wwarning "$work/$page" >"$work/stdout" 2>"$work/stderr" ||
		complain "$page: mandoc complains"
	# Text without the overstrikes that make it bold.
	mandoc -Tutf8 -O width=200 "$work/$page" 2>/dev/null | sed 's/.\x08//g' >"$work/$page.txt"
	[ "$(wc -l <"$work/$page.txt")" -gt 50 ] || complain "$page is short"
done

# shown PAGE TEXT: is it a tag of its own, or part of one?
shown() {
	grep -qE -e "^ +([^ ]+, )*$2([ ,=]|\$)" "$work/$1.txt" || complain "$1 lacks $2"
}
"$SLABSIM" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$work/commands"
while read -r command; do
	shown slabsim.1 "$command"
	"$SLABSIM" help "$command" | sed -n '/^Options:/,/^$/p' | grep -o -e '--[a-z-]*' \
		>"$work/options"
	awk -v command="$command" '/^   [a-z]+$/ { on = $1 == command } on' "$work/slabsim.1.txt" \
		>"$work/section.txt"
	while read -r option; do
		shown section "$option"
	done <"$work/options"
done <"$work/commands"
for code in 0 1 2 3 4 5 125 130 141; do
	shown slabsim.1 "$code"
done
for suffix in $(sed -n 's/^	{"\(\.[a-z.]*\)", OUTPUT_.*/\1/p' "$root/sim/cli/outputs.c"); do
	grep -qF -e "$suffix" "$work/slabsim.1.txt" || complain "slabsim.1 lacks $suffix"
	grep -qF -e "$suffix" "$root/docs/reports.md" || complain "docs/reports.md lacks $suffix"
done

if command -v python3 >/dev/null; then
	python3 - "$root/docs/trace.schema.json" >"$work/fields" <<'PY'
import json, sys

def names(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                yield from value
            yield from names(value)
    elif isinstance(node, list):
        for value in node:
            yield from names(value)

print("\n".join(sorted(set(names(json.load(open(sys.argv[1])))))))
PY
	[ "$(wc -l <"$work/fields")" -gt 25 ] || complain "the schema has few fields"
	while read -r field; do
		[ "$field" = type ] || shown slabsim-trace.5 "$field"
	done <"$work/fields"
fi
finish
