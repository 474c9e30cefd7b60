#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# report --html: one file with everything in it, which a browser shows and no trace breaks.

. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")/../html
scenarios=$(dirname "$0")/../../scenarios
offline=$scenarios/lifecycle/offline_vs_alloc.lua

# page TRACE FILE
page() {
	try 0 report "$1" --html "$2"
	says stderr "wrote $2"
	[ ! -s "$work/stdout" ] || complain "--html prints something"
}

try 1 explore "$offline" --variant none --variant workfn-clobber -q -o "$work/fail"
trace=$(find "$work/fail" -name '*.trace.jsonl')
page "$trace" "$work/fail.html"
try 0 run "$scenarios/demo.lua" -q -o "$work/pass"
page "$work/pass/demo.trace.jsonl" "$work/pass.html"

# The same bytes for the same trace, wherever it goes; no file is replaced unasked.
"$SLABSIM" report - --html - <"$trace" >"$work/again.html" 2>/dev/null
cmp -s "$work/fail.html" "$work/again.html" || complain "the page of a trace is not always the same"
try 2 report "$trace" --html "$work/fail.html"
one_line_error
try 0 report "$trace" --html "$work/fail.html" --force -q
try 2 report "$trace" --html - --race
one_line_error

# Nothing is loaded: no address of another file is in it.
if grep -n -i -e 'https\{0,1\}:' -e 'src=' -e '<link' -e '@import' -e 'url(' -e 'fetch(' \
	-e 'XMLHttpRequest' -e 'innerHTML' -e 'eval(' "$work/pass.html" >"$work/stdout"; then
	complain "the page may load something, or take text for markup"
fi
grep -q "default-src 'none'" "$work/pass.html" || complain "the page forbids nothing"

# Names from a script, and anything else that a trace can hold as text.
evil='</script><script>window.hacked=1</script><img id=evil src=x onerror=window.hacked=1>'
evil=$evil'<!--\u0000\u0007\u202e\u2066@script@${x}`&lt;\"\\'
long=$(printf '%05000d' 0)
{
	printf '{"type":"run","v":1,"scenario":"%s","design":"%s",' "$evil" "$evil"
	printf '"variants":["%s"],' "$evil"
	printf '"seed":18446744073709551615,"order":"timed","cpus":2,"clock":"virtual","unit":"ns",'
	printf '"replay":"%s"}\n' "$evil"
	printf '{"type":"event","seq":1,"t":1,"cpu":0,"ctx":"task","task":1,"comm":"%s",' "$evil"
	printf '"ev":"task_start","obj":"task:1","args":{"cpu":0,"comm":"%s"},"stack":["%s"]}\n' \
		"$evil" "$evil"
	printf '{"type":"event","seq":2,"t":1,"cpu":0,"ctx":"task","task":1,'
	printf '"ev":"kmem_cache_create","obj":"cache:1",'
	printf '"args":{"root":"-","memcg":"-","size":8,"name":"%s"}}\n' "$evil$long"
	printf '{"type":"event","seq":3,"t":2,"cpu":1,"ctx":"task","task":2,"ev":"log",'
	printf '"obj":"-","args":{"text":"%s\377\300"}}\n' "$long"
	printf '{"type":"event","seq":9,"t":5,"cpu":1,"ctx":"task","task":2,"ev":"free",'
	printf '"obj":"cache:1","cause":77,"via":"wake","args":{"how":"%s"}}\n' "$evil"
	printf '{"type":"violation","rule":"%s","seq":9,"t":5,"obj":"cache:4",' "$evil"
	printf '"related":[2,5],'
	printf '"msg":"%s"}\n' "$evil"
	printf '{"type":"end","t":9,"events":4,"steps":9,"violations":3,"verdict":"fail"}\n'
} | sed 's/\\u0000/\\u0001/' >"$work/hostile.raw"
iconv -c -f UTF-8 -t UTF-8 "$work/hostile.raw" >"$work/hostile.jsonl"
page "$work/hostile.jsonl" "$work/hostile.html"
[ "$(grep -c -i '</script' "$work/hostile.html")" -eq 2 ] ||
	complain "a name from the trace ends a script"

# A trace that was cut short, and one without events.
head -n 1 "$trace" >"$work/empty.jsonl"
try 0 report "$work/empty.jsonl" --html "$work/empty.html" -q
head -n 40 "$trace" >"$work/cut.jsonl"
try 0 report "$work/cut.jsonl" --html "$work/cut.html" -q

# Two runs on one page: what one of them lacks, nothing at all, names that are none.
try 0 run "$offline" --variant none --order random -q -o "$work/other"
other=$work/other/offline_vs_alloc.trace.jsonl
try 1 diff "$trace" "$other" --html "$work/diff.html"
says stderr "wrote $work/diff.html"
says stdout "FIRST DIVERGENCE"
cp "$work/stdout" "$work/diff.txt"
try 1 diff "$trace" "$other" --html -
cmp -s "$work/diff.html" "$work/stdout" || complain "the page of two traces is not always the same"
try 2 diff "$trace" "$other" --html "$work/diff.html"
says stderr "exists; --force replaces it"
try 0 diff "$trace" "$trace" --html "$work/same.html" -q
[ ! -s "$work/stdout" ] || complain "diff -q prints something"
try 1 diff "$work/hostile.jsonl" "$work/empty.jsonl" --html "$work/odd.html" -q
try 1 diff "$work/cut.jsonl" "$work/pass/demo.trace.jsonl" --html "$work/units.html" -q
[ "$(grep -c -i '</script' "$work/odd.html")" -eq 2 ] ||
	complain "a name from one of two traces ends a script"

times=${EVENTS:-100000}
awk -v TIMES="$((times / 1000))" -f "$here/big.awk" "$work/pass/demo.trace.jsonl" >"$work/big.jsonl"
page "$work/big.jsonl" "$work/big.html"
size=$(wc -c <"$work/big.html")
[ "$size" -lt "$((120000 + times * 15))" ] || complain "$times events make $size bytes"

if ! command -v chromium >/dev/null || ! command -v python3 >/dev/null; then
	echo "skipped: the page in a browser; chromium or python3 is not installed"
	finish
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$here/test_page.py" "$work/fail.html" "$work/pass.html" \
	"$work/hostile.html" "$work/big.html" "$work/empty.html" "$work/cut.html" \
	"$work/diff.html" "$work/same.html" "$work/odd.html" "$work/units.html" ||
	{ : >"$work/stdout"; : >"$work/stderr"; complain "the page does not work in a browser"; }
finish
