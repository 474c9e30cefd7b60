#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# valgrind.sh BUILD - the unit tests of some folders, and one scenario, under valgrind.
#
# A subset, because everything is 20 to 50 times slower there.

set -eu

build=$(cd "$1" && pwd)
folders="tests/base tests/engine tests/check"
scenario=scenarios/demo.lua

# No search for leaks: it would read the whole address range of the arena, which takes minutes, and
# the leak sanitizer in `make asan` looks for them anyway.
check="valgrind --quiet --error-exitcode=99 --leak-check=no"

suites=
for folder in $folders; do
	for file in $(find "$folder" -name 'test_*.c' 2>/dev/null | LC_ALL=C sort); do
		name=${file##*/test_}
		suites="$suites ${name%.c}"
	done
done

if [ -n "$suites" ]; then
	echo "Unit tests:$suites"
	# A process for each test, since some have to end in a signal: valgrind follows a fork.
	# shellcheck disable=SC2086 # lists of words
	CK_FORK=yes CK_DEFAULT_TIMEOUT=600 $check "$build/slabsim-tests" $suites
fi
if [ -f "$scenario" ]; then
	echo "$scenario"
	# shellcheck disable=SC2086 # a list of words
	$check "$build/slabsim" run "$scenario" -o "$build/test/valgrind" >"$build/valgrind.log" ||
		{
			cat "$build/valgrind.log"
			exit 1
		}
fi
echo "valgrind found nothing."
