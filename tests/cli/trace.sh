#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Traces that are cut short or garbled: said with file and line, never a crash.

. "$(dirname "$0")/lib.sh"

try 0 run "$tiny" -o "$work" -q
trace=$work/tiny.trace.jsonl
size=$(wc -c <"$trace")

for part in 3 2; do
	head -c "$((size * (part - 1) / part))" "$trace" >"$work/cut.jsonl"
	try 0 report "$work/cut.jsonl"
	says stderr "cut short"
	says stdout "INCOMPLETE"
done
sed '$d' "$trace" >"$work/cut.jsonl"
try 0 report "$work/cut.jsonl"
says stderr "cut short"

# bad TEXT: the trace in bad.jsonl is refused with this text
bad() {
	try 2 report "$work/bad.jsonl"
	says stderr "$work/bad.jsonl:"
	says stderr "$1"
	one_line_error
}

: >"$work/bad.jsonl"
bad "empty"
echo "hello" >"$work/bad.jsonl"
bad ":1: this is not JSON"
sed 1d "$trace" >"$work/bad.jsonl"
bad ":1: this is no slabsim trace"
{ head -n 2 "$trace" && printf '{"type":"\000"}\n'; } >"$work/bad.jsonl"
bad ":3: there is a NUL byte"
{ head -n 2 "$trace" && echo '{"type":"event","seq":"x"}'; } >"$work/bad.jsonl"
bad ":3: \"seq\" must be a whole number"
{
	head -n 2 "$trace"
	awk 'BEGIN { for (i = 0; i < 200000; i++) printf "["; print "" }'
} >"$work/bad.jsonl"
bad ":3: brackets nest deeper"
{ head -n 1 "$trace" && head -c 3000000 /dev/zero | tr '\0' x; echo; } >"$work/bad.jsonl"
bad ":2: the line is longer"
sed '1s/"v":1/"v":2/' "$trace" >"$work/bad.jsonl"
bad ":1: the trace has version 2"

# Every line is JSON, and fits the schema.
schema=$(dirname "$0")/../../docs/trace.schema.json
if command -v python3 >/dev/null; then
	cat >"$work/check.py" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
schema = json.load(open(sys.argv[2], encoding="utf-8"))
kinds = {k["properties"]["type"]["const"]: k for k in schema["oneOf"]}
for line in lines:
    kind = kinds[line["type"]]
    assert set(kind["required"]) <= set(line), line
    assert set(line) <= set(kind["properties"]), line
assert lines[0]["type"] == "run" and lines[-1]["type"] == "end"
assert lines[-1]["events"] == sum(line["type"] == "event" for line in lines)
seqs = [line["seq"] for line in lines if line["type"] == "event"]
assert all(a < b for a, b in zip(seqs, seqs[1:]))
PYTHON
	python3 "$work/check.py" "$trace" "$schema" >"$work/stdout" 2>"$work/stderr" ||
		complain "the trace does not fit the schema"
fi

finish
