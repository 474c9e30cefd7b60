# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of the command line.  SLABSIM is the program.

set -u
: "${SLABSIM:?is not set: it must be the path of the program}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
failed=0

# A scenario of our own, so that these tests do not depend on what scenarios/ holds.
cat >"$work/tiny.lua" <<'LUA'
-- A cgroup lives and dies.
return scenario {
  setup = function(sim)
    sim.box = sim:cgroup("box")
  end,
  tasks = {
    task("admin", { cpu = 0 }, function(t, sim)
      t:rmdir(sim.box)
    end),
  },
}
LUA
tiny=$work/tiny.lua

# And one that breaks an invariant when get-cache-rcu-typo is on.
cat >"$work/typo.lua" <<'LUA'
-- An allocation looks up the cache of its cgroup.
return scenario {
  setup = function(sim)
    sim.box = sim:cgroup("box")
    sim.dentry = sim:cache("dentry", { object_size = 192 })
  end,
  tasks = {
    task("allocator", { cpu = 0, cgroup = "box" }, function(t, sim)
      t:free(t:alloc(sim.dentry))
    end),
  },
}
LUA
typo=$work/typo.lua

complain() {
	echo "$0: $*" >&2
	head -n 100 "$work/stdout" | sed 's/^/    stdout: /' >&2
	head -n 100 "$work/stderr" | sed 's/^/    stderr: /' >&2
	failed=1
}

# try STATUS ARGUMENT...: run the program; its output is in $work/stdout and $work/stderr
try() {
	expected=$1
	shift
	status=0
	"$SLABSIM" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
	[ "$status" -eq "$expected" ] || complain "slabsim $*: exit $status, expected $expected"
}

# says FILE TEXT: does stdout or stderr contain the text?
says() {
	grep -qF -e "$2" "$work/$1" || complain "$1 lacks '$2'"
}

# one_line_error: wrong usage is said in one line, and nothing goes to stdout
one_line_error() {
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || complain "stderr is not one line"
	[ ! -s "$work/stdout" ] || complain "stdout is not empty"
}

# holds DIRECTORY NAME...: exactly these files, hidden ones included
holds() {
	dir=$1
	shift
	found=$(find "$dir" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')
	wanted=$([ $# -eq 0 ] || printf '%s\n' "$@" | sort | tr '\n' ' ')
	[ "$found" = "$wanted" ] || complain "$dir holds '$found', expected '$wanted'"
}

# child PID: the first process that it has started
child() {
	limit=$(($(date +%s) + 60))
	until [ "$(date +%s)" -gt "$limit" ]; do
		for stat in /proc/[0-9]*/stat; do
			# A process may be gone by the time that it is looked at.
			ppid=$(sed 's/.*) . \([0-9]*\) .*/\1/' "$stat" 2>/dev/null) || continue
			if [ "$ppid" = "$1" ]; then
				echo "$stat" | cut -d/ -f3
				return
			fi
		done
		sleep 0.1
	done
}

# begin ARGUMENT...: run the program meanwhile, as $pid
begin() {
	: >"$work/stdout"
	: >"$work/stderr"
	trap '' USR1 # it may be asked before it listens
	"$SLABSIM" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null &
	pid=$!
	trap - USR1
}

# until_true COMMAND...: wait for it, but not for ever
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || { complain "in vain: $*" && return; }
		sleep 0.05
	done
}

# told TEXT: does it say that, asked how far it is?
told() {
	kill -USR1 "$pid" 2>/dev/null
	grep -qF -e "$1" "$work/stderr"
}

# end_with SIGNAL: what it sets status to
end_with() {
	kill -s "$1" "$pid" 2>/dev/null
	status=0
	wait "$pid" || status=$?
}

finish() {
	exit "$failed"
}
