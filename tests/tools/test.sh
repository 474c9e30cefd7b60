#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# test.sh BUILD - unit tests, what scenarios expect, command line tests, with the programs in BUILD.
#
# Everything runs even when something fails; a test that passes prints nothing of its own.

set -eu

build=$(cd "$1" && pwd)
SLABSIM=$build/slabsim
export SLABSIM
# A machine under load, or a sanitizer, is slower than Check's four seconds allow for.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-60}"

work=$build/test
rm -rf "$work"
mkdir -p "$work"
nr_run=0
failed=

# attempt NAME STATUS COMMAND... - run the command, and show what it said if the status differs
attempt()
{
	name=$1
	want=$2
	shift 2
	nr_run=$((nr_run + 1))
	got=0
	"$@" >"$work/log" 2>&1 </dev/null || got=$?
	if [ "$got" -eq "$want" ]; then
		sed -n 's/^skipped: /  skipped: /p' "$work/log"
		return
	fi
	failed="$failed
  $name"
	echo "FAILED: $name: exit status $got, should be $want"
	sed 's/^/    /' "$work/log"
}

echo "Unit tests"
"$build/slabsim-tests" || failed="$failed
  unit tests"

echo "Scenarios"
for folder in scenarios/*; do
	[ "$folder" = scenarios/lib ] && continue
	gallery=
	[ "$folder" = scenarios/history ] && gallery="--gallery docs/bug-gallery.md"
	# shellcheck disable=SC2086 # an option and its value
	"$SLABSIM" test -q "$folder" $gallery || failed="$failed
  slabsim test $folder $gallery"
done

echo "Command line"
for script in tests/cli/*.sh; do
	case $script in
	*/lib*.sh | 'tests/cli/*.sh') continue ;;
	esac
	# What a test makes with mktemp goes away with the build directory.
	mkdir -p "$work/tmp"
	if [ -x "$script" ]; then
		attempt "$script" 0 env TMPDIR="$work/tmp" "$script"
	else
		attempt "$script" 0 env TMPDIR="$work/tmp" sh "$script"
	fi
done
echo "  $nr_run scripts"

if [ -n "$failed" ]; then
	echo "Failed, in $build:$failed"
	exit 1
fi
echo "All tests passed."
