#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lint.sh BUILD - everything that `make lint` checks.  BUILD keeps what cppcheck found last time.
#
# Each check runs even when one before it fails.

set -eu

build=$1
mkdir -p "$build"
failed=0

# Scripts in tests/ are fed to the program to be refused, so they may look like anything.
sources=$(
	{
		find sim lua reports tests \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' \
			-o -name '*.awk' -o -name '*.bash' \)
		find lua reports scenarios \( -name '*.lua' -o -name '*.html' -o -name '*.js' \
			-o -name '*.css' \)
		find docs -name '*.awk'
		echo Makefile
		echo .ci/run
	} 2>/dev/null | LC_ALL=C sort
)
c_sources=$(printf '%s\n' "$sources" | grep '\.[ch]$')

tests/lint/selftest.sh || failed=1

# No file name of ours has a blank, so these lists may be split at them.
# shellcheck disable=SC2086
LC_ALL=C awk -f tests/lint/source.awk $sources || failed=1

if command -v clang-format >/dev/null; then
	# shellcheck disable=SC2086
	if ! clang-format --dry-run -Werror $c_sources 2>"$build/lint.format"; then
		awk -F: '/: error:/ { print $1 ":" $2 ": not formatted; run make format" }' \
			"$build/lint.format" | uniq
		failed=1
	fi
else
	echo "clang-format is missing; 'make setup' installs it.  Format not checked." >&2
fi

if command -v cppcheck >/dev/null; then
	# What it remembers was found with these options; with others it has to look again.
	if [ -n "$(find tests/lint -newer "$build/cppcheck/files.txt" 2>/dev/null)" ]; then
		rm -rf "$build/cppcheck"
	fi
	mkdir -p "$build/cppcheck"
	# Format strings are the compiler's, which knows the types; which macros cppcheck knows, and
	# which suppressions it needs, depends on its version.
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
		--inline-suppr --std=c11 --library=gtk --library=tests/lint/cppcheck.cfg \
		--max-configs=4 -j "$(nproc)" --cppcheck-build-dir="$build/cppcheck" \
		--suppress=invalidPrintfArgType_uint --suppress=invalidPrintfArgType_sint \
		--suppress=missingIncludeSystem --suppress=unmatchedSuppression \
		--suppress=unknownMacro --template='{file}:{line}: {message} [{id}]' \
		-I . sim lua reports || failed=1
else
	echo "cppcheck is missing; 'make setup' installs it.  Not run." >&2
fi

# The line that commands.awk fills in is text until then.
if command -v mandoc >/dev/null; then
	mandoc -Tlint -Wwarning docs/man/*.[1-9] || failed=1
else
	echo "mandoc is missing; 'make setup' installs it.  Manual pages not checked." >&2
fi

if [ "$failed" -ne 0 ]; then
	echo "lint: failed" >&2
	exit 1
fi
echo "lint: clean"
