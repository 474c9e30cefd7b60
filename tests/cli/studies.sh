#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The figures and claims of docs/studies.md, and those of them in README.md, are what is measured.

. "$(dirname "$0")/lib.sh"

fresh=tests/tools/studies_fresh.py

python3 "$fresh" "$SLABSIM" docs/studies.md README.md >"$work/stdout" 2>"$work/stderr" ||
	complain "docs/studies.md says something else than the studies; make studies renews it"

# It notices: one table is changed in one way after the other.
sed -n '1,/^<!-- slabsim/{ /^<!-- slabsim/!p; }' docs/studies.md >"$work/head"
sed -n '/^<!-- slabsim study .*destroy_cost/,/^<!-- end/p' docs/studies.md >"$work/block"
notices() {
	sed "$1" "$work/block" >"$work/changed"
	[ -n "$1" ] && cmp -s "$work/block" "$work/changed" && complain "'$1' changes nothing"
	cat "$work/head" "$work/changed" >"$work/doc.md"
	python3 "$fresh" "$SLABSIM" "$work/doc.md" >"$work/stdout" 2>"$work/stderr"
	got=$?
	[ "$got" -eq "$2" ] || complain "with '$1': exit status $got, should be $2"
}
notices '' 0
notices 's/^  v3.19     2  11  101$/  v3.19     2  11  102/' 1
notices 's/^  v3.19       18.2 +-1.9  /  v3.19       28.2 +-1.9  /' 1
notices '/^  v5.8      3   3    3$/d' 1
notices 's/^grace periods (times)$/grace periods (ms)/' 1
notices 's/^  supported      from v5.9 on/  supported      from v5.3 on/' 1
notices 's/^  supported      from v5.9 on/  NOT SUPPORTED  from v5.9 on/' 1

finish
