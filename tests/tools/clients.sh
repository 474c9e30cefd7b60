#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# clients.sh BUILD - feed exports to the tools that they are made for.
#
# Each client that is installed has to read every event, and complain about nothing.  One that is
# not installed is skipped, and said to be.

set -eu

slabsim=$(cd "$1" && pwd)/slabsim
exports=$(cd "$(dirname "$0")/../cli/exports" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# agree WHAT GOT WANTED
agree() {
	if [ "$2" = "$3" ]; then
		echo "ok    $1: $2"
	else
		echo "FAIL  $1: $2, expected $3"
		failed=1
	fi
}

has() {
	command -v "$1" >/dev/null && return
	echo "skip  $2: $1 is not installed"
	return 1
}

# quiet FILE WHAT: nothing was said on standard error
quiet() {
	[ ! -s "$1" ] || agree "$2 complains" "$(head -n 1 "$1")" ""
}

# in_kernelshark FILE EVENTS: its table has every event, by time, and its plots show tasks
in_kernelshark() {
	if ! python3 "$(dirname "$0")/kernelshark.py" "$1" >"$out/log" 2>"$out/err"; then
		agree "$name, KernelShark" "$(tail -n 1 "$out/err")" ""
		return
	fi
	agree "$name, KernelShark, events" "$(grep -c 'memcgslab/.* seq=[0-9]' "$out/log")" "$2"
	agree "$name, KernelShark, rows out of order" "$(awk -F '; ' '/; CPU / {
		if ($2 < last) n++; last = $2 } END { print n + 0 }' "$out/log")" 0
	colours=$(sed -n 's/^colours: //p' "$out/log")
	agree "$name, KernelShark, tasks are drawn" "$((colours >= 3))" 1
}

# check NAME TRACE
check() {
	name=$1
	trace=$2
	out=$work/$name
	mkdir "$out"
	"$slabsim" report "$trace" -q --chrome "$out/x.json" --perfetto "$out/x.pftrace" \
		--trace-dat "$out/x.dat" --ctf "$out/x.ctf" --mermaid "$out/x.mmd"
	events=$(grep -c '"type":"event"' "$trace")

	if has trace-cmd "$name, trace.dat"; then
		trace-cmd report "$out/x.dat" >"$out/log" 2>"$out/err"
		quiet "$out/err" "trace-cmd"
		agree "$name, trace-cmd report, events" "$(grep -c ' seq=[0-9]' "$out/log")" \
			"$events"
		agree "$name, trace-cmd report, not understood" \
			"$(grep -ciE 'unknown|failed|\[FAIL' "$out/log")" 0
	fi
	if has kernelshark "$name, KernelShark" && has Xvfb "$name, KernelShark"; then
		in_kernelshark "$out/x.dat" "$events"
	fi
	if has babeltrace2 "$name, CTF"; then
		babeltrace2 "$out/x.ctf" >"$out/log" 2>"$out/err"
		quiet "$out/err" "babeltrace2"
		agree "$name, babeltrace2, events" "$(grep -c ' memcgslab:' "$out/log")" \
			"$events"
	fi
	if has protoc "$name, Perfetto"; then
		protoc --decode perfetto.protos.Trace -I "$exports" \
			"$exports/trackevent-min.proto" <"$out/x.pftrace" >"$out/log"
		agree "$name, protoc, unknown fields" "$(grep -cE '^ *[0-9]+' "$out/log")" 0
		agree "$name, protoc, ends of spans" "$(grep -c TYPE_SLICE_END "$out/log")" \
			"$(grep -c TYPE_SLICE_BEGIN "$out/log")"
	fi
	if has jq "$name, Chrome JSON"; then
		agree "$name, jq, events without ph, ts, pid or tid" "$(jq '[.traceEvents[] |
			select((has("ph") and has("ts") and has("pid") and has("tid")) | not)] |
			length' "$out/x.json")" 0
		agree "$name, jq, ends of arrows" \
			"$(jq '[.traceEvents[] | select(.ph == "f")] | length' "$out/x.json")" \
			"$(jq '[.traceEvents[] | select(.ph == "s")] | length' "$out/x.json")"
	fi
	if has node "$name, Chrome JSON" &&
		node -e "require('@tracerbench/trace-model')" 2>/dev/null; then
		agree "$name, tracerbench, processes" "$(node -e "
			const {buildModel} = require('@tracerbench/trace-model');
			const text = require('fs').readFileSync(process.argv[1]);
			console.log(buildModel(JSON.parse(text)).processes.length)" \
			"$out/x.json")" 5
	fi
	if has mmdc "$name, Mermaid"; then
		mmdc -q -i "$out/x.mmd" -o "$out/x.svg" >"$out/log" 2>&1 || cat "$out/log"
		agree "$name, mmdc, diagrams" "$(grep -c '<svg' "$out/x.svg" || true)" 1
	fi
}

