#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Help and version: on stdout, status 0.

. "$(dirname "$0")/lib.sh"

try 0 --version
grep -Eq '^slabsim [0-9]+\.[0-9]+\.[0-9]+$' "$work/stdout" || complain "no version"
try 0 --help
says stdout "Exit status"
for code in 0 1 2 3 4 5 125 130 141; do
	grep -q "^  $code  " "$work/stdout" || complain "exit status $code is not explained"
	grep -q "^| $code |" "$(dirname "$0")/../../README.md" || complain "README: $code"
done
try 0 help
for cmd in run list report compare test help; do
	says stdout "  $cmd "
done
for cmd in run list report compare test help; do
	try 0 help "$cmd"
	says stdout "slabsim $cmd"
	cp "$work/stdout" "$work/help"
	try 0 "$cmd" --help
	cmp -s "$work/stdout" "$work/help" || complain "help $cmd and $cmd --help differ"
	[ ! -s "$work/stderr" ] || complain "help $cmd says something on stderr"
	LC_ALL=C grep -q '[^ -~]' "$work/help" && complain "help $cmd is not ASCII"
done

finish
