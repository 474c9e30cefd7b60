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
	if has mmdc "$name, Mermaid"; then
		mmdc -q -i "$out/x.mmd" -o "$out/x.svg" >"$out/log" 2>&1 || cat "$out/log"
		agree "$name, mmdc, diagrams" "$(grep -c '<svg' "$out/x.svg" || true)" 1
	fi
}

check race "$exports/race.trace.jsonl"
check hostile "$exports/hostile.trace.jsonl"
"$slabsim" run scenarios/demo.lua -q -o "$work/run" >"$work/log" 2>&1 || [ $? -eq 1 ]
check demo "$work/run/demo.trace.jsonl"

exit "$failed"
