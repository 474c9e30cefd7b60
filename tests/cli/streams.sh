#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Pipes, colour, and signals.

. "$(dirname "$0")/lib.sh"

# A reader that leaves early is no error that anybody has to read about.
for args in "run $tiny" "list events" "help run" "run $tiny -v"; do
	# shellcheck disable=SC2086 # a command line
	{
		status=0
		"$SLABSIM" $args 2>"$work/stderr" || status=$?
		echo "$status" >"$work/status"
	} | head -n 1 >"$work/stdout"
	status=$(cat "$work/status")
	[ "$status" -eq 0 ] || [ "$status" -eq 141 ] || complain "slabsim $args | head: $status"
	[ ! -s "$work/stderr" ] || complain "slabsim $args | head: stderr"
done
# The same when SIGPIPE is ignored, as under some service managers.
(
	trap '' PIPE
	"$SLABSIM" list events 2>"$work/stderr"
	echo $? >"$work/status"
) | true
until_true [ -s "$work/status" ]
status=$(cat "$work/status")
[ "$status" -eq 0 ] || [ "$status" -eq 141 ] || complain "EPIPE: $status"
[ ! -s "$work/stderr" ] || complain "EPIPE: stderr"

# Colour only where it is wanted.
escape=$(printf '\033')
try 0 run "$tiny" --color=always
says stdout "$escape["
try 0 run "$tiny"
grep -q "$escape" "$work/stdout" && complain "colour in a file"
if command -v script >/dev/null; then
	# shellcheck disable=SC2016 # expanded by the inner shell
	for env in TERM=dumb NO_COLOR=1; do
		script -qec "env $env '$SLABSIM' run '$tiny'" /dev/null >"$work/stdout" </dev/null
		grep -q "$escape" "$work/stdout" && complain "colour with $env"
	done
fi
try 0 run "$tiny" --color=always -o "$work/plain" -q
grep -q "$escape" "$work/plain/tiny.txt" && complain "colour in a report file"

# SIGUSR1: how far is it?
cat >"$work/wide.lua" <<'LUA'
-- More orderings than there is time for.
return model {
  cpus = 3,
  setup = function(sim) sim.c = sim:cell("c", 0) end,
  tasks = function(sim)
    local function writer(t) for i = 1, 100 do t:write_once(sim.c, i) end end
    return { task("a", writer), task("b", writer), task("c", writer) }
  end,
}
LUA
begin explore "$work/wide.lua" --strategy dpor --max-time 600s -q
until_true told " executions"
# Not SIGINT, which the shell has told what runs in the background to ignore.
end_with TERM
[ $status -eq 130 ] || complain "interrupted after SIGUSR1: exit $status"
says stderr "slabsim: dpor: "

# Interrupted: status 130, and no half a file.
cat >"$work/long.lua" <<'LUA'
-- Never ends by itself.
return scenario {
  tasks = {
    task("sleeper", { cpu = 0 }, function(t)
      while true do t:sleep(us(1)) end
    end),
  },
}
LUA
is_written() {
	[ -n "$(find "$1" -type f -size +0 2>/dev/null)" ]
}
begin run "$work/long.lua" -o "$work/long" -q
until_true is_written "$work/long"
end_with TERM
[ "$status" -eq 130 ] || complain "interrupted: exit $status"
find "$work/long" -name '.*.??????' | grep -q . && complain "a temporary file stays"
tail -n 1 "$work/long/long.trace.jsonl" | grep -q '"type":"end"' || complain "half a trace"

finish
