#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion in bash: what it offers at each place of a command line, and that TAB types it.

. "$(dirname "$0")/lib.sh"

script=$(realpath "$(dirname "$0")/../../sim/cli/completion.bash")
if ! command -v bash >/dev/null; then
	echo "skipped: completion; bash is not installed"
	finish
fi
mkdir -p "$work/bin" "$work/home/scenarios/lifecycle" "$work/home/out"
SLABSIM=$(realpath "$SLABSIM")
ln -s "$SLABSIM" "$work/bin/slabsim"
PATH=$work/bin:$PATH
cd "$work/home" || exit 1
cp "$tiny" scenarios/lifecycle/alias.lua
touch mine.lua out/run.trace.jsonl out/run.sched out/run.checkpoint 'with blank.lua' study.csv

# offers LINE: completes the end of it as bash splits it, an offer a line into $work/stdout
offers() {
	bash --norc --noprofile -c '
		source "$1" || exit 1
		line=$2
		# At "=" a word ends, as with bash'"'"'s own word breaks.
		read -r -a COMP_WORDS <<<"${line//=/ = }"
		case $line in *[" "]) COMP_WORDS+=("") ;; esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
		_slabsim slabsim "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"
	' bash "$script" "$1" >"$work/stdout" 2>"$work/stderr"
	[ ! -s "$work/stderr" ] || complain "'$1': completion says something"
}

# only LINE WORD...: exactly these
only() {
	line=$1
	shift
	offers "$line"
	found=$(sort "$work/stdout" | tr '\n' ' ')
	wanted=$([ $# -eq 0 ] || printf '%s\n' "$@" | sort | tr '\n' ' ')
	[ "$found" = "$wanted" ] || complain "'$line': offers '$found', expected '$wanted'"
}

# every LINE FILE: all words of the file, and nothing else
every() {
	offers "$1"
	sort "$work/stdout" >"$work/found"
	sort "$2" | cmp -s - "$work/found" || complain "'$1': not the words that slabsim knows"
}

names() {
	"$SLABSIM" list "$1" | sed -n 's/^\([^ ][^ ]*\).*/\1/p'
}

# Commands, and the options of each, as the help has them.
"$SLABSIM" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 9 ] || complain "help names few commands"
{ cat "$work/commands"; printf '%s\n' --help --version; } >"$work/first"
every "slabsim " "$work/first"
every "slabsim help " "$work/commands"
only "slabsim expl" explain explore
only "slabsim run --lif" --lifecycle
while read -r command; do
	"$SLABSIM" help "$command" | grep -o '^  [^ ].*  ' | grep -o -e '--[a-z-]*' >"$work/options"
	every "slabsim $command --" "$work/options"
done <"$work/commands"

# Values, after a blank as well as after "=".
names lifecycles >"$work/lifecycles"
every "slabsim run --lifecycle " "$work/lifecycles"
every "slabsim run mine.lua -l " "$work/lifecycles"
every "slabsim explore --lifecycle=" "$work/lifecycles"
only "slabsim run --lifecycle=seed" seed1-v4 seed2
{ names variants; echo none; } >"$work/variants"
every "slabsim run --variant " "$work/variants"
names variants | sed 's/^/-/' >"$work/off"
every "slabsim run --variant -" "$work/off"
names checks >"$work/checks"
every "slabsim run --check " "$work/checks"
every "slabsim replay --no-check=" "$work/checks"
names strategies >"$work/strategies"
every "slabsim explore --strategy " "$work/strategies"
only "slabsim run --order t" timed ties
only "slabsim run --color=al" always
for word in $("$SLABSIM" help list | sed -n 's/^  slabsim list [^ ]* //p' | tr '|' ' '); do
	echo "$word"
done >"$work/lists"
every "slabsim list " "$work/lists"
only "slabsim test --filter lifecycle/alias" "lifecycle/alias:v5.3:never"
only "slabsim test -k lifecycle/alias" "lifecycle/alias:v5.3:never"
only "slabsim run -k mi" mine.lua
only "slabsim run --seed "

# Files that a command reads: its own kinds, and directories on the way.
only "slabsim run mi" mine.lua
only "slabsim run scenarios/lifecycle/" scenarios/lifecycle/alias.lua
only "slabsim run with" "with blank.lua"
only "slabsim replay out/" out/run.sched
only "slabsim report out/" out/run.trace.jsonl
only "slabsim diff out/run.trace.jsonl ou" out
only "slabsim explore mine.lua --resume out/" out/run.checkpoint
only "slabsim run mine.lua -o ou" out
only "slabsim report x --html ou" out
only "slabsim nonsense --"

# Where there are no scenarios, those that slabsim came with.
mkdir -p "$work/prefix/bin" "$work/prefix/share/slabsim/scenarios" elsewhere
cp "$SLABSIM" "$work/prefix/bin"
cp "$tiny" "$work/prefix/share/slabsim/scenarios"
cd elsewhere || exit 1
PATH=$work/prefix/bin:$PATH only "slabsim run " "$work/prefix/share/slabsim/scenarios/tiny.lua"
cd ..

# As typed, in a bash that runs on a terminal.
if command -v python3 >/dev/null; then
	python3 - "$script" >"$work/stdout" 2>"$work/stderr" <<'PY' ||
import fcntl, os, pty, re, select, struct, sys, termios, time

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PS1="> ", INPUTRC="/dev/null", HISTFILE="/dev/null")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])


def wait(pattern, seconds=30):
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], .2)[0]:
            text += os.read(fd, 65536).decode(errors="replace")
        if re.search(pattern, text):
            return text
    sys.exit("no %r in %r" % (pattern, text))


def send(text):
    os.write(fd, text.encode())


wait("> $")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 400, 0, 0))
send("bind 'set bell-style none'; source %s; echo rea'dy'\n" % sys.argv[1])
wait("ready\r\n> $")
send("slabsim ru\t")
wait("slabsim run $")
send("scen\tli\tal\t")
wait(r"scenarios/lifecycle/alias\.lua $")
send("--variant get-c\t")
wait("get-cache-rcu-typo $")
send("--order=ran\t")
wait("--order=random $")
send("-q\n")
wait(r"alias: (PASS|FAIL)[^\n]*\n> $")
send("exit\n")
os.waitpid(pid, 0)
PY
		complain "TAB does not complete"
fi
finish