# The kernel's own scripts, out of the source that Debian packages (linux-source-6.1, 130 MB:
# too much to be installed for this).
kernel_tools() {
	archive=$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort | tail -n 1)
	if [ -z "$archive" ]; then
		echo "skip  kunit.py, checkpatch.pl: no linux-source package is installed"
		return 1
	fi
	tools=$1/kernel-tools
	[ -e "$tools/scripts/checkpatch.pl" ] && return
	mkdir -p "$tools"
	top=$(basename "$archive" .tar.xz)
	tar -C "$tools" --strip-components=1 -xJf "$archive" "$top/tools/testing/kunit" \
		"$top/scripts/spelling.txt" "$top/scripts/const_structs.checkpatch" \
		"$top/scripts/checkpatch.pl"
}

# results NAME PASSED FAILED FILE...: what slabsim test says of them, in each format
results() {
	name=$1
	passed=$2
	wrong=$3
	shift 3
	"$slabsim" test "$@" -q --no-timing --junit "$work/junit.xml" --force >"$work/log" || true
	if has xmllint "$name, JUnit"; then
		cases=$(xmllint --xpath 'count(//testcase)' "$work/junit.xml")
		failures=$(xmllint --xpath 'count(//failure)' "$work/junit.xml")
		agree "$name, xmllint, test cases" "$cases" $((passed + wrong))
		agree "$name, xmllint, failures" "$failures" "$wrong"
	fi
	"$slabsim" test "$@" --no-timing --tap >"$work/tap" || true
	if has prove "$name, TAP"; then
		prove -e cat "$work/tap" >"$work/log" 2>&1 || true
		agree "$name, prove, tests" \
			"$(sed -n 's/^Files=1, Tests=\([0-9]*\),.*/\1/p' "$work/log")" \
			$((passed + wrong))
		agree "$name, prove, failed" \
			"$(sed -n 's/.* Failed: \([0-9]*\))$/\1/p' "$work/log" | grep . ||
				echo 0)" "$wrong"
	fi
	[ -n "${tools:-}" ] || return 0
	"$slabsim" test "$@" --no-timing --ktap >"$work/ktap" || true
	kunit=$tools/tools/testing/kunit/kunit.py
	said="$((passed + wrong)) tests: passed: $passed"
	[ "$wrong" -eq 0 ] || said="$said, failed: $wrong"
	python3 "$kunit" parse "$work/ktap" >"$work/log" 2>&1 || true
	agree "$name, kunit.py" "$(sed -n 's/.*Testing complete. Ran //p' "$work/log")" "$said"
}

# in_mail TABLE: it survives git am, and checkpatch.pl has nothing to say about it
in_mail() {
	name=$(basename "$(dirname "$1")")
	{
		printf 'mm: what goes wrong\n\nThis happens:\n\n'
		cat "$1"
		printf '\nSigned-off-by: A Developer <a@example.org>\n'
	} >"$work/message"
	echo "$name" >"$work/mail/file"
	git -C "$work/mail" add file
	git -C "$work/mail" commit -q --cleanup=verbatim -F "$work/message"
	git -C "$work/mail" format-patch -q -1 --stdout >"$work/patch"
	git -C "$work/mail" reset -q --hard HEAD~1
	git -C "$work/mail" am -q "$work/patch" >"$work/log" 2>&1 || cat "$work/log"
	agree "$name, git am, lines that differ" \
		"$(git -C "$work/mail" log -1 --format=%B | diff -B - "$work/message" |
			grep -c '^[<>]' || true)" 0
	[ -n "${tools:-}" ] || return 0
	perl "$tools/scripts/checkpatch.pl" --no-tree "$work/patch" >"$work/log" 2>&1 || true
	agree "$name, checkpatch.pl" "$(
		sed -n 's/^total: \(.* warnings\),.*/\1/p' "$work/log")" "0 errors, 0 warnings"
}

check race "$exports/race.trace.jsonl"
check hostile "$exports/hostile.trace.jsonl"
"$slabsim" run scenarios/demo.lua -q -o "$work/run" >"$work/log" 2>&1 || [ $? -eq 1 ]
check demo "$work/run/demo.trace.jsonl"

tools=
kernel_tools "$1" || true
many=scenarios/lifecycle/alias.lua
nr=$("$slabsim" test "$many" --json --no-timing | grep -c '"type":"test"')
results "tests that pass" "$nr" 0 "$many"
hostile=$work/'<a>&"; # not ok 7'
mkdir "$hostile"
cat >"$hostile/<![CDATA[.lua" <<'LUA'
return scenario {
  doc = "]]></x>\27[1m\255 # SKIP",
  tasks = { task("t", function() end) },
  expect = { { "v5.3", finds = "leak" }, { "v5.3", never = "*" } },
}
LUA
results "hostile names" 1 1 "$hostile"

if has git "race tables"; then
	git init -q "$work/mail"
	git -C "$work/mail" config user.name "A Developer"
	git -C "$work/mail" config user.email a@example.org
	echo start >"$work/mail/file"
	git -C "$work/mail" add file
	git -C "$work/mail" commit -q -m start
	tests/tools/bugs.sh "$1" "$work/bugs" >"$work/log" || cat "$work/log"
	for table in "$work"/bugs/*/*.race.txt; do
		in_mail "$table"
	done
fi

exit "$failed"
