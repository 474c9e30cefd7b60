#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# report STUDY.csv: what a study measured, as a table and as plots in one page.

. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")/../html
head=study,series,x,x_unit,metric,unit,replications,mean,ci_low,ci_high

# row X MEAN LOW HIGH: as most of the rows here
row() {
	echo "offline,v5.3,$1,caches,time,us,30,$2,$3,$4"
}

{
	echo "$head"
	for series in v4.18 v5.3; do
		for x in 1 4 16 64 256; do
			mean=$((x * 10)).5
			at=offline,$series,$x,caches
			echo "$at,time to free,us,30,$mean,$((x * 9)),$((x * 12))"
			echo "$at,grace periods,,30,$x,,"
		done
	done
	echo 'offline,v5.3,"the ""fast"", one",variant,pages,pages,1,-4,-5.5,1e1'
	echo 'offline,v5.3,slow,variant,pages,pages,12,0,0,0'
} >"$work/study.csv"
try 0 report "$work/study.csv"
says stdout "offline: time to free, us  over caches"
says stdout "  v5.3              256         2560.5  [2304, 3072]  n=30"
[ "$(grep -c '^offline: ' "$work/stdout")" -eq 3 ] || complain "not a block for each metric"
try 0 report "$work/study.csv" --html "$work/study.html"
[ ! -s "$work/stdout" ] || complain "--html prints something"
says stderr "wrote $work/study.html"
try 0 report "$work/study.csv" --html -
cmp -s "$work/study.html" "$work/stdout" || complain "the page is not always the same"
try 2 report "$work/study.csv" --html "$work/study.html"
says stderr "exists; --force replaces it"
try 0 report "$work/study.csv" --text --html "$work/study.html" --force -q
says stdout "grace periods"

# Columns in another order, more of them, lines as Windows ends them, a last one that does not end.
awk -F, -v OFS=, '{ print "extra," $10, $9, $8, $7, $6, $5, $4, $3, $2, $1 }' <<END |
$head
$(row 1 10 9 12)
$(row 4 40 36 48)
END
	sed 's/$/\r/' | head -c -2 >"$work/other.csv"
try 0 report "$work/other.csv"
says stdout "  v5.3                4             40  [36, 48]  n=30"

# What is wrong is said with its line.
# wrong LINE TEXT <ROWS
wrong() {
	cat >"$work/wrong.csv"
	try 2 report "$work/wrong.csv" --html "$work/wrong.html"
	one_line_error
	says stderr "wrong.csv:$1: "
	says stderr "$2"
	[ ! -e "$work/wrong.html" ] || complain "a wrong file makes a page"
}
wrong 1 "empty" </dev/null
echo "study,series,x" | wrong 1 "there is no column 'x_unit'"
echo "$head" | wrong 2 "no rows"
{ echo "$head"; row 1 10 9 12; row 2 ten 9 12; } | wrong 3 "mean is 'ten'"
{ echo "$head"; row 1 inf 9 12; } | wrong 2 "mean is 'inf'"
{ echo "$head"; row 1 20 9 12; } | wrong 2 "the mean 20 is not between ci_low 9 and ci_high 12"
{ echo "$head"; row 1 20 9 ""; } | wrong 2 "ci_high is ''"
{ echo "$head"; echo "a,b,1"; } | wrong 2 "3 cells; the headings have 10"
{ echo "$head"; row 1 10 9 12 | sed 's/,30,/,0,/'; } | wrong 2 "replications is '0'"
{ echo "$head"; row 1 10 9 12 | sed 's/offline/"offline/'; } | wrong 2 "a quoted cell does not end"
printf '%s\n\0\0,\n' "$head" | wrong 2 "cells"
try 2 report "$work/missing.csv"
one_line_error
for option in --race --counters "--ledger cache:1" "--csv x.csv" "--perfetto x"; do
	# shellcheck disable=SC2086 # an option and its value
	try 2 report "$work/study.csv" $option
	one_line_error
done

# Names that a page or a terminal would obey.
evil='</script><script>window.hacked=1</script><img id=evil src=x onerror=window.hacked=1>@script@'
{
	echo "$head"
	for x in 1 "$evil" '""'; do
		printf '"%s","%s","%s","%s\033[31m","%s\342\200\256","%s",7,1e-300,0,1e300\n' \
			"$evil" "$evil" "$x" "$evil" "$evil" "$evil"
	done
	printf '\377\300,%05000d,5,,,,1,-1,-2,0\n' 0
} >"$work/evil.csv"
try 0 report "$work/evil.csv" --html "$work/evil.html" --text
LC_ALL=C grep -q '[^ -~]' "$work/stdout" && complain "the text is not ASCII"
[ "$(grep -c -i '</script' "$work/evil.html")" -eq 2 ] || complain "a name ends a script"
if grep -n -i -e 'https\{0,1\}:' -e 'src=' -e '<link' -e '@import' -e 'url(' -e 'fetch(' \
	-e 'XMLHttpRequest' -e 'innerHTML' -e 'eval(' "$work/study.html" |
	grep -v 'http://www.w3.org/2000/svg' >"$work/stdout"; then
	complain "the page may load something, or take text for markup"
fi

# One point, a thousand series, far more points than pixels.
{ echo "$head"; row 5 10 10 10; } >"$work/one.csv"
try 0 report "$work/one.csv" --html "$work/one.html" -q
awk -v head="$head" 'BEGIN { print head
	for (i = 0; i < 20000; i++)
		printf "big,s%d,%d,steps,m,,3,%d,%d,%d\n", i % 40, i, i % 977, i % 977 - 1,
			i % 977 + 9
}' >"$work/many.csv"
try 0 report "$work/many.csv" --html "$work/many.html" -q

cat >"$work/noaxis.csv" <<END
$head
storm,v4.0,,,rmdir took,us,20,1200.5,1100,1300
storm,v4.18,,,rmdir took,us,20,400.5,350,450
storm,v5.3,,,rmdir took,us,1,380,,
END
try 0 report "$work/noaxis.csv" --html "$work/noaxis.html" -q

if ! command -v chromium >/dev/null || ! command -v python3 >/dev/null; then
	echo "skipped: plots in a browser; chromium or python3 is not installed"
	finish
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$here/test_study.py" "$work/study.html" "$work/evil.html" \
	"$work/one.html" "$work/many.html" "$work/noaxis.html" ||
	{ : >"$work/stdout"; : >"$work/stderr"; complain "the page does not work in a browser"; }
finish
